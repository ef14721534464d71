"""How often a key may call: a bucket of tokens each, refilled at the key's rate."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from serving.buckets import Buckets, OwnBuckets
from serving.caller import Caller
from serving.problems import Problem


class Rates:
    """The rates of callers, by their buckets.

    Parameters
    ----------
    ticks
        Seconds since some moment, never running backwards, the same for all who share the buckets.
    clock
        Seconds since 1970, for the moment that a caller is told.
    buckets
        None: of this process.
    """

    def __init__(
        self,
        ticks: Callable[[], float] = time.monotonic,
        clock: Callable[[], float] = time.time,
        buckets: Buckets | None = None,
    ) -> None:
        self._ticks, self._clock = ticks, clock
        self._buckets = buckets or OwnBuckets()

    def take(self, caller: Caller) -> None:
        """Let a call pass.

        Raises
        ------
        Problem
            429 where its key has called too often; the headers say when it may again.
        """
        if caller.rate is None:
            return
        wait = self._buckets.take(caller.key_id, caller.rate, self._ticks())
        if wait:
            raise _too_often(caller.rate, wait, self._clock())


def _too_often(rate: float, seconds: float, now: float) -> Problem:
    detail = f"this key may call {rate:g} times a second; wait as long as Retry-After says"
    headers = {"Retry-After": str(max(1, math.ceil(seconds))), "X-RateLimit-Reset": str(math.ceil(now + seconds))}
    return Problem(429, "too-many-requests", detail, headers=headers)
