"""Claims about traits: known strictly before as_of, typed by their values, a person's data never a column."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.feature_set import MOST_CATEGORIES, TraitColumn
from features.times import ALWAYS, DAY
from features.traits import PERSON, Traits, row_values
from tests.features.worlds import NOW, TRAITS, moments


def history(*names: str):
    return SimpleNamespace(touchpoints=SimpleNamespace(contacts=list(names)))


def test_traits_count_strictly_after_they_became_known():
    traits = Traits([("ann", NOW, {"size": 1})])
    assert traits.known("ann", NOW) == {} and traits.known("ann", NOW + 1) == {"size": 1}
    found = traits.values(history("ann"), np.zeros(2, dtype=np.int64), np.array([NOW, NOW + 1]), TRAITS[:1])
    assert np.isnan(found[0, 0]) and found[1, 0] == 1


def test_what_became_known_later_wins_column_by_column():
    rows: list[tuple[str, int, dict[str, Any]]]
    rows = [("ann", 2, {"size": 2}), ("ann", 1, {"size": 1, "vip": True}), ("ann", ALWAYS, {"sector": "wood"})]
    assert Traits(rows).known("ann", 2) == {"size": 1, "vip": True, "sector": "wood"}
    assert Traits(rows).known("ann", 3) == {"size": 2, "vip": True, "sector": "wood"}
    assert Traits(rows).known("bob", 3) == {}


def test_traits_without_a_time_are_always_known_and_counted():
    traits = Traits([("ann", ALWAYS, {"a": 1}), ("ann", 5, {"a": 2}), ("bob", 5, {"a": 1})])
    assert traits.known("ann", -(2**60)) == {"a": 1}
    assert traits.always_known() == 1


@pytest.mark.parametrize(
    ("values", "column"),
    [
        ([1, 2.5], TraitColumn("t", "number")),
        ([True, False], TraitColumn("t", "boolean")),
        ([True, 1], TraitColumn("t", "category", ("1", "True"))),
        (["2024-01-01", "2024-01-02T10:00:00Z"], TraitColumn("t", "date")),
        (["20240101", "20240102", "20240102"], TraitColumn("t", "category", ("20240102", "20240101"))),
        (["2024-01-01", "never"], TraitColumn("t", "category", ("2024-01-01", "never"))),
        (["b", "a", "c", "b", "a"], TraitColumn("t", "category", ("a", "b", "c"))),
        ([1, "1", None], TraitColumn("t", "category", ("1",))),
    ],
)
def test_values_give_the_type(values, column):
    traits = Traits((str(i), 0, {"t": value}) for i, value in enumerate(values))
    assert traits.choose(1) == (column,)


def test_only_the_most_frequent_categories_have_a_code_and_the_rest_share_one():
    names = [f"v{i:02}" for i in range(MOST_CATEGORIES + 5) for _ in range(100 - i)]
    (column,) = Traits((str(i), 0, {"t": name}) for i, name in enumerate(names)).choose(1)
    assert len(column.categories) == MOST_CATEGORIES and column.categories[0] == "v00"
    assert [row_values({"t": v}, 1, [column])[0] for v in ("v00", "v33", "new")] == [
        0,
        MOST_CATEGORIES,
        MOST_CATEGORIES,
    ]


def test_columns_are_chosen_from_what_was_known_before():
    traits = Traits([("ann", 1, {"a": 1}), ("ann", 5, {"b": 1, "a": "x"})])
    assert traits.choose(5) == (TraitColumn("a", "number"),)
    assert [c.name for c in traits.choose(6)] == ["a", "b"]


def test_a_persons_data_and_protected_traits_are_never_columns():
    body = {name: "x" for name in PERSON} | {"gender": "f", "size": 3}
    assert [c.name for c in Traits([("ann", 0, body)]).choose(1, without={"gender"})] == ["size"]
    told = {"account", "partner", "owner", "name", "salutation", "phone", "email", "language", "country", "timezone"}
    assert told | {"role", "person_type", "crm_url"} == PERSON


def test_dates_are_days_from_as_of_and_negative_when_past():
    column = TraitColumn("since", "date")
    assert row_values({"since": "1970-01-11"}, DAY, [column]) == [9.0]
    assert row_values({"since": "1970-01-11T12:00:00+12:00"}, 11 * DAY, [column]) == [-1.0]
    assert np.isnan(row_values({"since": "soon"}, 0, [column])[0])


@pytest.mark.parametrize("value", [10**400, -(10**400), 1e300])
def test_a_number_beyond_the_matrix_stays_a_number(value):
    (found,) = row_values({"size": value}, 0, TRAITS[:1])
    assert np.isfinite(np.float32(found)) and np.sign(found) == (1 if value > 0 else -1)


def test_a_text_in_a_column_of_numbers_is_not_known():
    assert np.isnan(row_values({"size": "big", "vip": "yes"}, 0, TRAITS[:2])).all()


entries = st.lists(
    st.tuples(
        st.sampled_from(("ann", "bob", "zoe")),
        st.one_of(st.just(ALWAYS), moments),
        st.dictionaries(
            st.sampled_from([c.name for c in TRAITS]),
            st.one_of(
                st.none(), st.booleans(), st.integers(), st.sampled_from(["metal", "glass", "2024-02-29", "9999-12-31"])
            ),
        ),
    ),
    unique_by=lambda entry: entry[:2],
)


@settings(max_examples=80, deadline=None)
@given(entries, st.lists(st.tuples(st.integers(-1, 2), moments)), st.permutations(TRAITS))
def test_many_rows_get_what_each_alone_would_get(entries, asked, columns):
    names = ("ann", "bob", "cid")
    traits = Traits(entries)
    contact = np.array([c for c, _ in asked], dtype=np.int64)
    found = traits.values(history(*names), contact, np.array([t for _, t in asked], dtype=np.int64), columns)
    expected = [row_values(traits.known(names[c], t) if c >= 0 else {}, t, columns) for c, t in asked]
    np.testing.assert_array_equal(found, np.array(expected).reshape(len(asked), len(columns)))
