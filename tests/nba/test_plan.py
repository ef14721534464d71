"""A plan keeps every limit and chooses nothing worthless; a price is what one more brings."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nba.plan.plan import Day, Limits, Worklist, broken, kept_out, one_more, planned
from tests.nba.plan_days import random_day


def room_for(n: int, of: list[float], *, name: str = "calls") -> Day:
    """Contacts by priority, and ``n`` calls."""
    limits = Limits(name, np.zeros(len(of), dtype=np.int32), np.array([n]), priced=True)
    return Day(np.array(of), np.arange(len(of)), (limits,))


@given(st.integers(0, 10**6), st.integers(1, 40), st.integers(1, 6), st.booleans(), st.sampled_from([0.0, 0.5, 1, 3]))
@settings(max_examples=30, deadline=None)
def test_no_limit_is_ever_broken_and_nothing_worthless_is_chosen(
    seed: int, contacts: int, actions: int, ties: bool, tight: float
) -> None:
    day = random_day(seed, contacts, actions, ties=ties, tight=tight)
    found = planned(day)
    assert broken(day, found.chosen) == []
    assert found.value <= found.bound + 1e-9
    assert all((price >= 0).all() for price in found.prices.values())
    again = planned(day)
    assert (again.chosen == found.chosen).all() and (again.value, again.bound) == (found.value, found.bound)


def test_nothing_is_planned_where_there_is_no_room_no_money_or_nothing_worth_doing() -> None:
    assert not planned(room_for(0, [5.0, 3.0])).chosen.any()
    assert not planned(room_for(-3, [5.0, 3.0])).chosen.any()
    assert not planned(room_for(2, [-5.0, 0.0, float("nan")])).chosen.any()
    costs = Limits("budget", np.zeros(2, dtype=np.int32), np.array([0]), use=np.array([10, 0]), priced=True)
    free = planned(Day(np.array([5.0, 3.0]), np.arange(2), (costs,)))
    assert free.chosen.tolist() == [False, True]
    nobody = planned(room_for(3, []))
    assert nobody == Worklist(nobody.chosen, 0.0, 0.0, nobody.prices) and nobody.gap == 0.0


def test_a_day_without_limits_has_everything_that_is_worth_doing() -> None:
    found = planned(Day(np.array([2.0, -1.0, 3.0]), np.arange(3), ()))
    assert found.chosen.tolist() == [True, False, True] and found.value == 5.0


@pytest.mark.parametrize(("slots", "worth"), [(0, 9.0), (1, 7.0), (2, 4.0), (3, 0.0), (8, 0.0)])
def test_a_price_is_what_the_next_slot_would_bring(slots: int, worth: float) -> None:
    found = planned(room_for(slots, [4.0, 9.0, -2.0, 7.0]))
    assert found.prices["calls"][0] == pytest.approx(worth, abs=1e-5)


@pytest.mark.parametrize("seed", range(10))
def test_the_price_of_the_only_scarce_thing_is_what_one_more_of_it_brings(seed: int) -> None:
    rng = np.random.default_rng(seed)
    contact = np.repeat(np.arange(30), 3)
    limits = Limits("one each", contact.astype(np.int32), np.ones(30, dtype=np.int64))
    phone = np.where(np.arange(90) % 3 == 0, 0, -1).astype(np.int32)
    days = [
        Day(rng_priority, contact, (limits, Limits("calls", phone, np.array([room]), priced=True)))
        for rng_priority in [np.round(rng.exponential(5.0, 90), 2)]
        for room in (4, 5)
    ]
    now, then = (planned(day) for day in days)
    assert now.prices["calls"][0] == pytest.approx(then.value - now.value, abs=1e-4)


def test_one_more_in_every_cap_is_worth_what_the_blocks_gain() -> None:
    rows = np.array([0, 0, 0, 1], dtype=np.int32)
    day = Day(np.array([5.0, 4.0, 3.0, 2.0]), np.array([0, 0, 0, 1]), (Limits("cap", rows, np.array([1, 1])),))
    found = planned(day)
    assert found.value == 7.0 and one_more(day, found) == {"cap": pytest.approx(4.0)}
    everybody = np.ones(4, dtype=np.bool_)
    assert kept_out(day, found.chosen, everybody) == {"cap": 2}
    assert kept_out(day, found.chosen, ~everybody) == {"cap": 0}


def test_of_equals_the_earlier_is_chosen_however_many_there_are() -> None:
    found = planned(room_for(100, [3.0] * 5000))
    assert found.chosen.sum() == 100 and found.chosen[:100].all()
    assert found.bound == pytest.approx(300.0, rel=1e-5)


@pytest.mark.parametrize(
    "broken_day",
    [
        lambda: Day(np.ones(2), np.array([1, 0]), ()),
        lambda: Day(np.ones(2), np.array([0]), ()),
        lambda: Day(np.ones(2), np.arange(2), (Limits("a", np.array([0, 1], dtype=np.int32), np.array([1])),)),
        lambda: Day(np.ones(2), np.arange(2), (Limits("a", np.zeros(3, dtype=np.int32), np.array([1])),)),
        lambda: Day(
            np.ones(1), np.arange(1), (Limits("a", np.zeros(1, dtype=np.int32), np.array([1]), use=np.array([2])),)
        ),
    ],
)
def test_a_day_that_makes_no_sense_is_refused(broken_day) -> None:
    with pytest.raises(ValueError):
        broken_day()


def test_broken_limits_are_named() -> None:
    day = room_for(1, [5.0, -1.0])
    assert broken(day, np.array([True, False])) == []
    assert broken(day, np.array([True, True])) == [
        "calls: 1 of 1 limits broken",
        "1 chosen whose priority is not above zero",
    ]
