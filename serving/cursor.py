"""Cursors: a place in a list that a caller holds without being able to read it or to make one up.

The place may be that of a contact which the caller must not know of. It is enciphered with a keystream whose start is a
keyed hash of the place itself (a synthetic initialisation vector; Rogaway and Shrimpton 2006), which also tells
whether a cursor is one of ours. The same place has the same cursor, after a restart and on other machines with the same
secret.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from typing import Any

import orjson

from serving.problems import Problem

LONGEST = 4_096
"""Characters that a cursor may have."""
_VECTOR = 16
_BLOCK = 32


def sealed(secret: bytes, of: str, place: Sequence[Any]) -> str:
    """Write a place as a cursor.

    Parameters
    ----------
    of
        The list: a cursor of another one is refused.
    place
        Plain values that JSON knows.

    Examples
    --------
    >>> opened(b"secret", "worklist", sealed(b"secret", "worklist", [1.5, "crm:1"]))
    [1.5, 'crm:1']
    """
    plain = orjson.dumps(list(place))
    vector = _hash(secret, of.encode(), plain)[:_VECTOR]
    return base64.urlsafe_b64encode(vector + _crossed(secret, vector, plain)).decode().rstrip("=")


def opened(secret: bytes, of: str, cursor: str) -> list[Any]:
    """Read a cursor.

    Raises
    ------
    Problem
        404 where it is none that ``sealed`` made for this list.
    """
    try:
        found = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _refused() from None
    vector, hidden = found[:_VECTOR], found[_VECTOR:]
    plain = _crossed(secret, vector, hidden)
    if not hidden or not hmac.compare_digest(_hash(secret, of.encode(), plain)[:_VECTOR], vector):
        raise _refused()
    place: list[Any] = orjson.loads(plain)
    return place


def _crossed(secret: bytes, vector: bytes, text: bytes) -> bytes:
    blocks = (_hash(secret, b"cursor", vector + n.to_bytes(4, "big")) for n in range(-(-len(text) // _BLOCK)))
    return bytes(a ^ b for a, b in zip(text, b"".join(blocks), strict=False))


def _hash(secret: bytes, what: bytes, text: bytes) -> bytes:
    return hmac.digest(secret, what + b"\0" + text, hashlib.sha256)


def _refused() -> Problem:
    detail = "the cursor is none of this list's; send `next_cursor` of an answer as it is, or begin without one"
    return Problem(404, "no-such-cursor", detail, errors=[("query cursor", detail)])
