"""Columns that a model may do without: they stay only where they lower the log loss on rows it has not seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.boosting import Choice, Params, Sample, choose
from models.calibration import row_losses
from models.time_folds import Fold

Floats = NDArray[np.float64]

MANY = 200_000
"""Rows from which on the newest fold alone decides: to grow one more set of boosters would take long."""
_LEAST = 1e-15


def choose_with(
    sample: Sample,
    folds: Sequence[Fold],
    seed: int,
    given: Params | None,
    optional: Sequence[Sequence[str]],
    contact: NDArray[np.int64],
) -> tuple[Choice, tuple[str, ...]]:
    """Choose how to grow without the optional columns, and then, group after group, whether with them.

    Parameters
    ----------
    optional
        Groups of columns that must pay together: their gain in log loss is more than one standard error, clustered
        by contact. Those before that did not pay are left out when the next is tried.
    contact
        Whose row each is, shape (n,).

    Returns
    -------
    The choice, and the columns that are left out.
    """
    groups = [known for group in optional if (known := tuple(name for name in group if name in sample.columns))]
    unused = [name for group in groups for name in group]
    with _lacking(sample, unused) as narrow:
        best = choose(narrow, folds, seed, given)
    few = folds if len(sample.y) <= MANY else folds[-1:]
    for group in groups:
        others = [name for name in unused if name not in group]
        with _lacking(sample, others) as wide:
            wider = choose(wide, few, seed, best.params)
            before = best.probability[-len(wider.judged) :]
            if _is_lower(sample.y[wider.judged], wider.probability, before, contact[wider.judged]):
                best = wider if few is folds else choose(wide, folds, seed, best.params)
                unused = others
    return best, tuple(unused)


@contextmanager
def _lacking(sample: Sample, names: Sequence[str]) -> Iterator[Sample]:
    with without(sample.X, [sample.columns.index(name) for name in names]) as X:
        yield Sample(X, sample.y, sample.columns, sample.categorical)


@contextmanager
def without(X: NDArray[Any], columns: Sequence[int]) -> Iterator[NDArray[Any]]:
    """Let a matrix say nothing in some columns for a while, without memory for another one.

    A column without values is never split on, so that a model keeps the columns that all models share.
    """
    if not len(columns):
        yield X
        return
    if not X.flags.writeable or not np.issubdtype(X.dtype, np.floating):
        X = X.astype(np.float64)
    kept = X[:, columns].copy()
    X[:, columns] = np.nan
    try:
        yield X
    finally:
        X[:, columns] = kept


def _is_lower(y: Floats, p: Floats, before: Floats, contact: NDArray[np.int64]) -> bool:
    gain = row_losses(y, _clipped(before)) - row_losses(y, _clipped(p))
    by_contact = np.bincount(np.unique(contact, return_inverse=True)[1], gain)
    return bool(by_contact.sum() > np.sqrt((by_contact**2).sum()))


def _clipped(p: Floats) -> Floats:
    return np.clip(p, _LEAST, 1 - _LEAST)
