"""How often each kind was seen before a moment, fading or not: what a points table adds up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from features.spans import spans
from features.touchpoints.touchpoints import Touchpoints
from training.dataset import Rows

Floats = NDArray[np.float64]

_EVER = -(2**62)


def kind_counts(
    touchpoints: Touchpoints, rows: Rows, kinds: Sequence[str], once: Sequence[str] = (), half_life: int | None = None
) -> Floats:
    """Count the touchpoints of each kind strictly before each row's ``as_of``, shape (rows, kinds).

    Parameters
    ----------
    once
        Kinds of which only a contact's first touchpoint counts.
    half_life
        Microseconds in which a touchpoint counts half as much; None counts all alike.
    """
    low, high = spans(touchpoints.start, touchpoints.occurred_at, rows.contact, _EVER, rows.as_of)
    counts = np.zeros((len(rows), len(kinds)))
    if not len(rows) or not len(touchpoints):
        return counts
    newest = int(touchpoints.occurred_at.max())
    weight = np.ones(len(touchpoints))
    fresh = np.ones(len(rows))
    if half_life is not None:
        weight = 0.5 ** ((newest - touchpoints.occurred_at) / half_life)
        fresh = 0.5 ** ((rows.as_of - newest) / half_life)
    for i, kind in enumerate(kinds):
        if kind not in touchpoints.kinds:
            continue
        is_kind = touchpoints.kind == touchpoints.kinds.index(kind)
        if kind in once:
            is_kind = _first(touchpoints, is_kind)
        counts[:, i] = _sums(np.where(is_kind, weight, 0.0), low, high) * fresh
    return counts


def _first(touchpoints: Touchpoints, wanted: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark each contact's first touchpoint of those wanted."""
    at = np.flatnonzero(wanted)
    _, first = np.unique(touchpoints.contact[at], return_index=True)
    marked = np.zeros(len(touchpoints), dtype=np.bool_)
    marked[at[first]] = True
    return marked


def _sums(values: Floats, low: NDArray[np.int64], high: NDArray[np.int64]) -> Floats:
    """Sum of each span; added up span by span, so that nothing cancels."""
    ends = np.column_stack([low, high]).ravel()
    padded = np.append(values, 0.0)
    found: Floats = np.add.reduceat(padded, ends)[::2]
    found[low >= high] = 0.0
    return found
