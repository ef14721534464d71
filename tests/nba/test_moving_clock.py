"""A clock moved over month ends, a leap day and both changes of the clocks: what time decides turns when it said.

Every rule is asked at moments far apart what it says, and then just before and just after the moment that it named.
"""

import random
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from features.times import DAY, HOUR, MINUTE, iso, to_datetime
from nba.tables.tables import Asset, Event
from tests.nba.occasion_worlds import ACTION, Around, World, decided, every, toml, touch, us

ZONES = ["Europe/Zurich", "America/New_York", "Australia/Lord_Howe"]
"""Lord Howe is ten and a half hours ahead, and puts its clocks half an hour on."""

DAYS = [
    "2026-03-08", "2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25", "2026-11-01",
    "2026-11-30", "2026-12-31", "2027-02-28", "2028-02-29", "2028-03-01",
]  # fmt: skip
"""The changes of the clocks in all three zones, month ends, the turn of a year, and around a leap day."""


def first_moment(day: date, zone: str) -> int:
    """The first microsecond at which calendars in a zone show a day, found by looking at them."""
    low = us(day.isoformat()) - 2 * DAY
    high = low + 4 * DAY
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if to_datetime(middle).astimezone(ZoneInfo(zone)).date() >= day else (middle, high)
    return high


def shown(moment: int, zone: str) -> str:
    return to_datetime(moment).astimezone(ZoneInfo(zone)).isoformat()


def turns_at(world: World, moment: int) -> bool:
    """Whether the action is not allowed just before a moment, and is at it."""
    return world.refusal(moment - 1) is not None and world.refusal(moment) is None


def is_over_at(world: World, moment: int) -> bool:
    return world.refusal(moment - 1) is None and world.refusal(moment) is not None


# --- occasions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("day", DAYS)
def test_dates_turn_with_the_contacts_own_calendar(day: str, zone: str) -> None:
    due = date.fromisoformat(day)
    begins, ends = first_moment(due - timedelta(14), zone), first_moment(due + timedelta(1), zone)
    for when, traits, devices in (
        ('trait = "d", within = "14d"', {"d": day}, ()),
        ('asset = "d", within = "14d"', {}, (Asset("p-1", more={"d": day}),)),
        ('trait = "d", every = "1y", within = "14d"', {"d": f"{due.year - 4}{day[4:]}"}, ()),
    ):
        world = World(toml(when), traits={**traits, "timezone": zone}, around=Around(devices=devices))
        assert turns_at(world, begins), (when, iso(begins))
        assert is_over_at(world, ends), (when, iso(ends))
        assert world.refusal(begins - 9 * HOUR).until == begins


@pytest.mark.parametrize("zone", ZONES)
def test_who_was_born_on_a_leap_day_has_a_birthday_every_year(zone: str) -> None:
    born = World(
        toml('trait = "born_on", every = "1y", within = "3d"'), traits={"born_on": "2004-02-29", "timezone": zone}
    )
    asked = first_moment(date(2026, 1, 1), zone)
    for year in range(2026, 2033):
        day = date(year, 2, 29 if year in (2028, 2032) else 28)
        begins = born.refusal(asked).until
        assert begins == first_moment(day - timedelta(3), zone) and turns_at(born, begins)
        asked = first_moment(day + timedelta(1), zone)
        assert is_over_at(born, asked)


@pytest.mark.parametrize("day", DAYS)
def test_events_and_touchpoints_turn_by_elapsed_time(day: str) -> None:
    at = us(f"{day}T01:30:00.000001Z")
    fair = Around(events=[Event("fair", at)])
    before = World(toml('event = "starts_at", from = "-21d", to = "-3d"'), around=fair)
    assert turns_at(before, at - 21 * DAY) and is_over_at(before, at - 3 * DAY)
    after = World(toml('after = "fair_visit", from = "1d", to = "10d"'), [touch(at, "fair_visit")])
    assert turns_at(after, at + DAY) and is_over_at(after, at + 10 * DAY)
    assert before.refusal(at - 40 * DAY).until == at - 21 * DAY and after.refusal(at + 1).until == at + DAY


# --- every rule says when it turns --------------------------------------------------------------------------------

PLAIN = "[actions.act]\nchannel = 'email'\n{action}\n[points]\nkinds = {{ visit = 5 }}\n"
CALLED = "thresholds = [{ from = 0, actions = ['act'] }]\n"
RANKING = "[ranking]\nepsilon = 0.0\nholdout = 0.0\nsticky = '0d'\n"
POLICY = "[contact_policy]\n"


