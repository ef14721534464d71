"""Who chooses in a plan is who would choose in service: the learned ranking, a constant, the points table."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from features.store.store import Store
from models.belief import Belief
from nba.actions import DO_NOTHING, Catalogue
from nba.draw import Draw, in_holdout
from nba.engine import decide
from nba.partners.visibility import OWNER_SIDE
from nba.past import Past
from nba.plan.moment import PlanDay
from nba.request import Request
from nba.settings import Settings, parse_settings
from tests.training import plan_worlds
from tests.training.plan_worlds import AS_OF, DAY_PLANNED, OPEN, TABLE, TOML
from tests.training.weighing_worlds import belief
from training.everybody.everybody import Everybody
from training.plan.planned_day import PlannedDay, gather_day, plan_day
from training.plan.pool import open_settings

DAY = PlanDay.of(date.fromisoformat(DAY_PLANNED), "Europe/Zurich", 0)
BARE = "[ranking]\nholdout = 0\n"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    path: Path = tmp_path_factory.mktemp("shop") / "nba.db"
    with Store.open(f"sqlite:///{path}") as opened:
        plan_worlds.write(opened, seed=1)
        yield opened


def shop(ranking: str, table: str = TABLE) -> Settings:
    return parse_settings(TOML.replace(BARE, f"[ranking]\nepsilon = 0\nsticky = '0d'\n{ranking}\n") + table + OPEN)


def serving(serves: str | None) -> Belief | None:
    """A belief whose gate lets something serve; None: no champion."""
    if serves is None:
        return None
    found = belief()
    manifest = {**found.manifest, "policies": {"serves": serves, "evidence": "none"}}
    return Belief(replace(found.bundle, manifest=manifest), found.version)


def plan(store: Store, settings: Settings, champion: Belief | None) -> PlannedDay:
    everybody = Everybody.read(store, settings, AS_OF)
    gathered = gather_day(everybody, settings, champion, DAY, OWNER_SIDE, advance=lambda n: None)
    return plan_day(everybody, settings, gathered, DAY, OWNER_SIDE)


def candidates(planned: PlannedDay) -> dict[str, set[str]]:
    """Actions that could be planned for each contact, without the mandatory ones."""
    found: dict[str, set[str]] = defaultdict(set)
    for contact, column in zip(planned.pool.contact.tolist(), planned.pool.column.tolist(), strict=True):
        action = planned.catalogue.action(column)
        if action.class_ != "mandatory":
            found[planned.gathered.names[contact]].add(action.name)
    return found


def served(store: Store, settings: Settings, champion: Belief | None) -> dict[str, str]:
    """What the service would answer each contact, with the gates that a plan leaves open."""
    catalogue, found = Catalogue.of(open_settings(settings)), {}
    for name in Everybody.read(store, settings, AS_OF).names:
        past = Past.read(
            store, name, AS_OF, settings.touchpoints, memory_us=catalogue.memory_us, counted=catalogue.approach_rule
        )
        found[name] = decide(Request(name), past, champion, catalogue, AS_OF, Draw(b"", "x")).action
    return found


@pytest.mark.parametrize("serves", [None, "points", "constant:mail", "constant:news"])
def test_where_a_simple_rule_serves_only_its_action_is_planned(store: Store, serves: str | None) -> None:
    settings, champion = shop("holdout = 0.3"), serving(serves)
    planned, answers = plan(store, settings, champion), served(store, settings, champion)
    worth = candidates(planned)
    assert all(actions <= {answers[name]} for name, actions in worth.items() if answers[name] != "recall")
    expected = {name for name, action in answers.items() if action not in (DO_NOTHING, "recall")}
    left_out = sum(n for (_, rule), n in planned.gathered.removed.items() if rule == "priority")
    assert worth and 0 <= len(expected - worth.keys()) <= left_out, "only what is worth nothing is left out"


def test_the_learned_ranking_plans_by_priority_but_not_for_the_holdout(store: Store) -> None:
    settings, champion = shop("holdout = 0.5"), serving("learned")
    worth, answers = candidates(plan(store, settings, champion)), served(store, settings, champion)
    traits = {name: Everybody.read(store, settings, AS_OF).past(name).traits for name in worth}
    held = {name for name in worth if in_holdout(name, traits[name].get("account"), AS_OF, 0.5)}
    assert held and all(worth[name] == {answers[name]} for name in held if answers[name] != "recall")
    assert any(len(worth[name]) > 1 for name in worth.keys() - held)


def test_an_empty_points_table_is_no_rule_to_follow_and_priorities_choose(store: Store) -> None:
    worth = candidates(plan(store, shop("holdout = 0", table=""), None))
    assert max(map(len, worth.values())) > 2
    assert not candidates(plan(store, shop("holdout = 0\npolicy = 'points'", table=""), None))
