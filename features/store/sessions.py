"""Sign-ins to the pages as the store keeps them: never what stands in a cookie, only its digest."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, select

from features.rows.row_types import SessionRow
from features.store import tables
from features.store.dialect import Sql, once
from features.store.reading import Reading
from features.store.writing import Writing

_OF = Sql(select(tables.SESSIONS).where(tables.SESSIONS.c.digest == bindparam("a")))
_NEW = once(tables.SESSIONS)
_END = Sql(delete(tables.SESSIONS).where(tables.SESSIONS.c.digest == bindparam("a")))
_OVER = Sql(delete(tables.SESSIONS).where(tables.SESSIONS.c.ends_at <= bindparam("a")))


def find_session(reading: Reading, digest: str) -> SessionRow | None:
    """Return the sign-in of a digest, also one that has run out."""
    found = reading._one(_OF, (digest,))
    return None if found is None else SessionRow._make(found)


def store_session(writing: Writing, row: SessionRow) -> None:
    """Store a sign-in, and forget those that had run out when it began."""
    writing._many(_OVER, [(row.begun_at,)])
    writing._many(_NEW, [row])


def end_session(writing: Writing, digest: str) -> bool:
    """Forget a sign-in; false where there is none."""
    return writing._many(_END, [(digest,)]) == 1