def plain(policy: str = "", action: str = "") -> str:
    return PLAIN.format(action=action) + CALLED + RANKING + POLICY + policy


def orders(start: str, days: float, count: int) -> list[tuple[Any, ...]]:
    return every(start, days, count, "order", value=100.0)


def _quiet(zone: str) -> World:
    return World(plain("quiet = { from = '20:00', to = '08:00' }"), traits={"timezone": zone})


def _calendar(zone: str) -> World:
    policy = (
        "calendar = { holidays = 'CH-ZH', days = ['mon', 'tue', 'wed', 'thu'], freeze = ['2026-10-26/2026-10-28'] }"
    )
    return World(plain(policy), traits={"timezone": zone})


def _both(zone: str) -> World:
    policy = "quiet = { from = '18:00', to = '09:30' }\ncalendar = { days = ['mon', 'tue', 'wed', 'thu', 'fri'] }"
    return World(plain(policy), traits={"timezone": zone})


def _caps(zone: str) -> World:
    sent = [touch(us("2026-10-01T12:34:56.789Z") + n * 40 * HOUR, "email_sent") for n in range(14)]
    return World(plain("caps = [{ per = '7d', count = 2 }, { per = '30h', count = 1 }]"), sent, {"timezone": zone})


def _pause(zone: str) -> World:
    said = [
        touch("2026-10-02T10:00:00.000003Z", "rejected", action=ACTION),
        touch("2026-10-20", "rejected", action=ACTION),
    ]
    policy = "pauses = [{ outcome = 'rejected', count = 1, pause = '9d', scope = 'action' }]"
    return World(plain(policy), said, {"timezone": zone})


def _snooze(zone: str) -> World:
    # Without a zone it is the contact's own time; on these days its clocks are changed.
    until = {"Europe/Zurich": "2026-10-25T02:30", "America/New_York": "2026-11-01T01:30"}.get(zone, "2026-10-04T02:15")
    return World(plain(), [touch("2026-09-01", "snoozed", action=ACTION, until=until)], {"timezone": zone})


def _season(zone: str) -> World:
    return World(plain(action="valid = { from = '2026-10-25', to = '2026-11-30' }"), traits={"timezone": zone})


def _due(zone: str) -> World:
    devices = [
        Asset(f"p-{n}", more={"d": f"2026-{month:02}-{day}"}) for n, (month, day) in enumerate([(10, 26), (11, 30)])
    ]
    used = [decided("2026-10-20", "asset:p-0")]
    return World(
        toml('asset = "d", within = "14d"'), traits={"timezone": zone}, around=Around(devices=devices), decisions=used
    )


def _yearly(zone: str) -> World:
    return World(toml('trait = "d", every = "1y", within = "3d"'), traits={"d": "1980-10-27", "timezone": zone})


def _event(zone: str) -> World:
    events = [Event("a", us("2026-10-30T09:00:00Z")), Event("b", us("2026-12-02T09:00:00Z"))]
    return World(
        toml('event = "starts_at", from = "-21d", to = "-3d"'), traits={"timezone": zone}, around=Around(events)
    )


def _after(zone: str) -> World:
    return World(toml('after = "visit", from = "1d", to = "5d"'), every("2026-10-01", 9, 8), {"timezone": zone})


def _falls(zone: str) -> World:
    rows = orders("2025-08-05", 9, 50)
    return World(toml('falls = "revenue", by = 0.3, within = "30d"'), rows, {"timezone": zone})


def _silent(zone: str) -> World:
    return World(toml('silent = 2.0, within = "9d"'), every("2026-08-01T03:00:00Z", 7, 9), {"timezone": zone})


def _burst(zone: str) -> World:
    # Five touchpoints are three times the usual once the first of the twenty-one is forgotten, after 91 days.
    rows = [*every("2026-07-12", 0.3, 21, topics=["pumps"]), *every("2026-10-09", 0.1, 5, topics=["pumps"])]
    return World(toml('burst = "pumps"'), sorted(rows, key=lambda row: row[1]), {"timezone": zone})


def _points(zone: str) -> World:
    return World(toml('points_pass = 25, within = "9d"'), every("2026-10-01", 3, 12), {"timezone": zone})


def _stage(zone: str) -> World:
    rows = [*every("2026-09-01", 10, 9, "page_view"), touch("2026-10-02", "order"), touch("2026-10-20", "search")]
    return World(toml('stage_to = "need", within = "9d"'), sorted(rows, key=lambda row: row[1]), {"timezone": zone})


