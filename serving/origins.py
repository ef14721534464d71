"""Calls from web pages of other origins (CORS): let through for the origins that a live public key lists."""

from __future__ import annotations

from starlette.responses import Response

from serving.caller import Caller
from serving.problems import Problem

Header = tuple[bytes, bytes]

_HEADERS = (
    "anonymousid, authorization, content-type, sentat, x-retry-count, rsa-recovered, rsa-retry-attempt, "
    "rsa-retry-reason, rsa-since-first-attempt, rsa-since-last-attempt"
)
"""What the browser libraries send, the last six when they send again; a browser asks whether it may."""
_READABLE = b"Retry-After, X-RateLimit-Reset"
_ASKED_AGAIN = "600"
"""Seconds for which a browser may remember: a key that was revoked fails at the call itself."""


def is_preflight(method: str, headers: dict[bytes, bytes]) -> bool:
    """Whether a browser asks for a page if it may call."""
    return method == "OPTIONS" and b"origin" in headers and b"access-control-request-method" in headers


def allowed(origin: bytes) -> list[Header]:
    """Return the headers that let a page of this origin read an answer."""
    return [
        (b"access-control-allow-origin", origin),
        (b"access-control-expose-headers", _READABLE),
        (b"vary", b"Origin"),
    ]


def preflight(method: str) -> Response:
    """Tell a browser that a page may call; which page is said by ``allowed``."""
    headers = {
        "Access-Control-Allow-Methods": method,
        "Access-Control-Allow-Headers": _HEADERS,
        "Access-Control-Max-Age": _ASKED_AGAIN,
    }
    return Response(status_code=204, headers=headers)


def refused() -> Problem:
    """Refuse a page of an origin that no live public key lists for this address."""
    detail = "pages of this origin may not call this address; `nba keys add --public --origin` lists an origin"
    return Problem(403, "origin-not-allowed", detail, errors=[("header Origin", "is not listed")])


def check(caller: Caller, origin: str | None, *, is_for_pages: bool) -> None:
    """Let a caller with a public key do what that is for, and nothing else.

    Raises
    ------
    Problem
        403 where it is used elsewhere, or in a page of an origin that it does not list.
    """
    if not is_for_pages:
        raise Problem(403, "public-key", "this key stands in web pages, so all that it can do is send events")
    if origin is not None and origin not in caller.origins:
        raise refused()
