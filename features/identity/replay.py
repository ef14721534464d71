"""Joins and partings in the order of their time: who was one contact with whom, and for how long."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from features.identity.edges import Edges
from features.identity.link_rules import EVER

I64 = NDArray[np.int64]
ALONE = -1


class Contacts:
    """Identities (codes) that were one contact for every ``as_of`` with ``begin < as_of <= end``."""

    def __init__(self, members: Sequence[tuple[int, ...]], begin: Sequence[int], end: Sequence[int]) -> None:
        self._members = members
        self._begin = begin
        self._end = end

    def __len__(self) -> int:
        return len(self._members)

    def of(self, code: int) -> list[tuple[tuple[int, ...], int, int]]:
        """Return the contacts that an identity was part of, by time: members, begin, end."""
        start, contact = self._by_identity
        if not 0 <= code < len(start) - 1:
            return []
        return [(self._members[at], self._begin[at], self._end[at]) for at in contact[start[code] : start[code + 1]]]

    def identities(self) -> set[int]:
        """Return everybody who was part of one."""
        return set(chain.from_iterable(self._members))

    @cached_property
    def _by_identity(self) -> tuple[list[int], list[int]]:
        sizes = np.fromiter(map(len, self._members), dtype=np.int64, count=len(self))
        identity = np.fromiter(chain.from_iterable(self._members), dtype=np.int64, count=int(sizes.sum()))
        # Contacts are numbered by the time they began, and a stable sort keeps that.
        order = np.argsort(identity, kind="stable")
        start = np.searchsorted(identity[order], np.arange(int(identity.max(initial=-1)) + 2))
        return start.tolist(), np.repeat(np.arange(len(self)), sizes)[order].tolist()


def components(n: int, a: I64, b: I64) -> I64:
    """Give everything that hangs together the same number.

    Examples
    --------
    >>> components(5, np.array([0, 3]), np.array([4, 2])).tolist()
    [0, 1, 2, 2, 0]
    """
    label = np.arange(n)
    while True:
        low = np.minimum(label[a], label[b])
        before = label.copy()
        # The root of each end is hung below the other's as well, so that long chains need few rounds.
        for end in (a, b):
            np.minimum.at(label, before[end], low)
            np.minimum.at(label, end, low)
        label = label[label]
        if np.array_equal(label, before):
            return label


def replay(edges: Edges, label: I64, limit: int) -> Contacts:
    """Find who was one contact when.

    Parameters
    ----------
    edges
        Which pairs were joined when.
    label
        From ``components`` of all edges.
    limit
        What has as many members is nobody: its identities are on their own.
    """
    ending = np.flatnonzero(edges.end < EVER)
    moment = np.concatenate([edges.begin, edges.end[ending]])
    edge = np.concatenate([np.arange(len(edges)), ending])
    # At one moment joins come first: who is joined anew while something else parts stays what it was.
    parts = np.arange(len(edge)) >= len(edges)
    order = np.lexsort((parts, moment))
    a, b = edges.a[edge[order]], edges.b[edge[order]]
    parting = np.zeros(len(label), dtype=np.bool_)
    parting[label[edges.a[ending]]] = True
    columns = (a, b, moment[order], parts[order], parting[label[a]])
    found = _Replay(len(label), limit)
    for left, right, at, is_end, may_part in zip(*(column.tolist() for column in columns), strict=True):
        if is_end:
            found.part(left, right, at)
        else:
            found.join(left, right, at, may_part)
    return found.contacts()


class _Replay:
    """What holds now, and what held before."""

    def __init__(self, n: int, limit: int) -> None:
        self._limit = limit
        self._now = [ALONE] * n
        self._members: list[tuple[int, ...]] = []
        self._begin: list[int] = []
        self._end: list[int] = []
        self._near: dict[int, list[int]] = {}
        self._too_large: set[int] = set()

    def contacts(self) -> Contacts:
        """Return everything that held for any time at all."""
        kept = [at for at in range(len(self._members)) if self._begin[at] < self._end[at]]
        return Contacts(
            [self._members[at] for at in kept], [self._begin[at] for at in kept], [self._end[at] for at in kept]
        )

    def join(self, a: int, b: int, at: int, may_part: bool) -> None:
        """Join two identities, and what hangs on them; ``may_part``: whether anything of it ever parts."""
        if may_part:
            self._near.setdefault(a, []).append(b)
            self._near.setdefault(b, []).append(a)
        left, right = self._now[a], self._now[b]
        if left == right != ALONE:
            return
        members = self._of(a) + self._of(b)
        if len(members) < self._limit and not (self._too_large and (a in self._too_large or b in self._too_large)):
            self._set(members, at)
        else:
            # Whoever is in something too large is alone, and so is what joins it.
            for code in members:
                self._leave(code, at)
            self._too_large.update(members)

    def part(self, a: int, b: int, at: int) -> None:
        """Take back what joined two identities; they may still hang together through others."""
        self._near[a].remove(b)
        self._near[b].remove(a)
        for code, other in ((a, b), (b, a)):
            members = self._reach(code, other)
            if members and members[-1] == other:
                return
            if members:
                self._too_large.difference_update(members)
                self._set(tuple(members), at)

    def _of(self, code: int) -> tuple[int, ...]:
        now = self._now[code]
        return (code,) if now == ALONE else self._members[now]

    def _reach(self, code: int, other: int) -> list[int]:
        """Everybody whom an identity hangs together with, up to ``other``; nobody where they are too many."""
        found, seen = [code], {code}
        for each in found:
            for near in self._near.get(each, ()):
                if near not in seen:
                    seen.add(near)
                    found.append(near)
                    if near == other:
                        return found
            if len(found) >= self._limit:
                return []
        return found

    def _set(self, members: tuple[int, ...], at: int) -> None:
        for code in members:
            self._leave(code, at)
        if len(members) > 1:
            for code in members:
                self._now[code] = len(self._members)
            self._members.append(members)
            self._begin.append(at)
            self._end.append(EVER)

    def _leave(self, code: int, at: int) -> None:
        now = self._now[code]
        if now != ALONE:
            self._end[now] = at
            for each in self._members[now]:
                self._now[each] = ALONE
