"""Claims about times: any usual spelling, one number, and sentences for the rest."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.times import DAY, HOUR, iso, parse_duration, parse_time, to_datetime, to_us

AT = to_us(datetime(2024, 3, 22, 15, 27, 14, tzinfo=UTC))


@pytest.mark.parametrize(
    "value",
    [
        "2024-03-22T15:27:14Z", "2024-03-22 15:27:14", " 2024-03-22T16:27:14+01:00 ", "20240322T152714Z", AT // 10**6,
        AT / 10**6, AT // 1000, AT, str(AT // 10**6), str(AT // 1000), str(AT), f"{AT // 10**6}.0",
        datetime(2024, 3, 22, 15, 27, 14, tzinfo=UTC), datetime(2024, 3, 22, 15, 27, 14),
        datetime(2024, 3, 22, 17, 27, 14, tzinfo=timezone(timedelta(hours=2))),
    ],
)  # fmt: skip
def test_every_spelling_is_the_same_moment(value):
    assert parse_time(value) == AT


@pytest.mark.parametrize(
    ("value", "same"),
    [
        ("2024-03-22t15:27:14z", "2024-03-22T15:27:14Z"),
        ("2024-03-22 15:27z", "2024-03-22T15:27:00Z"),
        ("2024-03-22T24:00:00Z", "2024-03-23T00:00:00Z"),
        ("20240322T2400", "2024-03-23T00:00:00Z"),
        ("2024-12-31T24:00:00.000+01:00", "2025-01-01T00:00:00+01:00"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
        ("2016-12-31t23:59:60.25z", "2017-01-01T00:00:00.25Z"),
        ("2017-01-01T05:29:60+05:30", "2017-01-01T00:00:00Z"),
    ],
)
def test_what_the_standards_allow_besides_is_read(value, same):
    assert parse_time(value) == parse_time(same)


def test_the_end_of_a_day_is_that_of_its_zone():
    berlin = ZoneInfo("Europe/Berlin")
    assert parse_time("2024-03-30T24:00", berlin) == parse_time("2024-03-31T00:00", berlin)
    assert parse_time("2024-03-31T24:00", berlin) == parse_time("2024-04-01T00:00", berlin)


def test_a_zone_counts_only_where_the_time_names_none():
    berlin = ZoneInfo("Europe/Berlin")
    assert parse_time("2024-07-01T02:00:00", berlin) == parse_time("2024-07-01T00:00:00Z", berlin)
    assert parse_time("2024-01-01", berlin) == parse_time("2024-01-01") - HOUR
    assert parse_time(AT, berlin) == AT


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        True,
        "soon",
        "2024-13-01",
        "2024-03-22T24:00:01Z",
        "2024-03-22T24:30",
        "2024-03-22T24:00:00.5Z",
        "2024-03-22T25:00",
        "2024-03-22T12:30:60Z",
        "2024-02-30T24:00",
        "9999-12-31T24:00",
        "1e9",
        [],
        {},
        float("nan"),
        float("inf"),
        2**63,
        10**400,
        "9" * 5000,
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:00:00-05:00",
    ],
)
def test_what_is_no_time_is_refused_with_a_sentence(value):
    with pytest.raises(ValueError, match=r"is not a time|beyond the year"):
        parse_time(value)


@given(st.datetimes(timezones=st.just(UTC), min_value=datetime(2, 1, 1)))
def test_a_moment_survives_writing_and_reading(moment):
    us = to_us(moment)
    assert to_datetime(us) == moment and parse_time(iso(us)) == us and iso(us).endswith("Z")


@pytest.mark.parametrize(
    ("text", "us"), [("30d", 30 * DAY), ("2w", 14 * DAY), ("90m", 90 * HOUR // 60), ("5ms", 5000), ("0s", 0)]
)
def test_durations_are_a_number_and_a_unit(text, us):
    assert parse_duration(text) == us


@pytest.mark.parametrize("text", ["30", "d", "1.5d", "-1d", "30 d", "30y", 30, None, ""])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match=r'such as "30d"'):
        parse_duration(text)


def test_a_duration_beyond_two_hundred_years_is_refused():
    with pytest.raises(ValueError, match="200 years"):
        parse_duration("100000d")
