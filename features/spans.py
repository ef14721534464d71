"""Where a span of time begins and ends within each contact's touchpoints; half-open, like every window."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.compiled import F64, I32, I64, compiled


@compiled
def _first_from(occurred_at: I64, low: int, high: int, moment: int) -> int:
    """First row in ``[low, high)`` at or after ``moment``; ``high`` where there is none."""
    while low < high:
        middle = (low + high) // 2
        if occurred_at[middle] < moment:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def _spans(start: I64, occurred_at: I64, contact: I64, from_: I64, to: I64, low: I64, high: I64) -> None:
    for row in range(len(contact)):
        c = contact[row]
        low[row] = _first_from(occurred_at, start[c], start[c + 1], from_[row])
        high[row] = _first_from(occurred_at, low[row], start[c + 1], to[row])


def spans(start: I64, occurred_at: I64, contact: I64, from_: I64 | int, to: I64 | int) -> tuple[I64, I64]:
    """First and past-the-last touchpoint of each contact in ``[from_, to)``.

    Parameters
    ----------
    start, occurred_at
        Of ``Touchpoints``.
    contact
        Codes, shape (n,).
    from_, to
        Microseconds, shape (n,) or one for all.

    Returns
    -------
    tuple of two int64 ndarrays, shape (n,)
    """
    n = len(contact)
    low, high = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    _spans(start, occurred_at, contact, _each(from_, n), _each(to, n), low, high)
    return low, high


@compiled
def _tally(
    low: I64, high: I64, flag: NDArray[np.bool_], weight: F64, link: I32, wanted: I64, skip: I64,
    count: I64, total: F64, last: I64,
) -> None:  # fmt: skip
    for row in range(len(low)):
        count[row], total[row], last[row] = 0, 0.0, -1
        for i in range(low[row], high[row]):
            if flag[i] and i != skip[row] and (wanted[row] == -1 or link[i] == wanted[row]):
                count[row] += 1
                total[row] += weight[i]
                last[row] = i


def tally(
    span: tuple[I64, I64],
    flag: NDArray[np.bool_],
    *,
    weight: F64 | None = None,
    link: I32 | None = None,
    wanted: I64 | None = None,
    skip: I64 | None = None,
) -> tuple[I64, F64, I64]:
    """Count, weight and last row of the flagged touchpoints in each span.

    Parameters
    ----------
    span
        From ``spans``.
    flag
        Which touchpoints count, shape (touchpoints,).
    weight
        What each adds to the total; 0 when left out.
    link, wanted
        Only touchpoints whose ``link`` is the row's ``wanted`` count; a ``wanted`` of -1 wants any, one below wants
        a link that nothing has.

    Returns
    -------
    count, total, last
        Shape (n,); ``last`` is -1 where there is none.
    """
    low, high = span
    n, m = len(low), len(flag)
    count, total, last = np.empty(n, dtype=np.int64), np.empty(n), np.empty(n, dtype=np.int64)
    _tally(
        low, high, flag,
        np.zeros(m) if weight is None else weight,
        np.full(m, -1, dtype=np.int32) if link is None else link,
        np.full(n, -1, dtype=np.int64) if wanted is None else wanted,
        np.full(n, -1, dtype=np.int64) if skip is None else skip,
        count, total, last,
    )  # fmt: skip
    return count, total, last


def _each(value: Any, n: int) -> I64:
    return np.ascontiguousarray(np.broadcast_to(np.asarray(value, dtype=np.int64), (n,)))
