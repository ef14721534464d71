"""Estimators by hand, their intervals against worlds whose truth is known, and the verdicts' rules."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from nba import evaluation
from nba.evaluation import Estimate, Floats, estimate

WORLDS = 200


def worn(*numbers: float, times: int = 1) -> Floats:
    return np.tile(np.array(numbers, dtype=np.float64), times)


def test_values_by_hand() -> None:
    # Weights 1.6 and 0.4 in turn, rewards 3 and 1: everything can be done on paper.
    found = estimate(
        worn(3, 1, times=100),
        worn(0.5, 0.5, times=100),
        worn(0.8, 0.2, times=100),
        estimates=(worn(2, 2, times=100), worn(2.5, 1.5, times=100)),
    )
    assert found.n == 200 and found.clipped == 0
    assert found.ips == pytest.approx((1.6 * 3 + 0.4 * 1) / 2, abs=1e-9)
    assert found.snips == pytest.approx((1.6 * 3 + 0.4 * 1) / 2.0, abs=1e-9)
    assert found.dr == pytest.approx((2.5 + 1.6 * 1 + 1.5 - 0.4 * 1) / 2, abs=1e-9)
    assert found.ess == pytest.approx(200**2 / (100 * (1.6**2 + 0.4**2)), abs=1e-9)
    assert found.max_weight == 1.6 and found.mean_weight == pytest.approx(1.0)
    assert found.verdict == "ok"


def test_interval_by_hand() -> None:
    reward, logged, target = worn(3, 1, times=100), worn(0.5, 0.5, times=100), worn(0.8, 0.2, times=100)
    found = estimate(reward, logged, target)
    assert found.snips is not None and found.interval is not None
    # Linearised: w (r - value) / mean w, whose mean is 0.
    parts = np.array([1.6 * (3 - found.snips), 0.4 * (1 - found.snips)])
    error = np.sqrt(100 * np.sum(parts**2) / 199 / 200)
    assert found.interval == pytest.approx(
        (found.snips - evaluation.NORMAL_975 * error, found.snips + evaluation.NORMAL_975 * error), abs=1e-9
    )


def test_ips_and_snips_differ_where_weights_do_not_average_to_one() -> None:
    found = estimate(worn(1, 0, times=100), worn(0.5, 0.5, times=100), worn(0.9, 0.3, times=100))
    assert found.ips == pytest.approx(0.9, abs=1e-9)
    assert found.snips == pytest.approx(1.8 / 2.4, abs=1e-9)
    assert found.verdict == "weak" and "mean weight 1.200" in found.why


def test_rows_of_one_cluster_count_as_one() -> None:
    """Every row told five times, with its cluster, says no more than told once."""
    rng = np.random.default_rng(1)
    reward, logged = rng.random(300), np.full(300, 0.5)
    target = rng.choice([0.2, 0.8], 300)
    once = estimate(reward, logged, target, cluster=np.arange(300))
    five = estimate(
        np.repeat(reward, 5), np.repeat(logged, 5), np.repeat(target, 5), cluster=np.repeat(np.arange(300), 5)
    )
    assert five.interval == pytest.approx(once.interval, abs=1e-9)


def world(seed: int, rows: int) -> tuple[np.random.Generator, Floats, Floats, NDArray[np.int64]]:
    """A logging policy that depends on a context, and a target that turns it round; three actions."""
    rng = np.random.default_rng(seed)
    context = rng.random(rows)
    chances = np.stack([0.2 + 0.4 * context, np.full(rows, 0.2), 0.6 - 0.4 * context], axis=1)
    action = (chances.cumsum(axis=1) > rng.random((rows, 1))).argmax(axis=1)
    return rng, context, chances, action


def success(context: Floats, action: NDArray[np.int64]) -> Floats:
    return np.asarray(0.1 + 0.5 * context * (action == 2) + 0.2 * (action == 0))


# The target plays the actions in turned order; its value: the mean over context of the expected success.
TRUTH = float(
    0.1
    + 0.5 * np.mean([(0.2 + 0.4 * x) * x for x in (np.arange(100_000) + 0.5) / 100_000])
    + 0.2 * np.mean([0.6 - 0.4 * x for x in (np.arange(100_000) + 0.5) / 100_000])
)


def one_estimate(seed: int, *, doubly: bool, clustered: bool) -> Estimate:
    if clustered:
        # 60 contacts, each met ten times in the same context with the same luck.
        rng, context, chances, action = world(seed, 60)
        luck = np.repeat(rng.random(60), 10)
        context, chances, action = (
            np.repeat(context, 10),
            np.repeat(chances, 10, axis=0),
            np.repeat(action, 10),
        )
        cluster = np.repeat(np.arange(60), 10)
    else:
        rng, context, chances, action = world(seed, 600)
        luck, cluster = rng.random(600), None
    rows = np.arange(len(action))
    reward = (luck < success(context, action)).astype(np.float64)
    turned = chances[:, ::-1]
    # Rough guesses: the doubly robust value must not need true ones.
    guess = np.stack([np.full(len(rows), 0.35), np.full(len(rows), 0.1), 0.2 + 0.3 * context], axis=1)
    estimates = (guess[rows, action], np.sum(turned * guess, axis=1)) if doubly else None
    return estimate(reward, chances[rows, action], turned[rows, action], estimates=estimates, cluster=cluster)


@pytest.mark.parametrize("doubly", [False, True], ids=["snips", "dr"])
@pytest.mark.parametrize("clustered", [False, True], ids=["independent", "clustered"])
def test_intervals_cover_the_truth(doubly: bool, clustered: bool) -> None:
    found = [one_estimate(seed, doubly=doubly, clustered=clustered).interval for seed in range(WORLDS)]
    hits = [bounds is not None and bounds[0] <= TRUTH <= bounds[1] for bounds in found]
    assert 0.90 <= np.mean(hits) <= 0.99  # nominal 95 %


def test_intervals_without_clusters_would_miss_the_truth() -> None:
    """The clustered world is one in which clustering matters."""
    hits = []
    for seed in range(WORLDS):
        rng, context, chances, action = world(seed, 60)
        rows, luck = np.repeat(np.arange(60), 10), np.repeat(rng.random(60), 10)
        reward = (luck < success(context, action)[rows]).astype(np.float64)
        logged, target = chances[rows, action[rows]], chances[:, ::-1][rows, action[rows]]
        bounds = estimate(reward, logged, target).interval
        hits.append(bounds is not None and bounds[0] <= TRUTH <= bounds[1])
    assert np.mean(hits) < 0.8


@pytest.mark.parametrize(
    ("rows", "target", "verdict"),
    [(49, 1.0, "refused"), (50, 1.0, "ok"), (0, 1.0, "refused"), (100, 0.0, "refused")],
)
def test_verdict_turns_at_fifty(rows: int, target: float, verdict: str) -> None:
    found = estimate(np.ones(rows), np.ones(rows), np.full(rows, target))
    assert found.verdict == verdict
    if verdict == "refused":
        assert (found.ips, found.snips, found.dr, found.interval) == (None, None, None, None)


def test_verdict_is_weak_where_few_rows_carry_the_value() -> None:
    # 60 rows with weight 1000/60 among 1,000: the mean weight is 1, the sample worth 60, which is 6 %.
    logged, target = np.full(2000, 0.01), np.zeros(2000)
    target[:60] = 1 / 6
    assert estimate(np.ones(2000), logged, target).verdict == "weak"
    assert "less than 5%" in estimate(np.ones(2000), logged, target).why
    assert estimate(np.ones(1000), logged[:1000], target[:1000]).verdict == "ok"


def test_equal_weights_that_are_not_one_are_weak() -> None:
    found = estimate(np.ones(100), np.full(100, 0.5), np.full(100, 0.25))
    assert found.verdict == "weak" and found.mean_weight == 0.5


def test_nothing_is_clipped_unless_asked_for() -> None:
    reward, logged, target = worn(1, 0, times=100), worn(0.1, 0.9, times=100), worn(0.5, 0.5, times=100)
    assert estimate(reward, logged, target).max_weight == 5.0
    clipped = estimate(reward, logged, target, clip=2.0)
    assert (clipped.clipped, clipped.max_weight) == (100, 2.0)
    assert clipped.ips == pytest.approx(1.0, abs=1e-9)


def test_one_cluster_has_no_interval() -> None:
    found = estimate(worn(1, 0, times=50), np.ones(100), np.ones(100), cluster=np.zeros(100, dtype=np.int64))
    assert found.interval is None and "one cluster" in found.why and found.snips == 0.5


@pytest.mark.parametrize(
    ("freedom", "quantile"),
    [(1, 12.7062), (2, 4.3027), (3, 3.1824), (5, 2.5706), (30, 2.0423), (10**6, 1.96)],
)
def test_quantiles_of_student_are_those_of_the_tables(freedom: int, quantile: float) -> None:
    assert evaluation.student_975(freedom) == pytest.approx(quantile, rel=2e-3)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=50))
def test_effective_sample_size_lies_between_nothing_and_the_rows(weight: list[float]) -> None:
    assert 0 <= evaluation.effective_sample_size(np.array(weight)) <= len(weight) * (1 + 1e-9)
