"""Touchpoints in log order -> (contact, time) order, by counting instead of comparing."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.compiled import F32, I32, I64, compiled

_WORTH_THREADS = 100_000
_INSERTED = 24
_PART = 1 << 12


def sort_order(contact: I32, occurred_at: I64, n_contacts: int) -> tuple[I32, I64]:
    """Order of rows by (contact, time); rows of one contact and moment keep the order they have.

    Parameters
    ----------
    contact
        Codes from 0 to ``n_contacts - 1``, shape (n,), n below 2**31.
    occurred_at
        Microseconds, shape (n,).

    Returns
    -------
    order
        int32, shape (n,): the row that stands at each place.
    start
        int64, shape (n_contacts + 1,): where each contact begins.

    Examples
    --------
    >>> order, start = sort_order(np.array([1, 0, 1], np.int32), np.array([5, 9, 3]), 2)
    >>> order.tolist(), start.tolist()
    ([1, 2, 0], [0, 1, 3])
    """
    n = len(contact)
    if n >= 2**31:
        raise ValueError(f"{n} touchpoints at once; at most 2**31 - 1 fit, so work in partitions")
    order, start = np.empty(n, dtype=np.int32), np.zeros(n_contacts + 1, dtype=np.int64)
    _place(contact, start, order)
    # A log is nearly always in the order of time, and then counting has done it all.
    if not _is_ordered(occurred_at):
        in_parts(lambda low, high: _by_time(order, start, occurred_at, low, high), n_contacts, work=n)
    return order, start


def gather(column: NDArray[Any], order: I32) -> NDArray[Any]:
    """Take ``column[order]``, on all processors where it is long."""
    out = np.empty(len(order), dtype=column.dtype)
    in_parts(lambda low, high: _gather(column, order[low:high], out[low:high]), len(order))
    return out


def in_parts(do: Callable[[int, int], object], n: int, *, work: int | None = None, threads: int | None = None) -> None:
    """Do ``[0, n)`` in ranges side by side, at once where ``work`` (default n) is too little to share.

    ``do(low, high)`` must leave Python's lock and write only what its own range owns.
    """
    is_little = (n if work is None else work) < _WORTH_THREADS
    threads = 1 if is_little else processors() if threads is None else threads
    if threads <= 1:
        do(0, n)
        return
    # More ranges than threads, so that one with long histories does not keep the others waiting.
    parts = min(8 * threads, max(n, 1))
    bounds = [n * i // parts for i in range(parts + 1)]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(do, bounds[:-1], bounds[1:]))


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@compiled
def take_columns(rows: F32, columns: I64, order: I32, out: F32) -> None:
    """Write ``rows[i, columns]`` to ``out[order[i]]``."""
    for i in range(len(order)):
        place = order[i]
        for j in range(len(columns)):
            out[place, j] = rows[i, columns[j]]


@compiled
def _place(contact: I32, start: I64, order: I32) -> None:
    for code in contact:
        start[code + 1] += 1
    for c in range(len(start) - 1):
        start[c + 1] += start[c]
    next_ = start[:-1].astype(np.int32)
    for row in range(len(contact)):
        code = contact[row]
        order[next_[code]] = row
        next_[code] += 1


@compiled
def _is_ordered(occurred_at: I64) -> bool:
    for i in range(1, len(occurred_at)):
        if occurred_at[i] < occurred_at[i - 1]:
            return False
    return True


@compiled
def _gather(column: NDArray[Any], order: I32, out: NDArray[Any]) -> None:
    for place in range(len(order)):
        out[place] = column[order[place]]


@compiled
def _by_time(order: I32, start: I64, occurred_at: I64, low: int, high: int) -> None:
    """Sort the rows of each contact by time, where the log had them in another order."""
    moments = np.empty(_INSERTED, dtype=np.int64)
    for c in range(low, high):
        from_, size = start[c], start[c + 1] - start[c]
        if size > _INSERTED:
            its = order[from_ : from_ + size]
            order[from_ : from_ + size] = its[np.argsort(occurred_at[its], kind="mergesort")]
            continue
        for i in range(size):
            row = order[from_ + i]
            moment, j = occurred_at[row], i
            while j > 0 and moments[j - 1] > moment:
                moments[j] = moments[j - 1]
                order[from_ + j] = order[from_ + j - 1]
                j -= 1
            moments[j], order[from_ + j] = moment, row
