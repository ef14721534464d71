"""Rows of the tables kept by key and time, merged with what stands in their place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Table, bindparam, select

from features.rows.row_types import RecordRow
from features.store import tables
from features.store.belonging import Bodies, Place
from features.store.dialect import Sql, once, quoted
from features.store.reading import Reading
from features.store.values import json_of


@dataclass(frozen=True, slots=True)
class Merged:
    """What is to be written, and with which statement."""

    write: Sql
    rows: list[tuple[Any, ...]]
    bodies: Bodies
    changed: int
    """How many of the rows changed something; several may lie at one place."""


def merge(seen: Reading, table: Table, prefix: tuple[str, ...], rows: Sequence[RecordRow]) -> Merged:
    """Merge rows into those of the same key and time, where the later value of an entry wins.

    Parameters
    ----------
    seen
        What the transaction reads that will write them.
    prefix
        What the table's key begins with.
    """
    read, write = _MERGES[table.name]
    before: dict[Place, str | None] = {}
    bodies: dict[Place, dict[str, object]] = {}
    after: dict[Place, str] = {}
    changed = 0
    for key, known_at, body in rows:
        place = (key, known_at)
        if place not in bodies:
            found = seen._one(read, (*prefix, *place))
            before[place] = found[0] if found else None
            bodies[place] = orjson.loads(found[0]) if found else {}
        said = after.get(place, before[place])
        bodies[place].update(body)
        says = json_of(bodies[place])
        if says != said:
            after[place] = says
            changed += 1
    written = [(*prefix, *place, body) for place, body in sorted(after.items())]
    return Merged(write, written, {place: (before[place], bodies[place]) for place in after}, changed)


def _merging(table: Table) -> tuple[Sql, Sql]:
    keys = list(table.primary_key.columns)
    read = select(table.c.body).where(*(key == bindparam(f"k_{key.name}") for key in keys))
    places = quoted(key.name for key in keys)
    return Sql(read), once(table, otherwise=f"({places}) DO UPDATE SET body = excluded.body")


_MERGES = {table.name: _merging(table) for table in (tables.CONTACTS, tables.RECORDS)}
