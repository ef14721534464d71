"""How long a store is waited for by whoever has to answer soon."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_SHORTEST = 0.05
"""Seconds that a server has at least before it counts as gone."""


class Patience:
    """Bounds for the waiting of one service, per thread.

    Parameters
    ----------
    busy
        Seconds that a writer waits for other writers.
    answer
        Seconds that any one answer of a server may take, where a thread has set no bound of its own.
    connect
        Seconds that connecting may take, at least 2.
    """

    def __init__(self, busy: float, answer: float = 30.0, connect: int = 2) -> None:
        self.busy, self.answer, self.connect = busy, answer, connect
        self._thread = threading.local()

    def bound(self, seconds: float) -> None:
        """Let no answer that the calling thread waits for take longer, from now on."""
        self._thread.answer = seconds

    @contextmanager
    def longer(self, seconds: float) -> Iterator[None]:
        """Let answers that the calling thread waits for inside take so long, where they may not take longer anyway."""
        before: float | None = getattr(self._thread, "answer", None)
        self._thread.answer = max(seconds, self.answer if before is None else before)
        try:
            yield
        finally:
            self._thread.answer = self.answer if before is None else before

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Bound all that the calling thread waits for inside, together."""
        self._thread.until = time.monotonic() + seconds
        try:
            yield
        finally:
            self._thread.until = None

    def left(self) -> float:
        """Seconds that the calling thread waits for the next answer."""
        until: float | None = getattr(self._thread, "until", None)
        bound: float = getattr(self._thread, "answer", self.answer)
        # Where time ran out because this process was slow, the server is not to blame, and answers at once.
        return bound if until is None else min(bound, max(until - time.monotonic(), _SHORTEST))
