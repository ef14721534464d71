"""Who calls: what its key lets it do, and whose contacts it sees."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.types import Scope

from nba.partners.visibility import OWNER_SIDE, Viewer

SCOPES = ("ingest", "recommend", "feedback", "read", "privacy", "admin")
"""What a key may be allowed; every operation names the one it asks for. No operation asks for ``admin``, which is
kept for what governs the service itself, as publishing settings on the pages does: a key must not be let into that by
another scope's growing."""

_PLACE = "nba.caller"


@dataclass(frozen=True)
class Caller:
    """Whoever makes a request.

    Attributes
    ----------
    key_id
        Of its key; empty where this machine calls without one.
    name
        What the key is called: the ``source`` of touchpoints that it sends through tracking clients, and whose doing
        the audit log says it was.
    scopes
        What it may do.
    viewer
        Whose contacts it sees and acts on: a partner's, an owner's, or the owner's side as a whole.
    is_public
        Whether its key stands in web pages, where everybody can read it: what comes with it never joins two known
        contacts and never gives consent.
    origins
        Web pages that may use it.
    rate
        How many requests a second it may make; None: as many as it likes.
    """

    key_id: str
    name: str
    scopes: frozenset[str]
    viewer: Viewer = OWNER_SIDE
    is_public: bool = False
    origins: tuple[str, ...] = ()
    rate: float | None = None

    @property
    def is_known(self) -> bool:
        """Whether it may do anything at all."""
        return bool(self.scopes)

    @property
    def key(self) -> str | None:
        """What its decisions are logged under, the same after a rotation; None without a key."""
        return self.name if self.key_id else None

    @property
    def is_bound(self) -> bool:
        """Whether it sees the contacts of one partner or owner only."""
        return self.viewer != OWNER_SIDE


NOBODY = Caller("", "nobody", frozenset())
"""A caller without a valid key."""

THIS_MACHINE = Caller("", "this machine", frozenset(SCOPES) - {"privacy", "admin"})
"""A caller on loopback while there are no keys."""


def let_in(scope: Scope, caller: Caller) -> None:
    """Note who calls, for the handlers behind the door."""
    scope[_PLACE] = caller


def caller_of(request: Request) -> Caller:
    """Return who calls; nobody where no door has said."""
    return caller_in(request.scope)


def caller_in(scope: Scope) -> Caller:
    """Return who calls, as far as the layers have come by now."""
    found = scope.get(_PLACE)
    return found if isinstance(found, Caller) else NOBODY
