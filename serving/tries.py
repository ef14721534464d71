"""When to try again what has failed and may yet succeed."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable


class Tries:
    """Tries of one thing at a time, with pauses that grow while it goes on failing.

    Parameters
    ----------
    first, longest
        Pauses in seconds.
    clock
        Seconds since some moment.

    Examples
    --------
    >>> now = 0.0
    >>> tries = Tries(5.0, 8.0, lambda: now)
    >>> tries.failed("a"), tries.must_wait("a"), tries.must_wait("b")
    (5.0, True, False)
    >>> now = 5.0
    >>> tries.must_wait("a"), tries.failed("a"), tries.failed("a"), tries.failed("b")
    (False, 8.0, 8.0, 5.0)
    """

    def __init__(self, first: float, longest: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._first, self._longest, self._clock = first, longest, clock
        self._what: Hashable = None
        self._pause, self._at = first, 0.0

    def failed(self, what: Hashable) -> float:
        """Note that something failed; returns the seconds after which it is tried again."""
        self._pause = self._first if what != self._what else min(2 * self._pause, self._longest)
        self._what, self._at = what, self._clock() + self._pause
        return self._pause

    def must_wait(self, what: Hashable) -> bool:
        """Whether something has failed so lately that it is not tried again yet."""
        return what is not None and what == self._what and self._clock() < self._at
