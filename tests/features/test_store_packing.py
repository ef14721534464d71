import json
import random
import threading
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.rows.row_types import DecisionRow, TouchpointRow
from features.store.packing import FEWEST
from features.store.store import Store
from features.topics import TopicRule
from features.touchpoints.touchpoints import Touchpoints
from tests.examples import examples
from tests.features.touchpoint_claims import is_sound, said
from tests.features.worlds import RULES

RULED = replace(RULES, topic_rules=(TopicRule("search", "saws", contains=("saw",)),), outbound=("fax",))
EVER = 10**15
NUMBERS = count()


@pytest.fixture
def store(store_url):
    with Store.open(store_url) as found:
        yield found


@pytest.fixture
def however_short(monkeypatch):
    monkeypatch.setattr("features.store.packing.FEWEST", 1)


def same_as_rows(store, identity, before=EVER):
    for rules in (RULES, RULED):
        read = store.touchpoints(identity, before, rules)
        is_sound(read)
        assert said(read) == said(Touchpoints.from_rows(store.history(identity, before), rules))


def visit(at, identity="ann", name=None, **more):
    return TouchpointRow(identity, at, name or f"{identity}-{at}", "visit", **more)


touchpoints = st.builds(
    TouchpointRow,
    identity=st.sampled_from(["ann", "bob"]),
    occurred_at=st.integers(0, 30),
    touchpoint_id=st.integers(0, 60).map(str),
    kind=st.sampled_from(["visit", "order", "fax"]),
    channel=st.sampled_from([None, "web"]),
    direction=st.sampled_from([None, None, "inbound", "outbound"]),
    topics=st.sampled_from([None, None, '["oil"]', '["saws", "oil"]']),
    value=st.sampled_from([None, 1.5, -2.0]),
    currency=st.sampled_from([None, "USD"]),
    decision_id=st.sampled_from([None, "d1", "d2"]),
    action=st.sampled_from([None, None, "call"]),
    properties=st.sampled_from([None, '{"search": "saw"}', '{"search": "ß"}']),
    source=st.sampled_from(["crm", "web"]),
)
steps = st.one_of(
    st.tuples(st.just("touchpoints"), st.lists(touchpoints, min_size=1, max_size=15)),
    st.tuples(st.just("later"), st.lists(touchpoints, min_size=1, max_size=4)),
    st.tuples(st.just("decision"), st.sampled_from(["d1", "d2"])),
    st.tuples(st.just("pack"), st.sampled_from([RULES, RULED])),
)


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(steps, max_size=8), st.integers(0, 31))
def test_what_is_packed_says_what_the_rows_say_whatever_was_written(store, however_short, journey, before):
    mine = f"{next(NUMBERS)}:"
    later = 100
    for what, content in journey:
        with store.writing() as writing:
            if what == "decision":
                writing.decisions([DecisionRow(mine + content, mine + "ann", 1, f"action of {content}")])
            elif what == "pack":
                for name in ("ann", "bob"):
                    writing.repack(mine + name, content)
            else:
                rows = [
                    row._replace(
                        identity=mine + row.identity,
                        touchpoint_id=mine + row.touchpoint_id,
                        decision_id=row.decision_id and mine + row.decision_id,
                        occurred_at=row.occurred_at + (later if what == "later" else 0),
                    )
                    for row in content
                ]
                later += 50
                writing.touchpoints(rows)
        for name in ("ann", "bob"):
            same_as_rows(store, mine + name)
            same_as_rows(store, mine + name, before)


def test_a_history_is_packed_after_it_was_read_and_followed_by_what_comes(store):
    with store.writing() as writing:
        writing.touchpoints([visit(at) for at in range(FEWEST)])
    assert store.packed("ann") is None and store.pack_some() == 0
    store.touchpoints("ann", EVER, RULES)
    assert store.pack_some() == 1 and store.pack_some() == 0
    with store.writing() as writing:
        writing.touchpoints([visit(100, decision_id="d1"), visit(101, "bob")])
    assert len(store.packed("ann")) > 0
    same_as_rows(store, "ann")
    assert len(store.touchpoints("ann", EVER, RULES)) == FEWEST + 1
    with store.writing() as writing:
        writing.decisions([DecisionRow("d1", "bob", 1, "call")])
    assert store.touchpoints("ann", EVER, RULES).actions == ["call"]
    same_as_rows(store, "ann")


@pytest.mark.parametrize("late", [visit(2, name="late"), visit(7, name="ann-0")], ids=["earlier time", "earlier id"])
def test_what_comes_out_of_order_lets_the_packed_history_go(store, late):
    with store.writing() as writing:
        writing.touchpoints([visit(at, name=None if at else "first") for at in range(FEWEST)])
        writing.repack("ann", RULES)
        assert writing.seen.packed("ann")
        writing.touchpoints([late])
        assert writing.seen.packed("ann") is None
        writing.repack("ann", RULES)
    same_as_rows(store, "ann")


