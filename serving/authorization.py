"""The header ``Authorization``: a key as Bearer, or as the user of Basic, as tracking clients send it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable

Headers = Iterable[tuple[bytes, bytes]]

_LONGEST = 16 * 1024


def presented(headers: Headers) -> str | None:
    """Return the key or token that a request brings; None where there is none that can be read, or more than one.

    Examples
    --------
    >>> presented([(b"authorization", b"Bearer nba_x")])
    'nba_x'
    >>> presented([(b"authorization", b"Basic bmJhX3g6")])
    'nba_x'
    >>> presented([(b"authorization", b"Digest nba_x")]) is None
    True
    """
    given = [value for name, value in headers if name == b"authorization"]
    if len(given) != 1 or len(given[0]) > _LONGEST:
        return None
    kind, _, rest = given[0].strip().partition(b" ")
    reading = _READERS.get(kind.lower())
    found = None if reading is None else reading(rest.strip())
    return found or None


def _bearer(told: bytes) -> str | None:
    return told.decode() if told.isascii() and b" " not in told else None


def _user(told: bytes) -> str | None:
    """Return the user of Basic (RFC 7617); whatever password there is says nothing."""
    try:
        pair = base64.b64decode(told, validate=True)
    except (binascii.Error, ValueError):
        return None
    user, colon, _ = pair.partition(b":")
    return user.decode() if colon and user.isascii() else None


_READERS = {b"bearer": _bearer, b"basic": _user}
