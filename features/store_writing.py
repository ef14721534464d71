"""Writing to the store, whole or not at all."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Table, bindparam, delete, select, text, update
from sqlalchemy.dialects.sqlite import insert

from features import store_tables as tables
from features.row_types import (
    ContactRow,
    DecisionRow,
    LinkRow,
    OutcomeRow,
    QuarantineRow,
    RecordRow,
    ScoreRow,
    TouchpointRow,
)
from features.schema import RECORDS
from features.store_reading import Reading


def _once(table: Table, columns: Sequence[str] | None = None) -> str:
    """Insert a row, its values in the order of ``columns`` (the table's where left out), unless it is there."""
    names = columns or [column.name for column in table.c]
    values = ", ".join(f":{name}" for name in names)
    return tables.sql(text(f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({values}) ON CONFLICT DO NOTHING"))


_QUARANTINE_COLUMNS = [column.name for column in tables.QUARANTINE.c if column.name != "number"]
_TOUCHPOINT = _once(tables.TOUCHPOINTS, TouchpointRow._fields)
_LINK = _once(tables.LINKS)
_DECISION = _once(tables.DECISIONS)
_OUTCOME = _once(tables.OUTCOMES)
_SCORE = _once(tables.SCORES)
_QUARANTINED = _once(tables.QUARANTINE, _QUARANTINE_COLUMNS)

_KNOWN_DECISION = tables.sql(select(tables.DECISIONS.c.action).where(tables.DECISIONS.c.decision_id == bindparam("a")))
_ACTIVATE = tables.sql(
    update(tables.DECISIONS)
    .values(activated_at=bindparam("at"))
    .where(tables.DECISIONS.c.decision_id == bindparam("a"), tables.DECISIONS.c.activated_at.is_(None))
)
_SETTLE = tables.sql(
    update(tables.OUTCOMES).values(pending=bindparam("b")).where(tables.OUTCOMES.c.decision_id == bindparam("a"))
)
_REDIRECT = tables.sql(
    update(tables.OUTCOMES).values(decision_id=bindparam("to")).where(tables.OUTCOMES.c.decision_id == bindparam("a"))
)
_RELEASE = tables.sql(delete(tables.QUARANTINE).where(tables.QUARANTINE.c.number == bindparam("a")))
_FORGET_SCORES = tables.sql(delete(tables.SCORES))


class Writing:
    """One transaction; made by ``Store.writing``.

    Every method that stores rows says how many it stored or changed; rows that were there already are left
    alone.
    """

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self._cursor = cursor
        self.seen: Reading = _Inside(cursor)
        """What this transaction reads: the store with what it has written itself."""

    def touchpoints(self, rows: Sequence[TouchpointRow]) -> int:
        """Store touchpoints; of those with the same source and id the first is kept, for ever.

        Raises
        ------
        ValueError
            Where a row has no id.
        """
        once = {(row[14], row[2]): row for row in reversed(rows)}
        if any(key[1] is None for key in once):
            raise ValueError("a touchpoint has no touchpoint_id; give it one from features.rows.content_id")
        # In the order of the table each page is touched once a chunk instead of once a row.
        return self._many(_TOUCHPOINT, sorted(once.values(), key=_place))

    def contacts(self, rows: Sequence[ContactRow]) -> int:
        """Store traits; those of the same identity and time are merged, where the later value wins."""
        return self._merge(tables.CONTACTS, (), rows)

    def records(self, table: str, rows: Sequence[RecordRow]) -> int:
        """Store rows of one of the tables kept by key and time, merged like contacts."""
        if table not in RECORDS:
            raise ValueError(f"{table!r} is none of {', '.join(RECORDS)}")
        return self._merge(tables.RECORDS, (table,), rows)

    def links(self, rows: Sequence[LinkRow]) -> int:
        """Store links; the same two identities at the same time in the same way are one."""
        return self._many(_LINK, rows)

    def decisions(self, rows: Sequence[DecisionRow]) -> int:
        """Store decisions; the first with an id stays. Feedback that waited for them is pending no more."""
        stored = self._many(_DECISION, [_decision(row) for row in rows])
        self._cursor.executemany(_SETTLE, [(False, row.decision_id) for row in rows])
        return stored

    def outcomes(self, rows: Sequence[OutcomeRow]) -> int:
        """Store outcomes; the first with a feedback_id stays. ``pending`` is set here."""
        known = {row.decision_id: self._is_decision(row.decision_id) for row in rows}
        return self._many(_OUTCOME, [row._replace(pending=not known[row.decision_id]) for row in rows])

    def redirect_outcomes(self, decision_id: str, to: str) -> None:
        """Give the outcomes of one decision to another: the first id stands for it."""
        self._cursor.execute(_REDIRECT, (to, decision_id))

    def activate(self, decision_id: str, at: int) -> bool:
        """Say that a deferred decision was really shown; false where there is no such decision.

        Parameters
        ----------
        at
            When, in microseconds; of several times the first stays.
        """
        self._cursor.execute(_ACTIVATE, (at, decision_id))
        return self._is_decision(decision_id)

    def quarantine(self, rows: Sequence[QuarantineRow]) -> int:
        """Keep rows aside; an equal row of the same table is kept once for each time it stood in one file."""
        return self._many(_QUARANTINED, [_quarantined(row) for row in rows])

    def release(self, numbers: Iterable[int]) -> None:
        """Take rows out of the quarantine."""
        self._cursor.executemany(_RELEASE, [(number,) for number in numbers])

    def scores(self, rows: Iterable[ScoreRow]) -> int:
        """Put these scores in the place of all there were."""
        self._cursor.execute(_FORGET_SCORES)
        return self._many(_SCORE, ((r[0], r[1], r[2], r[3], _json(r[4]), r[5]) for r in rows))

    def _many(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> int:
        self._cursor.executemany(statement, rows)
        return max(self._cursor.rowcount, 0)

    def _is_decision(self, decision_id: str) -> bool:
        return self._cursor.execute(_KNOWN_DECISION, (decision_id,)).fetchone() is not None

    def _merge(self, table: Table, prefix: tuple[str, ...], rows: Sequence[RecordRow]) -> int:
        changed = 0
        read, write = _MERGES[table.name]
        bodies: dict[tuple[str, int], dict[str, object]] = {}
        written: dict[tuple[str, int], str] = {}
        for key, known_at, body in rows:
            place = (key, known_at)
            if place not in bodies:
                found = self._cursor.execute(read, (*prefix, *place)).fetchone()
                bodies[place] = orjson.loads(found[0]) if found else {}
                before = found and found[0]
            else:
                before = written.get(place) or _json(bodies[place])
            bodies[place].update(body)
            after = _json(bodies[place])
            if after != before:
                written[place] = after
                changed += 1
        self._cursor.executemany(write, [(*prefix, *place, body) for place, body in sorted(written.items())])
        return changed


class _Inside(Reading):
    """Reads through the connection that writes."""

    _where = "inside a transaction"

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self._writer = cursor

    def _cursor(self) -> sqlite3.Cursor:
        return self._writer

    def _stream(self, statement: str, parameters: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
        return iter(self._all(statement, parameters))


def _place(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return row[:3]


def _merging(table: Table) -> tuple[str, str]:
    keys = list(table.primary_key.columns)
    read = select(table.c.body).where(*(key == bindparam(f"k_{key.name}") for key in keys))
    write = insert(table).values({column.name: bindparam(column.name) for column in table.c})
    return tables.sql(read), tables.sql(
        write.on_conflict_do_update(index_elements=keys, set_={"body": write.excluded.body})
    )


_MERGES = {table.name: _merging(table) for table in (tables.CONTACTS, tables.RECORDS)}


def _json(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_SERIALIZE_NUMPY).decode()


def _json_or_none(value: object) -> str | None:
    return None if value is None else _json(value)


def _unordered(value: Mapping[str, object] | None) -> str | None:
    # The order of the chances is the order the action was drawn in: a replay needs it.
    return None if value is None else orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY).decode()


def _decision(row: DecisionRow) -> tuple[Any, ...]:
    return (
        row.decision_id,
        row.identity,
        row.decided_at,
        row.action,
        row.probability,
        _json_or_none(row.allowed),
        row.policy,
        _json_or_none(row.topics),
        _json_or_none(row.properties),
        _unordered(row.chances),
        row.mode,
        row.placement,
        row.model_version,
        _json_or_none(row.terms),
        row.key,
        row.request_hash,
        row.answer,
        row.as_of,
        row.activated_at,
        row.deferred,
        row.holdout,
        row.features_sha,
    )


def _quarantined(row: QuarantineRow) -> tuple[Any, ...]:
    content = json.dumps([row.table, row.raw, row.nth]).encode()
    fingerprint = hashlib.sha256(content).hexdigest()[:32]
    named = {
        "fingerprint": fingerprint,
        "table_name": row.table,
        "raw": row.raw,
        "reason": row.reason.encode(errors="backslashreplace").decode(),
        "rule": row.rule.encode(errors="backslashreplace").decode(),
        "refused_at": row.refused_at,
        "file": row.file.encode(errors="backslashreplace").decode(),
        "line": row.line,
        "zone": row.zone,
        "nth": row.nth,
    }
    return tuple(named[name] for name in _QUARANTINE_COLUMNS)
