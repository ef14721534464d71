from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.times import DAY, HOUR, MINUTE, iso, parse_time
from nba.quiet import is_quiet, quiet_from, quiet_until
from nba.settings.contact_policy import QuietHours

NIGHT = QuietHours(20 * HOUR, 8 * HOUR, ("phone",))
NOON = QuietHours(12 * HOUR, 13 * HOUR)
ZURICH, TOKYO = ZoneInfo("Europe/Zurich"), ZoneInfo("Asia/Tokyo")


@pytest.mark.parametrize(
    ("clock", "zone", "expected"),
    [
        ("2026-01-15T18:59:59Z", ZURICH, False),
        ("2026-01-15T19:00:00Z", ZURICH, True),
        ("2026-01-16T06:59:59.999999Z", ZURICH, True),
        ("2026-01-16T07:00:00Z", ZURICH, False),
        ("2026-07-15T18:00:00Z", ZURICH, True),
        ("2026-07-16T06:00:00Z", ZURICH, False),
        ("2026-01-15T12:00:00Z", TOKYO, True),
        ("2026-01-15T23:00:00Z", TOKYO, False),
        # Clocks go forward on 2026-03-29 and back on 2026-10-25.
        ("2026-03-29T05:59:59Z", ZURICH, True),
        ("2026-03-29T06:00:00Z", ZURICH, False),
        ("2026-10-25T06:59:59Z", ZURICH, True),
        ("2026-10-25T07:00:00Z", ZURICH, False),
        # Over the ends of months and of a leap February.
        ("2028-02-29T22:30:00Z", ZURICH, True),
        ("2028-03-01T07:00:00Z", ZURICH, False),
    ],
)
def test_quiet_hours_go_by_the_contacts_own_clock(clock: str, zone: ZoneInfo, expected: bool) -> None:
    assert is_quiet(NIGHT, "phone", parse_time(clock), zone) is expected


def test_other_channels_are_not_quiet_and_no_channels_are_all() -> None:
    noon = parse_time("2026-01-15T11:30:00Z")
    assert not is_quiet(NIGHT, "email", parse_time("2026-01-15T23:00:00Z"), ZURICH)
    assert is_quiet(NOON, "email", noon, ZURICH)
    assert not is_quiet(NOON, "email", noon + 30 * MINUTE, ZURICH)


@pytest.mark.parametrize(
    ("clock", "end"),
    [
        ("2026-03-28T22:00:00Z", "2026-03-29T06:00:00Z"),
        ("2026-10-24T22:00:00Z", "2026-10-25T07:00:00Z"),
        ("2026-12-31T23:30:00Z", "2027-01-01T07:00:00Z"),
    ],
)
def test_quiet_ends_when_the_clock_says_so_on_days_it_is_changed_too(clock: str, end: str) -> None:
    assert iso(quiet_until(NIGHT, "phone", parse_time(clock), ZURICH)) == end


@given(
    as_of=st.integers(parse_time("2020-01-01"), parse_time("2035-01-01")),
    start=st.integers(0, 1439),
    length=st.integers(1, 1439),
    zone=st.sampled_from(["Europe/Zurich", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]),
)
def test_quiet_ends_and_begins_again_within_two_days(as_of: int, start: int, length: int, zone: str) -> None:
    quiet = QuietHours(start * MINUTE, (start + length) % 1440 * MINUTE)
    place = ZoneInfo(zone)
    end, begin = quiet_until(quiet, "any", as_of, place), quiet_from(quiet, "any", as_of, place)
    assert as_of < end <= as_of + 2 * DAY
    assert as_of < begin <= as_of + 2 * DAY
    assert not is_quiet(quiet, "any", end, place)
    assert is_quiet(quiet, "any", begin, place)
