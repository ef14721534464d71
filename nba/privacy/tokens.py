"""The signed link of a person: who it is for and until when, sealed by the service's secret."""

from __future__ import annotations

import base64
import hashlib
import hmac

import orjson

from features.errors import UserError
from features.times import DAY, SECOND

USUAL_US = 90 * DAY
"""How long a link opens the page."""
LONGEST = 500
"""Letters of the longest token that an address can hold."""

_PURPOSE = b"nba self service 1\0"


def token_for(secret: bytes, identity: str, until: int) -> str:
    """Make the token of a link.

    Whoever has the link can read the identity out of it, and can do for the person what the page offers: send it to
    nobody else.

    Parameters
    ----------
    until
        Microseconds; from then on the link opens nothing.

    Raises
    ------
    UserError
        Where the identity is too long for an address.

    Examples
    --------
    >>> token = token_for(b"s" * 16, "crm:4711", 60_000_000)
    >>> identity_in(b"s" * 16, token, 59_999_999), identity_in(b"s" * 16, token, 60_000_000)
    ('crm:4711', None)
    >>> identity_in(b"t" * 16, token, 0) is None
    True
    """
    said = orjson.dumps([identity, until // SECOND])
    token = f"{_spelt(said)}.{_spelt(_seal(secret, said))}"
    if len(token) > LONGEST:
        raise UserError(f"{identity[:60]!r}... is too long for a link; take another identity of the contact")
    return token


def identity_in(secret: bytes, token: str, now: int) -> str | None:
    """Return whom a token is for; None where it was not sealed by this secret or is over."""
    begun, dot, ended = token.partition(".")
    try:
        said, seal = _read(begun), _read(ended)
    except ValueError:
        return None
    if not dot or not hmac.compare_digest(seal, _seal(secret, said)):
        return None
    identity, until = orjson.loads(said)
    return str(identity) if now < until * SECOND else None


def _seal(secret: bytes, said: bytes) -> bytes:
    return hmac.new(secret, _PURPOSE + said, hashlib.sha256).digest()


def _spelt(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def _read(text: str) -> bytes:
    # Every token has one spelling, so that none can be changed and still be right.
    found = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if _spelt(found) != text:
        raise ValueError("another spelling")
    return found
