"""Time for which writing is held up: a disk or another writer makes everybody wait, and nobody asks for too much."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

COMMON = 0.05
"""Seconds that a write may always take without being held up: many times what a small one takes on a disk at rest."""
_TIMES = 3
"""So many times what writes take lately is common, too: a slow disk and large calls are no hold-ups but the pace."""
_LATELY = 8
_MOST = 4
"""What one write counts at most among the last, in times of what was common: a single stall is not the pace."""


class HeldUp:
    """How long one thread's writing was held up, all in all; any thread may ask.

    Parameters
    ----------
    ticks
        Seconds since some moment.

    Examples
    --------
    >>> now = [0.0]
    >>> held_up = HeldUp(lambda: now[0])
    >>> with held_up.writing():
    ...     now[0] = 1.05
    ...     held_up.seconds
    1.0
    >>> now[0] = 9.0
    >>> held_up.seconds
    1.0
    """

    def __init__(self, ticks: Callable[[], float] = time.monotonic) -> None:
        self._ticks = ticks
        # One value, so that who asks never sees half of a change.
        self._known: tuple[float, float | None, float] = 0.0, None, COMMON
        self._lately = 0.0

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Count what is beyond the common in what takes place inside; not to be nested."""
        before, _, common = self._known
        began = self._ticks()
        self._known = before, began, common
        try:
            yield
        finally:
            took = self._ticks() - began
            self._lately += (min(took, _MOST * common) - self._lately) / _LATELY
            self._known = before + max(0.0, took - common), None, max(COMMON, _TIMES * self._lately)

    @property
    def seconds(self) -> float:
        """Seconds until now, to within the moment that it takes to note the end of a write."""
        before, began, common = self._known
        return before if began is None else before + max(0.0, self._ticks() - began - common)
