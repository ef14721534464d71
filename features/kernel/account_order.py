"""The touchpoints of an account's contacts in the order of time, without laying them out anew."""

from __future__ import annotations

import numpy as np

from features.compiled import I32, I64, Whole, compiled, f64_column, flag_column, i32_column, i64_column, inlined
from features.kernel.events import KIND, KIND_MEANS, MONEY, OCCURRED_AT, OUTBOUND, RETURNED, START, VALUE

SENT = -1
"""An outbound touchpoint, whatever its kind means."""
_BITS = 24
_ENTRY = (1 << _BITS) - 1


@compiled
def largest(deck: I64, of_account: I64, member_contact: I64, account: I64, order: I64) -> tuple[Whole, Whole]:
    """Most touchpoints and most entries of any account asked for."""
    start = i64_column(deck, START)
    most_rows = most_members = np.int64(0)
    before = np.int64(-1)
    for row in order:
        if account[row] == before:
            continue
        before = account[row]
        n = np.int64(0)
        for i in range(of_account[before], of_account[before + 1]):
            c = member_contact[i]
            if c < len(start) - 1:
                n += start[c + 1] - start[c]
        most_rows = max(most_rows, n)
        most_members = max(most_members, of_account[before + 1] - of_account[before])
    return most_rows, most_members


@compiled
def gather(
    deck: I64, member_contact: I64, low: int, high: int, at: I64, packed: I64, what: I32, spare: I64, spare_packed: I64
) -> Whole:
    """Bring the touchpoints of the entries ``[low, high)`` into the order of time.

    Of those at one moment the lesser revenue comes first: the order of names, which may differ between a request and
    training, must not decide how a sum is rounded.

    Parameters
    ----------
    at, packed, what
        Filled: the time of each; the touchpoint and the entry (from 0) whose it is, for ``unpacked``; and whether it
        is outbound or money, as ``SENT`` and the bits of ``kind_means``.
    spare, spare_packed
        Room of the same length.

    Returns
    -------
    Whole
        How many there are.
    """
    start, occurred_at = i64_column(deck, START), i64_column(deck, OCCURRED_AT)
    outbound, kind, means = flag_column(deck, OUTBOUND), i32_column(deck, KIND), i32_column(deck, KIND_MEANS)
    ends = np.zeros(high - low + 1, dtype=np.int64)
    n: Whole = np.int64(0)
    n_runs = 0
    for i in range(low, high):
        c = member_contact[i]
        if c >= len(start) - 1 or start[c] == start[c + 1]:
            continue
        for row in range(start[c], start[c + 1]):
            at[n], packed[n] = occurred_at[row], (row << _BITS) | (i - low)
            n += 1
        n_runs += 1
        ends[n_runs] = n
    while n_runs > 1:
        made = 0
        for k in range(0, n_runs, 2):
            if k + 1 < n_runs:
                _merge(at, packed, ends[k], ends[k + 1], ends[k + 2], spare, spare_packed)
            made += 1
            ends[made] = ends[min(k + 2, n_runs)]
        n_runs = made
    _settle_ties(deck, at, packed, n)
    has_outbound = len(outbound) > 0
    for place in range(n):
        row, _ = unpacked(packed[place])
        what[place] = SENT if has_outbound and outbound[row] else means[kind[row]] & (MONEY | RETURNED)
    return n


@inlined
def unpacked(packed: int) -> tuple[int, int]:
    """Return the touchpoint and the entry."""
    return packed >> _BITS, packed & _ENTRY


@inlined
def _merge(at: I64, packed: I64, low: int, middle: int, high: int, spare: I64, spare_packed: I64) -> None:
    if at[middle - 1] <= at[middle]:
        return
    n = middle - low
    spare[:n], spare_packed[:n] = at[low:middle], packed[low:middle]
    left, right, to = 0, middle, low
    while left < n and right < high:
        if at[right] < spare[left]:
            at[to], packed[to] = at[right], packed[right]
            right += 1
        else:
            at[to], packed[to] = spare[left], spare_packed[left]
            left += 1
        to += 1
    while left < n:
        at[to], packed[to] = spare[left], spare_packed[left]
        left += 1
        to += 1


@inlined
def _settle_ties(deck: I64, at: I64, packed: I64, n: int) -> None:
    for place in range(1, n):
        if at[place - 1] < at[place]:
            continue
        its, to = packed[place], place
        worth = _worth(deck, unpacked(its)[0])
        while to > 0 and at[to - 1] == at[place] and _worth(deck, unpacked(packed[to - 1])[0]) > worth:
            packed[to] = packed[to - 1]
            to -= 1
        packed[to] = its


@compiled
def _worth(deck: I64, row: int) -> float:
    outbound, value = flag_column(deck, OUTBOUND), f64_column(deck, VALUE)
    means = i32_column(deck, KIND_MEANS)[i32_column(deck, KIND)[row]]
    if means & (MONEY | RETURNED) == 0 or (len(outbound) and outbound[row]) or not len(value):
        return 0.0
    return revenue_of(value[row], means & RETURNED != 0)


@inlined
def revenue_of(value: float, is_return: bool) -> float:
    """Money that a touchpoint brought; systems write a return as 20 or as -20, either way it takes 20 away."""
    if np.isnan(value):
        return 0.0
    return -abs(value) if is_return else value
