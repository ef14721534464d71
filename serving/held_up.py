"""Time for which writing is held up: a disk or another writer makes everybody wait, and nobody asks for too much."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

COMMON = 0.05
"""Seconds that a commit may take without being held up: many times what one takes on a disk that has nothing else to
do."""


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
        self._known: tuple[float, float | None] = 0.0, None

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Count what is beyond the common in what takes place inside; not to be nested."""
        self._known = self._known[0], self._ticks()
        try:
            yield
        finally:
            self._known = self.seconds, None

    @property
    def seconds(self) -> float:
        """Seconds until now; they never fall."""
        before, began = self._known
        return before if began is None else before + max(0.0, self._ticks() - began - COMMON)
