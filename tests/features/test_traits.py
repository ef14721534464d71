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
        ([True, 1, 0.0], TraitColumn("t", "boolean")),
        ([True, 5], TraitColumn("t", "category", ("5", "True"))),
        (["yes", "NO", "Ja", True], TraitColumn("t", "boolean")),
        (["J", "N", "n/a"], TraitColumn("t", "boolean")),
        (["NO", "NO"], TraitColumn("t", "category", ("NO",))),
        ([1, 0], TraitColumn("t", "number")),
        (["2024-01-01", "2024-01-02T10:00:00Z"], TraitColumn("t", "date")),
        (["20240101", "20240102", "20240102"], TraitColumn("t", "category", ("20240102", "20240101"))),
        (["2024-01-01", "never"], TraitColumn("t", "category", ("2024-01-01", "never"))),
        (["b", "a", "c", "b", "a"], TraitColumn("t", "category", ("a", "b", "c"))),
        ([1, "12.5", None, "n/a"], TraitColumn("t", "number")),
        ([1, "big"], TraitColumn("t", "category", ("1", "big"))),
        ([8001, "01067"], TraitColumn("t", "category", ("01067", "8001"))),
        (["8001", "8002", "8001"], TraitColumn("t", "category", ("8001", "8002"))),
        (["n/a", "-"], TraitColumn("t", "category", ("-", "n/a"))),
        (["2024-01-01", "-"], TraitColumn("t", "date")),
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
    assert np.isnan(row_values({"size": "big", "vip": "perhaps"}, 0, TRAITS[:2])).all()


def test_a_number_and_a_truth_may_be_spelt_as_text():
    assert row_values({"size": "12.5", "vip": "Ja"}, 0, TRAITS[:2]) == [12.5, 1.0]
    assert row_values({"size": 3, "vip": "no"}, 0, TRAITS[:2]) == [3.0, 0.0]
    assert np.isnan(row_values({"size": "007", "vip": 5}, 0, TRAITS[:2])).all()


def test_none_ends_a_trait_and_silence_does_not():
    traits = Traits([("ann", 1, {"size": 1, "vip": True}), ("ann", 5, {"size": None}), ("ann", 9, {"sector": "wood"})])
    asked = np.array([2, 6, 10])
    found = traits.values(history("ann"), np.zeros(3, dtype=np.int64), asked, TRAITS)
    np.testing.assert_array_equal(found[:, 0], [1, np.nan, np.nan])
    np.testing.assert_array_equal(found[:, 1], [1, 1, 1])
    np.testing.assert_array_equal(found[:, 3], [np.nan, np.nan, 1])
    assert traits.choose(6) == (TraitColumn("vip", "boolean"),)


def test_since_is_when_a_value_came_to_hold():
    rows: list[tuple[str, int, dict[str, Any]]]
    rows = [("ann", 1, {"size": 1, "vip": True}), ("ann", 5, {"size": 1}), ("ann", 7, {"size": 2, "vip": None})]
    traits = Traits(rows)
    assert traits.since("ann", 6) == {"size": 1, "vip": 1}
    assert traits.since("ann", 8) == {"size": 7}
    assert traits.since("ann", 1) == {} == traits.since("bob", 9)


def test_a_trait_that_changes_its_type_has_that_of_the_last_word_and_the_other_is_not_known():
    traits = Traits([("ann", 1, {"size": "big"}), ("ann", 5, {"size": 12}), ("bob", 2, {"size": 7})])
    (column,) = traits.choose(6)
    assert column == TraitColumn("size", "number")
    found = traits.values(history("ann", "bob"), np.zeros(2, dtype=np.int64), np.array([2, 6]), [column])
    np.testing.assert_array_equal(found[:, 0], [np.nan, 12])


def test_the_same_traits_answer_for_other_columns_and_other_contacts():
    traits = Traits([("ann", 1, {"size": 1, "vip": True}), ("bob", 1, {"size": 2})])
    one, late = np.zeros(1, dtype=np.int64), np.array([2])
    assert traits.values(history("bob"), one, late, TRAITS[:1]).tolist() == [[2.0]]
    assert traits.values(history("ann"), one, late, TRAITS[1:2]).tolist() == [[1.0]]
    assert traits.values(history("ann"), one, late, TRAITS[:1]).tolist() == [[1.0]]


def test_a_contact_of_several_identities_knows_what_each_of_them_does():
    rows = [("web:1", 3, {"size": 3}), ("crm:1", 1, {"size": 1, "vip": True}), ("crm:1", 3, {"size": 2})]
    merged = Traits(rows).merged([("crm:1", ("crm:1", "web:1")), ("crm:2", ("crm:2",))])
    assert merged.known("crm:1", 2) == {"size": 1, "vip": True}
    assert merged.known("crm:1", 4) == {"size": 3, "vip": True}
    assert merged.known("crm:2", 4) == {} and merged.identities() == ["crm:1"]


TEXTS = ("metal", "glass", "2024-02-29", "9999-12-31", "12.5", "yes", "n/a", "[]")

entries = st.lists(
    st.tuples(
        st.sampled_from(("ann", "bob", "zoe")),
        st.one_of(st.just(ALWAYS), moments),
        st.dictionaries(
            st.sampled_from([c.name for c in TRAITS]),
            st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.sampled_from(TEXTS)),
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
