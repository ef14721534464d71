"""Claims about falls in revenue: who orders as usual has none, by season and by chance, and who stops has one."""

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.times import DAY, HOUR
from nba.occasions.revenue import _falls, compared, is_below, rhythm_of
from nba.settings.occasions import YEAR_US
from tests.nba.occasion_worlds import World, decided, every, toml, touch, us

FALLS = toml('falls = "revenue", by = 0.3, within = "90d"')


def orders(start: str, days: float, count: int, value: float = 100.0) -> list[tuple[Any, ...]]:
    return every(start, days, count, "order", value=value)


def test_who_orders_as_usual_has_no_fall_at_any_time() -> None:
    world = World(FALLS, orders("2024-01-01", 10, 100))
    last = us("2024-01-01") + 990 * DAY
    assert all(world.now(last - day * DAY) is None for day in range(0, 900, 7))


def test_who_stops_ordering_has_one_fall_when_the_share_is_reached() -> None:
    rows = orders("2025-01-01", 10, 60)
    last = rows[-1][1]
    world = World(FALLS, rows)
    [(begins, ends)] = world.windows(last, last + 500 * DAY, 5 * DAY)
    # Nine orders in 90 days are usual; with the third that leaves them six are left, which is a third less.
    assert begins == rows[-7][1] + 90 * DAY + 1 and ends == begins + 90 * DAY
    assert world.now(begins).about == "revenue fell to 600 in 90 days, 900 is usual"
    assert world.refusal(last + DAY).until == begins


def test_a_fall_is_over_when_revenue_is_back() -> None:
    rows = [*orders("2025-01-01", 10, 60), *orders("2026-10-25", 1, 9)]
    [(begins, ends)] = World(FALLS, rows).windows("2026-08-15", "2027-01-01", 2 * DAY)[:1]
    assert begins < us("2026-10-25") and ends - 1 in {row[1] for row in rows[-9:]}


def test_a_smaller_share_is_no_fall() -> None:
    steady = orders("2025-01-01", 10, 60)
    for value, falls in ((75.0, False), (65.0, True)):
        rows = [*steady, *orders("2026-08-24", 10, 40, value)]
        assert bool(World(FALLS, rows).windows("2026-08-24", "2027-03-01", 3 * DAY)) is falls


def test_a_quiet_season_is_no_fall() -> None:
    # A garden shop: 100 every week of April to August, nothing else, four years long.
    rows = [row for year in range(2023, 2027) for row in orders(f"{year}-04-01", 7, 22)]
    world = World(FALLS, rows)
    assert world.windows("2025-06-01", "2026-08-30", 3 * DAY) == []


def test_a_season_that_fails_is_a_fall() -> None:
    # The same shop with something in winter, too: half of what it buys in its season is a fall then.
    rows = [row for year in range(2023, 2026) for row in orders(f"{year}-04-01", 7, 22)]
    rows += [row for year in range(2023, 2027) for row in orders(f"{year}-01-01", 14, 26, 40.0)]
    rows = sorted(row for row in rows if row[1] < us("2026-11-01"))
    found = World(FALLS, rows).windows("2026-04-15", "2026-09-30", 4 * DAY)
    assert len(found) == 1 and found[0][0] < us("2026-08-01")


@pytest.mark.parametrize(
    "rows",
    [
        [],
        orders("2026-01-01", 1, 1),
        [touch("2026-01-01T10:00:00Z", "order", value=100.0), touch("2026-01-01T12:00:00Z", "order", value=50.0)],
        every("2026-01-01", 10, 20, "visit"),
        orders("2026-01-01", 10, 20, 0.0),
        [touch("2026-01-01", "order"), touch("2026-02-01", "order")],
        every("2026-01-01", 10, 20, "return", value=50.0),
    ],
)
def test_without_a_rhythm_nothing_falls(rows) -> None:
    world = World(FALLS, rows)
    assert world.refusal("2026-11-01").detail == "waits for its occasion: revenue has not fallen"
    assert world.windows("2026-01-01", "2027-06-01", 20 * DAY) == []


