"""When something became true, and until when that calls for an action.

What is worked out here is compiled into the occasions that ask for it, with the condition that each of them is about.
Only ``spells`` is for Python, of a condition that was followed there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from features.compiled import I64, Flags, inlined

Holds = Callable[[Any, int], bool]
"""Whether a condition holds at a moment, from all that it depends on; compiled."""


NEVER = 2**62
"""A moment that no time comes to."""


class Track(NamedTuple):
    """A condition over time, as far as what has happened so far decides it, the time to come included.

    It becomes true at ``moments`` only; between them it may only cease.
    """

    moments: Sequence[int] | I64
    """Rising, in microseconds."""
    first: Sequence[bool] | Flags
    """Whether it holds at each moment."""
    last: Sequence[bool] | Flags
    """Whether it still holds just before the next one; of the last moment nothing is asked."""
    initially: bool = False
    """Whether it held before the first moment."""


def spells(track: Track, length: int, after: int) -> Iterator[tuple[int, int]]:
    """Return when each spell begins and ends, half-open, of those that end after a moment, by time.

    A spell begins when the condition becomes true and lasts ``length``.

    Examples
    --------
    >>> list(spells(Track([10, 12, 14, 40], [True, False, True, True], [True, False, False, True]), 5, 0))
    [(10, 15), (14, 19), (40, 45)]
    """
    place = beginning(track, 0, after - length)
    while place >= 0:
        yield int(track.moments[place]), int(track.moments[place]) + length
        place = beginning(track, place + 1, after - length)


def beginning(track: Track, place: int, since: int) -> int:
    """Return the first place from one on, of those after a moment, where the condition becomes true; -1: none."""
    for i in range(place, len(track.moments)):
        held = track.last[i - 1] if i > 0 else track.initially
        if track.first[i] and not held and track.moments[i] > since:
            return i
    return -1


# Compiled as it stands, so that there is one account of where a spell begins.
_beginning = inlined(beginning)


@inlined
def over(track: Track, begun: int, latest: int, holds: Holds, told: Any) -> int:
    """Return the first moment after its beginning at which a condition does not hold, at the latest ``latest``."""
    for i in range(begun, len(track.moments)):
        moment = track.moments[i]
        if moment >= latest or not track.first[i]:
            return min(moment, latest)
        is_final = i + 1 == len(track.moments)
        until = latest if is_final else min(track.moments[i + 1], latest)
        if (is_final or not track.last[i]) and not holds(told, until - 1):
            return _ceases(moment, until - 1, holds, told)
    return latest


@inlined
def _ceases(holding: int, ceased: int, holds: Holds, told: Any) -> int:
    """Return the first moment at which a condition that ceases somewhere in between does not hold."""
    while ceased - holding > 1:
        middle = (holding + ceased) // 2
        if holds(told, middle):
            holding = middle
        else:
            ceased = middle
    return ceased


@inlined
def count_before(times: I64, moment: int) -> int:
    """Count the times before a moment; they rise."""
    low, high = 0, len(times)
    while low < high:
        middle = (low + high) // 2
        if times[middle] < moment:
            low = middle + 1
        else:
            high = middle
    return low


@inlined
def followed(times: I64, waits: I64, since: int, holds: Holds, told: Any) -> Track:
    """Follow a condition from a moment on that changes a set time after something happened.

    Parameters
    ----------
    times, waits
        When something happened, rising, and how long after each the condition may change: just after that.
    """
    n = len(times) * len(waits)
    moments, first, last = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.bool_), np.empty(n, dtype=np.bool_)
    count, initially, moment = 0, False, _next(times, waits, since)
    while moment < NEVER:
        held = holds(told, moment - 1)
        if count == 0:
            initially = held
        else:
            last[count - 1] = held
        moments[count], first[count] = moment, holds(told, moment)
        last[count] = first[count]
        count, moment = count + 1, _next(times, waits, moment + 1)
    return Track(moments[:count], first[:count], last[:count], initially)


@inlined
def _next(times: I64, waits: I64, since: int) -> int:
    """Return the first moment just after a wait from each of the times, not before ``since``."""
    found = NEVER
    for wait in waits:
        place = count_before(times, since - wait - 1)
        if place < len(times):
            found = min(found, times[place] + wait + 1)
    return found


@inlined
def lasting(track: Track, length: int, after: int) -> I64:
    """Return the spells of a condition that may cease meanwhile, shape (n, 2)."""
    found = np.empty((len(track.moments), 2), dtype=np.int64)
    n, place = 0, _beginning(track, 0, after - length)
    while place >= 0:
        found[n, 0], found[n, 1] = track.moments[place], track.moments[place] + length
        n, place = n + 1, _beginning(track, place + 1, after - length)
    return found[:n]


@inlined
def holding(track: Track, length: int, after: int, holds: Holds, told: Any) -> I64:
    """Return the spells of a condition each of which is over as soon as it does not hold, shape (n, 2)."""
    found = np.empty((len(track.moments), 2), dtype=np.int64)
    n, place = 0, _beginning(track, 0, after - length)
    while place >= 0:
        begins = track.moments[place]
        ends = over(track, place, begins + length, holds, told)
        if ends > after:
            found[n, 0], found[n, 1] = begins, ends
            n += 1
        place = _beginning(track, place + 1, after - length)
    return found[:n]
