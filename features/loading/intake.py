"""Taking rows into the store: judge, name and store the good ones, say why the others are refused."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import compress
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import orjson

from features.rows.cells import RowError
from features.rows.columns import TouchpointColumns
from features.rows.occurrences import Occurrences
from features.rows.row_types import DecisionRow, LinkRow, RecordRow, TouchpointRow
from features.rows.rows import content_digest, content_id, decision_row, link_row, record_row
from features.rows.schema import ASSETS, DECISIONS, LINKS, RECORDS, TOUCHPOINTS, Table
from features.store.store import Writing
from features.store.tombstones import REFUSED, of_asset, of_decision, of_identity, of_pair
from features.touchpoints.touchpoints import TouchpointRules

if TYPE_CHECKING:
    from features.lake.writing import Appending

_KEYS = ("identity", "touchpoint_id", "source")
_ID = TouchpointRow._fields.index("touchpoint_id")


class Intake:
    """Judges the rows of one file and stores the good ones."""

    def __init__(
        self,
        spec: Table,
        writing: Writing,
        *,
        now_us: int,
        zone: ZoneInfo | None,
        rules: TouchpointRules,
        lake: Appending | None = None,
    ) -> None:
        self.spec, self.writing, self._lake = spec, writing, lake
        self._now_us, self._zone, self._rules = now_us, zone, rules
        self._seen = Occurrences()

    def take(self, columns: Mapping[str, Sequence[Any]], n: int) -> tuple[int, dict[int, RowError]]:
        """Store a chunk or hold it back; says how many rows were new, and why which were refused."""
        good: dict[int, Any] = {}
        bad: dict[int, RowError] = {}
        for i in range(n):
            try:
                good[i] = self._row({name: values[i] for name, values in columns.items()})
            except RowError as error:
                bad[i] = error
        gone = self.writing.erased.among(name for row in good.values() for name in self._names(row))
        if gone:
            bad |= {i: ErasedError() for i, row in good.items() if not gone.isdisjoint(self._names(row))}
        return self._store([row for i, row in good.items() if i not in bad]), bad

    def finish(self) -> int:
        """Store what has been held back; says how many rows were new."""
        return 0

    def _row(self, raw: Mapping[str, object]) -> Any:
        raise NotImplementedError  # not abstract: touchpoints come by columns, in a ``take`` that asks for no row

    def _store(self, rows: list[Any]) -> int:
        raise NotImplementedError  # as with ``_row``

    def _names(self, row: Any) -> Sequence[str]:
        """Return whom a row is about."""
        return of_identity(row)


class ErasedError(RowError):
    """A row about somebody who was erased: nothing of it may be kept."""

    def __init__(self) -> None:
        super().__init__("identity", None, REFUSED)


class _Touchpoints(Intake):
    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._columns = TouchpointColumns(now_us=self._now_us, zone=self._zone, rules=self._rules)

    def take(self, columns: Mapping[str, Sequence[Any]], n: int) -> tuple[int, dict[int, RowError]]:
        found, bad = self._columns.read(columns, n)
        if self._lake is None and self.writing.longest_key is not None:
            found, bad = _short_keys(found, bad, self.writing.longest_key)
        gone = self.writing.erased.among(found[0])
        if gone:
            found, bad = _without(found, bad, {at: ErasedError() for at, name in enumerate(found[0]) if name in gone})
        if None in found[_ID]:
            found[_ID] = self._named(found)
        if self._lake is not None:
            self._lake.touchpoints(list(map(TouchpointRow._make, zip(*found, strict=True))))
            return 0, bad
        return (self.writing if self._lake is None else self._lake).touchpoint_columns(found), bad

    def _named(self, found: Sequence[Sequence[Any]]) -> list[str]:
        """Ids of rows, made of what they say where they have none."""
        nameless = [name is None for name in found[_ID]]
        digests = [content_digest(row) for row in compress(zip(*found, strict=True), nameless)]
        made = map(content_id, digests, self._seen.nth_of(digests))
        return [next(made) if name is None else name for name in found[_ID]]


def _short_keys(
    found: list[Sequence[Any]], bad: dict[int, RowError], longest: int
) -> tuple[list[Sequence[Any]], dict[int, RowError]]:
    """Refuse rows whose keys the store cannot look up by."""
    long: dict[int, RowError] = {}
    for name in _KEYS:
        values = found[TouchpointRow._fields.index(name)]
        # One character has at most four bytes, and hardly any key is long.
        for at, value in enumerate(values):
            if value is not None and len(value) * 4 > longest and len(value.encode()) > longest:
                long[at] = RowError(name, value, f"is longer than {longest} bytes; shorten it")
    return _without(found, bad, long)


def _without(
    found: list[Sequence[Any]], bad: dict[int, RowError], refused: Mapping[int, RowError]
) -> tuple[list[Sequence[Any]], dict[int, RowError]]:
    """Leave out more of the good rows; these are numbered among them, all others in the chunk."""
    if not refused:
        return found, bad
    places = [i for i in range(len(found[0]) + len(bad)) if i not in bad]
    kept = [at not in refused for at in range(len(found[0]))]
    return [list(compress(values, kept)) for values in found], bad | {places[at]: why for at, why in refused.items()}


class _Decisions(Intake):
    def _row(self, raw: Mapping[str, object]) -> DecisionRow:
        return decision_row(raw, now_us=self._now_us, zone=self._zone)

    def _store(self, rows: list[DecisionRow]) -> int:
        nameless = [i for i, row in enumerate(rows) if not row.decision_id]
        digests = [hashlib.sha256(orjson.dumps(rows[i], option=orjson.OPT_SORT_KEYS)).digest() for i in nameless]
        for i, digest, nth in zip(nameless, digests, self._seen.nth_of(digests), strict=True):
            rows[i] = replace(rows[i], decision_id=content_id(digest, nth))
        return self.writing.decisions(rows)

    def _names(self, row: DecisionRow) -> Sequence[str]:
        return of_decision(row)


class _Links(Intake):
    def _row(self, raw: Mapping[str, object]) -> LinkRow:
        return link_row(raw, now_us=self._now_us, zone=self._zone)

    def _store(self, rows: list[LinkRow]) -> int:
        return self.writing.links(rows)

    def _names(self, row: LinkRow) -> Sequence[str]:
        return of_pair(row)


class _Records(Intake):
    def _row(self, raw: Mapping[str, object]) -> RecordRow:
        return record_row(self.spec.name, raw, now_us=self._now_us, zone=self._zone)

    def _store(self, rows: list[RecordRow]) -> int:
        if self.spec.name in RECORDS:
            return self.writing.records(self.spec.name, rows)
        return self.writing.contacts(rows)

    def _names(self, row: RecordRow) -> Sequence[str]:
        if self.spec.name == ASSETS.name:
            return of_asset(row)
        return () if self.spec.name in RECORDS else of_identity(row)


_BY_TABLE: Mapping[str, type[Intake]] = {
    TOUCHPOINTS.name: _Touchpoints,
    DECISIONS.name: _Decisions,
    LINKS.name: _Links,
}


def intake_for(
    table: Table,
    writing: Writing,
    *,
    now_us: int,
    zone: ZoneInfo | None,
    rules: TouchpointRules,
    lake: Appending | None = None,
) -> Intake:
    """Make the intake of one file's rows into a table; equal rows without an id are counted within it.

    Parameters
    ----------
    lake
        Takes the touchpoints in the store's place.
    """
    return _BY_TABLE.get(table.name, _Records)(table, writing, now_us=now_us, zone=zone, rules=rules, lake=lake)