def _together(zone: str) -> World:
    policy = (
        "[contact_policy]\nquiet = { from = '20:00', to = '08:00' }\n"
        "calendar = { days = ['mon', 'tue', 'wed', 'thu', 'fri'] }\ncaps = [{ per = '3d', count = 1 }]\n"
    )
    sent = [touch("2026-10-23T15:00:00Z", "email_sent"), touch("2026-11-02T15:00:00Z", "email_sent")]
    when = 'trait = "d", every = "1y", within = "10d"'
    return World(toml(when, policy), sent, {"d": "1980-10-31", "timezone": zone})


WORLDS: dict[str, Callable[[str], World]] = {
    make.__name__.strip("_"): make
    for make in (
        _quiet, _calendar, _both, _caps, _pause, _snooze, _season, _due, _yearly, _event, _after, _falls, _silent,
        _burst, _points, _stage, _together,
    )
}  # fmt: skip
DAY_AND_HOUR = {"quiet", "calendar"}
"""Each names when both let go."""

MOMENTS = [us("2026-10-01") + int(day * 2.9 * DAY) for day in range(24)]
"""Over both changes of the clocks of the autumn (spring on Lord Howe), and two month ends."""


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("name", WORLDS)
def test_a_rule_lets_go_at_the_first_microsecond_that_it_named(name: str, zone: str) -> None:
    world, named = WORLDS[name](zone), 0
    for asked in MOMENTS:
        known = world.until(asked)
        refusal = known.refusal(asked)
        if refusal is None or refusal.until is None:
            continue
        named += 1
        assert refusal.until > asked
        before, then = known.refusal(refusal.until - 1), known.refusal(refusal.until)
        same = DAY_AND_HOUR if refusal.rule in DAY_AND_HOUR else {refusal.rule}
        assert before is not None and before.rule in same, shown(refusal.until, zone)
        assert then is None or then.rule != refusal.rule, shown(refusal.until, zone)
        between = random.Random(asked).randrange(asked, refusal.until)
        assert known.refusal(between) is not None, shown(between, zone)
    # Points only fade by the clock.
    assert bool(named) is (name != "points")


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("name", WORLDS)
def test_whoever_comes_again_when_told_to_gets_it_then_and_not_before(name: str, zone: str) -> None:
    world = WORLDS[name](zone)
    for asked in MOMENTS[::3]:
        known = world.until(asked)
        answer = known.answer(asked)
        if answer.action == ACTION:
            ends = answer.recommendations[0].valid_until
            if ends is not None:
                assert known.refusal(ends - 1) is None, shown(ends, zone)
                assert known.refusal(ends) is not None, shown(ends, zone)
        elif answer.again_at is not None:
            assert known.refusal(answer.again_at - 1) is not None
            later = known.answer(answer.again_at)
            # Where two rules stand in the way the clock may have to be asked once more.
            assert later.action == ACTION or (later.again_at or 0) > answer.again_at


def test_an_occasion_that_begins_at_night_before_a_sunday_is_told_for_monday_morning() -> None:
    # On Sunday, 25 October, the clocks in Zurich are put back.
    policy = (
        "[contact_policy]\nquiet = { from = '20:00', to = '08:00' }\n"
        "calendar = { days = ['mon', 'tue', 'wed', 'thu', 'fri'] }\n"
    )
    world = World(toml('trait = "d", within = "14d"', policy), traits={"d": "2026-11-07"})
    answer = world.answer("2026-10-20")
    assert world.refusal("2026-10-20").until == us("2026-10-23T22:00:00Z")
    assert iso(answer.again_at) == "2026-10-26T07:00:00Z"
    assert world.answer(answer.again_at).action == ACTION and world.answer(answer.again_at - 1).action != ACTION


@pytest.mark.parametrize("zone", ZONES)
def test_a_choice_stays_to_the_microsecond(zone: str) -> None:
    settings = plain().replace("sticky = '0d'", "sticky = '7d'")
    world = World(settings, traits={"timezone": zone})
    for day in DAYS:
        chosen = us(day) - 3 * DAY
        held = World(settings, traits=world.traits, decisions=[world.answer(chosen).row()])
        assert not held.answer(chosen + 7 * DAY - 1).is_new and held.answer(chosen + 7 * DAY).is_new


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("day", DAYS)
def test_quiet_hours_are_those_that_the_contacts_clock_shows(day: str, zone: str) -> None:
    world = _quiet(zone)
    start = first_moment(date.fromisoformat(day), zone) - 6 * HOUR
    for moment in range(start, start + 36 * HOUR, 30 * MINUTE):
        hour = to_datetime(moment).astimezone(ZoneInfo(zone)).hour
        assert (world.refusal(moment) is not None) == (hour >= 20 or hour < 8), shown(moment, zone)
