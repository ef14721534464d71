"""One training at a time in a folder: the next waits for its turn."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows has no such lock; two trainings at once are then the user's to avoid
    fcntl = None  # type: ignore[assignment]

_LOCK = ".nba-train.lock"


@contextmanager
def own_turn(folder: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Wait until no other training works in the folder; the lock ends with the process, however that ends."""
    handle = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if fcntl is not None:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say("another training is at work here; waiting until it is done")
                fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
