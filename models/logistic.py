"""The logistic curve of one variable: what turns a score into a probability."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def sigmoid(x: Floats) -> Floats:
    """Probability of log-odds, without overflow at any size."""
    small = np.exp(np.copysign(x, -1.0))
    result: Floats = np.where(x >= 0, 1.0, small) / (1.0 + small)
    return result


def logit(p: Floats) -> Floats:
    """Log-odds of a probability strictly between 0 and 1."""
    result: Floats = np.log(p) - np.log1p(-p)
    return result


def rising_curve(x: Floats, y: Floats) -> tuple[float, float]:
    """Slope (never below 0) and intercept of the log-odds of ``y`` on ``x``, by maximum likelihood.

    The truths are smoothed as Platt (1999) does, so that classes which ``x`` separates give a finite slope.

    Parameters
    ----------
    x, y
        Shape (n,); ``y`` is 0 or 1, and both occur.

    Examples
    --------
    >>> slope, _ = rising_curve(np.array([0.0, 1.0, 2.0, 3.0]), np.array([1.0, 1.0, 0.0, 0.0]))
    >>> slope
    0.0
    """
    positives = float(y.sum())
    negatives = len(y) - positives
    target = np.where(y == 1, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    centre, spread = float(x.mean()), float(x.std())
    flat = 0.0, float(logit(target.mean(keepdims=True))[0])
    if spread <= 1e-12 * max(abs(centre), 1.0):
        return flat
    design = np.column_stack([(x - centre) / spread, np.ones(len(x))])
    beta = np.array([0.0, flat[1]])
    loss = _loss(design @ beta, target)
    for _ in range(100):
        p = sigmoid(design @ beta)
        step = np.linalg.solve((design * (p * (1 - p))[:, None]).T @ design + 1e-9 * np.eye(2), design.T @ (target - p))
        # Newton's step may overshoot far from the optimum; halving it keeps the likelihood rising.
        while (shorter := _loss(design @ (beta + step), target)) > loss and np.abs(step).max() > 1e-12:
            step = step / 2
        beta, gained, loss = beta + step, loss - shorter, shorter
        if gained <= 1e-12 * max(loss, 1.0):
            break
    slope = float(beta[0]) / spread
    return (slope, float(beta[1]) - slope * centre) if slope > 0 else flat


def _loss(x: Floats, target: Floats) -> float:
    return float(np.sum(np.logaddexp(0, x) - target * x))
