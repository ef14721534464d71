"""Sign-ins: who reads the pages, by a cookie that only the browser and the digest in the store know."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING

from features.rows.row_types import SessionRow
from features.store.sessions import end_session, find_session, store_session
from features.times import HOUR
from serving.keys import digest_of

if TYPE_CHECKING:
    from features.store.reading import Reading
    from features.store.writing import Writing

COOKIE = "nba_session"
LASTS = 12 * HOUR
"""How long a sign-in lasts: a working day."""
_BYTES = 32
_LONGEST = 100


def new_token() -> str:
    """Make the text of a cookie, of 256 bits nobody can guess."""
    return secrets.token_urlsafe(_BYTES)


def begin(writing: Writing, token: str, key_id: str, now: int) -> None:
    """Note that the holder of a key has signed in."""
    store_session(writing, SessionRow(digest_of(token), key_id, now, now + LASTS))


def key_of(reading: Reading, token: str | None, now: int) -> str | None:
    """Return the id of the key that a cookie was given for; None where it opens nothing."""
    if not token or len(token) > _LONGEST:
        return None
    found = find_session(reading, digest_of(token))
    return found.key_id if found is not None and found.begun_at <= now < found.ends_at else None


def end(writing: Writing, token: str) -> None:
    """Sign out: the cookie opens nothing from now on, wherever it was copied to."""
    end_session(writing, digest_of(token))


def seal_of(secret: bytes, token: str) -> str:
    """Return what every form of a sign-in carries, and no page of another site can know (a CSRF token)."""
    return hmac.new(secret, b"form\0" + token.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def is_sealed(secret: bytes, token: str, given: str) -> bool:
    """Whether a form comes from a page of this sign-in."""
    return hmac.compare_digest(seal_of(secret, token).encode(), given.encode("utf-8", "surrogatepass"))
