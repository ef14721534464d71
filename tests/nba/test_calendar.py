from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.times import DAY, HOUR, MINUTE, iso, parse_time, to_datetime
from models.saying.tongues import say
from nba.calendar import closes_at, opens_at, why_closed
from nba.public_holidays import known_place
from nba.settings import SettingsError, parse_settings
from nba.settings.contact_policy import WEEKDAYS, Calendar, ContactPolicy, QuietHours

ZURICH = ZoneInfo("Europe/Zurich")
ZONES = ["Europe/Zurich", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Havana", "UTC"]
QUARTER = 15 * MINUTE
WORKDAYS = WEEKDAYS[:5]
OFFICE = ContactPolicy(
    quiet=QuietHours(20 * HOUR, 8 * HOUR),
    calendar=Calendar("CH-ZH", WORKDAYS, ((parse_time("2026-12-24"), parse_time("2027-01-04")),)),
)


@pytest.mark.parametrize(
    ("day", "why"),
    [
        ((2026, 6, 12), None),
        ((2026, 6, 13), "sat 2026-06-13 is not among mon, tue, wed, thu, fri"),
        ((2027, 8, 2), None),
        ((2028, 8, 1), "tue 2028-08-01 is a public holiday in CH-ZH"),
        ((2028, 5, 1), "mon 2028-05-01 is a public holiday in CH-ZH"),
        ((2026, 12, 23), None),
        ((2026, 12, 24), "thu 2026-12-24 lies in the freeze until 2027-01-04"),
        ((2027, 1, 1), "fri 2027-01-01 is a public holiday in CH-ZH"),
        ((2027, 1, 4), None),
        ((2028, 2, 29), None),
    ],
)
def test_a_day_is_closed_by_weekday_holiday_and_freeze(day: tuple[int, int, int], why: str | None) -> None:
    assert OFFICE.calendar is not None
    found = why_closed(OFFICE.calendar, date(*day))
    assert (None if found is None else say(found)) == why


def test_a_part_of_a_country_has_holidays_of_its_own() -> None:
    labour_day = date(2028, 5, 1)
    assert why_closed(Calendar("CH-ZH"), labour_day) is not None
    assert why_closed(Calendar("CH-BE"), labour_day) is None
    assert why_closed(Calendar(), labour_day) is None


@pytest.mark.parametrize(
    ("clock", "opens"),
    [
        ("2026-06-12T10:00:00Z", "2026-06-12T10:00:00Z"),
        ("2026-06-12T18:00:00Z", "2026-06-15T06:00:00Z"),
        ("2026-06-14T22:00:00Z", "2026-06-15T06:00:00Z"),
        # Over the night in which clocks go forward, and that in which they go back.
        ("2026-03-27T19:00:00Z", "2026-03-30T06:00:00Z"),
        ("2026-10-23T18:00:00Z", "2026-10-26T07:00:00Z"),
        # Over a freeze that ends on a Sunday, and over Ascension Day.
        ("2026-12-23T19:00:00Z", "2027-01-04T07:00:00Z"),
        ("2026-05-13T18:00:00Z", "2026-05-15T06:00:00Z"),
    ],
)
def test_outbound_opens_when_quiet_hours_and_closed_days_are_over(clock: str, opens: str) -> None:
    found = opens_at(OFFICE, "phone", parse_time(clock), ZURICH)
    assert found is not None and iso(found) == opens


@pytest.mark.parametrize(
    ("clock", "closes"),
    [
        ("2026-06-12T10:00:00Z", "2026-06-12T18:00:00Z"),
        ("2026-12-23T10:00:00Z", "2026-12-23T19:00:00Z"),
    ],
)
def test_outbound_closes_with_the_quiet_hours(clock: str, closes: str) -> None:
    found = closes_at(OFFICE, "phone", parse_time(clock), ZURICH, parse_time("2030-01-01"))
    assert found is not None and iso(found) == closes
    assert closes_at(OFFICE, "phone", parse_time(clock), ZURICH, found) is None


def test_without_quiet_hours_it_closes_at_midnight_before_a_closed_day() -> None:
    policy = ContactPolicy(calendar=OFFICE.calendar)
    wednesday, week = parse_time("2026-06-10T10:00:00Z"), 7 * DAY
    found = closes_at(policy, "email", wednesday, ZURICH, wednesday + week)
    assert found is not None and iso(found) == "2026-06-12T22:00:00Z"
    assert opens_at(policy, "email", found, ZURICH) == parse_time("2026-06-14T22:00:00Z")
    assert closes_at(ContactPolicy(), "email", wednesday, ZURICH, wednesday + week) is None


def test_a_calendar_that_never_opens_has_no_end_in_sight() -> None:
    freeze = ((parse_time("2026-01-01"), parse_time("2040-01-01")),)
    assert opens_at(ContactPolicy(calendar=Calendar(freeze=freeze)), "any", parse_time("2026-06-01"), ZURICH) is None


def is_open(policy: ContactPolicy, moment: int, zone: ZoneInfo) -> bool:
    """What a person who looks at clock and calendar says, in words of its own."""
    there = to_datetime(moment).astimezone(zone)
    quiet, calendar = policy.quiet, policy.calendar
    if quiet is not None:
        minutes, start, end = (there.hour * 60 + there.minute) * MINUTE, quiet.from_us, quiet.to_us
        if (start < end and start <= minutes < end) or (start > end and not end <= minutes < start):
            return False
    if calendar is None:
        return True
    frozen = any(iso(start)[:10] <= f"{there:%Y-%m-%d}" < iso(end)[:10] for start, end in calendar.freeze)
    return ("mon tue wed thu fri sat sun".split()[there.weekday()] in calendar.days) and not frozen


# Around the days on which clocks change, leap day and the turn of a year, and any other.
moments = st.builds(
    lambda day, quarters: parse_time(day) + quarters * QUARTER,
    st.sampled_from(["2026-03-07", "2026-03-28", "2026-04-04", "2026-10-03", "2026-10-24", "2026-11-01", "2028-02-28"])
    | st.dates(date(2024, 1, 1), date(2030, 1, 1)).map(str),
    st.integers(0, 4 * 48),
)
hours = st.integers(0, 95).map(lambda quarter: quarter * QUARTER)
quiets = st.builds(QuietHours, hours, hours).filter(lambda quiet: quiet.from_us != quiet.to_us)
calendars = st.builds(
    Calendar,
    days=st.lists(st.sampled_from(WEEKDAYS), min_size=1, max_size=7, unique=True).map(tuple),
    freeze=st.lists(
        st.builds(
            lambda day, n: (parse_time(str(day)), parse_time(str(day)) + n * DAY),
            st.dates(date(2026, 1, 1), date(2026, 12, 31)),
            st.integers(1, 5),
        ),
        max_size=2,
    ).map(tuple),
)


@settings(deadline=None)
@given(
    as_of=moments,
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    quiet=st.none() | quiets,
    calendar=st.none() | calendars,
)
def test_it_opens_and_closes_at_the_first_moment_at_which_a_person_would_say_so(as_of, zone, quiet, calendar) -> None:
    policy = ContactPolicy(quiet=quiet, calendar=calendar)
    opens = opens_at(policy, "any", as_of, zone)
    assert opens is not None and opens >= as_of
    assert is_open(policy, opens, zone)
    assert not any(is_open(policy, moment, zone) for moment in range(as_of, opens, QUARTER))
    last = opens + 8 * DAY
    closes = closes_at(policy, "any", opens, zone, last)
    assert all(is_open(policy, moment, zone) for moment in range(opens, closes or last, QUARTER))
    assert closes is None or (opens < closes < last and not is_open(policy, closes, zone))


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ('"ZZ"', "'ZZ' is not a country with known holidays"),
        ('"CH-XX"', "'XX' is not a part of CH; write AG, AI"),
        ('"LI-1"', 'it has none with holidays of its own; write "LI"'),
        ('"Switzerland"', "is not a country or a part of one"),
    ],
)
def test_a_place_without_known_holidays_is_refused_at_start_with_what_is_allowed(place: str, words: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parse_settings(f"[contact_policy]\ncalendar = {{ holidays = {place} }}\n")
    assert "contact_policy.calendar.holidays" in str(refused.value) and words in str(refused.value)


@pytest.mark.parametrize("place", ["CH", "CH-ZH", "DE-BY", "US-CA", "CH-Stadt Zurich"])
def test_a_place_may_be_a_country_or_a_part_of_one(place: str) -> None:
    assert known_place(place) == place
