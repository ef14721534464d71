"""The request that is being answered: what its log line, its trace and its counters will say."""

from __future__ import annotations

import hashlib
import re
from contextvars import ContextVar
from dataclasses import dataclass, field

_OURS = re.compile(r"[0-9a-f]{32}")
_MOST_NAMED = 20


@dataclass(slots=True)
class Underway:
    """A request while it is answered.

    Attributes
    ----------
    request_id
        As in the header ``X-Request-Id`` of its answer.
    route
        A template such as ``GET /v1/contacts/{contact}``, so that no identity stands in it; "-" before it is known.
    decisions
        Ids of the decisions it was answered with, the first twenty; others are counted.
    """

    request_id: str
    route: str = "-"
    decisions: list[str] = field(default_factory=list)
    n_decisions: int = 0

    def decided(self, decision_id: str) -> None:
        """Take note of a decision.

        An id that a caller chose may be a person's number: its place takes "~" and the first 16 digits of its SHA-256.
        """
        self.n_decisions += 1
        if self.n_decisions <= _MOST_NAMED:
            self.decisions.append(spoken(decision_id))


def spoken(decision_id: str) -> str:
    """Spell a decision's id as logs may hold it.

    Examples
    --------
    >>> spoken("0b51f6a3c1f04b580b51f6a3c1f04b58"), spoken("for anna@example.com")
    ('0b51f6a3c1f04b580b51f6a3c1f04b58', '~db4c5e6d1b1b2939')
    """
    if _OURS.fullmatch(decision_id):
        return decision_id
    return "~" + hashlib.sha256(decision_id.encode(errors="surrogatepass")).hexdigest()[:16]


_NOW: ContextVar[Underway | None] = ContextVar("underway", default=None)


def begin(found: Underway) -> None:
    """Say which request is answered from here on, in this task and those it starts."""
    _NOW.set(found)


def underway() -> Underway:
    """Return the request that is being answered; one without an id where there is none."""
    return _NOW.get() or Underway("")
