"""Claims about occasions by a change: silence, bursts, points that pass a total, stages."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.compiled import inlined
from features.rows.row_types import ScoreRow
from features.times import DAY, HOUR
from nba.occasions.spells import Track, over, spells
from nba.trend import kept
from tests.nba.occasion_worlds import World, decided, every, toml, touch, us

SILENT = toml("silent = 2.0")
BURST = toml('burst = "any topic"')
PASS = toml("points_pass = 250")
RENEW = toml('stage_to = "renew"', "[stages.rules]\nrenew = { seen = ['renewal'], within = '20d' }\n")
NEED = toml('stage_to = "need"')


# --- silence ------------------------------------------------------------------------------------------------------


def test_silence_longer_than_twice_the_usual_gap() -> None:
    world = World(SILENT, every("2026-01-01T10:00:00Z", 10, 6))
    last = us("2026-02-20T10:00:00Z")
    [(begins, ends)] = world.windows(last, last + 200 * DAY, DAY)
    assert (begins, ends) == (last + 20 * DAY + 1, last + 50 * DAY + 1)
    assert world.now(begins).about == "silent since 2026-02-20, 10 days are usual"
    assert world.refusal(last + DAY).until == begins


def test_many_touchpoints_of_a_day_are_one_sign_of_life() -> None:
    visits = [row for hour in range(8) for row in every(f"2026-01-01T{8 + hour:02}:00:00Z", 10, 6)]
    assert World(SILENT, visits).now("2026-03-05") is None
    assert World(SILENT, visits).now("2026-03-20") is not None


def test_our_own_touchpoints_do_not_break_a_silence() -> None:
    rows = [*every("2026-01-01", 10, 6), touch("2026-03-10", "email_sent")]
    assert World(SILENT, rows).now("2026-03-16").begins == us("2026-02-20") + 20 * DAY + 1


@pytest.mark.parametrize("count", [0, 1, 2])
def test_two_gaps_are_needed_to_be_used_to_anything(count: int) -> None:
    refusal = World(SILENT, every("2026-01-01", 10, count)).refusal("2026-09-01")
    assert refusal.detail == "waits for its occasion: nothing is usual yet to measure a silence against"
    assert World(SILENT, every("2026-01-01", 10, 3)).refusal("2026-01-25").until is not None


def test_it_may_last_as_long_as_the_owner_says() -> None:
    world = World(toml('silent = 1.5, within = "5d"'), every("2026-01-01", 10, 6))
    assert world.windows("2026-02-21", "2026-06-01", DAY) == [(us("2026-03-07") + 1, us("2026-03-12") + 1)]


# --- a burst of interest ------------------------------------------------------------------------------------------


def burst(topic: str = "pumps", count: int = 6, start: str = "2026-06-10T08:00:00Z") -> list[tuple[Any, ...]]:
    return every(start, 0.25, count, topics=[topic])


def test_a_burst_calls_for_a_week_from_the_touchpoint_that_makes_it() -> None:
    rows = burst()
    world = World(BURST, rows)
    [(begins, ends)] = world.windows("2026-06-01", "2026-09-01", HOUR * 5)
    assert (begins, ends) == (rows[4][1] + 1, rows[4][1] + 1 + 7 * DAY)
    found = world.now(begins)
    assert (found.topics, found.about) == (("pumps",), "a burst of interest in pumps since 2026-06-11")


@pytest.mark.parametrize(
    ("wanted", "topic", "calls"),
    [
        ("any topic", "valves", True), ("pumps", "pumps", True), ("pumps", "pumps/vacuum", True),
        ("pumps", "valves", False), ("pumps/vacuum", "pumps", False), ("pumps", "pumps-used", False),
    ],
)  # fmt: skip
def test_a_burst_is_about_the_topic_that_is_asked_for(wanted, topic, calls) -> None:
    assert (World(toml(f'burst = "{wanted}"'), burst(topic)).now("2026-06-12") is not None) is calls


def test_parts_of_a_topic_add_up_and_the_narrower_one_is_named() -> None:
    mixed = [*burst("pumps/a", 3), *burst("pumps/b", 3, "2026-06-10T09:00:00Z")]
    assert World(BURST, mixed).now("2026-06-12").topics == ("pumps",)
    assert World(BURST, burst("pumps/a")).now("2026-06-12").topics == ("pumps/a",)


def test_what_is_usual_is_no_burst() -> None:
    daily = every("2026-01-01", 1, 200, topics=["pumps"])
    assert World(BURST, daily).windows("2026-02-10", "2026-08-30", DAY) == []
    assert World(BURST, sorted([*daily, *every("2026-06-10", 0.05, 20, topics=["pumps"])])).now("2026-06-11T12:00:00Z")


@pytest.mark.parametrize(
    "rows",
    [[], burst(count=4), every("2026-06-10", 0.1, 20), every("2026-06-10", 0.1, 20, "email_sent", topics=["pumps"])],
)
def test_few_touchpoints_others_and_ours_are_no_burst(rows) -> None:
    refusal = World(BURST, rows).refusal("2026-06-12")
    assert refusal.detail == "waits for its occasion: no burst of interest in any topic"


def test_a_burst_in_another_topic_later_is_another_one() -> None:
    rows = [*burst(), *burst("valves", start="2026-06-13T08:00:00Z")]
    world = World(BURST, rows, decisions=[decided("2026-06-12", "burst:pumps")])
    assert world.now("2026-06-13") is None
    assert world.now("2026-06-15").topics == ("valves",)


def test_a_burst_in_a_part_of_a_topic_is_one_in_the_whole() -> None:
    rows = burst("pumps/a")
    for days, topic, is_used in ((-1, "pumps", True), (-8, "pumps", False), (-1, "valves", False), (1, "pumps", True)):
        sent = decided(rows[4][1] + days * DAY, f"burst:{topic}")
        assert (World(BURST, rows, decisions=[sent]).now(rows[4][1] + 2 * DAY) is None) is is_used


def test_what_came_of_our_actions_is_no_interest() -> None:
    assert World(BURST, every("2026-06-10", 0.1, 20, "rejected", topics=["pumps"])).now("2026-06-12") is None


def test_a_burst_that_goes_on_is_the_same() -> None:
    rows = every("2026-06-10", 0.5, 60, topics=["pumps"])
    assert len(World(BURST, rows).windows("2026-06-01", "2026-08-30", DAY)) == 1


# --- points -------------------------------------------------------------------------------------------------------


def test_points_call_for_thirty_days_once_they_pass() -> None:
    rows = every("2026-06-01", 1, 4, "download")
    world = World(PASS, rows)
    at = us("2026-06-03")
    assert world.windows("2026-05-25", "2026-09-01", DAY) == [(at + 1, at + 1 + 30 * DAY)]
    assert world.now("2026-06-05").about == "passed 250 points on 2026-06-03"
    assert world.situation("2026-06-05").points == 400.0
    assert world.refusal("2026-06-02").detail == "waits for its occasion: 250 points were not passed lately"


def test_what_counts_once_counts_once_and_what_is_not_in_the_table_not_at_all() -> None:
    settings = PASS.replace("[points]\n", "[points]\nonce = ['download']\n")
    rows = [*every("2026-06-01", 1, 5, "download"), *every("2026-06-01", 1, 5, "other")]
    assert World(settings, rows).windows("2026-05-25", "2026-09-01", DAY) == []


def test_points_that_fade_may_pass_again_later_and_waver_only_once() -> None:
    settings = PASS.replace("[points]\n", "[points]\nhalf_life = '10d'\n")
    first, again = every("2026-01-01", 0.1, 3, "download"), every("2026-06-01", 0.1, 3, "download")
    assert len(World(settings, [*first, *again]).windows("2025-12-25", "2026-09-01", 5 * DAY)) == 2
    # Every day a download: the total wavers around what it fades to, and passes once.
    settings = settings.replace("points_pass = 250", "points_pass = 1400")
    daily = every("2026-01-01", 1, 200, "download")
    assert len(World(settings, daily).windows("2025-12-25", "2026-09-01", 3 * DAY)) <= 1


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 300), st.sampled_from(["visit", "download"])), max_size=20), st.booleans())
def test_the_total_tells_the_same_as_the_points_table(steps, fades) -> None:
    settings = PASS.replace("[points]\n", "[points]\nhalf_life = '60d'\n" if fades else "[points]\n")
    world = World(settings, [touch(us("2026-01-01") + hour * HOUR, kind) for hour, kind in steps])
    passed = [
        moment + 1
        for moment in sorted({row[1] for row in world.rows})
        if world.situation(moment).points < 250 <= world.situation(moment + 1).points
    ]
    found = world.now("2026-01-14")
    assert (found is None) == (not passed)
    assert found is None or found.begins == passed[0]


# --- stages -------------------------------------------------------------------------------------------------------


def test_a_change_of_stage_calls_while_the_stage_lasts() -> None:
    at = us("2026-06-10T12:00:00Z")
    world = World(RENEW, [touch("2026-05-01"), touch(at, "renewal")])
    assert world.windows("2026-05-01", "2026-09-01", DAY) == [(at + 1, at + 20 * DAY + 1)]
    assert world.now(at + DAY).about == "moved to the stage renew"


def test_who_stays_in_a_stage_does_not_move_to_it() -> None:
    rows = every("2026-05-01", 5, 20, "renewal")
    assert World(RENEW, rows).windows("2026-04-25", "2026-10-01", DAY) == [(us("2026-05-01") + 1, us("2026-05-31") + 1)]


def test_the_clock_alone_may_bring_a_stage() -> None:
    # Thirty days after the order the stage falls back from purchase to what the page views say.
    rows = [touch("2026-06-01", "page_view"), touch("2026-06-02", "order")]
    refusal = World(NEED, rows).refusal("2026-06-10")
    assert refusal.until == us("2026-06-02") + 30 * DAY + 1
    assert World(NEED, rows).now(refusal.until).begins == refusal.until


def test_a_contact_that_was_never_anywhere_else_has_not_moved() -> None:
    world = World(toml('stage_to = "unaware"'), [touch("2026-06-01", "other")])
    assert world.windows("2026-05-30", "2026-09-01", DAY) == []


NOW = us("2026-06-15")


def scored(at: int, stage: str | None, version: str | None = "3", **body) -> ScoreRow:
    return ScoreRow("crm:1", at, stage, None, body, version)


@pytest.mark.parametrize(
    ("row", "begins"),
    [
        (scored(NOW - DAY, "use"), NOW - DAY + 1),
        (scored(NOW - DAY, "renew"), None),
        (scored(NOW - DAY, "renew", stage_left_at=NOW - 5 * DAY), NOW - 5 * DAY + 1),
        (scored(NOW - DAY, "renew", stage_left_at=NOW - 30 * DAY - 1), None),
        (scored(NOW - DAY, "renew", stage_left_at="once"), None),
        (scored(NOW - DAY, "use", "2"), None),
        (scored(NOW, "use"), None),
        (scored(NOW - 40 * DAY, "use"), None),
        (scored(NOW - DAY, None), None),
        (None, None),
    ],
)
def test_a_learnt_stage_is_compared_with_the_scorings_of_the_same_model(row, begins) -> None:
    found = World(RENEW, [touch("2026-06-01")], scored=row).now(NOW, stage="renew", rule_stage=None, model_version="3")
    assert (found and found.begins) == begins
    assert (
        World(RENEW, [touch("2026-06-01")], scored=row).now(NOW, stage="use", rule_stage=None, model_version="3")
        is None
    )


def test_scorings_remember_when_the_stage_was_another_one() -> None:
    stages = ["use", "use", "renew", "renew", "renew", "use", "renew"]
    stored, left = None, []
    for day, stage in enumerate(stages):
        stored = kept(scored(day * DAY, stage, p_churn=0.1), stored)
        left.append(stored.body.get("stage_left_at"))
    assert left == [None, None, DAY, DAY, DAY, 4 * DAY, 5 * DAY]
    assert "stage_left_at" not in kept(scored(9 * DAY, "use", "4"), stored).body


# --- spells -------------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 40), st.booleans(), st.booleans()), max_size=12),
    st.integers(1, 60),
    st.booleans(),
)
def test_spells_begin_where_something_becomes_true(steps, length, initially) -> None:
    moments, first, last, now = [], [], [], 0
    for wait, holds, still in steps:
        now += wait
        moments.append(now)
        first.append(holds)
        last.append(holds and still)
    track, before = Track(moments, first, last, initially), [initially, *last]
    found = list(spells(track, length, 0))
    assert found == [
        (m, m + length) for m, holds, held in zip(moments, first, before, strict=False) if holds and not held
    ]
    assert list(spells(track, length, now)) == [spell for spell in found if spell[1] > now]


@inlined
def _lies_within(span: tuple[int, int], moment: int) -> bool:
    return span[0] <= moment < span[1]


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 10**6))
def test_a_spell_ends_at_the_first_moment_that_does_not_hold(begins: int, holds_for: int) -> None:
    moments = np.array([begins, begins + 2 * holds_for + 5])
    track = Track(moments, np.array([True, False]), np.array([False, False]))
    ends = over(track, 0, begins + 10**7, _lies_within, (begins, begins + holds_for))
    assert ends == begins + holds_for
