"""When something became true, and until when that calls for an action."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Track:
    """A condition over time, as far as what has happened so far decides it, the time to come included.

    It becomes true at ``moments`` only; between them it may only cease.
    """

    moments: Sequence[int]
    """Rising, in microseconds."""
    first: Sequence[bool]
    """Whether it holds at each moment."""
    last: Sequence[bool]
    """Whether it still holds just before the next one; of the last moment nothing is asked."""
    initially: bool = False
    """Whether it held before the first moment."""

    @classmethod
    def of(
        cls,
        holds: Callable[[NDArray[np.int64]], NDArray[np.bool_]],
        times: NDArray[np.int64],
        waits: Sequence[int],
        since: int,
    ) -> Self:
        """Follow a condition from a moment on that changes a set time after something happened.

        Parameters
        ----------
        holds
            Whether the condition holds at moments, of shape (n,).
        times, waits
            When something happened, and how long after each the condition may change: just after that.
        """
        turns = np.sort(np.concatenate([times + wait + 1 for wait in waits]))
        turns = turns[turns.searchsorted(since) :]
        if not len(turns):
            return cls((), (), ())
        moments = turns[np.concatenate(([True], turns[1:] != turns[:-1]))]
        found = holds(np.concatenate((moments, moments - 1)))
        first, before = found[: len(moments)].tolist(), found[len(moments) :].tolist()
        return cls(moments.tolist(), first, [*before[1:], first[-1]], initially=before[0])


def spells(
    track: Track, length: int, after: int, holds: Callable[[int], bool] | None = None
) -> Iterator[tuple[int, int]]:
    """Return when each spell begins and ends, half-open, of those that end after a moment, by time.

    A spell begins when the condition becomes true and lasts ``length``.

    Parameters
    ----------
    holds
        Whether the condition holds at a moment: a spell is then over as soon as it does not.

    Examples
    --------
    >>> list(spells(Track([10, 12, 14, 40], [True, False, True, True], [True, False, False, True]), 5, 0))
    [(10, 15), (14, 19), (40, 45)]
    """
    held = track.initially
    for i, moment in enumerate(track.moments):
        if track.first[i] and not held and moment + length > after:
            ends = moment + length if holds is None else _over(track, i, moment + length, holds)
            if ends > after:
                yield moment, ends
        held = track.last[i]


def _over(track: Track, begun: int, latest: int, holds: Callable[[int], bool]) -> int:
    """Return the first moment after its beginning at which a condition does not hold, at the latest ``latest``."""
    for i in range(begun, len(track.moments)):
        moment = track.moments[i]
        if moment >= latest or not track.first[i]:
            return min(moment, latest)
        is_final = i + 1 == len(track.moments)
        until = latest if is_final else min(track.moments[i + 1], latest)
        if (is_final or not track.last[i]) and not holds(until - 1):
            return _ceases(moment, until - 1, holds)
    return latest


def _ceases(holding: int, ceased: int, holds: Callable[[int], bool]) -> int:
    """Return the first moment at which a condition that ceases somewhere in between does not hold."""
    while ceased - holding > 1:
        middle = (holding + ceased) // 2
        if holds(middle):
            holding = middle
        else:
            ceased = middle
    return ceased
