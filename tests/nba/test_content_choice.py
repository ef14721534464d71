"""Claims about filling slots: exact chances, the shares held, and everything filled that can be."""

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nba.infocenter.content_choice import Filling, Shares, Shelf, fill

SHARE = st.sampled_from([0.0, 0.2, 0.25, 0.5, 0.6, 1.0])


@st.composite
def shelves(draw: st.DrawFn, most: int = 12) -> Shelf:
    n = draw(st.integers(0, most))
    interest = draw(st.lists(st.sampled_from([0.0, 0.01, 0.5, 3.0]), min_size=n, max_size=n))
    flags = st.lists(st.booleans(), min_size=n, max_size=n)
    is_new = [new and level == 0.0 for new, level in zip(draw(flags), interest, strict=True)]
    topic = draw(st.lists(st.integers(0, 3), min_size=n, max_size=n))
    return Shelf(
        np.array(interest, dtype=np.float64),
        np.array(is_new, dtype=np.bool_),
        np.array(interest) >= 0.125,
        np.array(draw(flags), dtype=np.bool_),
        np.array(topic, dtype=np.int64),
    )


def shelf(interest: list[float], promotional: set[int] = frozenset()) -> Shelf:  # type: ignore[assignment]
    levels = np.array(interest)
    tone = np.array([i in promotional for i in range(len(interest))], dtype=np.bool_)
    return Shelf(levels, levels == 0.0, levels >= 0.125, tone, np.arange(len(interest)))


def every_answer(of: Shelf, shares: Shares, slots: int) -> dict[tuple[int, ...], float]:
    """The chance of every sequence of contents, by trying all of them."""
    found: dict[tuple[int, ...], float] = {}

    def go_on(before: tuple[int, ...], chance: float) -> None:
        filling = Filling(of, shares, slots)
        for column in before:
            filling.put(column)
        chances = filling.chances()
        if not filling.left:
            found[before] = chance
        for column in chances.nonzero()[0].tolist():
            go_on((*before, column), chance * float(chances[column]))

    go_on((), 1.0)
    return found


@settings(max_examples=60, deadline=None)
@given(shelves(most=5), SHARE, SHARE, st.sampled_from([0.0, 0.1]), st.integers(1, 4))
def test_the_chances_of_all_answers_sum_to_one(of: Shelf, fresh: float, plain: float, epsilon: float, n: int) -> None:
    answers = every_answer(of, Shares(fresh, plain, epsilon), n)
    assert sum(answers.values()) == pytest.approx(1.0, abs=1e-12)
    assert len({len(answer) for answer in answers}) == 1, "how many slots are filled is no matter of chance"


@settings(deadline=None)
@given(shelves(), SHARE, SHARE, st.integers(1, 8), st.lists(st.floats(0, 0.999999), min_size=8, max_size=8))
def test_nothing_twice_enough_plain_and_as_many_slots_as_possible(
    of: Shelf, fresh: float, plain: float, n: int, fractions: list[float]
) -> None:
    found = [column for column, _ in fill(Filling(of, Shares(fresh, plain, 0.02), n), fractions)]
    promotional = sum(of.is_promotional[column] for column in found)
    assert len(set(found)) == len(found) <= n
    assert len(found) - promotional >= plain * len(found) - 1e-9
    there, plain_ones = len(of.interest), int((~of.is_promotional).sum())
    most = max(
        total
        for total in range(min(n, there) + 1)
        if any(
            total - ads <= plain_ones and ads <= there - plain_ones and ads <= total * (1 - plain) + 1e-9
            for ads in range(total + 1)
        )
    )
    assert len(found) == most


@settings(deadline=None)
@given(shelves(), SHARE, SHARE, st.integers(1, 6), st.lists(st.floats(0, 0.999999), min_size=6, max_size=6))
def test_each_slot_has_chances_that_sum_to_one_and_what_was_drawn_had_its_chance(
    of: Shelf, fresh: float, plain: float, n: int, fractions: list[float]
) -> None:
    filling = Filling(of, Shares(fresh, plain, 0.02), n)
    for column, chance in fill(Filling(of, Shares(fresh, plain, 0.02), n), fractions):
        chances = filling.chances()
        assert chances.sum() == pytest.approx(1.0)
        assert chance == chances[column] > 0.0
        filling.put(column)
    assert filling.left == 0 and not filling.chances().any()


@pytest.mark.parametrize("fresh", [0.0, 0.2, 0.5, 0.75, 1.0])
@pytest.mark.parametrize("slots", [1, 2, 3])
def test_every_slot_is_new_with_the_share_asked_for_and_their_number_is_one_of_two(fresh: float, slots: int) -> None:
    of = shelf([0.0, 0.0, 0.0, 2.0, 1.0, 0.5])
    per_slot, counts = np.zeros(slots), dict.fromkeys(range(slots + 1), 0.0)
    for answer, chance in every_answer(of, Shares(fresh, 0.0, 0.02), slots).items():
        is_new = [of.is_new[column] for column in answer]
        per_slot += chance * np.array(is_new)
        counts[sum(is_new)] += chance
    assert per_slot == pytest.approx(np.full(slots, fresh), abs=1e-12)
    assert {n for n, chance in counts.items() if chance > 1e-12} <= {int(slots * fresh), -int(-slots * fresh // 1)}


def test_what_is_drawn_has_the_frequency_that_is_told() -> None:
    of, shares, n = shelf([0.0, 0.0, 1.0, 0.5, 2.0], promotional={0, 4}), Shares(0.25, 0.5, 0.1), 5_000
    told = every_answer(of, shares, 2)
    rng = np.random.default_rng(4)
    drawn = Counter(
        tuple(column for column, _ in fill(Filling(of, shares, 2), fractions))
        for fractions in rng.random((n, 2)).tolist()
    )
    assert set(drawn) <= set(told)
    for answer, chance in told.items():
        assert abs(drawn[answer] / n - chance) < 4.5 * np.sqrt(chance * (1 - chance) / n) + 1e-9, answer


def test_interest_decides_among_the_familiar_and_topics_are_alike_among_the_new() -> None:
    of = shelf([2.0, 1.0, 0.0, 0.0, 0.0])
    of = Shelf(of.interest, of.is_new, of.is_live, of.is_promotional, np.array([0, 1, 2, 2, 3]))
    chances = Filling(of, Shares(0.2, 0.0, 0.0), 3).chances()
    assert chances == pytest.approx([0.8 * 0.8, 0.8 * 0.2, 0.05, 0.05, 0.1])


def test_interest_that_has_faded_is_no_reason() -> None:
    of = shelf([1e-9, 1e-6, 0.0])
    assert Filling(of, Shares(0.4, 0.0, 0.0), 1).chances() == pytest.approx([0.3, 0.3, 0.4])
    alive = shelf([1e-9, 1.0, 0.0])
    assert Filling(alive, Shares(0.4, 0.0, 0.0), 1).chances() == pytest.approx([0.0, 0.6, 0.4])


@pytest.mark.parametrize("of", [shelf([]), shelf([1.0, 0.0], promotional={0, 1})])
def test_without_anything_to_fill_a_slot_with_there_is_none(of: Shelf) -> None:
    assert fill(Filling(of, Shares(0.2, 0.6, 0.02), 3), itertools.repeat(0.5, 3)) == []
