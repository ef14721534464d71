"""Garbage: objects that hold each other, which Python looks for now and then among all that there are."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_ALLOCATED = 1_000
"""New objects after which Python looks among them: a dozen answers' worth, 3 ms or so."""
_AGAIN = 1
"""Such looks after which it looks once more among what they left, three times as much. What has lasted for so long is
mostly kept on purpose, and everybody would wait while it is gone through."""
_ALL = 1_000
"""Those looks after which it looks among everything."""


@contextmanager
def looked_for_seldom() -> Iterator[None]:
    """Look for garbage seldom inside, and never among what was there before.

    What a service opens at its start, hundreds of thousands of objects, stays until its end: to go through them takes
    as long as a dozen answers, and finds nothing.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_ALLOCATED, _AGAIN, _ALL)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
