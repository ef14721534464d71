"""How many equal rows came before, for files of any length in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


class Occurrences:
    """Counts keys of eight bytes, in sorted runs that are merged as they grow."""

    def __init__(self) -> None:
        self._runs: list[tuple[NDArray[np.uint64], NDArray[np.uint32]]] = []

    def nth(self, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        """How often each key came before, in earlier calls and earlier in this one.

        Examples
        --------
        >>> seen = Occurrences()
        >>> seen.nth(np.array([7, 8, 7], dtype=np.uint64)).tolist()
        [0, 0, 1]
        >>> seen.nth(np.array([7, 9], dtype=np.uint64)).tolist()
        [2, 0]
        """
        order = np.argsort(keys, kind="stable")
        unique, first, counts = np.unique(keys[order], return_index=True, return_counts=True)
        before = np.zeros(len(unique), dtype=np.int64)
        for known, seen in self._runs:
            at = np.minimum(np.searchsorted(known, unique), len(known) - 1)
            before += np.where(known[at] == unique, seen[at], 0)
        within = np.arange(len(keys)) - np.repeat(first, counts)
        nth = np.empty(len(keys), dtype=np.int64)
        nth[order] = np.repeat(before, counts) + within
        if len(keys):
            self._add(unique, counts.astype(np.uint32))
        return nth

    def nth_of(self, digests: Iterable[bytes]) -> list[int]:
        """How often each digest came before, told apart by its last eight bytes."""
        keys = np.frombuffer(b"".join(digest[-8:] for digest in digests), dtype=np.uint64)
        return [int(n) for n in self.nth(keys)]

    def _add(self, keys: NDArray[np.uint64], counts: NDArray[np.uint32]) -> None:
        self._runs.append((keys, counts))
        while len(self._runs) > 1 and len(self._runs[-2][0]) < 2 * len(self._runs[-1][0]):
            self._runs.append(_merged(self._runs.pop(), self._runs.pop()))


def _merged(
    one: tuple[NDArray[np.uint64], NDArray[np.uint32]], other: tuple[NDArray[np.uint64], NDArray[np.uint32]]
) -> tuple[NDArray[np.uint64], NDArray[np.uint32]]:
    keys = np.concatenate([one[0], other[0]])
    order = np.argsort(keys, kind="stable")
    keys, counts = keys[order], np.concatenate([one[1], other[1]])[order]
    first = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
    return keys[first], np.add.reduceat(counts, first, dtype=np.uint32)
