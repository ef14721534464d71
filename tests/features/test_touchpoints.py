import json
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.texts import Texts
from features.topics import TopicRule
from features.touchpoints.rows import CHUNK
from features.touchpoints.told import Told
from features.touchpoints.touchpoints import Touchpoints
from tests.examples import examples
from tests.features.touchpoint_claims import is_sound, said
from tests.features.worlds import RULES, histories, row


def plain(rows, rules=RULES):
    """What columns must say, found one row at a time."""
    found = []
    for r in sorted(rows, key=lambda r: r[:3]):
        rate = {"USD": 0.5}.get(r[8], 1.0)
        found.append(
            {
                "contact": r[0], "at": r[1], "id": r[2], "kind": r[3] or None, "channel": r[4],
                "outbound": r[5] == "outbound" if r[5] else r[3] in rules.outbound,
                "topics": list(dict.fromkeys(json.loads(r[6]))) if r[6] else [],
                "value": None if r[7] is None else r[7] * rate, "margin": None if r[9] is None else r[9] * rate,
                "duration": r[10], "decision": r[11], "action": r[12], "properties": r[13], "visible": None,
            }
        )  # fmt: skip
    return found


@settings(max_examples=examples(80), deadline=None)
@given(histories(), st.randoms(use_true_random=False))
def test_rows_in_any_order_become_the_same_columns(rows, chance):
    shuffled = list(rows)
    chance.shuffle(shuffled)
    t = Touchpoints.from_rows(iter(shuffled), RULES)
    is_sound(t)
    assert said(t) == plain(rows)
    assert t.contacts == sorted({r[0] for r in rows})


@pytest.mark.parametrize("step", [1, -1], ids=["in order", "backwards"])
def test_rows_of_several_chunks_are_as_rows_of_one(step):
    some = [
        row(f"c{n % 700:03}", n // 3, n, "order" if n % 5 else "fax", topics=("saws",) if n % 2 else None, value=n,
            currency=("EUR", "USD")[n % 2], properties={"page": n % 9} if n % 7 else None)
        for n in range(CHUNK + 500)
    ]  # fmt: skip
    t = Touchpoints.from_rows(iter(sorted(some)[::step] if step < 0 else sorted(some)), RULES)
    is_sound(t)
    assert said(t) == plain(some)


def test_of_rows_with_everything_equal_the_first_stays_first():
    twice = [row("ann", 1, 1, "fax"), row("ann", 1, 1, "chat"), row("ann", 0, 2)]
    assert [t["kind"] for t in said(Touchpoints.from_rows(twice, RULES))] == ["page_view", "fax", "chat"]


def test_a_value_in_a_currency_without_a_rate_is_not_known_and_the_log_says_once_what_is_missing(caplog):
    rows = [row("ann", 1, 1, value=3, currency="XTS"), row("ann", 2, 2, value=3), row("ann", 3, 3, currency="XTS")]
    for _ in range(2):
        t = Touchpoints.from_rows(rows, RULES)
        assert (t.value.tolist()[1], np.isnan(t.value).tolist()) == (3.0, [True, False, True])
    (said,) = (record for record in caplog.records if record.levelname == "ERROR")
    assert re.match(r"no rate for currency 'XTS'.*under \[money\] rates in nba\.toml", said.getMessage())


def test_topics_come_by_rule_only_where_a_row_has_none():
    rules = replace(RULES, topic_rules=(TopicRule("search", "pumps", contains=("pump",)),))
    asked = {"search": "pump 7"}
    rows = [
        row("ann", 1, 1, properties=asked), row("ann", 2, 2, topics=("saws",), properties=asked),
        row("ann", 3, 3, topics=(), properties=asked), row("ann", 4, 4, properties={"search": "oil"}), row("ann", 5, 5),
    ]  # fmt: skip
    assert [t["topics"] for t in said(Touchpoints.from_rows(rows, rules))] == [["pumps"], ["saws"], [], [], []]


@settings(max_examples=examples(50), deadline=None)
@given(histories(), st.randoms(use_true_random=False), st.booleans())
def test_columns_in_any_order_become_what_rows_become(rows, chance, with_ids):
    t = Touchpoints.from_rows(rows, RULES)
    whose, order = t.contact, list(range(len(t)))
    if with_ids:  # without ids those of one moment keep their order, so shuffling would show
        chance.shuffle(order)
    given = {
        name: getattr(t, name)[order]
        for name in ("kind", "channel", "outbound", "value", "margin", "duration", "decision", "action")
    }
    texts: dict[str, Any] = {"properties": [t.properties[i] for i in order]}
    if with_ids:
        texts["touchpoint_id"] = [t.touchpoint_id[i] for i in order]
    lists = [t.topic[t.topic_start[i] : t.topic_start[i + 1]] for i in order]
    again = Touchpoints.from_columns(
        t.contacts, whose[order], t.occurred_at[order], **given, **texts, kinds=t.kinds, channels=t.channels,
        decisions=t.decisions, actions=t.actions, topics=t.topics, visible_from=t.occurred_at[order],
        visible_to=t.occurred_at[order] + 1, topic_start=np.cumsum([0, *map(len, lists)]),
        topic=np.concatenate([np.zeros(0, np.int32), *lists]),
    )  # fmt: skip
    is_sound(again)
    ids = {} if with_ids else {"id": ""}
    assert said(again) == [{**s, **ids, "visible": (s["at"], s["at"] + 1)} for s in said(t)]


