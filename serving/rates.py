"""How often a key may call: a bucket of tokens each, refilled at the key's rate."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from serving.caller import Caller
from serving.problems import Problem


class Rates:
    """The buckets of this process's callers.

    A bucket holds what a second brings, at least one, so that calls may come at once that would be allowed one after
    the other.

    Parameters
    ----------
    ticks
        Seconds since some moment, never running backwards.
    clock
        Seconds since 1970, for the moment that a caller is told.
    """

    def __init__(self, ticks: Callable[[], float] = time.monotonic, clock: Callable[[], float] = time.time) -> None:
        self._ticks, self._clock = ticks, clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, caller: Caller) -> None:
        """Let a call pass.

        Raises
        ------
        Problem
            429 where its key has called too often; the headers say when it may again.
        """
        if caller.rate is None:
            return
        now, most = self._ticks(), max(1.0, caller.rate)
        left, at = self._buckets.get(caller.key_id, (most, now))
        left = min(most, left + (now - at) * caller.rate)
        if left >= 1.0:
            self._buckets[caller.key_id] = (left - 1.0, now)
            return
        self._buckets[caller.key_id] = (left, now)
        raise _too_often(caller.rate, (1.0 - left) / caller.rate, self._clock())


def _too_often(rate: float, seconds: float, now: float) -> Problem:
    detail = f"this key may call {rate:g} times a second; wait as long as Retry-After says"
    headers = {"Retry-After": str(max(1, math.ceil(seconds))), "X-RateLimit-Reset": str(math.ceil(now + seconds))}
    return Problem(429, "too-many-requests", detail, headers=headers)
