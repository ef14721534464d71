"""Which policy serves: claims over worlds whose truth is known."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from features.rows.row_types import DecisionRow
from features.times import DAY
from features.traits import Traits
from nba.actions import Catalogue
from nba.ranking import Choices, serving_policy, settled
from nba.settings.ranking import Ranking
from nba.valuation import Gain
from tests.training.decision_worlds import (
    ACTIONS,
    GOALS,
    NAMES,
    World,
    features_of,
    learn_by_traits,
    settings_of,
    world,
)
from training.dataset import data_end
from training.past import Past
from training.policy.gate import _told, in_words
from training.policy.report import judge, policies
from training.rows.decision_rows import decision_rows
from training.world.world import world as journey

CONTRACT = {"evidence", "estimates", "gain_over_best_simple", "serves", "why"}


def report(made: World, **more: Any) -> dict[str, Any]:
    return policies(made.past, made.settings, made.features, learn=learn_by_traits, **more)


def with_ranking(made: World, **ranking: Any) -> World:
    return replace(made, settings=replace(made.settings, ranking=Ranking(**ranking)))


def is_shown(found: dict[str, Any]) -> bool:
    interval = found["gain_over_best_simple"]["interval"]
    return interval is not None and interval[0] > 0


def test_a_gain_that_is_there_is_shown_and_learned_serves() -> None:
    found = [report(world(1500, seed=seed, effect=0.25)) for seed in range(12)]
    assert sum(each["serves"] == "learned" for each in found) >= 9
    for each in found:
        assert (each["serves"] == "learned") == is_shown(each)


def claims(seeds: range, n: int = 1200, **truth: Any) -> list[dict[str, Any]]:
    return [report(world(n, seed=seed, **truth)) for seed in seeds]


def test_without_effects_no_gain_is_claimed() -> None:
    """The learner of these worlds sees patterns in noise, so that every one of them invites a claim."""
    found = claims(range(40), effect=0.0)
    assert sum(map(is_shown, found)) <= 3
    assert Counter(each["serves"] for each in found)["points"] >= 32


@pytest.mark.slow
@pytest.mark.parametrize("truth", [{}, {"one_moment": True}, {"average": 0.15}, {"confounded": True}], ids=str)
def test_where_nobody_differs_a_gain_is_claimed_in_at_most_one_world_in_twenty(truth: dict[str, Any]) -> None:
    found = claims(range(200), effect=0.0, **truth)
    assert np.mean([is_shown(each) for each in found]) <= 0.05


@pytest.mark.slow
def test_a_single_comparison_is_wrong_as_often_as_it_says() -> None:
    """So that the claim of the gate, which needs all comparisons at once, is wrong less often and not by blindness."""
    shown = []
    for seed in range(300):
        made = world(1200, seed=seed, effect=0.0)
        rows = decision_rows(made.past, made.settings)
        found = judge(made.past, made.settings, rows, made.features, success_values={}, learn=learn_by_traits)
        shown.append(found.bench.gain("learned", "constant:mail").is_shown)
    assert 0.005 <= np.mean(shown) <= 0.055  # nominal 2.5 %


def journey_world(seed: int, n: int, **truth: Any) -> World:
    """Journeys with decisions every two weeks, learnt from by their touchpoints."""
    made = journey(n, seed=seed, days=170, **truth)
    touchpoints, now = made.as_touchpoints(), made.end + 1
    settings = settings_of(actions={name: {"channel": "email"} for name in made.actions[1:]})
    past = Past(touchpoints, Traits(made.contacts), tuple(made.decisions), now, data_end(touchpoints, now), 0)
    return World(past, settings, features_of(past, settings), made.truth.chance)


@pytest.mark.slow
def test_journeys_without_effects_claim_a_gain_in_at_most_one_world_in_twenty() -> None:
    """With the learner that serves."""
    claimed = []
    for seed in range(200):
        made = journey_world(seed, 250, no_effects=True)
        claimed.append(is_shown(policies(made.past, made.settings, made.features)))
    assert np.mean(claimed) <= 0.05


@pytest.mark.slow
def test_journeys_with_effects_let_the_learned_ranking_serve() -> None:
    made = journey_world(1, 3000)
    found = policies(made.past, made.settings, made.features)
    assert found["serves"] == "learned", found["why"]
    truth = made.chance
    assert found["estimates"]["uniform"]["value"] == pytest.approx(truth.mean(), abs=0.015)


@pytest.mark.parametrize("seed", range(4))
def test_an_action_that_helps_everybody_alike_is_served_to_all(seed: int) -> None:
    found = report(world(2400, seed=seed, effect=0.0, average=0.25))
    assert found["serves"] == "constant:mail"
    assert found["why"].startswith("no personalised gain can be shown; always mail is served")


@pytest.mark.parametrize("confounded", [False, True])
def test_without_probabilities_nothing_is_claimed(confounded: bool) -> None:
    found = report(world(900, known=False, confounded=confounded))
    assert (found["evidence"], found["serves"]) == ("observational", "points")
    assert "response is not effect" in found["why"]
    assert found["gain_over_best_simple"]["interval"] is None
    assert {each["verdict"] for each in found["estimates"].values()} <= {"weak", "refused"}


def test_thompson_serves_also_where_past_actions_were_targeted_but_claims_no_gain() -> None:
    found = report(with_ranking(world(900, known=False), policy="thompson"))
    assert (found["evidence"], found["serves"]) == ("observational", "learned")
    assert "response is not effect" in found["why"] and "points baseline chooses" not in found["why"]
    assert found["gain_over_best_simple"]["interval"] is None


def test_without_decisions_or_actions_the_contract_says_what_stands_there() -> None:
    made = world(200)
    nobody = replace(made, past=replace(made.past, decisions=()))
    idle = replace(made, settings=settings_of(actions={}))
    for each in (nobody, idle, with_ranking(nobody, policy="thompson")):
        found = report(each)
        assert {name: found[name] for name in ("evidence", "estimates", "serves")} == {
            "evidence": "none",
            "estimates": {},
            "serves": "points",
        }
        assert found["gain_over_best_simple"] == {"value": None, "interval": None}


def test_decisions_whose_outcomes_are_open_say_so() -> None:
    made = world(200)
    late = replace(made, past=replace(made.past, end=made.past.decisions[0].decided_at - 400 * DAY))
    found = report(late)
    assert (found["serves"], found["estimates"]) == ("points", {}) and "still open" in found["why"]
    tried = report(with_ranking(late, policy="thompson"))
    assert (tried["serves"], tried["estimates"]) == ("learned", {}) and "the learned ranking chooses" in tried["why"]


def test_the_report_is_the_contracts_and_plain_json() -> None:
    found = report(world(1200))
    assert set(found) >= CONTRACT
    assert set(found["estimates"]) == {"points", "uniform", "learned", *(f"constant:{name}" for name in NAMES)}
    for each in found["estimates"].values():
        assert set(each) >= {"value", "interval", "ess", "verdict", "why", "success_rate"}
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_reward_is_the_worth_less_the_cost_and_the_plain_rate_stands_beside_it() -> None:
    goals = {"conversion": {**GOALS["conversion"], "value": 20}}
    actions = {"mail": {"channel": "email", "cost": 3}, "call": {"channel": "phone"}}
    found = report(world(1200, settings=settings_of(goals, actions)))["estimates"]
    for name, cost in (("constant:mail", 3.0), ("constant:call", 0.0)):
        assert found[name]["value"] == pytest.approx(20 * found[name]["success_rate"] - cost, abs=1e-9)


def test_what_would_have_happened_anyway_is_not_worth_more_because_of_the_action() -> None:
    """An action that changes nothing and says that a success is worth ten times as much gains nothing."""
    actions = {"mail": {"channel": "email", "value": 10}, "call": {"channel": "phone"}}
    found = report(world(2400, effect=0.0, settings=settings_of(actions=actions)))["estimates"]
    difference = found["constant:mail"]["value"] - found["constant:do_nothing"]["value"]
    assert abs(difference) < 4 * np.sqrt(2 * 3 * 0.23 / 720)


def test_thompson_serves_from_the_start_and_tells_its_gain() -> None:
    found = report(with_ranking(world(1200, effect=0.0), policy="thompson"))
    assert found["serves"] == "learned" and "gains" in found["why"] and not is_shown(found)


def test_an_action_that_was_never_taken_is_refused_and_never_served() -> None:
    settings = settings_of(actions={**ACTIONS, "fax": {"channel": "fax"}})
    found = report(world(1500, seed=1, settings=settings))
    assert found["estimates"]["constant:fax"]["verdict"] == "refused"
    assert "never taken" in found["estimates"]["constant:fax"]["why"]
    assert found["estimates"]["uniform"]["verdict"] == "refused"
    assert found["estimates"]["learned"]["verdict"] == "ok"


def test_what_is_no_longer_an_action_cannot_be_served() -> None:
    found = report(world(1500, settings=settings_of(actions={"mail": {"channel": "email"}})))
    assert "constant:call" not in found["estimates"]
    assert found["estimates"]["constant:mail"]["verdict"] == "ok"


def night(made: World, day: int, **more: Any) -> dict[str, Any]:
    return report(replace(made, past=replace(made.past, now=made.past.now + day * DAY)), **more)


def test_the_gate_is_asked_once_a_day_about_newer_decisions() -> None:
    made = world(1500, seed=2, effect=0.25)
    first = report(made)
    assert first["serves"] == "learned" and "gate" in first
    closed = dict(first, serves="constant:mail")
    for again in (report(made, last=closed), night(made, 1, last=closed)):
        assert again["serves"] == "constant:mail" and "goes on" in again["why"]
        assert again["gate"] == first["gate"]
    dear = replace(made, settings=settings_of({"conversion": {**GOALS["conversion"], "value": 2}}))
    assert report(dear, last=closed)["serves"] == "learned", "other settings are another question"


def test_a_new_gate_looks_only_at_decisions_that_are_newer() -> None:
    made = world(3000, seed=3, effect=0.25)
    rows = decision_rows(made.past, made.settings)
    through = int(np.median(rows.decided_at[rows.held_out]))
    before = replace(made.past, decisions=tuple(r for r in made.past.decisions if r.decided_at <= through))
    first = report(replace(made, past=before))
    later = night(made, 1, last=first)
    assert later["estimates"]["learned"]["n"] == int((rows.held_out & (rows.decided_at > through)).sum())
    assert later["gate"]["decisions_through"] > first["gate"]["decisions_through"]


def test_what_was_shown_stays_until_a_loss_is_shown() -> None:
    made = world(1200, seed=4, effect=0.0)
    shown = {"serves": "learned"}
    found = report(made, last=shown)
    assert found["serves"] == "learned" and "earlier gate" in found["why"]
    assert report(made)["serves"] != "learned"


def test_a_past_that_was_never_drawn_says_nothing_of_other_choices() -> None:
    """A greedy log gives its own actions the chance 1 and all others none."""
    made = world(900)
    greedy = [
        DecisionRow(r.decision_id, r.identity, r.decided_at, r.action, 1.0, NAMES, chances={r.action: 1.0})
        for r in made.past.decisions
    ]
    found = report(replace(made, past=replace(made.past, decisions=tuple(greedy))))
    assert found["serves"] == "points"
    assert all(each["verdict"] == "refused" for each in found["estimates"].values())
    assert "no chance of being drawn" in found["estimates"]["constant:mail"]["why"]


@pytest.mark.parametrize(
    ("serves", "words"),
    [
        ("learned", "the learned ranking"),
        ("points", "the points baseline"),
        ("uniform", "any allowed action by chance"),
        ("constant:mens", "always mens"),
    ],
)
def test_policies_have_names(serves: str, words: str) -> None:
    assert in_words(serves) == words


@pytest.mark.parametrize(
    ("serves", "allowed", "expected"),
    [
        ("constant:mail", [1, 1, 1], [0.1, 0.8, 0.1]),
        ("constant:mail", [1, 0, 1], [0.85, 0.0, 0.15]),
        ("constant:do_nothing", [1, 1, 1], [0.8, 0.1, 0.1]),
        ("uniform", [1, 0, 1], [0.5, 0.0, 0.5]),
        ("learned", [1, 1, 1], [0.1, 0.1, 0.8]),
    ],
)
def test_what_the_gate_lets_serve_acts(serves: str, allowed: list[int], expected: list[float]) -> None:
    settings = replace(settings_of(), ranking=Ranking(epsilon=0.3))
    catalogue = Catalogue.of(settings)
    choices = Choices(np.array([[0.0, 1.0, 2.0]]), np.array([allowed], dtype=np.bool_), np.array([0.0]))
    found = serving_policy(catalogue, settled(catalogue, serves)).probabilities(choices)[0]
    assert found.tolist() == pytest.approx(expected)


@pytest.mark.parametrize("serves", ["constant:gone", "something"])
def test_what_the_settings_no_longer_have_gives_way_to_points(serves: str) -> None:
    assert settled(Catalogue.of(settings_of()), serves) == "points"


def test_decisions_of_before_the_log_had_chances_do_not_weaken_what_is_drawn_now() -> None:
    made = world(1500, seed=5, effect=0.0, average=0.25)
    rows = sorted(made.past.decisions, key=lambda row: row.decided_at)
    mixed = [replace(row, probability=None) if i < 600 else row for i, row in enumerate(rows)]
    found = report(replace(made, past=replace(made.past, decisions=tuple(mixed))))
    assert (found["evidence"], found["serves"]) == ("randomised", "constant:mail")


def test_a_shown_loss_is_not_told_as_a_gain() -> None:
    bench: Any = SimpleNamespace(rows=range(394))
    assert "is worse: -33" in _told(bench, Gain(-33.0, (-60.0, -5.0)), "points")
    assert "gains 3" in _told(bench, Gain(3.0, (-1.0, 7.0)), "points")
