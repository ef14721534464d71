"""The chance of being the best, against independent ways to find it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr
from scipy.stats import chi2

from nba.draw import Draw, pick
from nba.ranking import Choices, Epsilon, Thompson
from nba.thompson import REACH, _look, chances_of_being_best

NODES, WEIGHTS = np.polynomial.legendre.leggauss(20)


def best(mean, error, allowed=None):
    """Chances of one row; "do nothing" is put before it."""
    priority, spread = np.array([[0.0, *mean]]), np.array([[0.0, *error]])
    may = np.ones(priority.shape, dtype=bool) if allowed is None else np.array([[True, *allowed]])
    return chances_of_being_best(priority, spread, may)[0]


def by_fine_panels(mean, error):
    """Integrate with 20 nodes on panels of at most a quarter of any deviation that matters, by other functions."""
    m, s = np.array(mean), np.array(error)
    cuts = np.unique(np.concatenate([[0.0], (m[:, None] + s[:, None] * np.linspace(-9, 9, 73)).ravel()]))
    cuts = cuts[cuts >= 0]
    low, width = cuts[:-1, None], np.diff(cuts)[:, None]
    x, weight = (low + width * (1 + NODES) / 2).ravel(), (width * WEIGHTS / 2).ravel()
    z = (x[:, None] - m) / s
    below, density = ndtr(z), np.exp(-0.5 * z**2) / (s * math.sqrt(2 * math.pi))
    # What lies further below than 9 deviations of any would divide 0 by 0.
    kept = (z > -9).all(axis=1)
    both = weight[kept] * below[kept].prod(axis=1)
    found = [np.sum(both * density[kept, i] / below[kept, i]) for i in range(len(m))]
    return np.array([ndtr(-m / s).prod(), *found])


def worlds(n: int, seed: int):
    rng = np.random.default_rng(seed)
    return {
        "alike": (rng.normal(size=n), np.abs(rng.normal(size=n)) + 0.05),
        "far apart": (rng.normal(size=n) * 10 ** rng.uniform(-3, 3, n), np.abs(rng.normal(size=n)) + 0.05),
        "in other scales": (lambda s: (rng.normal(size=n) * s, s))(10 ** rng.uniform(-6, 6, n)),
        "equal": (np.full(n, rng.normal()), np.full(n, 0.7)),
        "all bad": (-np.abs(rng.normal(size=n)) - 1, np.full(n, 0.5)),
        "some all but sure": (rng.normal(size=n), 10 ** rng.uniform(-5, 0, n)),
    }


@pytest.mark.parametrize("n", [1, 2, 7, 20, 60])
@pytest.mark.parametrize("kind", list(worlds(1, 0)))
def test_chances_are_those_of_a_finer_integration(kind: str, n: int) -> None:
    for seed in range(3 if n < 60 else 1):
        mean, error = worlds(n, seed)[kind]
        assert np.abs(best(mean, error) - by_fine_panels(mean, error)).max() <= 1e-8


def test_the_normal_is_good_to_fourteen_digits() -> None:
    z = np.linspace(-REACH, REACH, 100_001)
    below, ratio = np.ones(len(z)), np.empty(len(z))
    _look(0.0, 1.0, z, below, ratio)
    assert np.abs(below - ndtr(z)).max() < 1e-14
    assert np.abs(ratio * below / np.exp(-0.5 * z**2) - 1).max() < 2e-14


@pytest.mark.parametrize(("m", "s"), [((1.0, 0.5), (0.3, 2.0)), ((-1.0, 4.0), (1e-3, 5.0)), ((0.0, 0.0), (1.0, 1.0))])
def test_two_actions_without_anything_to_fear_below_have_the_closed_form(m, s) -> None:
    """Far above "do nothing" the first of two normals is the larger one with chance Phi(d / sqrt(s1^2 + s2^2))."""
    far = 1000.0
    found = best([far + m[0], far + m[1]], s)
    assert found[1] == pytest.approx(ndtr((m[0] - m[1]) / math.hypot(*s)), abs=1e-9)
    assert found[0] < 1e-12


def test_one_action_has_the_chance_that_it_is_worth_more_than_nothing() -> None:
    for mean, error in [(1.0, 1.0), (-3.0, 1.0), (1e-3, 1e3), (5e5, 1e6), (-2e-8, 1e-8)]:
        assert best([mean], [error])[1] == pytest.approx(ndtr(mean / error), rel=1e-6)


def test_a_small_chance_is_small_and_no_zero() -> None:
    found = best([-5.0, 1.0], [1.0, 0.1])
    assert found[1] == pytest.approx(ndtr(-6 / math.hypot(1, 0.1)), rel=1e-2) and found[1] > 0


def test_without_errors_the_best_is_chosen_and_equal_ones_share() -> None:
    assert best([1.0, 3.0, 2.0], [0, 0, 0]).tolist() == [0, 0, 1, 0]
    assert best([-1.0, 0.0], [0, 0]).tolist() == [1, 0, 0]
    assert best([2.0, 2.0, 1.0], [0, 0, 0]).tolist() == [0, 0.5, 0.5, 0]


def test_a_certain_action_is_the_floor_for_all_others() -> None:
    found = best([2.0, 1.0], [0.0, 1.0])
    assert found.tolist() == pytest.approx([0.0, 1 - ndtr(-1.0), ndtr(-1.0)], abs=1e-9)


def test_as_errors_vanish_the_certain_answer_is_reached() -> None:
    sure = best([1.0, 2.0, 1.5], [0, 0, 0])
    assert np.abs(best([1.0, 2.0, 1.5], [1e-3, 1e-9, 0]) - sure).max() < 1e-12


@pytest.mark.parametrize("priority", [math.nan, math.inf, -math.inf])
def test_what_is_not_known_is_never_chosen(priority: float) -> None:
    found = best([priority, 1.0], [1.0, 0.5])
    assert found[1] == 0 and found.sum() == pytest.approx(1, abs=1e-12)
    assert best([1.0, priority], [math.nan, 1.0]).tolist() == [0, 1, 0]


def test_scales_near_the_ends_of_the_range_of_doubles_do_no_harm() -> None:
    usual = best([1.0, -0.5, 0.3], [0.5, 2.0, 0.1])
    for scale in (2.0**-1000, 2.0**1000):
        assert np.array_equal(best([scale, -0.5 * scale, 0.3 * scale], [0.5 * scale, 2 * scale, 0.1 * scale]), usual)
    found = best([1e300, 1e-300, 1.0], [1e-300, 1e300, 1.0])
    assert np.isfinite(found).all() and found.sum() == pytest.approx(1, abs=1e-12)


def test_large_priorities_with_small_errors_keep_their_digits() -> None:
    found, shifted = best([1.5, 1.0], [0.5, 0.25]), best([2.0**40 + 1.5, 2.0**40 + 1.0], [0.5, 0.25])
    alone = found[1:] / found[1:].sum()
    assert np.abs(shifted[1:] - by_fine_panels([21.5, 21.0], [0.5, 0.25])[1:]).max() < 1e-9
    assert np.abs(shifted[1:] - alone).max() < 1e-2


number = st.floats(-1e6, 1e6) | st.floats(-3, 3) | st.sampled_from([0.0, 1.0])
spread = st.floats(0, 1e6) | st.floats(0, 2) | st.sampled_from([0.0, 1e-9, 1.0])
rows = st.lists(st.tuples(number, spread, st.booleans()), min_size=1, max_size=60)


@settings(max_examples=100, deadline=None)
@given(row=rows)
def test_rows_sum_to_one_and_nothing_forbidden_is_chosen(row) -> None:
    mean, error, allowed = zip(*row, strict=True)
    found = best(mean, error, allowed)
    assert abs(found.sum() - 1) <= 1e-12 and (found >= 0).all()
    assert (found[1:][~np.array(allowed)] == 0).all()


@settings(max_examples=60, deadline=None)
@given(row=rows, power=st.integers(-200, 200), seed=st.integers(0, 9))
def test_neither_units_nor_order_matter(row, power: int, seed: int) -> None:
    mean, error, allowed = (np.array(each) for each in zip(*row, strict=True))
    # What a power of two rounds to nothing has another worth afterwards; no unit of money does that.
    for each in (mean, error):
        each[np.abs(each) < 1e-200] = 0.0
    found = best(mean, error, allowed)
    assert np.array_equal(best(np.ldexp(mean, power), np.ldexp(error, power), allowed), found)
    order = np.random.default_rng(seed).permutation(len(mean))
    assert np.abs(best(mean[order], error[order], allowed[order])[1:] - found[1:][order]).max() <= 1e-9


@settings(max_examples=60, deadline=None)
@given(row=rows, at=st.integers(0, 59), more=st.floats(0, 10))
def test_a_higher_priority_is_chosen_no_less(row, at: int, more: float) -> None:
    mean, error, _ = (np.array(each) for each in zip(*row, strict=True))
    at %= len(mean)
    before = best(mean, error)
    mean[at] += more
    after = best(mean, error)
    assert after[1 + at] >= before[1 + at] - 1e-8
    assert (np.delete(after, 1 + at) <= np.delete(before, 1 + at) + 1e-8).all()


@settings(max_examples=50, deadline=None)
@given(row=rows, epsilon=st.floats(0.001, 1))
def test_exploration_mixes_in_its_floor(row, epsilon: float) -> None:
    mean, error, allowed = zip(*row, strict=True)
    choices = Choices(np.array([[0.0, *mean]]), np.array([[True, *allowed]]), np.zeros(1), np.array([[0.0, *error]]))
    mixed, alone = Epsilon(Thompson(), epsilon).probabilities(choices), Thompson().probabilities(choices)
    even = choices.allowed / choices.allowed.sum()
    assert np.abs(mixed - ((1 - epsilon) * alone + epsilon * even)).max() <= 1e-15
    assert (mixed[choices.allowed] >= epsilon / choices.allowed.sum() - 1e-15).all()


def test_actions_are_drawn_as_often_as_is_logged() -> None:
    """The draw is a keyed hash of the decision id: 20,000 ids; the bound fails a right draw once in a million."""
    choices = Choices(
        np.array([[0.0, 1.0, 0.8, -0.5, 9.0]]), np.array([[True, True, True, True, False]]), np.zeros(1),
        np.array([[0.0, 0.5, 1.0, 1.0, 1.0]]),
    )  # fmt: skip
    chances, draw, n = Epsilon(Thompson(), 0.02).probabilities(choices)[0], Draw(b"secret"), 20_000
    counts = np.bincount([pick(chances, draw.fraction(f"d{i}")) for i in range(n)], minlength=5)
    possible = chances > 0
    distance = ((counts - n * chances)[possible] ** 2 / (n * chances[possible])).sum()
    assert counts[4] == 0 and distance < chi2.isf(1e-6, possible.sum() - 1)
    wrong = np.array([0.3, 0.3, 0.3, 0.1, 0.0])
    assert ((counts - n * wrong)[possible] ** 2 / (n * wrong[possible])).sum() > chi2.isf(1e-6, possible.sum() - 1)


def test_without_errors_thompson_does_what_greedy_does() -> None:
    choices = Choices(np.array([[0.0, 1.0, 3.0]]), np.ones((1, 3), dtype=bool), np.zeros(1))
    assert Thompson().probabilities(choices).tolist() == [[0, 0, 1]]
