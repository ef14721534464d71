"""The compiled steps of planning: what each block takes at given prices, and filling what is left of the limits."""

from __future__ import annotations

import numpy as np

from features.compiled import F64, I32, I64, Flags, compiled, inlined

_SHORT = 48
"""Up to so many, sorting by insertion is quicker than calling a sort."""


@inlined
def _cost(k: int, rows: I32, kind: I64, use: I64, price: F64) -> float:
    """Add up what a candidate pays."""
    paid = 0.0
    for family in range(rows.shape[0]):
        row = rows[family, k]
        if row >= 0:
            paid += price[row] * (use[kind[family], k] if kind[family] >= 0 else 1)
    return paid


@inlined
def _fits(k: int, rows: I32, left: I64) -> bool:
    for family in range(rows.shape[0]):
        row = rows[family, k]
        if row >= 0 and left[row] <= 0:
            return False
    return True


@inlined
def _sort(order: I64, worth: F64, n: int) -> None:
    """Sort the first ``n`` by falling worth; of equals the earlier first."""
    if n > _SHORT:
        by = np.argsort(-worth[:n], kind="mergesort")
        candidates, values = order[:n].copy(), worth[:n].copy()
        for i in range(n):
            order[i], worth[i] = candidates[by[i]], values[by[i]]
        return
    for i in range(1, n):
        candidate, value = order[i], worth[i]
        j = i - 1
        while j >= 0 and worth[j] < value:
            order[j + 1], worth[j + 1] = order[j], worth[j]
            j -= 1
        order[j + 1], worth[j + 1] = candidate, value


@compiled
def take(
    low: int,
    high: int,
    starts: I64,
    priority: F64,
    nested: I32,
    left: I64,
    priced: I32,
    kind: I64,
    use: I64,
    price: F64,
    used: I64,
    gained: F64,
) -> None:
    """Let every block from ``low`` to before ``high`` take its best candidates at these prices.

    Where limits are nested, taking the best that still fits, again and again, is best of all (Edmonds 1971).

    Parameters
    ----------
    low, high
        Blocks; other ones may be worked on at the same time.
    starts
        Where each block starts, and the end of the last.
    nested, left
        Limits without a price, shape (families, n), and the room of each; unchanged afterwards.
    priced, kind, use, price
        Limits with a price, shape (families, n); of each family its row in ``use``, or -1 where candidates use 1.
    used
        Gets how much of each priced limit was taken.
    gained
        Gets for each of these blocks what that is worth after prices.
    """
    longest = 0
    for block in range(low, high):
        longest = max(longest, starts[block + 1] - starts[block])
    order, worth = np.empty(longest, dtype=np.int64), np.empty(longest)
    used[:] = 0
    for block in range(low, high):
        n, total = 0, 0.0
        for k in range(starts[block], starts[block + 1]):
            value = priority[k] - _cost(k, priced, kind, use, price)
            if value > 0.0:
                order[n], worth[n] = k, value
                n += 1
        _sort(order, worth, n)
        taken = 0
        for i in range(n):
            k = order[i]
            if _fits(k, nested, left):
                total += worth[i]
                order[taken] = k
                taken += 1
                for family in range(nested.shape[0]):
                    if nested[family, k] >= 0:
                        left[nested[family, k]] -= 1
                for family in range(priced.shape[0]):
                    if priced[family, k] >= 0:
                        used[priced[family, k]] += use[kind[family], k] if kind[family] >= 0 else 1
        for i in range(taken):
            for family in range(nested.shape[0]):
                if nested[family, order[i]] >= 0:
                    left[nested[family, order[i]]] += 1
        gained[block] = total


@compiled
def after_prices(priority: F64, priced: I32, kind: I64, use: I64, price: F64) -> F64:
    """Priority of every candidate less what it pays."""
    found = np.empty(len(priority))
    for k in range(len(priority)):
        found[k] = priority[k] - _cost(k, priced, kind, use, price)
    return found


@compiled
def fill(order: I64, nested: I32, left: I64, priced: I32, kind: I64, use: I64, room: I64, chosen: Flags) -> None:
    """Choose candidates in this order as long as every limit has room; ``left`` and ``room`` shrink."""
    for k in order:
        fits = _fits(k, nested, left)
        for family in range(priced.shape[0]):
            row = priced[family, k]
            if row >= 0 and room[row] < (use[kind[family], k] if kind[family] >= 0 else 1):
                fits = False
        if not fits:
            continue
        chosen[k] = True
        for family in range(nested.shape[0]):
            if nested[family, k] >= 0:
                left[nested[family, k]] -= 1
        for family in range(priced.shape[0]):
            if priced[family, k] >= 0:
                room[priced[family, k]] -= use[kind[family], k] if kind[family] >= 0 else 1