def test_what_was_there_already_changes_nothing(store):
    with store.writing() as writing:
        writing.touchpoints([visit(at) for at in range(FEWEST)])
        writing.repack("ann", RULES)
    before = store.packed("ann")
    with store.writing() as writing:
        assert writing.touchpoints([visit(3), visit(4)]) == 0
    assert store.packed("ann") == before


def test_a_large_batch_forgets_only_whom_it_touches(store):
    with store.writing() as writing:
        writing.touchpoints([visit(at, name) for at in range(FEWEST) for name in ("ann", "bob")])
        writing.repack("ann", RULES)
        writing.repack("bob", RULES)
        writing.touchpoints([visit(at, "ann") for at in range(1000, 2000)])
    assert store.packed("ann") is None and store.packed("bob") is not None
    same_as_rows(store, "ann")


def test_few_touchpoints_are_not_worth_packing(store):
    with store.writing() as writing:
        writing.touchpoints([visit(at) for at in range(FEWEST - 1)])
        assert not writing.repack("ann", RULES)
    store.touchpoints("ann", EVER, RULES)
    assert store.pack_some() == 0 and store.packed("ann") is None


def test_a_damaged_packed_history_is_read_from_its_rows(store):
    with store.writing() as writing:
        writing.touchpoints([visit(at) for at in range(FEWEST)])
        writing.repack("ann", RULES)
        writing.pack("ann", writing.seen.packed("ann")[:-8])
    same_as_rows(store, "ann")
    with store.writing() as writing:
        writing.touchpoints([visit(100)])
    assert store.packed("ann") is None
    assert store.pack_some() == 1
    same_as_rows(store, "ann")


def test_rules_that_changed_are_applied_at_once_and_packed_afterwards(store):
    with store.writing() as writing:
        writing.touchpoints([visit(at, properties=json.dumps({"search": f"saw {at}"})) for at in range(FEWEST)])
        writing.repack("ann", RULES)
    assert store.touchpoints("ann", EVER, RULED).topics == ["saws"]
    assert store.pack_some() == 1
    assert store.touchpoints("ann", EVER, RULED).topics == ["saws"] and store.pack_some() == 0


def test_writers_at_once_leave_no_stale_history(store):
    faults = []

    def write(seed):
        chance = random.Random(seed)
        try:
            for n in range(12):
                name = chance.choice(["ann", "bob"])
                with store.writing() as writing:
                    writing.touchpoints(
                        [visit(100 * n + chance.randrange(50), name, f"{seed}-{n}", decision_id=f"d{n}")]
                    )
                    if chance.random() < 0.5:
                        writing.repack(name, RULES)
                store.touchpoints(name, EVER, RULED)
                with store.writing() as writing:
                    writing.decisions([DecisionRow(f"d{n}", name, n, f"action {n}")])
                store.pack_some()
        except Exception as error:
            faults.append(error)

    writers = [threading.Thread(target=write, args=(seed,)) for seed in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert faults == []
    for name in ("ann", "bob"):
        same_as_rows(store, name)
        assert len(store.touchpoints(name, EVER, RULES)) > FEWEST


def test_what_is_written_beside_a_load_leaves_no_stale_history(postgresql_url):
    with Store.open(postgresql_url) as store:
        with store.writing() as writing:
            writing.touchpoints([visit(at, name) for at in range(FEWEST) for name in ("ann", "bob")])
            writing.repack("ann", RULES)
            writing.repack("bob", RULES)
        with store.loading() as loading:
            loading.touchpoints([visit(50, "bob")])
            loading.settle()
            with store.writing() as writing:
                writing.touchpoints([visit(60, "ann")])
                assert not writing.repack("bob", RULES)
            same_as_rows(store, "ann")
        for name in ("ann", "bob"):
            same_as_rows(store, name)
            assert len(store.touchpoints(name, EVER, RULES)) == FEWEST + 1


def test_a_load_forgets_what_was_packed(store):
    with store.writing() as writing:
        writing.touchpoints([visit(at, name) for at in range(FEWEST) for name in ("ann", "bob")])
        writing.repack("ann", RULES)
        writing.repack("bob", RULES)
    with store.loading() as loading:
        loading.touchpoints([visit(50, "bob")])
        loading.settle()
    assert store.packed("ann") is not None
    same_as_rows(store, "bob")
    assert len(store.touchpoints("bob", EVER, RULES)) == FEWEST + 1


def test_of_a_batch_that_was_partly_there_only_what_is_new_is_read(store):
    with store.writing() as writing:
        writing.touchpoints([visit(at) for at in range(FEWEST)])
        writing.repack("ann", RULES)
        assert writing.touchpoints([visit(100), visit(101, name="ann-0")]) == 1
    same_as_rows(store, "ann")
    assert len(store.touchpoints("ann", EVER, RULES)) == FEWEST + 1
