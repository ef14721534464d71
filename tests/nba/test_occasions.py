"""Claims about occasions by dates: when they call, about which device, and what is no date."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.times import DAY, MINUTE, SECOND, iso
from nba.occasions.dates import due_in
from nba.tables.tables import Asset
from tests.nba.occasion_worlds import Around, World, decided, every, toml, touch, us

DUE = toml('trait = "next_service_on", within = "14d"')
BORN = toml('trait = "born_on", every = "1y", within = "3d"')
DEVICE = toml('asset = "next_service_on", within = "14d"')
ZURICH, UTC_ZONE = ZoneInfo("Europe/Zurich"), ZoneInfo("UTC")


def due(value, **more) -> World:
    return World(DUE, traits={"next_service_on": value, **more})


def window(world: World, as_of: str) -> tuple[str, str] | None:
    found = world.now(as_of)
    return None if found is None else (iso(found.begins), iso(found.ends))


def test_a_date_calls_from_so_many_days_before_it_to_its_end_by_the_contacts_calendar() -> None:
    # The clocks in Zurich are put back on 2026-10-25.
    expected = ("2026-10-11T22:00:00Z", "2026-10-26T23:00:00Z")
    assert window(due("2026-10-26"), "2026-10-20") == expected
    assert due("2026-10-26").now("2026-10-11T21:59:59.999999Z") is None
    assert window(due("2026-10-26"), expected[0]) == expected
    assert due("2026-10-26").now(expected[1]) is None
    there = due("2026-10-26", timezone="America/New_York")
    assert window(there, "2026-10-20") == ("2026-10-12T04:00:00Z", "2026-10-27T04:00:00Z")


@pytest.mark.parametrize(
    "value",
    [
        "2026-10-26", "20261026", 20261026, 20261026.0, "2026-10-26T00:00:00", "2026-10-26 00:00:00", "2026-W44-1",
        "2026-10-26T00:00:00Z", "2026-10-26T00:00:00+09:00", " 2026-10-26 ",
        us("2026-10-26") // SECOND, float(us("2026-10-26") // 1000), str(us("2026-10-26") // SECOND),
    ],
)  # fmt: skip
def test_however_a_source_writes_a_date_it_is_that_day(value) -> None:
    assert window(due(value), "2026-10-20") == ("2026-10-11T22:00:00Z", "2026-10-26T23:00:00Z")


def test_a_time_of_day_makes_it_a_moment() -> None:
    assert window(due("2026-10-26T15:30:00Z"), "2026-10-20") == ("2026-10-12T15:30:00Z", "2026-10-26T15:30:00Z")
    # Without a zone it is the contact's own; fourteen days before it the clocks showed summer time.
    assert window(due("2026-10-26T15:30"), "2026-10-20") == ("2026-10-12T14:30:00Z", "2026-10-26T14:30:00Z")


@pytest.mark.parametrize(
    "value",
    [
        None, "", "soon", "n/a", True, 0, 7, 1980, 19, "1980", "26.10.2026", "2026-13-01", "2026-02-30", 20261399, [],
        {"date": "2026-10-26"}, "0000-00-00", "9999-12-31", "0001-01-01", float("nan"), float("inf"), 10**40, "1" * 300,
        "2026-10-26T25:00", "-", "--10-26",
    ],
)  # fmt: skip
def test_what_is_no_date_makes_no_occasion_and_no_error(value) -> None:
    for text, trait in ((DUE, "next_service_on"), (BORN, "born_on")):
        refusal = World(text, traits={trait: value}).refusal("2026-10-20")
        assert refusal is not None and refusal.rule == "eligibility" and refusal.until is None
        assert refusal.detail == f"waits for its occasion: {trait} has no date that is still to come"


@settings(deadline=None)
@given(st.one_of(st.text(max_size=30), st.integers(), st.floats(), st.datetimes().map(str), st.dates().map(str)))
def test_any_value_is_a_date_or_none(value) -> None:
    for zone in (UTC_ZONE, ZoneInfo("Australia/Lord_Howe")):
        found = due_in(value, zone)
        assert found is None or 1000 <= found.day.year <= 9001


@settings(deadline=None)
@given(st.datetimes(datetime(1001, 1, 1), datetime(8999, 12, 31)))
def test_a_moment_keeps_its_microsecond_and_a_date_its_day(moment: datetime) -> None:
    found = due_in(moment.isoformat(), UTC_ZONE)
    assert found is not None
    if found.moment is None:
        assert (moment.hour, moment.minute, moment.second, moment.microsecond) == (0, 0, 0, 0)
        assert found.day == moment.date()
    else:
        assert found.moment == us(moment.replace(tzinfo=UTC).isoformat())


def test_the_refusal_tells_the_date_and_from_when_on() -> None:
    refusal = due("2027-03-01").refusal("2026-11-20")
    assert refusal is not None and refusal.until == us("2027-02-14T23:00:00Z")
    assert refusal.detail == "waits for its occasion: next_service_on is 2027-03-01, from 2027-02-15 on"
    assert due("2026-11-19").refusal("2026-11-20").detail.endswith("no date that is still to come")


def test_a_birthday_comes_every_year() -> None:
    born = World(BORN, traits={"born_on": "1980-05-17"})
    assert window(born, "2026-05-15") == ("2026-05-13T22:00:00Z", "2026-05-17T22:00:00Z")
    assert window(born, "2027-05-17T21:59:59Z") == ("2027-05-13T22:00:00Z", "2027-05-17T22:00:00Z")
    refusal = born.refusal("2026-05-18")
    assert refusal.until == us("2027-05-13T22:00:00Z")
    assert refusal.detail == "waits for its occasion: born_on comes round on 2027-05-17, from 2027-05-14 on"


@pytest.mark.parametrize(
    ("year", "expected"),
    [(2026, "2026-02-28"), (2027, "2027-02-28"), (2028, "2028-02-29"), (2100, "2100-02-28"), (2000, "2000-02-29")],
)
def test_29_february_is_28_february_where_there_is_none(year: int, expected: str) -> None:
    born = World(BORN, traits={"born_on": "1984-02-29", "timezone": "UTC"})
    ends = us(f"{expected}T00:00:00Z") + DAY
    found = born.now(ends - 1)
    assert found is not None and found.about == f"born_on comes round on {expected}"
    assert (found.begins, found.ends) == (ends - 4 * DAY, ends)
    assert born.now(found.begins - 1) is None and born.now(ends) is None


def test_a_birthday_at_the_turn_of_the_year() -> None:
    born = World(BORN, traits={"born_on": "1984-01-02", "timezone": "UTC"})
    assert window(born, "2026-12-31") == ("2026-12-30T00:00:00Z", "2027-01-03T00:00:00Z")


def test_a_yearly_date_itself_counts_only_while_it_lies_ahead() -> None:
    since = World(
        toml('trait = "customer_since", every = "1y", within = "3d"'), traits={"customer_since": "2026-06-10"}
    )
    assert window(since, "2026-06-09T10:00:00Z") == ("2026-06-06T22:00:00Z", "2026-06-09T22:00:00Z")
    assert since.now("2026-06-10T10:00:00Z") is None
    assert since.now("2027-06-10T10:00:00Z").about == "customer_since comes round on 2027-06-10"


def test_every_two_years_leaves_one_out() -> None:
    checked = World(toml('trait = "checked_on", every = "2y", within = "3d"'), traits={"checked_on": "2023-06-10"})
    assert [checked.now(f"{year}-06-10T12:00:00Z") is not None for year in (2024, 2025, 2026, 2027)] == [
        False, True, False, True,
    ]  # fmt: skip


def device(name: str, day: object, **more) -> Asset:
    return Asset(name, more={"next_service_on": day, **more})


def test_each_device_calls_by_itself_and_is_named() -> None:
    devices = [device("p-2", "2026-12-05"), device("p-1", "2026-12-03"), device("p-3", None), device("p-4", "soon")]
    world = World(DEVICE, around=Around(devices=devices))
    found = world.now("2026-11-25")
    assert (found.asset_id, found.about) == ("p-1", "next_service_on of p-1 is 2026-12-03")
    answer = world.answer("2026-11-25")
    assert answer.recommendations[0].reasons[0] == found.about
    assert answer.properties["occasion"] == "asset:p-1"


def test_what_went_out_for_one_device_leaves_the_others() -> None:
    devices = [device("p-1", "2026-12-03"), device("p-2", "2026-12-05"), device("p-3", "2027-12-05")]
    world = World(DEVICE, around=Around(devices=devices))
    for asset, following in (("p-1", "p-2"), ("p-2", None)):
        world = World(
            DEVICE, around=world.around, decisions=[*world.decisions, decided("2026-11-24", f"asset:{asset}")]
        )
        found = world.now("2026-11-25")
        assert (found and found.asset_id) == following
    refusal = world.refusal("2026-11-25")
    assert refusal.detail == "went out already for this occasion: next_service_on of p-1 is 2026-12-03"
    assert refusal.until == us("2027-11-20T23:00:00Z")
    # Where nothing tells which device it was for, it was for all that called.
    sent = [touch("2026-11-24", "email_sent", action="act")]
    assert World(DEVICE, rows=sent, around=Around(devices=devices)).now("2026-11-25") is None


def test_who_objects_to_profiling_has_no_occasions() -> None:
    world = World(
        DUE,
        [touch("2026-10-01", "objection")],
        {"next_service_on": "2026-10-26"},
        Around(devices=[device("p", "2026-10-26")]),
    )
    assert world.refusal("2026-10-20").detail.startswith("waits for its occasion")
    assert World(DEVICE, world.rows, world.traits, world.around).refusal("2026-10-20") is not None


def test_an_occasion_is_refused_elsewhere_and_needs_still_hold() -> None:
    world = World(
        toml('trait = "d", within = "14d"', action="needs = { points_from = 10 }"), traits={"d": "2026-10-26"}
    )
    assert world.refusal("2026-10-20").detail == "needs 10 points, has 0"
    assert world.refusal("2026-10-20", placement="infocenter").detail.startswith("is for outbound")


def test_a_wrong_zone_of_the_contact_is_that_of_the_settings() -> None:
    assert window(due("2026-10-26", timezone="Mars/Base"), "2026-10-20") == window(due("2026-10-26"), "2026-10-20")


def test_hours_and_minutes_of_within_are_hours_and_minutes() -> None:
    world = World(toml('trait = "d", within = "25h"'), traits={"d": "2026-06-10", "timezone": "UTC"})
    assert world.now(us("2026-06-08T23:00:00Z") - 1) is None
    assert world.now("2026-06-08T23:00:00Z") is not None
    late = World(toml('trait = "d", within = "30m"'), traits={"d": "2026-06-10T10:00:00Z"})
    assert late.now(us("2026-06-10T10:00:00Z") - 30 * MINUTE) is not None


def test_visits_at_the_same_place_do_not_matter_to_a_date() -> None:
    assert World(DUE, every("2026-01-01", 1, 50), {"next_service_on": "2026-10-26"}).now("2026-10-20") is not None
