"""Everybody at once is each contact asked one by one, to the last field."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from features.rows.row_types import ScoreRow
from features.store.store import Store
from features.times import DAY
from features.touchpoints.touchpoints import NONE, Touchpoints
from nba.consent import Ledger
from nba.past import Past
from nba.request import Request
from nba.settings import Settings
from nba.weighing import Weighed, weigh
from tests.training import weighing_worlds
from tests.training.weighing_worlds import CATALOGUE, NOW, belief, settings
from training import parallel
from training.everybody import weighed
from training.everybody.account_rows import account_columns
from training.everybody.everybody import Everybody
from training.everybody.weighed import map_weighed, weigh_all


@pytest.fixture(scope="module", params=[0, 1])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path_factory.mktemp('world') / 'nba.db'}") as store:
        weighing_worlds.write(store, seed=request.param)
        store.save_scores([ScoreRow("crm:0", NOW - DAY, "need", 5.0, {"p_conversion": 0.2}, "7")])
        yield store


def of_request(store: Store, name: str, as_of: int = NOW) -> Past:
    past = Past.read(
        store, name, as_of, settings().touchpoints, memory_us=CATALOGUE.memory_us, counted=CATALOGUE.approach_rule
    )
    # Who looks at everybody answers nobody again.
    return replace(past, decisions=tuple(row.brief for row in past.decisions))


def plain(t: Touchpoints) -> list[tuple[Any, ...]]:
    """Everything that touchpoints say, without the codes that say it."""
    topics = [[t.topics[code] for code in t.topic[t.topic_start[i] : t.topic_start[i + 1]]] for i in range(len(t))]
    named = [(t.kind, t.kinds), (t.channel, t.channels), (t.decision, t.decisions), (t.action, t.actions)]
    columns = [[None if code == NONE else names[code] for code in codes.tolist()] for codes, names in named]
    numbers = [np.nan_to_num(column, nan=-1.0).tolist() for column in (t.value, t.margin, t.duration)]
    return list(
        zip(t.occurred_at.tolist(), t.touchpoint_id, t.properties, t.outbound.tolist(), topics, *columns, *numbers,
            strict=True)
    )  # fmt: skip


def test_every_field_of_every_past_is_that_of_a_request(store: Store) -> None:
    for as_of in (NOW, NOW - 40 * DAY):
        everybody = Everybody.read(store, settings(), as_of)
        found = dict(everybody.pasts(everybody.names))
        assert list(found) == sorted(found)
        for name, past in found.items():
            wanted = of_request(store, name, as_of)
            for field in fields(Past):
                if field.name not in ("touchpoints", "around"):
                    assert getattr(past, field.name) == getattr(wanted, field.name), (name, field.name)
            assert plain(past.touchpoints) == plain(wanted.touchpoints)
            assert past.touchpoints.contacts in ([name], [])
        contacts = [past.contact for past in found.values() if past.contact is not None]
        joined = [contact for contact in contacts if len(contact.members) > 1]
        assert len(joined) > 2 and all(contact.why for contact in joined)
        assert sum(past.account is not None for past in found.values()) > 10
        assert sum(len(past.decisions) for past in found.values()) > 10


def test_what_lies_around_a_contact_is_what_a_request_finds(store: Store) -> None:
    everybody = Everybody.read(store, settings(), NOW)
    found = {"tables": 0, "assets": 0, "sent": 0, "taken": 0}
    for part in (everybody, everybody.part(everybody.names, CATALOGUE)):
        for name in everybody.names:
            here, there = part.past(name).around, of_request(store, name).around
            assert here.tables() == there.tables()
            assert here.assets() == there.assets()
            found["assets"] += len(here.assets())
            for days in (5, 20):
                sent = here.account_approaches(NOW - days * DAY)
                assert list(sent) == list(there.account_approaches(NOW - days * DAY)), name
                found["sent"] += len(sent)
            for action in ("call", "letter", "fair"):
                for by in (None, "owner", "partner"):
                    taken = here.taken(action, NOW - 60 * DAY, by)
                    assert taken == there.taken(action, NOW - 60 * DAY, by), (name, action, by)
                    found["taken"] += taken
    found["tables"] = len(everybody.surrounding.tables.products)
    assert all(found.values()), found


def test_everybody_is_there_once(store: Store) -> None:
    everybody = Everybody.read(store, settings(), NOW)
    identities = {row.key for row in store.contact_rows(NOW)} | {row[0] for row in store.touchpoint_rows(NOW)}
    members = [each for _, past in everybody.pasts(everybody.names) for each in (past.contact or pytest.fail()).members]
    assert len(members) == len(set(members)) and set(members) >= identities
    assert all(of_request(store, name).contact.contact_id in everybody.names for name in identities)  # type: ignore[union-attr]


def assert_same(found: Weighed, wanted: Weighed) -> None:
    assert found.judged.verdict == wanted.judged.verdict
    assert found.terms == wanted.terms
    assert found.rules == wanted.rules
    assert (found.asked, found.estimate is None) == (wanted.asked, wanted.estimate is None)
    assert found.judged.situation.held == wanted.judged.situation.held
    assert found.judged.situation.propensities == wanted.judged.situation.propensities
    assert found.judged.situation.segments == wanted.judged.situation.segments


@pytest.mark.parametrize("model", ["none", "account"])
def test_verdicts_and_terms_are_those_of_a_request(store: Store, model: str) -> None:
    believed = None if model == "none" else belief(account=True)
    everybody = Everybody.read(store, settings(), NOW)
    done: list[int] = []
    found = dict(weigh_all(everybody, settings(), believed, advance=done.append))
    assert tuple(found) == everybody.names and sum(done) == len(found)
    rules: set[str] = set()
    for name, mine in found.items():
        wanted = weigh(Request(name), of_request(store, name), believed, CATALOGUE, NOW)
        assert_same(mine, wanted)
        rules |= {refusal.rule for refusal in mine.judged.verdict.refusals}
    assert rules >= {"eligibility", "owned", "suitability", "consent", "partner", "hold", "cap:account:all/20d"}
    assert sum(mine.judged.situation.held is not None for mine in found.values()) > 0
    assert sum(mine.judged.situation.known.is_empty for mine in found.values()) > 0


def test_columns_about_accounts_are_those_of_a_request(store: Store) -> None:
    features, consent = belief(account=True).features, settings().contact_policy.consent
    everybody = Everybody.read(store, settings(), NOW)
    columns = account_columns(everybody, features, settings())
    assert columns is not None and not np.isnan(columns).all()
    checked = 0
    for name, row in zip(everybody.touchpoints.contacts, columns, strict=True):
        past = of_request(store, name)
        if past.account is None or not Ledger(past.touchpoints, NOW, {}).may_profile(consent):
            assert np.isnan(row).all()
        else:
            may = past.account.columns(features, NOW, lambda t: Ledger(t, NOW, {}).may_profile(consent))
            assert row.tobytes() == may.tobytes()
            checked += 1
    assert checked > 5


def told(weighing: Iterator[tuple[str, Weighed]]) -> list[tuple[Any, ...]]:
    return [(name, w.judged.verdict.allowed, w.judged.verdict.refusals, w.terms, w.rules) for name, w in weighing]


@pytest.mark.parametrize(
    ("backend", "partitions"),
    [("sequential", 1), ("sequential", 7), pytest.param("loky", 3, marks=pytest.mark.slow)],
)
def test_what_is_weighed_does_not_depend_on_partitions_and_processes(
    store: Store, backend: str, partitions: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parallel, "FEWEST", 0)
    monkeypatch.setattr(weighed, "_WORTH_CUTTING", 1)
    cut: Settings = settings(f'[scale]\nbackend = "{backend}"\npartitions = {partitions}\n')
    everybody = Everybody.read(store, cut, NOW)
    wanted = told(weigh_all(everybody, cut, belief(account=True)))
    done: list[int] = []
    found = [
        row for part in map_weighed(everybody, cut, belief(account=True), told, advance=done.append) for row in part
    ]
    assert sorted(found, key=lambda row: row[0]) == wanted
    assert sum(done) == len(wanted) and len(done) <= partitions


def test_a_broken_model_ends_the_work(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    everybody = Everybody.read(store, settings(), NOW)
    monkeypatch.setattr("training.everybody.weighed.foresee", lambda believed, *rest: believed)
    monkeypatch.setattr(type(belief(account=True)), "estimate", lambda *args, **more: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        list(weigh_all(everybody, settings(), belief(account=True)))


def test_an_empty_store_has_nobody(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path / 'nba.db'}") as store:
        everybody = Everybody.read(store, settings(), NOW)
    assert everybody.names == () and list(weigh_all(everybody, settings(), belief(account=True))) == []
    assert list(map_weighed(everybody, settings(), belief(), told)) == []
