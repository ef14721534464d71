"""How much each part of a store holds, counted no further than is asked for, so that a full store answers at once."""

from __future__ import annotations

from sqlalchemy import text

from features.store.dialect import Sql
from features.store.reading import Reading

_PARTS = {
    "touchpoints": "SELECT 1 FROM touchpoints",
    "contacts": "SELECT DISTINCT identity FROM contacts",
    "asked": "SELECT 1 FROM decisions WHERE chances IS NOT NULL",
    "feedback": "SELECT 1 FROM outcomes",
    "scores": "SELECT 1 FROM scores",
    "links": "SELECT 1 FROM link_ends",
}


def _count(rows: str) -> Sql:
    return Sql(text(f"SELECT count(*) FROM ({rows} LIMIT :a) AS found"))


_COUNTS = {name: _count(rows) for name, rows in _PARTS.items()}
_DECISIONS = _count("SELECT 1 FROM decisions")


def filled(reading: Reading, most: int) -> dict[str, int | None]:
    """Count rows of each part, ``most`` at most.

    Returns
    -------
    dict
        ``touchpoints``, ``contacts`` of which something is known, ``asked``: decisions that this service made,
        ``loaded``: the others (None where ours are too many), ``feedback``, ``scores``, ``links`` by their ends.

    Raises
    ------
    StoreError
        Where the store cannot be read.
    """
    found: dict[str, int | None] = {name: _counted(reading, statement, most) for name, statement in _COUNTS.items()}
    asked = found["asked"] or 0
    found["loaded"] = _counted(reading, _DECISIONS, asked + most) - asked if asked < most else None
    return found


def _counted(reading: Reading, statement: Sql, most: int) -> int:
    return int(reading._all(statement, (most,))[0][0])
