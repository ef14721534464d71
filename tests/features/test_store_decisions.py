"""Decisions, their outcomes and scores in the store."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from features.rows.row_types import EXPLAINED, ContactRow, DecisionRow, OutcomeRow, ScoreRow, TouchpointRow
from features.store.erasing import bury
from features.store.store import Store


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with Store.open(store_url) as opened:
        yield opened


def touchpoint(at: int = 1, name: str = "1", action: str | None = None) -> TouchpointRow:
    return TouchpointRow("a", at, name, "visit", decision_id="d", action=action)


def write(store: Store, *rows: TouchpointRow) -> int:
    with store.writing() as writing:
        return writing.touchpoints(rows)


DECISION = DecisionRow(
    "d",
    "a",
    5,
    "call",
    probability=0.7,
    allowed=("none", "call"),
    policy="epsilon",
    topics=("pumps",),
    properties={"n": 1},
    chances={"none": 0.3, "call": 0.7},
    mode="learned",
    placement="outbound",
    model_version="3",
    terms={"call": {"cost": 1.0}},
    key="crm",
    request_hash="h",
    answer=b'{"a": 1}',
    as_of=5,
    deferred=True,
    holdout=True,
    features_sha="f",
)


def test_a_decision_comes_back_whole_and_the_first_stays(store: Store) -> None:
    with store.writing() as writing:
        assert writing.decisions([DECISION]) == 1
        assert writing.decisions([DecisionRow("d", "b", 6, "mail")]) == 0
    found = store.decision("d")
    assert found == DECISION
    assert found.chances is not None and list(found.chances) == ["none", "call"]
    assert store.decision("e") is None
    assert store.decisions_of("a", 5) == []
    assert store.decisions_of("a", 6) == list(store.decision_rows(6)) == [DECISION]
    assert list(store.decision_rows(6, without=EXPLAINED)) == [DECISION.brief]


def test_a_touchpoint_has_the_action_of_its_decision_whichever_came_first(store: Store) -> None:
    write(store, touchpoint(), touchpoint(at=2, name="2", action="own"))
    assert [row[12] for row in store.history("a", 9)] == [None, "own"]
    with store.writing() as writing:
        writing.decisions([DECISION])
    assert [row[12] for row in store.history("a", 9)] == ["call", "own"]
    assert [row[12] for row in store.touchpoint_rows(9)] == ["call", "own"]


def test_feedback_waits_for_its_decision(store: Store) -> None:
    outcome = OutcomeRow("f", "d", "accepted", 6, 7, action="call", note="ü", until=9, value=1.5)
    with store.writing() as writing:
        assert writing.outcomes([outcome]) == 1
        assert writing.outcomes([outcome]) == 0
    assert store.outcomes_of("d") == [outcome._replace(pending=True)]
    with store.writing() as writing:
        writing.decisions([DECISION])
    assert store.outcomes_of("d") == [outcome]
    assert list(store.outcome_rows(7)) == []
    assert list(store.outcome_rows(8)) == [outcome]


@pytest.mark.parametrize("was_anybody_erased", [False, True])
def test_one_decision_is_stored_as_many_are(store: Store, was_anybody_erased: bool) -> None:
    early = OutcomeRow("f", "waited for", "accepted", 9, 9)
    with store.writing() as writing:
        if was_anybody_erased:
            bury(writing, ["gone"], 1)
        writing.outcomes([early])
        assert writing.decision(DECISION) == 0
        assert writing.decision(replace(DECISION, action="mail")) is None
        assert writing.decision(replace(DECISION, decision_id="waited for")) == 1
        again = writing.decision(replace(DECISION, decision_id="other", identity="gone"))
        assert again == (None if was_anybody_erased else 0)
    assert store.decision("d") == DECISION
    assert [row.pending for row in store.outcomes_of("waited for")] == [False]
    assert (store.decision("other") is None) == was_anybody_erased


def test_activation_keeps_the_first_time(store: Store) -> None:
    with store.writing() as writing:
        assert not writing.activate("d", 6)
        writing.decisions([DECISION])
        assert writing.activate("d", 7)
        assert writing.activate("d", 8)
    found = store.decision("d")
    assert found is not None and found.activated_at == 7


def test_scores_replace_all_scores(store: Store) -> None:
    one, two = (ScoreRow(name, 5, "need", 3.0, {"p_conversion": 0.5}, None) for name in "ab")
    assert store.save_scores([one, two]) == 2
    assert store.save_scores(iter([two])) == 1
    assert store.scores_of("a") is None
    assert store.scores_of("b") == two
    assert list(store.score_rows()) == [two]


def indexes_of(store: Store, table: str) -> set[str]:
    asked = {
        "sqlite": f"SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = '{table}' AND sql IS NOT NULL",
        "postgresql": f"SELECT indexname FROM pg_indexes WHERE tablename = '{table}'",
    }
    return {row[0] for row in store._all(asked[store._dialect.name])}


def test_contacts_are_found_after_a_first_load_a_broken_one_and_another(store: Store) -> None:
    def load(name: str) -> None:
        with store.loading() as loading:
            loading.contacts([ContactRow(name, 1, {"name": f"Ann {name}"})])
            loading.contacts([ContactRow(f"{name} too", 1, {"name": "Bob Lee"})])
            loading.settle()
            if name == "broken":
                raise RuntimeError(name)

    made = indexes_of(store, "contacts")
    assert {"contacts_by_name", "contacts_by_last_name", "contacts_by_email", "contacts_by_phone"} <= made
    with pytest.raises(RuntimeError):
        load("broken")
    assert indexes_of(store, "contacts") == made and not list(store.contact_rows())
    for name in ("first", "second"):
        load(name)
        assert indexes_of(store, "contacts") == made
    assert len(list(store.contact_rows())) == 4


def test_scores_that_break_off_change_nothing_and_indexes_are_there_either_way(store: Store) -> None:
    def broken() -> Iterator[ScoreRow]:
        yield two
        raise RuntimeError("half way")

    one, two = (ScoreRow(name, 5, "need", 3.0, {"p_conversion": 0.5}, None) for name in "ab")
    made = indexes_of(store, "scores")
    assert {"scores_in_line", "scores_of_owner", "scores_of_partner", "scores_of_work", "scores_of_stage"} <= made
    store.save_scores([one])
    assert indexes_of(store, "scores") == made
    with pytest.raises(RuntimeError, match="half way"):
        store.save_scores(broken())
    assert list(store.score_rows()) == [one] and indexes_of(store, "scores") == made
