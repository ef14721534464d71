"""Words that come late: who had taken something back before a score, which did not know of it, loses the score.

Views and exports leave out whoever objects at or after the moment of a score (``features.store.view_words``). By its
moment alone a word that came later cannot be told from one that the score has heeded.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import text

from features.rows.row_types import TouchpointRow
from features.store.dialect import Cursor, Sql
from features.store.view_words import OBJECTING

if TYPE_CHECKING:
    from features.store.writing import Writing

_WORDS = frozenset(OBJECTING)
_KINDS = ", ".join(f"'{kind}'" for kind in OBJECTING)

_FORGET = Sql(
    text(
        "DELETE FROM scores WHERE as_of > :a "
        "AND contact_id IN (SELECT :b UNION SELECT contact_id FROM owner_sights WHERE identity = :c)"
    )
)
_HAS_SCORES = "SELECT EXISTS (SELECT 1 FROM scores)"
# A load of what is there already says nothing new.
_NEW = (
    f"l.kind IN ({_KINDS}) AND l.occurred_at < s.as_of AND NOT EXISTS "
    "(SELECT 1 FROM touchpoints AS t WHERE t.source = l.source AND t.touchpoint_id = l.touchpoint_id)"
)
_FORGET_GATHERED = (
    "DELETE FROM scores WHERE contact_id IN ("
    f"SELECT s.contact_id FROM loading AS l JOIN scores AS s ON s.contact_id = l.identity WHERE {_NEW} "
    "UNION SELECT s.contact_id FROM loading AS l JOIN owner_sights AS m ON m.identity = l.identity "
    f"JOIN scores AS s ON s.contact_id = m.contact_id WHERE {_NEW})"
)


def apart(rows: Sequence[TouchpointRow]) -> tuple[Sequence[TouchpointRow], Sequence[TouchpointRow]]:
    """Return the rows that take something back, and the others."""
    words = [row for row in rows if row.kind in _WORDS]
    return words, [row for row in rows if row.kind not in _WORDS] if words else rows


def unscore(writing: Writing, words: Sequence[TouchpointRow]) -> None:
    """Forget the scores that were made after such words, which have only now been stored."""
    if words:
        writing._many(_FORGET, [(row.occurred_at, row.identity, row.identity) for row in words])


def unscore_gathered(cursor: Cursor) -> None:
    """Do the same for the words of a load, before they are stored."""
    if cursor.execute(_HAS_SCORES).fetchone()[0]:
        cursor.execute(_FORGET_GATHERED)
