"""Cutting training rows in time: what a fold learns has ended before what it is judged on begins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.times import DAY

Ints = NDArray[np.int64]

YEAR = 365 * DAY
SMALLEST = 10
"""Rows of each class that a fold needs on either side."""


@dataclass(frozen=True)
class Fold:
    """Row numbers to learn from, and row numbers to judge by."""

    learn: Ints
    judge: Ints


def time_folds(y: NDArray[np.float64], as_of: Ints, until: Ints, most: int = 4) -> list[Fold]:
    """Folds one after the other over the newest part of the rows, the oldest first.

    The judged rows begin after two fifths of the rows, or earlier so that they span a whole year where there
    is one. A row is learnt from only if its horizon ends at or before the first judged ``as_of``.

    Parameters
    ----------
    y, as_of, until
        Truth, moment and end of the horizon of each row, shape (n,).
    most
        Number of folds, fewer where a fold would lack rows of a class.

    Returns
    -------
    An empty list where no row matures before others begin, as when all rows have the same moment.
    """
    if not len(y):
        return []
    wanted = min(int(np.quantile(as_of, 0.4)), int(as_of.max()) - YEAR)
    starts = np.unique(as_of)
    first = next((s for s in starts[starts >= wanted] if _enough(y[until <= s])), None)
    if first is None:
        return []
    judged = np.sort(as_of[as_of >= first])
    for count in range(most, 0, -1):
        cuts = np.unique(judged[np.arange(count) * len(judged) // count])
        folds = [
            Fold(np.flatnonzero(until <= start), np.flatnonzero((as_of >= start) & (as_of < end)))
            for start, end in zip(cuts, [*cuts[1:], np.iinfo(np.int64).max], strict=True)
        ]
        if all(_enough(y[fold.judge]) for fold in folds):
            return folds
    return []


def contact_folds(y: NDArray[np.float64], contact: Ints, seed: int, count: int = 3) -> list[Fold]:
    """Folds by contact, for rows that time cannot divide; all rows of a contact stand on one side."""
    labels, group = np.unique(contact, return_inverse=True)
    part = np.random.default_rng(seed).permutation(len(labels))[group] % count
    folds = [Fold(np.flatnonzero(part != k), np.flatnonzero(part == k)) for k in range(count)]
    return [fold for fold in folds if _enough(y[fold.learn]) and _enough(y[fold.judge])]


def _enough(y: NDArray[np.float64]) -> bool:
    positives = int(y.sum())
    return min(positives, len(y) - positives) >= SMALLEST
