"""Claims about partners: whose a contact was as of a moment, and that an agreement that is over ends it."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.partners import partners_of
from features.spells import FOREVER, spells
from features.times import ALWAYS, DAY, iso, parse_time
from tests.examples import examples

Told = list[tuple[str, int, dict[str, Any]]]

moments = st.integers(-2, 12)
names = st.sampled_from(["ann", "bob"])
dealers = st.sampled_from(["north", "south", None])
rows = st.lists(
    st.tuples(names, st.one_of(st.just(ALWAYS), moments), st.fixed_dictionaries({}, optional={"partner": dealers})),
    max_size=8,
    unique_by=lambda row: row[:2],
)
agreements = st.lists(
    st.tuples(
        st.sampled_from(["north", "south"]),
        st.one_of(st.just(ALWAYS), moments),
        st.fixed_dictionaries(
            {},
            optional={
                "agreement_from": st.integers(0, 9).map(lambda day: iso(day * DAY)),
                "agreement_to": st.integers(0, 9).map(lambda day: iso(day * DAY)),
                "name": st.just("A dealer"),
            },
        ),
    ),
    max_size=6,
    unique_by=lambda row: row[:2],
)


def told_plainly(rows, told, name, as_of):
    """Whose a contact is, by going through everything that was known."""
    partner = None
    for who, known_at, body in sorted(rows, key=lambda row: row[1]):
        if who == name and known_at < as_of and "partner" in body:
            partner = body["partner"]
    agreement: dict[str, str] = {}
    for who, known_at, body in sorted(told, key=lambda row: row[1]):
        if who == partner and known_at < as_of:
            agreement |= body
    begun = "agreement_from" not in agreement or as_of >= parse_time(agreement["agreement_from"])
    over = "agreement_to" in agreement and as_of >= parse_time(agreement["agreement_to"])
    return partner if begun and not over else None


@settings(max_examples=examples(300), deadline=None)
@given(rows, agreements, st.randoms(use_true_random=False))
def test_a_partner_as_of_a_moment_is_what_was_known_then(rows, told, random):
    rows = [(name, at if at == ALWAYS else at * DAY, body) for name, at, body in rows]
    told = [(name, at if at == ALWAYS else at * DAY, body) for name, at, body in told]
    random.shuffle(rows)
    random.shuffle(told)
    found = partners_of(rows, told, ("ann", "bob"))
    at = [day * DAY + shift for day in range(-2, 14) for shift in (0, 1)]
    as_of = np.array([moment for moment in at for _ in range(2)], dtype=np.int64)
    code = np.array([0, 1] * len(at), dtype=np.int64)
    spell = found.at(code, as_of)
    for i, moment in enumerate(as_of.tolist()):
        name = ("ann", "bob")[code[i]]
        expected = told_plainly(rows, told, name, moment)
        assert (None if spell[i] < 0 else found.values[found.value[spell[i]]]) == expected
        assert found.value_of(name, moment) == expected
    for name in ("ann", "bob"):
        history = found.of(name)
        assert all(begin < end for begin, end, _ in history)
        assert all(a[1] <= b[0] for a, b in pairwise(history))


def test_a_dealer_may_change_and_be_taken_away():
    rows: Told = [
        ("ann", 5, {"partner": "north"}),
        ("ann", 9, {"partner": "south"}),
        ("ann", 20, {"partner": None}),
    ]
    assert partners_of(rows).of("ann") == [(5, 9, "north"), (9, 20, "south")]


def test_saying_it_again_changes_nothing():
    rows: Told = [
        ("ann", 5, {"partner": "north"}),
        ("ann", 9, {"partner": "north", "size": 3}),
        ("ann", 12, {"size": 4}),
    ]
    told = [("north", 6, {"name": "North"}), ("north", 8, {"territory": "N"})]
    assert partners_of(rows, told).of("ann") == [(5, FOREVER, "north")]


def test_an_agreement_that_is_no_time_is_refused_by_name():
    with pytest.raises(ValueError, match="'soon' is not a time"):
        partners_of([("ann", 5, {"partner": "north"})], [("north", 1, {"agreement_to": "soon"})])


def test_nobody_is_nobodys():
    found = partners_of([("ann", 5, {"partner": "north"})])
    assert found.of("bob") == [] and found.value_of("bob", 9) is None
    assert found.at(np.array([-1, 0, 7]), np.array([9, 9, 9])).tolist() == [-1, 0, -1]
    empty = partners_of([])
    assert empty.at(np.array([0]), np.array([9])).tolist() == [-1]


def test_of_what_was_known_at_once_the_last_word_stands():
    found = spells([("ann", 5, {"account": "acme"}), ("ann", 5, {"account": "bolt"})], "account", ["ann"])
    assert found.of("ann") == [(5, FOREVER, "bolt")]
    assert spells([("ann", 5, {"account": ""}), ("ann", 6, {"account": 17})], "account").of("ann") == [
        (6, FOREVER, "17")
    ]
