"""One time that an occasion calls for its action."""

from __future__ import annotations

from typing import NamedTuple

from models.saying.said import Said
from models.saying.tongues import say

OCCASION = "occasion"
"""Under this name a decision keeps which occasion it was made for."""


def at_event(event_id: str) -> str:
    """Return what a decision keeps as its occasion where that is an event."""
    return f"event:{event_id}"


class Occurrence(NamedTuple):
    """A window of time in which something calls for an action, once; half-open, in microseconds."""

    begins: int
    ends: int
    said: Said
    """What it is, for a reason."""
    asset_id: str | None = None
    """The device or contract that it is about."""
    event_id: str | None = None
    """The event that it is about, or points to."""
    topics: tuple[str, ...] = ()
    of: str = ""
    """What tells it from others that call for the same action at the same time, such as "asset:p-17"."""
    used_from: int | None = None
    """What went out from here on has used it up; None: from its beginning."""

    @property
    def about(self) -> str:
        """What it is, in English: "next_service_on is 2026-12-01"."""
        return say(self.said)

    def is_open(self, as_of: int) -> bool:
        """Whether a moment lies in the window."""
        return self.begins <= as_of < self.ends


class Calls(NamedTuple):
    """Whether an occasion calls for an action now."""

    now: Occurrence | None = None
    next: Occurrence | None = None
    """The one that begins next, where the clock alone tells."""
    used: Occurrence | None = None
    """One that would call for it now, had the action not gone out for it."""
