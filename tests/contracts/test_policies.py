"""Every policy keeps every promise."""

import copy
import pickle
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.points_table import Threshold
from nba import worth
from nba.draw import pick
from nba.odds import draw_one
from nba.ranking import (
    Choices,
    Constant,
    Epsilon,
    Greedy,
    Holdout,
    Points,
    Policy,
    Thompson,
    Uniform,
    rule_of,
    warm_up,
)
from tests.examples import examples

N_ACTIONS = 5
POINTS = Points(
    (
        (Threshold(("a",), below=250), (1,)),
        (Threshold(("b", "c"), from_=250), (2, 3)),
        (Threshold(("d",)), (4,)),
    )
)
POLICIES: tuple[Policy, ...] = (
    Greedy(),
    Uniform(),
    Constant(0),
    Constant(3),
    POINTS,
    Epsilon(Greedy(), 0.02),
    Epsilon(POINTS, 1.0),
    Epsilon(Constant(2), 0.0),
    Holdout(POINTS, Epsilon(Greedy(), 0.1), 0.05),
    Holdout(POINTS, Greedy(), 1.0),
    Thompson(),
    Holdout(POINTS, Epsilon(Thompson(), 0.02), 0.05),
)


@st.composite
def choices(draw: st.DrawFn) -> Choices:
    n = draw(st.integers(1, 6))
    worth = st.floats(-1e6, 1e6) | st.just(float("nan")) | st.sampled_from([0.0, 5.0])
    priority = draw(arrays(np.float64, (n, N_ACTIONS), elements=worth))
    allowed = draw(arrays(np.bool_, (n, N_ACTIONS)))
    priority[:, 0], allowed[:, 0] = 0.0, True
    points = draw(arrays(np.float64, n, elements=st.floats(-1e3, 1e3)))
    error = draw(st.none() | arrays(np.float64, (n, N_ACTIONS), elements=st.floats(0, 1e6) | st.just(float("nan"))))
    return Choices(priority, allowed, points, error)


def sums_to_one(policy: Policy, given: Choices) -> None:
    chance = policy.probabilities(given)
    assert chance.shape == given.allowed.shape
    assert np.allclose(chance.sum(axis=1), 1.0, rtol=0, atol=1e-12)
    assert (chance >= 0).all()


def respects_the_mask(policy: Policy, given: Choices) -> None:
    assert (policy.probabilities(given)[~given.allowed] == 0).all()


def ignores_row_order(policy: Policy, given: Choices) -> None:
    error = None if given.error is None else given.error[::-1]
    back = Choices(given.priority[::-1], given.allowed[::-1], given.points[::-1], error)
    assert np.array_equal(policy.probabilities(back)[::-1], policy.probabilities(given))


def judges_each_row_alone(policy: Policy, given: Choices) -> None:
    error = None if given.error is None else given.error[:1]
    one = Choices(given.priority[:1], given.allowed[:1], given.points[:1], error)
    assert np.array_equal(policy.probabilities(one)[0], policy.probabilities(given)[0])


def survives_pickle(policy: Policy, given: Choices) -> None:
    again = pickle.loads(pickle.dumps(policy))
    assert again == policy
    assert np.array_equal(again.probabilities(given), policy.probabilities(given))


def is_deterministic_and_changes_nothing(policy: Policy, given: Choices) -> None:
    before = copy.deepcopy(given)
    first, second = policy.probabilities(given), policy.probabilities(given)
    assert np.array_equal(first, second)
    assert np.array_equal(before.priority, given.priority, equal_nan=True)
    assert np.array_equal(before.allowed, given.allowed)


PROMISES: tuple[Callable[[Policy, Choices], None], ...] = (
    sums_to_one,
    respects_the_mask,
    ignores_row_order,
    judges_each_row_alone,
    survives_pickle,
    is_deterministic_and_changes_nothing,
)


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    """Hypothesis would take the time of the compiler for that of a test."""
    warm_up()


@pytest.mark.parametrize("policy", POLICIES, ids=repr)
@settings(max_examples=examples(100))
@given(given=choices())
def test_a_policy_keeps_its_promises(policy: Policy, given: Choices) -> None:
    for promise in PROMISES:
        promise(policy, given)


