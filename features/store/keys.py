"""Keys of the HTTP service as the store keeps them: who they are for and what they may do, never the key itself."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import bindparam, select, update

from features.rows.row_types import KeyRow
from features.store import tables
from features.store.dialect import Sql, once
from features.store.reading import Reading
from features.store.writing import Writing

_ALL = Sql(select(tables.KEYS).order_by(tables.KEYS.c.created_at, tables.KEYS.c.key_id))
_KEY = once(tables.KEYS)
_END = Sql(
    update(tables.KEYS)
    .values(revoked_at=bindparam("at"))
    .where(tables.KEYS.c.key_id == bindparam("a"), tables.KEYS.c.revoked_at.is_(None))
)


def stored_keys(reading: Reading) -> list[KeyRow]:
    """Return every key there ever was, oldest first, revoked and expired ones too."""
    return [_key(row) for row in reading._all(_ALL)]


def store_key(writing: Writing, row: KeyRow) -> bool:
    """Store a key; says whether it is new."""
    lists = (3, 7)
    values = tuple(orjson.dumps(cell).decode() if i in lists else cell for i, cell in enumerate(row))
    return writing._many(_KEY, [values]) == 1


def revoke_key(writing: Writing, key_id: str, at: int) -> bool:
    """End a key at a moment; false where there is none that could be ended."""
    return writing._many(_END, [(at, key_id)]) == 1


def _key(row: tuple[Any, ...]) -> KeyRow:
    said = KeyRow._make(row)
    return said._replace(
        scopes=tuple(orjson.loads(row[3])), origins=tuple(orjson.loads(row[7])), public=bool(said.public)
    )
