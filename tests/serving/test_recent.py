"""What is remembered of contacts is what the store would say, as far as it came through this process."""

import gc
import itertools
import tracemalloc

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.rows.row_types import ContactRow, DecisionRow, LinkRow, TouchpointRow
from features.store.store import Store
from features.times import DAY
from features.touchpoints.touchpoints import TouchpointRules
from nba.past import Past
from nba.tables.tables import Tables
from serving.recent import Recent

RULES = TouchpointRules()
EVER = 10_000
NUMBERS = itertools.count()


@pytest.fixture
def store(tmp_path):
    with Store.open(f"sqlite:///{tmp_path}/nba.db") as found:
        yield found


def touchpoint(at, name, identity="crm:1", **more):
    return TouchpointRow(identity, at, name, "visit", topics='["pumps"]', **more)


def same(one, other):
    t, u = one.touchpoints, other.touchpoints
    assert list(t.touchpoint_id) == list(u.touchpoint_id)
    assert t.occurred_at.tolist() == u.occurred_at.tolist()
    assert [t.kinds[code] for code in t.kind] == [u.kinds[code] for code in u.kind]
    assert [t.topics[code] for code in t.topic] == [u.topics[code] for code in u.topic]
    assert one.traits == other.traits
    assert [row.decision_id for row in one.decisions] == [row.decision_id for row in other.decisions]


TIMES = st.lists(st.integers(1, 100), max_size=12)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=TIMES, after=TIMES, as_of=st.integers(1, 120))
def test_what_was_read_and_what_came_are_one_past(store, before, after, as_of):
    name = f"crm:{next(NUMBERS)}"
    first = [touchpoint(at, f"{name}-a{n}", name) for n, at in enumerate(before)]
    second = [touchpoint(at, f"{name}-b{n}", name) for n, at in enumerate(after)]
    with store.writing() as writing:
        writing.touchpoints(first)
    recent = Recent()
    # What was read for a moment holds for later ones.
    recent.keep(name, Past.read(store, name, EVER, RULES), EVER)
    recent.came([*second, *first])
    with store.writing() as writing:
        writing.touchpoints(second)
    found = recent.past(name, EVER, RULES, Tables())
    assert found is not None
    same(found, Past.read(store, name, EVER, RULES))
    kept = recent.past(name, as_of, RULES, Tables())
    assert kept is not None
    late = [row.touchpoint_id for row in second if row.occurred_at >= as_of]
    assert not set(late) & set(kept.touchpoints.touchpoint_id)


def test_a_contact_is_found_under_each_of_its_identities(store):
    with store.writing() as writing:
        writing.links([LinkRow("crm:1", "cookie:9", 5, "login", 1.0)])
        writing.contacts([ContactRow("crm:1", 1, {"size": 1})])
        writing.touchpoints([touchpoint(10, "a"), touchpoint(20, "b", "cookie:9")])
    recent = Recent()
    recent.keep("cookie:9", Past.read(store, "cookie:9", EVER, RULES), EVER)
    recent.came([touchpoint(30, "c", "cookie:9")])
    for name in ("crm:1", "cookie:9"):
        found = recent.past(name, EVER, RULES, Tables())
        assert found is not None and list(found.touchpoints.touchpoint_id) == ["a", "b", "c"]
    recent.forget("crm:1")
    assert recent.past("cookie:9", EVER, RULES, Tables()) is None
    assert (len(recent), recent.bytes) == (0, 0)


def full_decision(n, name):
    """A decision as the log keeps it: ten actions were allowed, each with what it is worth."""
    actions = [f"action_{i}" for i in range(10)]
    return DecisionRow(
        f"{name}-{n}-0123456789abcdef",
        name,
        1_000 + n,
        "action_1",
        probability=0.1 + n / 70,
        allowed=tuple(actions),
        policy="learned",
        topics=("pumps",),
        properties={"event_id": f"event-{n}"},
        mode="learned",
        placement="outbound",
        model_version="1",
        as_of=1_000 + n,
        chances={action: (i + n / 7) / 60 for i, action in enumerate(actions)},
        terms={action: {f"term_{j}": i + j + n / 7 for j in range(6)} for i, action in enumerate(actions)},
        answer=orjson.dumps({"answer": f"{n} " + "x" * 2_900}),
    )


@pytest.mark.parametrize("whole", [False, True])
def test_what_is_kept_is_about_as_large_as_is_said(tmp_path, whole):
    names = [f"crm:{n}" for n in range(60)]
    with Store.open(f"sqlite:///{tmp_path}/nba.db") as store:
        with store.writing() as writing:
            writing.contacts([ContactRow(name, 1, {"account": "account:1", "size": 3}) for name in names])
            for name in names:
                writing.touchpoints([touchpoint(at, f"{name}-{at}", name) for at in range(100)])
                writing.decisions([full_decision(n, name) for n in range(15)])
        recent = Recent()

        def keep(some):
            for name in some:
                past = Past.read(store, name, EVER, RULES, whole_decisions=whole)
                # What a decision reads of the account, which holds everybody here, is not kept.
                past.around.account_approaches(0)
                recent.keep(name, past, EVER)
            gc.collect()

        keep(names[:10])
        said = recent.bytes
        tracemalloc.start()
        keep(names[10:])
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert 0.7 < held / (recent.bytes - said) < 1.4