def test_a_slow_buyer_who_keeps_the_pace_has_no_fall() -> None:
    # The first order of a history is not held against the contact: 89 days apart is one order in 90 days.
    assert World(FALLS, orders("2025-01-01", 89, 8)).windows("2025-06-01", "2026-08-01", 5 * DAY) == []


def test_just_the_share_is_a_fall() -> None:
    # A gap of 20 days, 40 days known: two orders in 60 days are usual, and one is half of that.
    rhythm = rhythm_of(np.array([0, 20 * DAY, 50 * DAY]), np.array([100.0, 100.0, 100.0]), 60 * DAY)
    assert compared(rhythm, 100 * DAY) == (10_000, 20_000)
    assert is_below((rhythm, 0.5), 100 * DAY)
    assert not is_below((rhythm, 0.51), 100 * DAY)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 500), st.sampled_from([10.0, 50.0, 90.0, -40.0])), min_size=2, max_size=12),
    st.sampled_from([7, 30, 90]),
    st.sampled_from([0.3, 0.8]),
    st.integers(400, 600),
)
def test_falls_begin_and_end_where_revenue_passes_the_share(takings, days, by, now) -> None:
    days_of, amounts = zip(*sorted(takings), strict=True)
    times, width, as_of = np.array(days_of, dtype=np.int64) * DAY, days * DAY, now * DAY
    rhythm = rhythm_of(times, np.array(amounts), width)
    falls, _ = _falls(times, np.array(amounts), width, by, as_of)
    if len(rhythm.orders) < 2:
        assert len(falls) == 0
        return
    told = (rhythm, by)
    turns = {int(time) + wait + 1 for time in times for wait in (0, width, YEAR_US, YEAR_US + width)}
    begun = [m for m in sorted(turns) if m > as_of - width and is_below(told, m) and not is_below(told, m - 1)]
    ended = {int(begins): int(ends) for begins, ends in falls}
    assert [m for m in begun if m in ended] == [int(begins) for begins, _ in falls]
    for begins, ends in ended.items():
        assert is_below(told, ends - 1) and (ends == begins + width or not is_below(told, ends))
    for begins in set(begun) - set(ended):
        assert any(not is_below(told, m) for turn in turns for m in (turn - 1, turn, as_of - 1) if begins < m < as_of)


def test_what_went_out_for_a_fall_stands_for_what_wavers_after_it() -> None:
    rows = orders("2025-01-01", 10, 60)
    begins = rows[-7][1] + 90 * DAY + 1
    for days, is_used in ((-91, False), (-50, True), (1, True)):
        world = World(FALLS, rows, decisions=[decided(begins + days * DAY, "falls")])
        assert (world.now(begins + 5 * DAY) is None) is is_used


def test_returns_bring_a_fall_themselves() -> None:
    rows = orders("2025-01-01", 10, 60)
    at = rows[-1][1] + HOUR
    world = World(FALLS, [*rows, touch(at, "return", value=400.0)])
    assert world.now(at) is None and world.now(at + 1).begins == at + 1


def test_falls_are_few_under_chance() -> None:
    """Orders at random moments of an unchanged rhythm seldom make half of it go missing."""
    settings = toml('falls = "revenue", by = 0.5, within = "90d"')
    fell = 0
    for seed in range(30):
        chance = random.Random(seed)
        moment, rows = us("2024-01-01"), []
        while moment < us("2026-11-01"):
            moment += int(chance.expovariate(1 / 7) * DAY) + 1
            rows.append(touch(moment, "order", value=100.0))
        fell += World(settings, rows).now("2026-10-15") is not None
    assert fell <= 3


def test_every_fall_by_half_is_found_within_its_own_length() -> None:
    for seed in range(10):
        chance = random.Random(seed)
        moment, rows = us("2025-01-01"), []
        while moment < us("2026-11-01"):
            gap = 4 if moment < us("2026-03-01") else 16
            moment += int(chance.uniform(0.7, 1.3) * gap * DAY)
            rows.append(touch(moment, "order", value=100.0))
        assert any(World(FALLS, rows).now(us("2026-03-20") + days * DAY) for days in range(0, 90, 7)), seed
