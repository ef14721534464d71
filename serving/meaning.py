"""Whom a bound caller means by what it wants written: found out before where the store can be asked, else with it."""

from __future__ import annotations

from typing import Any, TypeVar

from features.store.store import StoreAwayError
from serving.caller import Caller
from serving.deed import Deed
from serving.deeds import Activate, Arrive, Learn, Meant
from serving.reach import Reach
from serving.service import Service

D = TypeVar("D", Arrive, Learn, Activate)


def as_meant(service: Service, caller: Caller, deed: D, at: int) -> D | Deed[Any]:
    """Return a deed about what its caller means.

    A `Meant` comes back where the store is away, and while it does not have yet what this may be about.

    Parameters
    ----------
    at
        When it came, in microseconds.
    """
    if not caller.is_bound:
        return deed
    if not service.writer.keeps:
        try:
            return deed.meant(Reach(service.store, caller.viewer, service.settings, at))
        except StoreAwayError:
            pass
    return Meant(deed, caller.viewer, service.settings, at)
