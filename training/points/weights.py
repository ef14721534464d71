"""Weights of kinds that are never below zero: a logistic regression on the logarithm of a total."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.logistic import sigmoid

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_RIDGE, _MOST_STEPS = 0.01, 100


def fit_weights(counts: Floats, label: Flags) -> Floats:
    """Weights of the kinds, none below 0, shape (kinds,).

    Maximum likelihood of log-odds = a + b log(1 + counts @ weights), b above 0: the tenth visit tells less than the
    first, and points are added up all the same. Only the order of totals matters to what is suggested.

    Examples
    --------
    >>> counts = np.array([[0.0, 3], [1, 0], [0, 1], [2, 2], [0, 0], [1, 1]])
    >>> found = fit_weights(counts, np.array([False, True, False, True, False, True]))
    >>> bool(found[0] > found[1] >= 0)
    True
    """
    return np.asarray(_maximum(counts, label)[2:], dtype=np.float64)


def _maximum(counts: Floats, label: Flags) -> Floats:
    """Intercept, slope and weights of the largest likelihood: Fisher's scoring, kept at or above the bounds."""
    size = np.maximum(counts.std(axis=0), 1e-9)
    scaled, truth = counts / size, label.astype(np.float64)
    share = (label.sum() + 1.0) / (len(label) + 2.0)
    beta = np.concatenate([[np.log(share / (1 - share)) - 0.5, 1.0], np.full(counts.shape[1], 0.3)])
    least = np.concatenate([[-np.inf, 1e-3], np.zeros(counts.shape[1])])
    loss, slope, curvature = _curve(beta, scaled, truth)
    for _ in range(_MOST_STEPS):
        free = np.flatnonzero((beta > least) | (slope < 0.0))
        step = np.zeros(len(beta))
        step[free] = np.linalg.solve(curvature[np.ix_(free, free)], -slope[free])
        part, shorter = 1.0, np.inf
        # A full step may overshoot, or a bound may cut it so that it leads uphill.
        while part > 1e-6 and (shorter := _loss(np.maximum(beta + part * step, least), scaled, truth)) > loss:
            part /= 2.0
        if loss - shorter <= 1e-9 * loss:
            break
        beta = np.maximum(beta + part * step, least)
        loss, slope, curvature = _curve(beta, scaled, truth)
    beta[2:] /= size
    return beta


def _loss(beta: Floats, counts: Floats, label: Floats) -> float:
    x = beta[0] + beta[1] * np.log1p(counts @ beta[2:])
    # A little weight on small numbers keeps kinds that come together from sharing their points at random.
    return float(np.sum(np.logaddexp(0.0, x) - label * x)) + _RIDGE * float(np.sum(beta[1:] ** 2))


def _curve(beta: Floats, counts: Floats, label: Floats) -> tuple[float, Floats, Floats]:
    """Loss, its slope, and its expected curvature."""
    total = 1.0 + counts @ beta[2:]
    logged = np.log(total)
    p = sigmoid(beta[0] + beta[1] * logged)
    moves = np.column_stack([np.ones(len(label)), logged, counts * (beta[1] / total)[:, None]])
    held = np.concatenate([[0.0], np.full(len(beta) - 1, 2.0 * _RIDGE)])
    slope = moves.T @ (p - label) + held * beta
    curvature = (moves * (p * (1.0 - p))[:, None]).T @ moves + np.diag(held + 1e-8)
    return _loss(beta, counts, label), slope, curvature


def _row_losses(beta: Floats, counts: Floats, label: Flags) -> Floats:
    x = beta[0] + beta[1] * np.log1p(counts @ beta[2:])
    losses: Floats = np.logaddexp(0.0, x) - label * x
    return losses


def loss_left_out(counts: Floats, label: Flags, fold: NDArray[np.int64]) -> float:
    """Sum up the loss of three folds of rows, each judged by weights that were fitted on the others."""
    total = 0.0
    for k in range(3):
        learn, judge = fold != k, fold == k
        if not 0 < label[learn].sum() < learn.sum():
            continue
        beta = _maximum(counts[learn], label[learn])
        total += float(np.sum(_row_losses(beta, counts[judge], label[judge])))
    return total
