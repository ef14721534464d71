"""The door: who may come in, before anything is routed, and what every answer carries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving import loopback, origins
from serving.authorization import presented
from serving.caller import NOBODY, THIS_MACHINE, Caller, let_in
from serving.keys import Keys
from serving.operations import no_valid_key
from serving.places import NOTHING_HERE, Places
from serving.problems import RETRY_SECONDS, Problem
from serving.rates import Rates

SEALS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    # Nearly every answer is about a person; what may be kept says so itself.
    (b"cache-control", b"no-store"),
)
"""Headers of every answer that does not say otherwise, as pages do of what they are made of."""
_SEALED = frozenset(name for name, _ in SEALS)


class Tokens(Protocol):
    """Who holds a token that somebody else has signed."""

    async def caller(self, token: str) -> Caller | None:
        """Return who; None where it is no valid token."""


@dataclass(frozen=True)
class Locks:
    """What the door judges by.

    Attributes
    ----------
    is_elsewhere
        Whether other machines can call: then a key is always asked for.
    tokens
        None where no issuer of tokens is trusted.
    """

    keys: Keys
    places: Places
    is_elsewhere: bool = False
    tokens: Tokens | None = None

    @property
    def asks(self) -> bool:
        """Whether a key is asked for.

        A key that was revoked or has expired must never open a door, so what has had keys asks for one ever after.
        """
        return self.is_elsewhere or self.tokens is not None or not self.keys.ring.is_unused


class Door:
    """ASGI middleware that notes who calls, and turns away who may not.

    While there never was a key, it answers this machine only (``serving.loopback``). Otherwise, and where nobody knows,
    it asks for a key everywhere but at the addresses that say so, and lets pages in as ``serving.origins`` tells.
    """

    def __init__(self, app: ASGIApp, locks: Locks, rates: Rates | None = None) -> None:
        self.app = app
        self._locks = locks
        self._rates = rates or Rates()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is allowed."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        visit = _Visit(scope, self._locks) if self._locks.asks else None
        sending = _sealed(send, [] if visit is None else visit.for_its_page())
        try:
            if visit is None:
                loopback.check(scope["headers"])
                let_in(scope, THIS_MACHINE)
            elif visit.is_preflight:
                await visit.preflight(scope, receive, sending)
                return
            else:
                let_in(scope, await self._caller(visit))
        except Problem as refusal:
            is_lost = refusal.code == "no-valid-key" and visit is not None and visit.is_by_hand
            # Somebody who has mistyped an address reads a page; programs read a problem document.
            answer = RedirectResponse(NOTHING_HERE, 303) if is_lost else refusal.response(scope["path"])
            await answer(scope, receive, sending)
            return
        await self.app(scope, receive, sending)

    async def _caller(self, visit: _Visit) -> Caller:
        """Find out who calls, and whether it may here and now."""
        caller = await visit.caller()
        # Asked last: it takes longer than all before it.
        if (caller is None or caller.is_public or caller.rate is not None) and visit.needs_no_key:
            # Everybody can read a public key, so that it is told no more than nobody.
            return NOBODY if caller is None or caller.is_public else caller
        if caller is None:
            raise no_valid_key() if self._locks.keys.ring.is_whole else visit.unknown_key()
        if caller.is_public:
            origins.check(caller, visit.origin, is_for_pages=visit.is_for_pages)
        self._rates.take(caller)
        return caller


class _Visit:
    """One request, as far as the door looks at it."""

    def __init__(self, scope: Scope, locks: Locks) -> None:
        self._locks = locks
        self._method, self._path = scope["method"], scope["path"]
        self._headers: list[tuple[bytes, bytes]] = scope["headers"]
        self._now = locks.keys.now_us()
        self._first = dict(reversed(self._headers))
        origin = self._first.get(b"origin")
        self.origin = None if origin is None else origin.decode("latin-1")
        self.is_preflight = origins.is_preflight(self._method, self._first)

    @property
    def needs_no_key(self) -> bool:
        return self._locks.places.without_key(self._method, self._path)

    @property
    def is_by_hand(self) -> bool:
        """Whether a browser has gone to an address that is no program's, without a key of its own."""
        return (
            self._method == "GET"
            and self._first.get(b"sec-fetch-mode") == b"navigate"
            and not self._path.startswith("/v1/")
            and presented(self._headers) is None
        )

    @property
    def is_for_pages(self) -> bool:
        return self._locks.places.for_pages(self._method, self._path)

    async def caller(self) -> Caller | None:
        """Find whose key or token was brought."""
        given = presented(self._headers)
        if given is None:
            return None
        found = self._locks.keys.ring.caller(given, self._now)
        if found is None and self._locks.tokens is not None:
            return await self._locks.tokens.caller(given)
        return found

    def unknown_key(self) -> Problem:
        """Tell whoever brings a key that may be a new one, while the store cannot be asked."""
        status = 429 if self._locks.places.takes_in(self._method, self._path) else 503
        detail = f"keys cannot be read at the moment, and this is none of the last ones; try again in {RETRY_SECONDS} s"
        return Problem(status, "keys-unknown", detail, headers={"Retry-After": str(RETRY_SECONDS)})

    async def preflight(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Tell a browser whether a page may call this address."""
        method = self._first[b"access-control-request-method"].decode("latin-1")
        if not (self._is_listed() and self._locks.places.for_pages(method, self._path)):
            raise origins.refused()
        await origins.preflight(method)(scope, receive, send)

    def for_its_page(self) -> list[origins.Header]:
        """Return the headers that let the page that it came from read the answer."""
        # A refusal may be read too: a page has to learn that it must wait, or that its key has ended.
        return origins.allowed(self._first[b"origin"]) if self._is_listed() else []

    def _is_listed(self) -> bool:
        return self.origin is not None and self._locks.keys.ring.lets_pages(self.origin, self._now)


def _sealed(send: Send, more: list[origins.Header]) -> Send:
    """Add to every answer the headers that it must have."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = message["headers"]
            there = _SEALED.intersection([name for name, _ in headers])
            seals = [one for one in SEALS if one[0] not in there] if there else SEALS
            message["headers"] = [*headers, *seals, *more]
        await send(message)

    return sending
