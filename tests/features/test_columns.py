"""The column rules must give what the row rule gives, for every value of every type."""

import math
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from features.rows.cells import RowError
from features.rows.columns import TouchpointColumns
from features.rows.row_types import TouchpointRow
from features.rows.rows import touchpoint_row
from features.times import parse_time
from features.touchpoints.touchpoints import TouchpointRules
from tests.examples import examples

NOW = parse_time("2026-01-01")
RULES = TouchpointRules(rates={"CHF": 1.05})
GOOD = {"identity": "crm:1", "occurred_at": "2025-01-01T10:00:00", "kind": "visit"}

moments = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31))
texts = st.text(max_size=8) | st.sampled_from(["", " ", "a\0", "ü", "\udcfc", " padded ", "1", "true"])
times = st.one_of(
    moments.map(str),
    moments.map(datetime.isoformat),
    moments.map(lambda m: m.strftime("%Y-%m-%dT%H:%M") + "+05:30"),
    moments.map(lambda m: m.replace(tzinfo=UTC)),
    moments,
    st.integers(-(10**17), 10**17),
    st.integers(0, 10**17).map(str),
    st.floats(),
    st.sampled_from(
        [
            "2025-W01-1T10",
            "20250101T101112",
            "2025-01-01T24:00",
            "1700000000T10:00",
            "2025-01-01t10:00z",
            "2025-01-01 23:59:60Z",
            "2025-01-01T05:29:60+05:30",
            "2025-01-01T24:00:01",
            "2025-01-01 ",
        ]
    ),
)
numbers = st.one_of(
    st.floats(),
    st.integers(),
    st.floats().map(str),
    st.sampled_from(["1_0", "٣", " 1 ", "1,5", "-0", "1e400", "-1"]),
)
lists = st.one_of(
    st.sampled_from(["[]", '["a"]', '["a","a"," "]', "[1]", "pumps", '["\\ud800"]', '["ä"]']),
    st.lists(texts | st.integers(), max_size=3),
)
anything = st.one_of(st.none(), st.booleans(), texts, numbers, lists, st.just(Decimal("1.5")), st.just({"a": 1}))
VALUES = {
    "identity": texts | anything,
    "occurred_at": times | anything,
    "kind": st.sampled_from(["visit", "order"]) | anything,
    "touchpoint_id": texts | anything,
    "channel": texts | anything,
    "direction": st.sampled_from(["inbound", "outbound", " inbound", "Inbound"]) | anything,
    "topic": texts | anything,
    "topics": lists | anything,
    "value": numbers | anything,
    "currency": st.sampled_from(["EUR", "CHF", "XXX", " EUR"]) | anything,
    "duration": numbers | anything,
    "source": texts | anything,
    "action": texts | anything,
    "properties": st.sampled_from(['{"a": 1}', "{", "[]"]) | st.dictionaries(texts, anything, max_size=2) | anything,
    "extra": anything,
}
rows = st.lists(st.fixed_dictionaries({}, optional=VALUES).map(lambda row: {**GOOD, **row}), max_size=6)


def verdict(found: object) -> object:
    return str(found) if isinstance(found, RowError) else repr(tuple(found))  # type: ignore[arg-type]


def judged(judge: TouchpointColumns, columns: dict[str, list[object]], n: int) -> list[TouchpointRow | RowError]:
    found, bad = judge.read(columns, n)
    good = map(TouchpointRow._make, zip(*found, strict=True))
    return [bad[i] if i in bad else next(good) for i in range(n)]


def by_row(raw: dict[str, object], zone: ZoneInfo | None) -> object:
    try:
        return touchpoint_row(raw, now_us=NOW, zone=zone, rules=RULES)
    except RowError as error:
        return error


@settings(max_examples=examples(400), deadline=None)
@given(rows, st.sampled_from([None, ZoneInfo("Europe/Zurich")]))
@example([{**GOOD, "identity": "\udcfc"}, {**GOOD, "identity": ""}], None)
@example([{**GOOD, "kind": 1}, {**GOOD, "kind": True}, {**GOOD, "kind": 1.0}], None)
def test_columns_and_rows_give_the_same_verdicts(raws: list[dict[str, object]], zone: ZoneInfo | None) -> None:
    names = dict.fromkeys(name for raw in raws for name in raw)
    columns = {name: [raw.get(name) for raw in raws] for name in names}
    judge = TouchpointColumns(now_us=NOW, zone=zone, rules=RULES)
    for _ in range(2):  # the second time from memory
        assert [verdict(row) for row in judged(judge, columns, len(raws))] == [
            verdict(by_row(raw, zone)) for raw in raws
        ]


@pytest.mark.parametrize("missing", GOOD)
def test_a_column_that_no_row_has_is_missed(missing: str) -> None:
    columns: dict[str, list[object]] = {name: [value] for name, value in GOOD.items() if name != missing}
    (found,) = judged(TouchpointColumns(now_us=NOW, zone=None, rules=RULES), columns, 1)
    assert isinstance(found, RowError)
    assert missing in str(found)


def test_numbers_that_are_absent_are_none() -> None:
    columns: dict[str, list[object]] = {k: [v] for k, v in GOOD.items()}
    (found,) = judged(TouchpointColumns(now_us=NOW, zone=None, rules=RULES), columns, 1)
    assert not isinstance(found, RowError)
    assert found.value is None
    assert not any(isinstance(value, float) and math.isnan(value) for value in found)


@settings(max_examples=examples(300), deadline=None)
@given(
    st.lists(
        moments.map(lambda m: m.isoformat(timespec="seconds"))
        | st.from_regex(r"\d{4}-[01]\d-[0-3]\d[T ][0-2]\d:[0-6]\d:[0-6]\d", fullmatch=True),
        min_size=1,
    ),
    st.sampled_from(["", "Z", ".123", ".123456Z", ".000001"]),
    st.sampled_from([None, ZoneInfo("Europe/Zurich")]),
)
@example(["2024-02-29T00:00:00", "2023-02-29T00:00:00", "1900-02-29T00:00:00", "0001-01-01T00:00:00"], "Z", None)
def test_times_of_one_form_are_read_as_one_by_one(times: list[str], end: str, zone: ZoneInfo | None) -> None:
    raws: list[dict[str, object]] = [{**GOOD, "occurred_at": time + end} for time in times]
    columns: dict[str, list[object]] = {name: [raw[name] for raw in raws] for name in GOOD}
    judge = TouchpointColumns(now_us=NOW, zone=zone, rules=RULES)
    assert [verdict(row) for row in judged(judge, columns, len(raws))] == [verdict(by_row(raw, zone)) for raw in raws]
