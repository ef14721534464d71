"""Garbage: objects that hold each other, which Python looks for now and then among all that there are."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_ALLOCATED = 5_000
"""New objects after which Python looks among them: a few answers' worth, some milliseconds at most."""
_YOUNGER = 20
"""Looks among newer objects after which it looks among the next older ones."""


@contextmanager
def looked_for_seldom() -> Iterator[None]:
    """Look for garbage seldom inside, and never among what was there before.

    What a service opens at its start, hundreds of thousands of objects, stays until its end: to go through them takes
    as long as a dozen answers, and finds nothing.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_ALLOCATED, _YOUNGER, _YOUNGER)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
