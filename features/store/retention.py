"""Retention: what is older than it may be goes, a range of identities at a time, so that others write in between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from features.store.dialect import Sql
from features.store.reading import Reading
from features.store.store import Store
from features.store.writing import Writing

AT_ONCE = 500
"""Identities in one transaction."""

_IN_RANGE = "identity > :a AND identity <= :b"
_OLD_DECISIONS = "coalesce(activated_at, decided_at) < :c"


def _sql(statement: str) -> Sql:
    return Sql(text(statement))


_COUNT_DECISIONS = _sql("SELECT count(*) FROM decisions WHERE coalesce(activated_at, decided_at) < :a")
_COUNT_REFUSED = _sql("SELECT count(*) FROM quarantine WHERE refused_at < :a")
_COUNT_WAITING = _sql("SELECT count(*) FROM outcomes WHERE pending AND received_at < :a")
_OLD_KINDS = _sql("SELECT DISTINCT kind FROM touchpoints WHERE occurred_at < :a")
_REFUSED = _sql("DELETE FROM quarantine WHERE refused_at < :a")
_WAITING = _sql("DELETE FROM outcomes WHERE pending AND received_at < :a")
_DECISIONS = _sql(f"DELETE FROM decisions WHERE {_IN_RANGE} AND {_OLD_DECISIONS}")
_OUTCOMES = _sql(
    f"DELETE FROM outcomes WHERE decision_id IN (SELECT decision_id FROM decisions WHERE {_IN_RANGE} "
    f"AND {_OLD_DECISIONS})"
)
_UNPACK = _sql(f"DELETE FROM packed WHERE {_IN_RANGE}")
_NEXT = {
    table: _sql(
        f"SELECT max(identity) FROM (SELECT DISTINCT identity FROM {table} WHERE identity > :a "
        f"ORDER BY identity LIMIT {AT_ONCE}) AS part"
    )
    for table in ("touchpoints", "decisions")
}


@dataclass(frozen=True)
class Limits:
    """What is too old, in microseconds: what happened, or was refused, before each of these moments."""

    touchpoints: int
    decisions: int
    quarantine: int
    kept: tuple[str, ...] = ()
    """Kinds of touchpoints that stay however old they are."""


def old_kinds(store: Reading, before: int) -> list[str]:
    """Return the kinds of touchpoints from before a moment, as they are spelt."""
    return sorted(row[0] for row in store._all(_OLD_KINDS, (before,)))


def too_old(store: Reading, limits: Limits) -> dict[str, int]:
    """Count what would go."""
    marks, kinds = _kinds(limits)
    touchpoints = _sql(f"SELECT count(*) FROM touchpoints WHERE occurred_at < :z AND kind NOT IN ({marks})")
    return {
        "touchpoints": _number(store, touchpoints, limits.touchpoints, *kinds),
        "decisions": _number(store, _COUNT_DECISIONS, limits.decisions),
        "feedback": _number(store, _COUNT_WAITING, limits.decisions),
        "quarantine": _number(store, _COUNT_REFUSED, limits.quarantine),
    }


def forget(store: Store, limits: Limits) -> dict[str, int]:
    """Remove what is too old, and packed histories that held it; says how many rows of each kind went.

    Stopped in between, it goes on where it was the next time.
    """
    found: Counter[str] = Counter()
    marks, kinds = _kinds(limits)
    touchpoints = _sql(f"DELETE FROM touchpoints WHERE {_IN_RANGE} AND occurred_at < :c AND kind NOT IN ({marks})")
    for low, high in _ranges(store, "touchpoints"):
        with store.writing() as writing:
            gone = _removed(writing, touchpoints, low, high, limits.touchpoints, *kinds)
            found["touchpoints"] += gone
            if gone:
                _removed(writing, _UNPACK, low, high)
    for low, high in _ranges(store, "decisions"):
        with store.writing() as writing:
            found["feedback"] += _removed(writing, _OUTCOMES, low, high, limits.decisions)
            gone = _removed(writing, _DECISIONS, low, high, limits.decisions)
            found["decisions"] += gone
            if gone:
                # A packed history says which action a touchpoint's decision was about.
                _removed(writing, _UNPACK, low, high)
    with store.writing() as writing:
        found["feedback"] += _removed(writing, _WAITING, limits.decisions)
        found["quarantine"] = _removed(writing, _REFUSED, limits.quarantine)
    return {kind: found[kind] for kind in ("touchpoints", "decisions", "feedback", "quarantine")}


def _ranges(store: Reading, table: str) -> Iterator[tuple[str, str]]:
    """Return the identities of a table in order, some at a time: above one, up to another."""
    low = ""
    while (found := store._all(_NEXT[table], (low,))[0][0]) is not None:
        yield low, str(found)
        low = str(found)


def _kinds(limits: Limits) -> tuple[str, Sequence[str]]:
    kinds = limits.kept or ("",)
    return ", ".join(f":k{i}" for i in range(len(kinds))), kinds


def _number(store: Reading, statement: Sql, *parameters: Any) -> int:
    return int(store._all(statement, parameters)[0][0])


def _removed(writing: Writing, statement: Sql, *parameters: Any) -> int:
    return writing._many(statement, [parameters])
