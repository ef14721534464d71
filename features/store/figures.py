"""What was counted over everybody as of a moment, as the store keeps it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
from sqlalchemy import bindparam, select, text

from features.rows.row_types import FigureRow
from features.store import tables
from features.store.dialect import Sql, once
from features.store.reading import Reading
from features.store.writing import Writing

_F = tables.FIGURES.c
_OF = Sql(
    select(tables.FIGURES)
    .where(_F.name == bindparam("a"), _F.at >= bindparam("b"), _F.at < bindparam("c"))
    .order_by(_F.at)
)
_LATEST = Sql(text("SELECT name, at, body FROM figures WHERE name = :a AND at < :b ORDER BY at DESC LIMIT 1"))
_KEEP = once(tables.FIGURES, otherwise="(name, at) DO UPDATE SET body = excluded.body")


def store_figures(writing: Writing, rows: Iterable[FigureRow]) -> None:
    """Keep what was counted, in the place of what was counted under the same name as of the same moment."""
    writing._many(_KEEP, [(row.name, row.at, orjson.dumps(dict(row.body)).decode()) for row in rows])


def figures_of(reading: Reading, name: str, since: int, until: int) -> list[FigureRow]:
    """Return what was counted under a name as of moments in ``[since, until)``, by rising time."""
    return [_figure(row) for row in reading._all(_OF, (name, since, until))]


def latest_figure(reading: Reading, name: str, before: int) -> FigureRow | None:
    """Return what was counted last under a name, as of a moment before ``before``."""
    found = reading._one(_LATEST, (name, before))
    return None if found is None else _figure(found)


def _figure(row: tuple[Any, ...]) -> FigureRow:
    name, at, body = row
    return FigureRow(name, at, orjson.loads(body))
