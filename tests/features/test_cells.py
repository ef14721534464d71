import math
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.rows.cells import RowError, cell, extra, typed
from features.rows.schema import TABLES, TOUCHPOINTS, Column
from features.times import DAY, parse_time

NOW = parse_time("2026-01-01")


def read(value: object, column: Column) -> object:
    return cell({column.name: value}, column, now_us=NOW, zone=None)


@pytest.mark.parametrize("value", ["1_000", "nan", "inf", "1e999", "1,5", "٣", "--1", True, [1], "0x1f", math.nan])
def test_what_is_no_finite_number_is_refused(value: object) -> None:
    with pytest.raises(RowError, match="value"):
        read(value, Column("value", "number"))


@pytest.mark.parametrize("value", [1.7e308, "-1.7e308", 1.001e15, Decimal("-1e16"), 10**16])
def test_what_is_too_large_to_be_added_up_is_refused(value: object) -> None:
    with pytest.raises(RowError, match=r"value .* lies beyond 1e\+15 in either direction; leave out"):
        read(value, Column("value", "number"))
    assert read(-1e15, Column("value", "number")) == -1e15


@pytest.mark.parametrize(("value", "number"), [("1.50", 1.5), (" -3 ", -3), (2, 2), (".5", 0.5), (Decimal("1.5"), 1.5)])
def test_numbers_are_read_from_text_and_number(value: object, number: float) -> None:
    assert read(value, Column("value", "number")) == number


@pytest.mark.parametrize("value", ["", "  ", None])
@pytest.mark.parametrize("column", [column for table in TABLES.values() for column in table.columns], ids=str)
def test_an_empty_cell_is_absent_or_missing(column: Column, value: object) -> None:
    if column.required:
        with pytest.raises(RowError, match="is missing"):
            read(value, column)
    else:
        assert read(value, column) is None


@pytest.mark.parametrize(("value", "key"), [(4711, "4711"), (4711.0, "4711"), ("007", "007"), (" a ", "a")])
def test_keys_stay_what_they_are(value: object, key: str) -> None:
    assert read(value, Column("identity")) == key


@pytest.mark.parametrize("value", ["a\0b", "a\udcfc", 1.5, True, ["a"], {"a": 1}, b"a"])
def test_what_is_not_text_is_refused(value: object) -> None:
    with pytest.raises(RowError):
        read(value, Column("identity"))


def test_a_time_may_lie_a_day_ahead_and_not_more() -> None:
    column = Column("occurred_at", "past")
    assert read((NOW + DAY) / 1e6, column) == NOW + DAY
    with pytest.raises(RowError, match="future"):
        read((NOW + DAY) / 1e6 + 1, column)


@pytest.mark.parametrize("value", ["pumps", "{}", "[1]", "[", '["a', [1], 5])
def test_what_is_no_list_of_texts_is_refused(value: object) -> None:
    with pytest.raises(RowError, match="JSON list"):
        read(value, Column("topics", "texts"))


def test_a_list_keeps_each_text_once() -> None:
    assert read('["b", "a", "b", " "]', Column("topics", "texts")) == ["b", "a"]
    assert read("[]", Column("topics", "texts")) is None


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (["CH", " 80* ", "CH", None], ["CH", "80*"]),
        ([8001, "AT"], ["8001", "AT"]),
        ("CH, AT", "CH, AT"),
        ('["CH", "AT"]', '["CH", "AT"]'),
        (8001, "8001"),
        ([], None),
        ("", None),
    ],
)
def test_places_are_a_list_or_a_text_as_it_stands(value: object, kept: object) -> None:
    assert read(value, Column("territory", "text or texts")) == kept


@pytest.mark.parametrize("value", [["CH", 1.5], [["CH"]], [{"place": "CH"}], [True], ["a\0b"], {"CH": 1}])
def test_a_list_of_anything_but_texts_is_no_list_of_places(value: object) -> None:
    with pytest.raises(RowError, match="territory"):
        read(value, Column("territory", "text or texts"))


def test_a_list_of_nothing_may_tell_something() -> None:
    visible = next(column for column in TABLES["partners"].columns if column.name == "visible")
    assert read([], visible) == read("[]", visible) == []
    assert read("", visible) is None


@pytest.mark.parametrize("column", [c for c in TOUCHPOINTS.columns if c.choices], ids=str)
def test_a_choice_is_one_of_the_choices(column: Column) -> None:
    assert read(column.choices[0], column) == column.choices[0]
    with pytest.raises(RowError, match=column.choices[-1]):
        read("sideways", column)


def test_a_zone_must_exist() -> None:
    column = Column("timezone", "zone")
    assert read("Europe/Zurich", column) == "Europe/Zurich"
    for name in ("Mars", "../etc", "/etc/passwd", "Europe"):
        with pytest.raises(RowError, match="time zone"):
            read(name, column)


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers() | st.booleans())
def test_a_plain_number_becomes_itself_or_stays_text(value: float) -> None:
    found = typed(str(value))
    assert found in (value, str(value))
    assert type(found) in (type(value), str)


@pytest.mark.parametrize("text", ["007", "1e5", "+1", "1.", "nan", "Infinity", "99999999999999999999", " 1"])
def test_what_is_not_plainly_a_number_stays_text(text: str) -> None:
    assert typed(text) == text


def test_extras_are_what_json_can_hold() -> None:
    assert extra({"a": [1, date(2026, 1, 1)]}, "x") == {"a": [1, "2026-01-01"]}
    for value in (math.inf, 2**63, object(), "\ud800"):
        with pytest.raises(RowError):
            extra(value, "x")


def test_an_error_names_column_value_and_rule_and_shortens_the_value() -> None:
    error = RowError("kind", "x" * 1000, "is too long")
    assert str(error).startswith("kind 'xxx")
    assert str(error).endswith("is too long")
    assert len(str(error)) < 120
    assert error.rule == "kind is too long"


def test_an_error_shows_a_moment_as_it_is_written() -> None:
    moments = (datetime(2999, 1, 1, 10, tzinfo=UTC), datetime(2999, 1, 1, 10), date(2999, 1, 1))
    shown = [str(RowError("at", moment, "is wrong")) for moment in moments]
    assert shown == ["at 2999-01-01T10:00:00Z is wrong", "at 2999-01-01T10:00:00 is wrong", "at 2999-01-01 is wrong"]
