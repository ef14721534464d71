"""Kinds of calls: how many of each may be worked on and wait."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

PATIENCE = 0.1
"""Seconds for which there may be a long row, and for which its last may have to wait; beyond it is no burst."""


AT_HAND = 0.02
"""Seconds of work that may be taken in hand while more calls are refused than answered. A longer row would then stand
for good, and everybody who is answered would wait for all of it without any more being answered."""
_FEW = 4
_SHARE_OF_ONE = 1 / 32
_FORGOTTEN = 1.0
"""Seconds without any call after which what became of the last ones says nothing about the next."""


class Moment(NamedTuple):
    """When something is.

    Attributes
    ----------
    worked
        Seconds since some moment in which calls could be worked on.
    held_up
        Seconds in which they could not: what they write was held up.
    """

    worked: float
    held_up: float = 0.0


@dataclass(frozen=True)
class Bound:
    """How much of a kind of call there may be.

    Attributes
    ----------
    inside
        Calls worked on at once: enough for them to share a commit, few enough to make it short.
    row
        Calls that may wait for as long as it takes.
    burst
        Calls that may wait where that will not be for long (`PATIENCE`), as fast as calls end at the moment.
    status
        Of the refusal.
    """

    inside: int
    row: int
    burst: int
    status: int = 503


BOUNDS: Mapping[str, Bound] = {
    "recommend": Bound(inside=16, row=8, burst=256),
    "feedback": Bound(inside=16, row=16, burst=128),
    "intake": Bound(inside=8, row=32, burst=256, status=429),
    "looking": Bound(inside=4, row=16, burst=64),
    "governing": Bound(inside=2, row=8, burst=32),
}
"""Tracking clients keep what is answered with 429, and some of them drop what is answered with 503."""

_KINDS = {
    "recommend": "recommend",
    "feedback": "feedback",
    "ingest": "intake",
    "read": "looking",
    "privacy": "governing",
    "admin": "governing",
}


def kind_of(scope: str | None) -> str | None:
    """Name the kind of call that an operation is, by what a caller needs for it.

    None for what everybody may ask: it costs nothing, and must be answered when nothing else is.
    """
    return None if scope is None else _KINDS[scope]


class Lane:
    """One kind's places, and who waits for them."""

    def __init__(self, kind: str, bound: Bound) -> None:
        self.kind = kind
        self.bound = bound
        self.inside = 0
        self.waiting: deque[tuple[asyncio.Future[None], int]] = deque()
        self.coming = 0
        """Calls read in this look at the network that will ask for a place before the next."""
        self.waits_since = Moment(0.0)
        """When the first began to wait of a row that has stood ever since."""
        self.last = Moment(0.0)
        """When a call ended, or the first one began after none."""
        self.between = 0.0
        """Seconds from one call's end to the next while there are some; the last dozen or so count. None does between
        which writing was held up: how long that was tells nothing of the next."""
        self.share_refused = 0.0
        """Of the last calls, some dozens, how many were refused instead of answered."""

    @property
    def is_crowded(self) -> bool:
        """Whether more calls are refused than answered."""
        return self.share_refused > 0.5

    def begins(self, now: Moment) -> None:
        """Note that a call begins where there is none."""
        if sum(now) - sum(self.last) > _FORGOTTEN:
            self.share_refused = 0.0
        self.last = now

    def refused(self) -> None:
        """Note that a call was refused."""
        self.share_refused += (1.0 - self.share_refused) * _SHARE_OF_ONE

    def ended(self, now: Moment) -> None:
        """Note that a call has ended."""
        self.share_refused -= self.share_refused * _SHARE_OF_ONE
        if now.held_up <= self.last.held_up:
            self.between += (now.worked - self.last.worked - self.between) / 8
        self.last = now

    def has_room(self, weight: int) -> bool:
        """Say whether a call of a weight may be worked on."""
        return self.inside + weight <= self.bound.inside

    def is_full(self, now: Moment, coming: int = 0) -> bool:
        """Say whether nobody may wait any more: the row has its length for bursts, or has stood for long.

        A row that was held up may stand for as much longer: whoever came meanwhile is answered in no more time than it
        took to come. Where more are refused than answered only a few are taken in hand at all.

        Parameters
        ----------
        coming
            Calls that come before the one that is asked about, and have no place yet.
        """
        here = len(self.waiting) + self.inside + coming
        if self.is_crowded and here >= max(_FEW, AT_HAND / max(self.between, 1e-6)):
            return True
        # Who waits for nothing but its turn stands in no row.
        n = here - self.bound.inside
        if n < self.bound.row:
            return False
        since = self.waits_since if self.waiting else now
        patience = PATIENCE + now.held_up - since.held_up
        return n >= self.bound.burst or max(now.worked - since.worked, n * self.between) > patience