def test_columns_that_are_left_out_cost_nothing():
    n = 1000
    t = Touchpoints.from_columns(["a"], np.zeros(n, int), np.arange(n), kind=np.zeros(n, np.int8), kinds=["visit"])
    is_sound(t)
    for part in (t, t.merged([[0]], ["b"]), t.merged([[0, 0]], ["b"]), Touchpoints.joined([t, t.merged([[0]], ["b"])])):
        absent = [getattr(part, name) for name in ("channel", "outbound", "value", "margin", "duration", "decision")]
        assert isinstance(part.touchpoint_id, Texts) and isinstance(part.properties, Texts)
        absent += [part.touchpoint_id.begin, part.properties.end]
        assert all(column.strides == (0,) for column in absent)
    assert said(t)[7] == said(Touchpoints.from_rows([("a", 7, "", "visit", *[None] * 10)], RULES))[0]


def test_one_topic_each_may_be_given_without_a_start():
    given: dict[str, Any] = {"kind": np.zeros(3, int), "kinds": ["visit"], "topics": ["saws", "oil"]}
    t = Touchpoints.from_columns(["a"], np.zeros(3, int), np.array([3, 2, 1]), topic=np.array([1, -1, 0]), **given)
    assert [s["topics"] for s in said(t)] == [["saws"], [], ["oil"]]
    t = Touchpoints.from_columns(["a"], np.zeros(3, int), np.array([1, 2, 3]), topic=np.array([1, 1, 0]), **given)
    assert [s["topics"] for s in said(t)] == [["oil"], ["oil"], ["saws"]]


def test_columns_that_do_not_fit_are_named():
    one: dict[str, Any] = {"kind": np.zeros(1, int), "kinds": ["visit"]}
    with pytest.raises(ValueError, match=r"contact codes from 1 to 1 do not fit 1 contacts"):
        Touchpoints.from_columns(["a"], np.array([1]), np.array([1]), **one)
    with pytest.raises(ValueError, match=r"column 'value' has 2 entries, not 1"):
        Touchpoints.from_columns(["a"], np.array([0]), np.array([1]), value=np.zeros(2), **one)
    with pytest.raises(ValueError, match=r"1 contacts for 2 times"):
        Touchpoints.from_columns(["a"], np.array([0]), np.array([1, 2]), **one)
    with pytest.raises(TypeError, match=r"'price' is no column"):
        Touchpoints.from_columns(["a"], np.array([0]), np.array([1]), price=np.zeros(1), **one)


@settings(max_examples=examples(50), deadline=None)
@given(histories(most=40), st.data())
def test_merged_contacts_have_the_union_in_order(rows, data):
    t = Touchpoints.from_rows(rows, RULES)
    moments = np.arange(len(t))
    t = replace(t, visible_from=moments, visible_to=moments + 5)
    codes = list(range(len(t.contacts)))
    groups = data.draw(
        st.lists(st.lists(st.sampled_from(codes), max_size=3, unique=True) if codes else st.just([]), max_size=4)
    )
    names = [f"g{i}" for i in range(len(groups))]
    one = t.merged(groups, names)
    is_sound(one)
    all_said = said(t)
    expected = []
    for name, group in zip(names, groups, strict=True):
        own = [s for s in all_said if s["contact"] in {t.contacts[code] for code in group}]
        own.sort(key=lambda s: (s["at"], s["id"], s["contact"]))
        expected += [{**s, "contact": name} for s in own]
    assert said(one) == expected and one.contacts == names


def test_contacts_that_nobody_linked_are_not_copied():
    t = Touchpoints.from_rows([row(name, at, at) for name in "abc" for at in range(5)], RULES)
    same = t.merged([[0], [1], [2]], ["x", "y", "z"])
    assert np.shares_memory(same.occurred_at, t.occurred_at) and same.contacts == ["x", "y", "z"]
    assert np.shares_memory(t.only(1).occurred_at, t.occurred_at)
    assert t.take([2, 0]).contacts == ["c", "a"] and said(t.take([2, 0])) == said(t)[10:] + said(t)[:5]
    with pytest.raises(ValueError, match="2 groups for 1 names"):
        t.merged([[0], [1]], ["x"])


@settings(max_examples=examples(50), deadline=None)
@given(histories(most=40), st.randoms(use_true_random=False))
def test_parts_joined_are_the_whole(rows, chance):
    parts = [[r for r in rows if r[0] in names] for names in (("ann",), ("bob",), ("cid", "eve"))]
    made = [Touchpoints.from_rows(part, RULES) for part in parts]
    whole = Touchpoints.joined(made)
    is_sound(whole)
    assert said(whole) == plain(rows)
    seen = Touchpoints.joined(
        [replace(made[0], visible_from=made[0].occurred_at, visible_to=made[0].occurred_at), *made[1:]]
    )
    for s in said(seen):
        assert s["visible"] == ((s["at"], s["at"]) if s["contact"] == "ann" else (-(2**63), 2**63 - 1)) or not len(
            made[0]
        )
    assert said(Touchpoints.joined([])) == []


@settings(max_examples=examples(50), deadline=None)
@given(histories())
def test_only_one_contact_is_what_its_rows_say(rows):
    t = Touchpoints.from_rows(rows, RULES)
    for code, name in enumerate(t.contacts):
        is_sound(t.only(code))
        assert said(t.only(code)) == plain([r for r in rows if r[0] == name])


def test_an_amount_beyond_the_bound_that_is_stored_already_is_not_known():
    amounts = (20.0, 1e15, 1.7e308, -1e16, None)
    rows = [row("c", n, n, "order", value=amount, margin=amount, duration=amount) for n, amount in enumerate(amounts)]
    # A rate of exchange, or the lack of one, makes no difference.
    for one in (rows, [*rows, row("c", 9, 9, "order", value=1.7e308, currency="USD")]):
        for t in (Touchpoints.from_rows(one, RULES), Touchpoints.from_told(Told.of(one), RULES)):
            for column in (t.value, t.margin, t.duration):
                assert np.isnan(column).tolist() == [False, False, *[True] * (len(one) - 2)]