@given(given=choices())
def test_greedy_does_nothing_unless_something_is_worth_more_than_nothing(given: Choices) -> None:
    chance = Greedy().probabilities(given)
    best = np.where(given.allowed & ~np.isnan(given.priority), given.priority, -np.inf).max(axis=1)
    assert np.array_equal(chance[:, 0] == 1, best <= 0)
    assert all(given.priority[i, chance[i].argmax()] == best[i] for i in np.flatnonzero(best > 0))


@given(given=choices(), epsilon=st.floats(0.001, 1))
def test_exploration_gives_every_allowed_action_its_floor(given: Choices, epsilon: float) -> None:
    chance = Epsilon(Greedy(), epsilon).probabilities(given)
    floor = epsilon / given.allowed.sum(axis=1, keepdims=True)
    assert (chance >= np.where(given.allowed, floor, 0) - 1e-15).all()


@given(given=choices(), share=st.floats(0, 1))
def test_holdout_logs_h_points_and_the_rest_of_the_policy(given: Choices, share: float) -> None:
    policy = Epsilon(Greedy(), 0.1)
    expected = share * POINTS.probabilities(given) + (1 - share) * policy.probabilities(given)
    both = Holdout(POINTS, policy, share)
    assert np.allclose(both.probabilities(given), expected, rtol=0, atol=1e-15)


@pytest.mark.parametrize("policy", [policy for policy in POLICIES if not isinstance(policy, Holdout)], ids=repr)
@settings(max_examples=examples(100))
@given(given=choices(), share=st.floats(0, 1), fraction=st.floats(0, 1, exclude_max=True))
def test_one_contact_is_drawn_for_as_rows_of_them_are(
    policy: Policy, given: Choices, share: float, fraction: float
) -> None:
    logged, own = Holdout(POINTS, policy, share).probabilities(given), policy.probabilities(given)
    for row, (total, may) in enumerate(zip(given.points.tolist(), given.allowed.tolist(), strict=True)):
        table = np.zeros((worth.GOAL + 1, N_ACTIONS))
        table[worth.PRIORITY] = given.priority[row]
        table[worth.SPREAD] = 0.0 if given.error is None else given.error[row]
        column, chances = draw_one(rule_of(policy), table, may, POINTS.called(total, may), share, fraction)
        assert chances == logged[row].tolist()
        assert column == pick(own[row].tolist(), fraction)


@given(of=st.sampled_from([policy for policy in POLICIES if isinstance(policy, Epsilon | Holdout)]))
def test_one_contact_is_not_drawn_for_by_a_mixture_of_mixtures(of: Policy) -> None:
    with pytest.raises(TypeError, match="mixture"):
        rule_of(Epsilon(of, 0.1))


@pytest.mark.parametrize(
    ("total", "allowed", "called"),
    [
        (249.99, [1, 1, 1, 1, 1], 1),
        (250, [1, 1, 1, 1, 1], 2),
        (250, [1, 1, 0, 1, 1], 3),
        (250, [1, 1, 0, 0, 1], 4),
        (250, [1, 1, 0, 0, 0], 0),
        (0, [1, 0, 1, 1, 0], 0),
    ],
)
def test_points_takes_the_first_allowed_action_of_the_thresholds_that_hold(
    total: float, allowed: list[int], called: int
) -> None:
    given = Choices(np.zeros((1, N_ACTIONS)), np.array([allowed], dtype=bool), np.array([float(total)]))
    assert POINTS.probabilities(given)[0].argmax() == called


def test_choices_refuse_to_forbid_doing_nothing_and_shapes_that_disagree() -> None:
    with pytest.raises(ValueError, match="do nothing"):
        Choices(np.zeros((1, 2)), np.zeros((1, 2), dtype=bool), np.zeros(1))
    with pytest.raises(ValueError, match="shapes"):
        Choices(np.zeros((1, 2)), np.ones((1, 3), dtype=bool), np.zeros(1))
    with pytest.raises(ValueError, match="error has the shape"):
        Choices(np.zeros((1, 2)), np.ones((1, 2), dtype=bool), np.zeros(1), np.zeros(2))
