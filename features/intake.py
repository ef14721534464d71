"""Taking rows into the store: judge, name and store the good ones, say why the others are refused."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from features.cells import RowError
from features.columns import TouchpointColumns
from features.occurrences import Occurrences
from features.row_types import DecisionRow, LinkRow, RecordRow, TouchpointRow
from features.rows import content_digest, content_id, decision_row, link_row, record_row
from features.schema import DECISIONS, LINKS, RECORDS, TOUCHPOINTS, Table
from features.store import Writing
from features.touchpoints import TouchpointRules

# Stored in the order of the table: the more rows at a time, the more of them share a page.
HELD_ROWS = 2**17


class Intake:
    """Judges the rows of one file and stores the good ones."""

    def __init__(
        self, spec: Table, writing: Writing, *, now_us: int, zone: ZoneInfo | None, rules: TouchpointRules
    ) -> None:
        self.spec, self.writing = spec, writing
        self._now_us, self._zone, self._rules = now_us, zone, rules
        self._seen = Occurrences()

    def take(self, columns: Mapping[str, Sequence[Any]], n: int) -> tuple[int, dict[int, RowError]]:
        """Store a chunk or hold it back; says how many rows were new, and why which were refused."""
        good: list[Any] = []
        bad: dict[int, RowError] = {}
        for i in range(n):
            try:
                good.append(self._row({name: values[i] for name, values in columns.items()}))
            except RowError as error:
                bad[i] = error
        return self._store(good), bad

    def finish(self) -> int:
        """Store what has been held back; says how many rows were new."""
        return 0

    def _row(self, raw: Mapping[str, object]) -> Any:
        raise NotImplementedError

    def _store(self, rows: list[Any]) -> int:
        raise NotImplementedError


class _Touchpoints(Intake):
    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._columns = TouchpointColumns(now_us=self._now_us, zone=self._zone, rules=self._rules)
        self._held: list[TouchpointRow] = []

    def take(self, columns: Mapping[str, Sequence[Any]], n: int) -> tuple[int, dict[int, RowError]]:
        good: list[TouchpointRow] = []
        bad: dict[int, RowError] = {}
        for i, row in enumerate(self._columns.rows(columns, n)):
            if isinstance(row, RowError):
                bad[i] = row
            else:
                good.append(row)
        return self._store(good), bad

    def _store(self, rows: list[TouchpointRow]) -> int:
        nameless = [i for i, row in enumerate(rows) if row[2] is None]
        digests = [content_digest(rows[i]) for i in nameless]
        for i, digest, nth in zip(nameless, digests, self._seen.nth_of(digests), strict=True):
            rows[i] = rows[i]._replace(touchpoint_id=content_id(digest, nth))
        self._held += rows
        return self.finish() if len(self._held) >= HELD_ROWS else 0

    def finish(self) -> int:
        held, self._held = self._held, []
        return self.writing.touchpoints(held) if held else 0


class _Decisions(Intake):
    def _row(self, raw: Mapping[str, object]) -> DecisionRow:
        return decision_row(raw, now_us=self._now_us, zone=self._zone)

    def _store(self, rows: list[DecisionRow]) -> int:
        nameless = [i for i, row in enumerate(rows) if not row.decision_id]
        digests = [hashlib.sha256(orjson.dumps(rows[i], option=orjson.OPT_SORT_KEYS)).digest() for i in nameless]
        for i, digest, nth in zip(nameless, digests, self._seen.nth_of(digests), strict=True):
            rows[i] = replace(rows[i], decision_id=content_id(digest, nth))
        return self.writing.decisions(rows)


class _Links(Intake):
    def _row(self, raw: Mapping[str, object]) -> LinkRow:
        return link_row(raw, now_us=self._now_us, zone=self._zone)

    def _store(self, rows: list[LinkRow]) -> int:
        return self.writing.links(rows)


class _Records(Intake):
    def _row(self, raw: Mapping[str, object]) -> RecordRow:
        return record_row(self.spec.name, raw, now_us=self._now_us, zone=self._zone)

    def _store(self, rows: list[RecordRow]) -> int:
        if self.spec.name in RECORDS:
            return self.writing.records(self.spec.name, rows)
        return self.writing.contacts(rows)


_BY_TABLE: Mapping[str, type[Intake]] = {
    TOUCHPOINTS.name: _Touchpoints,
    DECISIONS.name: _Decisions,
    LINKS.name: _Links,
}


def intake_for(table: Table, writing: Writing, *, now_us: int, zone: ZoneInfo | None, rules: TouchpointRules) -> Intake:
    """Make the intake of one file's rows into a table; equal rows without an id are counted within it."""
    return _BY_TABLE.get(table.name, _Records)(table, writing, now_us=now_us, zone=zone, rules=rules)
