"""Who came, went, and moved between stages from one moment to another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def moves(before: tuple[Ints, Ints], now: tuple[Ints, Ints], names: Sequence[str]) -> list[dict[str, Any]]:
    """Count contacts by the stage they were in and the one they are in.

    Parameters
    ----------
    before, now
        Number and stage (a code of ``names``) of each contact. Where contacts have become one, they have the same
        number, and one of them goes on.

    Returns
    -------
    list
        ``from`` (None: new), ``to`` (None: gone) and ``contacts``: those to a stage add up to who is in it, those from
        one to who was.

    Examples
    --------
    >>> moves((np.array([7, 8, 9]), np.array([0, 0, 1])), (np.array([7, 8, 5]), np.array([0, 1, 0])), ("need", "use"))
    ... # doctest: +NORMALIZE_WHITESPACE
    [{'from': None, 'to': 'need', 'contacts': 1}, {'from': 'need', 'to': 'need', 'contacts': 1},
     {'from': 'need', 'to': 'use', 'contacts': 1}, {'from': 'use', 'to': None, 'contacts': 1}]
    """
    places = (_place(before[0]), _place(now[0]))
    wide = 1 + max(int(place.max(initial=0)) for place in places)
    begin, end = (who * wide + place for (who, _), place in zip((before, now), places, strict=True))
    _, left, right = np.intersect1d(begin, end, assume_unique=True, return_indices=True)
    n = len(names)
    came, went = np.full(len(now[1]), n, dtype=np.int64), np.full(len(before[1]), n, dtype=np.int64)
    came[right], went[left] = before[1][left], now[1][right]
    counted = np.bincount(came * (n + 1) + now[1], minlength=(n + 1) ** 2)
    counted += np.bincount(before[1][went == n] * (n + 1) + n, minlength=(n + 1) ** 2)
    known = [*names, None]
    found = [(known[key // (n + 1)], known[key % (n + 1)], int(counted[key])) for key in np.flatnonzero(counted)]
    return told(found, names)


def moves_by_name(pairs: Iterable[tuple[str | None, str]], names: Sequence[str]) -> list[dict[str, Any]]:
    """Count (stage before, stage now) of contacts whose stages are told by their names."""
    return told(((begin, end, n) for (begin, end), n in Counter(pairs).items()), names)


def told(found: Iterable[tuple[str | None, str | None, int]], names: Sequence[str]) -> list[dict[str, Any]]:
    """Lay out moves in the order of the journey; who is new first, who is gone last."""
    place = {name: i for i, name in enumerate(names)}
    rows = [{"from": begin, "to": end, "contacts": n} for begin, end, n in found]

    def order(row: dict[str, Any]) -> tuple[int, int]:
        begin, end = row["from"], row["to"]
        return (-1 if begin is None else place.get(begin, len(place)), 2**31 if end is None else place.get(end, 2**30))

    return sorted(rows, key=order)


def _place(who: Ints) -> Ints:
    """Return the place of each row among those of its contact, 0 for the first."""
    order = np.argsort(who, kind="stable")
    ordered = who[order]
    begins = np.ones(len(who), dtype=np.bool_)
    begins[1:] = ordered[1:] != ordered[:-1]
    at = np.arange(len(who), dtype=np.int64)
    place = np.empty(len(who), dtype=np.int64)
    place[order] = at - np.maximum.accumulate(np.where(begins, at, 0))
    return place