def test_of_whom_nothing_was_read_nothing_is_kept():
    recent = Recent()
    recent.came([touchpoint(30, "c")])
    assert recent.past("crm:1", EVER, RULES, Tables()) is None


def test_decisions_count_and_are_found_by_their_ids(store):
    recent = Recent()
    recent.keep("crm:1", Past.read(store, "crm:1", EVER, RULES), EVER)
    row = DecisionRow("d", "crm:1", 50, "call", answer=orjson.dumps({}))
    for _ in range(2):
        recent.decided(row)
    assert recent.decision("d") is row
    for as_of, expected in ((50, []), (51, [row.brief])):
        found = recent.past("crm:1", as_of, RULES, Tables())
        assert found is not None and list(found.decisions) == expected


def test_another_placement_that_looks_less_far_back_loses_no_decision(store):
    with store.writing() as writing:
        writing.decisions([DecisionRow("old", "crm:1", 10, "call"), DecisionRow("new", "crm:1", 5_000, "call")])
    recent = Recent()
    recent.keep("crm:1", Past.read(store, "crm:1", EVER, RULES), EVER)
    recent.keep("crm:1", Past.read(store, "crm:1", EVER, RULES, memory_us=6_000), EVER)
    found = recent.past("crm:1", EVER, RULES, Tables())
    assert found is not None and [row.decision_id for row in found.decisions] == ["old", "new"]


def test_memory_is_bounded_and_the_last_asked_about_stay(store):
    recent = Recent(most_bytes=20_000)
    for n in range(100):
        recent.keep(f"crm:{n}", Past.read(store, f"crm:{n}", EVER, RULES), EVER)
        assert recent.past("crm:0", EVER, RULES, Tables()) is not None
    assert recent.bytes <= 20_000
    assert 5 < len(recent) < 20
    assert recent.past("crm:99", EVER, RULES, Tables()) is not None
    assert recent.past("crm:50", EVER, RULES, Tables()) is None


def test_a_past_that_would_lack_something_is_none(store):
    recent = Recent(most_bytes=300_000)
    for name in ("crm:0", "crm:1"):
        recent.keep(name, Past.read(store, name, EVER, RULES), EVER)
    recent.came([touchpoint(10, f"t{n}") for n in range(1_000)])
    found = recent.past("crm:1", EVER, RULES, Tables())
    assert found is not None and len(found.touchpoints) == 1_000
    recent.came([touchpoint(5_000, "one more")])
    assert recent.past("crm:1", EVER, RULES, Tables()) is None
    assert recent.past("crm:0", EVER, RULES, Tables()) is not None


def test_what_comes_and_is_decided_counts_in_what_is_kept_at_most(store):
    recent = Recent(most_bytes=20_000)
    for n in range(8):
        recent.keep(f"crm:{n}", Past.read(store, f"crm:{n}", EVER, RULES), EVER)
    assert len(recent) == 8
    recent.came([touchpoint(at, f"t{at}", "crm:7") for at in range(60)])
    for n in range(5):
        recent.decided(DecisionRow(f"d{n}", "crm:7", 50, "call", answer=orjson.dumps({})))
    assert recent.bytes <= 20_000 and len(recent) < 8
    found = recent.past("crm:7", EVER, RULES, Tables())
    assert found is not None and (len(found.touchpoints), len(found.decisions)) == (60, 5)


def test_what_was_read_long_ago_is_not_used(store):
    recent = Recent()
    recent.keep("crm:1", Past.read(store, "crm:1", EVER, RULES), EVER)
    assert recent.past("crm:1", EVER + DAY, RULES, Tables()) is not None
    assert recent.past("crm:1", EVER + DAY + 1, RULES, Tables()) is None


def test_what_waits_for_the_store_is_joined_to_what_it_says(store, monkeypatch):
    with store.writing() as writing:
        writing.links([LinkRow("crm:1", "cookie:9", 5, "login", 1.0)])
        writing.touchpoints([touchpoint(10, "a")])
    past = Past.read(store, "crm:1", EVER, RULES)
    recent = Recent()
    recent.came([touchpoint(20, "b", "cookie:9"), touchpoint(10, "a"), touchpoint(20_000, "late")], waits=True)
    recent.came([touchpoint(30, "stored")])

    def joined():
        return list(recent.joined("crm:1", past, EVER, RULES).touchpoints.touchpoint_id)

    assert joined() == ["a", "b"]
    recent.forget("cookie:9")
    assert joined() == ["a"]
    monkeypatch.setattr("serving.recent._MOST_WAITING", 4)
    lacking = [recent.lacks_waiting]
    recent.came([touchpoint(20, f"more {n}") for n in range(5)], waits=True)
    lacking.append(recent.lacks_waiting)
    recent.stored()
    assert [*lacking, recent.lacks_waiting] == [False, True, False]
    assert joined() == ["a"]
