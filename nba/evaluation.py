"""Off-policy estimators: what a policy would have earned, from decisions that another one made."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NORMAL_975 = 1.959963984540054
"""97.5 % quantile of the standard normal: the half-width of a two-sided 95 % interval."""

LEAST_ESS = 50.0
"""Below this effective sample size every value is withheld."""

_FEWEST_TRUSTED = 50
"""Decisions that must check the estimates before these may stand alone anywhere."""

LEAST_ESS_SHARE = 0.05
"""Below this part of the rows the effective sample is weak."""


@dataclass(frozen=True)
class Estimate:
    """What a log says about a policy; values are None where it cannot say them."""

    n: int
    ips: float | None
    snips: float | None
    dr: float | None
    interval: tuple[float, float] | None
    """Two-sided 95 %, of ``dr`` where there is one, else of ``snips``."""
    ess: float
    max_weight: float | None
    mean_weight: float | None
    clipped: int
    verdict: str
    """``ok``, ``weak`` or ``refused``."""
    why: str


def weights(logged: Floats, target: Floats, clip: float = math.inf) -> Floats:
    """Target over logged probability of each decision, at most ``clip``, shape (n,)."""
    return np.minimum(target / logged, clip)


def ips(reward: Floats, weight: Floats) -> Floats:
    """Contribution of each decision to the inverse propensity score, shape (n,); its mean is the value."""
    return weight * reward


def snips(reward: Floats, weight: Floats) -> Floats:
    """Linearised contribution of each decision to the self-normalised score, shape (n,).

    The mean is the value; the variance is that of the ratio of means to first order (delta method).
    """
    value = np.sum(weight * reward) / np.sum(weight)
    return np.asarray(value + weight * (reward - value) / np.mean(weight))


def dr(reward: Floats, weight: Floats, estimate_logged: Floats, estimate_target: Floats) -> Floats:
    """Doubly robust contribution of each decision, shape (n,).

    Parameters
    ----------
    reward, weight
        What came of the decision, and its weight.
    estimate_logged
        Expected reward of the action that was taken.
    estimate_target
        Expected reward under the judged policy.
    """
    return estimate_target + weight * (reward - estimate_logged)


def switch(reward: Floats, weight: Floats, estimate_logged: Floats, estimate_target: Floats, most: float) -> Floats:
    """Contribution of each decision where large weights are left to the estimates, shape (n,).

    The SWITCH estimator in its doubly robust form (Wang, Agarwal and Dudik 2017, ICML): a decision whose weight is
    above ``most`` counts by its estimate alone, which bounds the variance at the price of the estimate's error there.

    Parameters
    ----------
    reward, weight, estimate_logged, estimate_target
        As for ``dr``.
    most
        The largest weight that is trusted; infinite: the doubly robust contributions.

    Examples
    --------
    >>> one = np.array([1.0])
    >>> switch(one, 4 * one, 0.5 * one, 0.6 * one, 10.0), switch(one, 4 * one, 0.5 * one, 0.6 * one, 3.0)
    (array([2.6]), array([0.6]))
    """
    return estimate_target + np.where(weight <= most, weight * (reward - estimate_logged), 0.0)


def switching_weight(reward: Floats, weight: Floats, estimate_logged: Floats, estimate_target: Floats) -> float:
    """Choose the largest weight that ``switch`` trusts: the least estimated squared error of the value.

    The squared error is the variance of the mean plus the square of the bias. The paper bounds the bias by the largest
    reward, by which rewards of 0 and 1 would hardly ever be left to a model; here the estimates are taken to be no
    worse, on average, where they stand alone than where decisions can check them: by the mean residual there and two
    standard errors. Compared are quantiles of the weights from the median on, and infinity.
    """
    best, least = math.inf, math.inf
    drawn = weight > 0
    for most in (*np.quantile(weight[drawn], np.arange(0.5, 1.0, 0.05)), math.inf) if drawn.any() else ():
        trusted = weight <= most
        residual = (weight * (reward - estimate_logged))[trusted & drawn]
        if len(residual) < _FEWEST_TRUSTED:
            continue
        # Per unit of weight: a residual that counts five times stands for five decisions.
        off = (abs(residual.mean()) + 2.0 * residual.std(ddof=1) / math.sqrt(len(residual))) / weight[
            trusted & drawn
        ].mean()
        found = switch(reward, weight, estimate_logged, estimate_target, float(most))
        bias = float(off) * float(np.mean(np.where(trusted, 0.0, weight)))
        error = float(np.var(found, ddof=1)) / len(weight) + bias**2
        if error < least:
            best, least = float(most), error
    return best


def effective_sample_size(weight: Floats) -> float:
    """(sum of weights)² / sum of squares; 0 where no weight is above 0."""
    largest = float(np.max(weight, initial=0.0))
    if largest == 0.0:
        return 0.0
    # Scaled, so that the squares of huge weights stay finite.
    scaled = weight / largest
    return float(np.sum(scaled) ** 2 / np.sum(scaled**2))


def standard_error(contributions: Floats, cluster: NDArray[Any] | None = None) -> float | None:
    """Return the standard error of the mean of contributions; None for fewer than two rows or clusters.

    Parameters
    ----------
    contributions
        Shape (n,).
    cluster
        Label of each row, shape (n,): rows of one cluster may depend on each other.
    """
    deviations = contributions - np.mean(contributions)
    if cluster is not None:
        _, members = np.unique(cluster, return_inverse=True)
        deviations = np.bincount(members, weights=deviations)
    groups = len(deviations)
    if groups < 2:
        return None
    return float(math.sqrt(groups / (groups - 1) * np.sum(deviations**2)) / len(contributions))


def interval(contributions: Floats, cluster: NDArray[Any] | None = None) -> tuple[float, float] | None:
    """Two-sided 95 % interval of the mean of contributions; None for fewer than two rows or clusters."""
    error = standard_error(contributions, cluster)
    if error is None:
        return None
    value = float(np.mean(contributions))
    # Few clusters tell little about their own spread; many rows tell it well.
    width = NORMAL_975 if cluster is None else student_975(len(np.unique(cluster)) - 1)
    return value - width * error, value + width * error


def student_975(freedom: int) -> float:
    """97.5 % quantile of Student's t, by Cornish-Fisher expansion; exact for 1 and 2 degrees of freedom.

    Examples
    --------
    >>> round(student_975(10), 3)
    2.228
    """
    if freedom == 1:
        return 12.706204736432095
    if freedom == 2:
        return 4.302652729911275
    z, f = NORMAL_975, float(freedom)
    return (
        z
        + (z**3 + z) / (4 * f)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * f**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * f**3)
        + (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92160 * f**4)
    )


def estimate(
    reward: Floats,
    logged: Floats,
    target: Floats,
    *,
    estimates: tuple[Floats, Floats] | None = None,
    cluster: NDArray[Any] | None = None,
    clip: float = math.inf,
) -> Estimate:
    """Judge a policy on a log.

    Parameters
    ----------
    reward
        What came of each decision, shape (n,).
    logged, target
        Chance of the logged action when it was drawn (above 0), and under the judged policy.
    estimates
        Expected reward of the logged action and under the judged policy, for ``dr``.
    cluster
        Label of each row, for the interval.
    clip
        No weight counts more than this.
    """
    weight = weights(logged, target, clip)
    found = _without_values(weight, int(np.sum(target / logged > clip)), cluster)
    if found.verdict == "refused":
        return found
    by_ratio = snips(reward, weight)
    doubly = None if estimates is None else dr(reward, weight, *estimates)
    bounds = interval(by_ratio if doubly is None else doubly, cluster)
    return replace(
        found,
        ips=float(np.mean(ips(reward, weight))),
        snips=float(np.sum(weight * reward) / np.sum(weight)),
        dr=None if doubly is None else float(np.mean(doubly)),
        interval=bounds,
        why=found.why if bounds else f"{found.why} There is no interval: all rows belong to one cluster.",
    )


def _without_values(weight: Floats, clipped: int, cluster: NDArray[Any] | None) -> Estimate:
    ess = effective_sample_size(weight)
    verdict, why = _verdict(weight, ess, clipped, cluster)
    return Estimate(
        n=len(weight),
        ips=None,
        snips=None,
        dr=None,
        interval=None,
        ess=ess,
        max_weight=float(np.max(weight)) if len(weight) else None,
        mean_weight=float(np.mean(weight)) if len(weight) else None,
        clipped=clipped,
        verdict=verdict,
        why=why,
    )


def _verdict(weight: Floats, ess: float, clipped: int, cluster: NDArray[Any] | None) -> tuple[str, str]:
    n = len(weight)
    if ess < LEAST_ESS:
        return "refused", (
            f"The log of {n} decisions is worth {ess:.1f} decisions of the judged policy; no value is given "
            f"below {LEAST_ESS:.0f}; log more decisions, or judge a policy closer to the logged one."
        )
    faults = []
    if ess < LEAST_ESS_SHARE * n:
        faults.append(
            f"the {n} decisions are worth only {ess:.1f}, less than {LEAST_ESS_SHARE:.0%} of them: "
            "few decisions carry the value"
        )
    mean, error = float(np.mean(weight)), standard_error(weight, cluster) or 0.0
    # Weights that are all the same have no error, and rounding must not tell them from 1.
    if abs(mean - 1.0) > 3.0 * error + 1e-9:
        cause = "clipping took weight away" if clipped else "the logged or target probabilities do not fit the log"
        faults.append(f"the mean weight {mean:.3f} is more than three standard errors ({error:.3f}) from 1: {cause}")
    if faults:
        return "weak", f"Take it with care: {'; and '.join(faults)}."
    return (
        "ok",
        f"The {n} decisions are worth {ess:.1f} of the judged policy, and the weights average to 1.",
    )
