"""How good predicted probabilities are; None where the rows cannot tell."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

Z_95 = 1.959963984540054
"""Two-sided 95 % of the normal distribution."""


def auc(y: ArrayLike, p: ArrayLike) -> float | None:
    """Chance that a random positive row is ranked above a random negative one; ties count half.

    Parameters
    ----------
    y
        Truth, shape (n,), 0 or 1.
    p
        Scores, shape (n,); only their order matters.

    Returns
    -------
    None where all rows are of one class.

    Raises
    ------
    ValueError
        Where shapes differ, a truth is neither 0 nor 1 or a score is NaN or infinite; in all functions here.
    """
    truth, score = _checked(y, p)
    above, _ = _components(truth, score)
    return float(above.mean()) if len(above) and len(above) < len(truth) else None


def auc_interval(y: ArrayLike, p: ArrayLike, cluster: ArrayLike | None = None) -> tuple[float, float] | None:
    """Two-sided 95 % interval of the AUC; rows of one cluster may depend on each other.

    The variance is Obuchowski's (1997, Biometrics 53, 567-578): structural components summed by cluster;
    with one row a cluster it is DeLong's. The interval is symmetric on the logit scale, so stays in (0, 1).

    Parameters
    ----------
    cluster
        Label of each row, the contact for instance, shape (n,); every row its own when left out.

    Returns
    -------
    None where fewer than two clusters have a positive row, or fewer than two a negative one.
    """
    truth, score = _checked(y, p)
    group = _groups(cluster, len(truth))
    positive = truth == 1
    with_positive, with_negative = len(np.unique(group[positive])), len(np.unique(group[~positive]))
    if min(with_positive, with_negative) < 2:
        return None
    above, below = _components(truth, score)
    value = float(above.mean())
    if value in (0.0, 1.0):
        # Without a single misranked pair the variance is zero, which is no certainty: the exact binomial
        # bound for as many trials as the rarer class has independent clusters is used instead.
        bound = 0.025 ** (1 / min(with_positive, with_negative))
        return (bound, 1.0) if value == 1.0 else (0.0, 1 - bound)
    spread = math.sqrt(_variance(above, below, group[positive], group[~positive], value)) * Z_95
    centre = math.log(value / (1 - value))
    half = spread / (value * (1 - value))
    return _sigmoid(centre - half), _sigmoid(centre + half)


def paired_gain(y: ArrayLike, ours: ArrayLike, theirs: ArrayLike, cluster: ArrayLike) -> tuple[float, float]:
    """Difference in AUC on the same rows and its standard error, by leaving out twentieths of the clusters.

    The error is infinite where too few clusters are left to tell it.
    """
    truth, a, b = np.asarray(y), np.asarray(ours), np.asarray(theirs)
    part = _groups(cluster, len(truth)) % 20
    parts = []
    for left_out in range(20):
        kept = part != left_out
        with_ours, with_theirs = auc(truth[kept], a[kept]), auc(truth[kept], b[kept])
        if with_ours is not None and with_theirs is not None:
            parts.append(with_ours - with_theirs)
    n = len(parts)
    error = float(np.sqrt((n - 1) / n * np.sum((np.array(parts) - np.mean(parts)) ** 2))) if n > 1 else float("inf")
    return (auc(truth, a) or 0.0) - (auc(truth, b) or 0.0), error


def average_precision(y: ArrayLike, p: ArrayLike) -> float | None:
    """Precision at each score that occurs, weighted by the recall it adds; None without a positive row."""
    truth, score = _checked(y, p)
    if not truth.any():
        return None
    order = np.argsort(-score, kind="stable")
    hits, last = np.cumsum(truth[order]), np.append(np.diff(score[order]) != 0, True)
    precision, found = hits[last] / (np.flatnonzero(last) + 1), hits[last]
    return float(np.sum(np.diff(found, prepend=0) * precision) / found[-1])


def brier(y: ArrayLike, p: ArrayLike) -> float | None:
    """Mean squared difference of probability and truth; None without rows."""
    truth, probability = _checked(y, p)
    return float(np.mean((probability - truth) ** 2)) if len(truth) else None


def log_loss(y: ArrayLike, p: ArrayLike) -> float | None:
    """Mean negative log likelihood (natural logarithm), probabilities kept 1e-15 away from 0 and 1."""
    truth, probability = _checked(y, p)
    if not len(truth):
        return None
    bounded = np.clip(probability, 1e-15, 1 - 1e-15)
    return float(-np.mean(np.where(truth == 1, np.log(bounded), np.log1p(-bounded))))


def ece(y: ArrayLike, p: ArrayLike) -> float | None:
    """Compute the expected calibration error over ten bins of equal mass (deciles of the probability).

    Rows with equal probability share a bin, so the order of the rows does not matter.

    Returns
    -------
    The mean over rows of |mean probability - share of positives| of their bin; None without rows.
    """
    curve = calibration_curve(y, p)
    if not len(curve):
        return None
    rows, predicted, observed = curve.T
    return float(np.sum(rows * np.abs(predicted - observed)) / rows.sum())


def calibration_curve(y: ArrayLike, p: ArrayLike) -> Floats:
    """Rows, mean probability and share of positives of each decile of the probability, shape (<= 10, 3)."""
    truth, probability = _checked(y, p)
    if not len(truth):
        return np.empty((0, 3))
    decile = np.minimum((_midranks(probability) - 0.5) / len(truth) * 10, 9).astype(np.int64)
    rows = np.bincount(decile, minlength=10)
    sums = np.bincount(decile, probability, minlength=10), np.bincount(decile, truth, minlength=10)
    filled = rows > 0
    return np.column_stack([rows[filled], *(s[filled] / rows[filled] for s in sums)])


def lift_at_10(y: ArrayLike, p: ArrayLike) -> float | None:
    """Share of positives in the tenth of the rows with the highest scores, over the share in all rows.

    Rows that tie at the border count with the part of them that fits in. None without a positive row.
    """
    truth, score = _checked(y, p)
    return float(gains(truth, score, np.array([0.1]))[0] / 0.1) if truth.any() else None


def gains(y: ArrayLike, p: ArrayLike, depth: Floats) -> Floats:
    """Part of all positives that stands in the best-scored part ``depth`` of the rows, ties shared evenly."""
    truth, score = _checked(y, p)
    levels, level = np.unique(-score, return_inverse=True)
    rows = np.concatenate([[0], np.cumsum(np.bincount(level, minlength=len(levels)))])
    found = np.concatenate([[0], np.cumsum(np.bincount(level, truth, minlength=len(levels)))])
    part: Floats = np.interp(depth * len(truth), rows, found) / truth.sum()
    return part


def summary(y: ArrayLike, p: ArrayLike, cluster: ArrayLike | None = None) -> dict[str, Any]:
    """Compute the metrics of the training report; JSON-able, None where one cannot be computed."""
    interval = auc_interval(y, p, cluster)
    return {
        "auc": auc(y, p),
        "auc_interval": None if interval is None else list(interval),
        "average_precision": average_precision(y, p),
        "brier": brier(y, p),
        "ece": ece(y, p),
        "lift_at_10": lift_at_10(y, p),
        "log_loss": log_loss(y, p),
    }


def _checked(y: ArrayLike, p: ArrayLike) -> tuple[Floats, Floats]:
    truth, score = np.asarray(y, dtype=np.float64), np.asarray(p, dtype=np.float64)
    if truth.ndim != 1 or truth.shape != score.shape:
        raise ValueError(f"truth has shape {truth.shape} and scores {score.shape}; both must be (n,)")
    if not np.isin(truth, (0.0, 1.0)).all():
        raise ValueError("truth must be 0 or 1 in every row")
    if not np.isfinite(score).all():
        raise ValueError(f"{int((~np.isfinite(score)).sum())} scores are NaN or infinite; every row needs a number")
    return truth, score


def _groups(cluster: ArrayLike | None, n: int) -> NDArray[np.int64]:
    if cluster is None:
        return np.arange(n, dtype=np.int64)
    labels, group = np.unique(np.asarray(cluster), return_inverse=True)
    if group.shape != (n,):
        raise ValueError(f"{group.size} cluster labels ({len(labels)} different) for {n} rows; give one a row")
    return group.astype(np.int64)


def _midranks(score: Floats) -> Floats:
    """Ranks from 1, equal scores sharing the mean of theirs."""
    _, level, count = np.unique(score, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    midrank: Floats = (last - (count - 1) / 2)[level]
    return midrank


def _components(truth: Floats, score: Floats) -> tuple[Floats, Floats]:
    """Part of the negatives each positive beats, and part of the positives that beat each negative."""
    positive = truth == 1
    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    if not n_positive or not n_negative:
        return np.empty(0), np.empty(0)
    overall = _midranks(score)
    above = (overall[positive] - _midranks(score[positive])) / n_negative
    below = 1 - (overall[~positive] - _midranks(score[~positive])) / n_positive
    return above, below


def _variance(
    above: Floats, below: Floats, positive: NDArray[np.int64], negative: NDArray[np.int64], value: float
) -> float:
    n = 1 + int(max(positive.max(), negative.max()))
    m_positive, m_negative = len(above), len(below)
    first = np.bincount(positive, above - value, minlength=n)
    second = np.bincount(negative, below - value, minlength=n)
    i_positive, i_negative = len(np.unique(positive)), len(np.unique(negative))
    clusters = len(np.union1d(positive, negative))
    from_positives = i_positive / (i_positive - 1) * np.sum(first**2) / m_positive**2
    from_negatives = i_negative / (i_negative - 1) * np.sum(second**2) / m_negative**2
    shared = 2 * clusters / (clusters - 1) * np.sum(first * second) / (m_positive * m_negative)
    return max(float(from_positives + from_negatives + shared), 0.0)


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))
