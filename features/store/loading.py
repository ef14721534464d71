"""A long load into the store: gathered beside it while the files are read, stored in one go at the end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from typing import Any

from sqlalchemy import text

from features.rows.row_types import ContactRow, DecisionRow, LinkRow, QuarantineRow, RecordRow, ScoreRow, TouchpointRow
from features.store import late_words, tables
from features.store.dialect import Cursor, Dialect, Sql, quoted
from features.store.tombstones import of_identity
from features.store.values import QUARANTINE_COLUMNS, quarantined, scored
from features.store.writing import Writing

_ATTEMPTS = 5
_COLUMNS = TouchpointRow._fields

STORE_TOUCHPOINTS = (
    f"INSERT INTO touchpoints ({quoted(_COLUMNS)}) SELECT {quoted(_COLUMNS)} FROM loading WHERE true "
    "ORDER BY identity, occurred_at, touchpoint_id, source, n ON CONFLICT DO NOTHING"
)
_STORE_REFUSED = (
    f"INSERT INTO quarantine ({quoted(QUARANTINE_COLUMNS)}) SELECT {quoted(QUARANTINE_COLUMNS)} FROM refused "
    "WHERE true ORDER BY fingerprint, n ON CONFLICT DO NOTHING"
)
# Of rows with the same source and id the first of the load counts, wherever the order of the table puts it.
_FIRST_ONLY = "DELETE FROM loading WHERE n NOT IN (SELECT min(n) FROM loading GROUP BY source, touchpoint_id)"
_HAS_CONTACTS = "SELECT EXISTS (SELECT 1 FROM contacts)"
_HAS_REPEATS = "SELECT EXISTS (SELECT 1 FROM loading GROUP BY source, touchpoint_id HAVING count(*) > 1)"
_NAMES = "SELECT DISTINCT {} FROM {}"
_FORGET = "DELETE FROM {1} WHERE {0} = :a"
_SCORES = [column.name for column in tables.SCORES.c]
_FORGET_SCORES = "DELETE FROM scores"
_STORE_SCORES = (
    f"INSERT INTO scores ({quoted(_SCORES)}) SELECT {quoted(_SCORES)} FROM scoring WHERE true ORDER BY n "
    "ON CONFLICT DO NOTHING"
)
_UNPACK = "DELETE FROM packed WHERE identity IN (SELECT identity FROM loading)"


class Loading(Writing):
    """One load; made by ``Store.loading``.

    Touchpoints and rows for the quarantine are gathered in tables that nobody else sees, without a transaction, so
    that others write on while files are read; ``settle`` stores them. Everything else is stored at once, in a
    transaction that begins with its first row.
    """

    def __init__(self, cursor: Cursor, dialect: Dialect) -> None:
        super().__init__(cursor, dialect)
        self._has_begun = False
        self._gathered = self._refused = 0
        self._filling: ExitStack | None = None
        dialect.gathering(cursor, "loading", _COLUMNS, tables.TOUCHPOINTS)
        dialect.gathering(cursor, "refused", QUARANTINE_COLUMNS, tables.QUARANTINE)

    def touchpoints(self, rows: Sequence[TouchpointRow]) -> int:
        """Gather touchpoints; returns 0, because only ``settle`` knows how many of them are new.

        Raises
        ------
        ValueError
            Where a row has no id.
        """
        return self.touchpoint_columns(list(zip(*rows, strict=True))) if rows else 0

    def touchpoint_columns(self, columns: Sequence[Sequence[Any]]) -> int:
        """Gather touchpoints that come as the columns of ``TouchpointRow``."""
        if self.erased.among(columns[0]):
            kept = self.erased.without(list(zip(*columns, strict=True)), of_identity)
            columns = list(zip(*kept, strict=True)) if kept else [()] * len(_COLUMNS)
        n = len(columns[0])
        if None in columns[2]:
            raise ValueError("a touchpoint has no touchpoint_id; give it one from features.rows.rows.content_id")
        # Most columns of most files are empty, and each costs something for each row.
        used = {name: values for name, values in zip(_COLUMNS, columns, strict=True) if values.count(None) < n}
        if used:
            self._dialect.gather(
                self._cursor, "loading", list(used), tables.TOUCHPOINTS, zip(*used.values(), strict=True)
            )
        self._gathered += n
        return 0

    def quarantine(self, rows: Sequence[QuarantineRow]) -> int:
        """Gather rows for the quarantine; returns 0 like ``touchpoints``."""
        found = [quarantined(row) for row in self.erased.silenced(rows)]
        self._dialect.gather(self._cursor, "refused", QUARANTINE_COLUMNS, tables.QUARANTINE, found)
        self._refused += len(rows)
        return 0

    def contacts(self, rows: Sequence[ContactRow]) -> int:
        """Store traits, as ``Writing`` does."""
        self._begin()
        self._begin_to_fill()
        return super().contacts(rows)

    def records(self, table: str, rows: Sequence[RecordRow]) -> int:
        """Store rows of one of the tables kept by key and time, as ``Writing`` does."""
        self._begin()
        return super().records(table, rows)

    def links(self, rows: Sequence[LinkRow]) -> int:
        """Store links, as ``Writing`` does."""
        self._begin()
        return super().links(rows)

    def decisions(self, rows: Sequence[DecisionRow]) -> int:
        """Store decisions, as ``Writing`` does."""
        self._begin()
        return super().decisions(rows)

    def lake(self, path: str) -> None:
        """Make the touchpoints of a lake belong to this store, as ``Writing`` does."""
        self._begin()
        super().lake(path)

    def scores(self, rows: Iterable[ScoreRow]) -> int:
        """Put these scores in the place of all there were; says how many they are.

        They are gathered as well, so that others wait while they are stored and not while they are worked out.
        """
        self._dialect.gathering(self._cursor, "scoring", _SCORES, tables.SCORES)
        self._dialect.gather(self._cursor, "scoring", _SCORES, tables.SCORES, map(scored, rows))
        self._begin()
        self._forget_erased("contact_id", "scoring")
        self._count_change(tables.SCORES.name)
        self._cursor.execute(_FORGET_SCORES)
        with self._dialect.filling(self._cursor, tables.SCORES.name):
            self._cursor.execute(_STORE_SCORES)
            return self._cursor.rowcount

    def settle(self) -> int:
        """Store what was gathered; says how many touchpoints were new."""
        if not self._has_begun and not self._gathered and not self._refused:
            return 0
        for attempt in range(_ATTEMPTS):
            try:
                return self._settle()
            except self._dialect.gave_way:
                # What was gathered is still there: whoever came in between has been let through.
                if self._has_begun or attempt == _ATTEMPTS - 1:
                    raise
                self._cursor.execute("ROLLBACK")
        return 0

    def commit(self) -> None:
        """End the transaction, if one was begun."""
        if self._has_begun:
            if self._filling is not None:
                self._filling.close()
            self._cursor.execute("COMMIT")
            self._dialect.loaded(self._cursor, self._gathered)

    def _begin(self) -> None:
        if not self._has_begun:
            self._dialect.begin(self._cursor)
            self._has_begun = True
            self.erased.again()

    def _begin_to_fill(self) -> None:
        """Have what contacts are found by sorted behind them, where there were none: a load's first are its most."""
        if self._filling is not None:
            return
        self._filling = ExitStack()
        if not self._cursor.execute(_HAS_CONTACTS).fetchone()[0]:
            self._filling.enter_context(self._dialect.filling(self._cursor, tables.CONTACTS.name))

    def _settle(self) -> int:
        if not self._has_begun:
            self._dialect.begin_load(self._cursor)
        # From here on nobody is erased before this is committed.
        self.erased.again()
        if self._gathered:
            self._forget_erased("identity", "loading")
        if self._refused:
            self._cursor.execute(_STORE_REFUSED)
        stored = self._store_gathered() if self._gathered else 0
        self._has_begun = True
        return stored

    def _forget_erased(self, column: str, gathered: str) -> None:
        """Leave out who was erased while rows were gathered."""
        if self.erased.key is not None:
            names = [row[0] for row in self._cursor.execute(_NAMES.format(column, gathered)).fetchall()]
            forget = Sql(text(_FORGET.format(column, gathered)))
            self._many(forget, [(name,) for name in sorted(self.erased.among(names))])

    def _store_gathered(self) -> int:
        cursor, dialect = self._cursor, self._dialect
        late_words.unscore_gathered(cursor)
        cursor.execute("SAVEPOINT gathered")
        stored = dialect.store_gathered(cursor, STORE_TOUCHPOINTS, self._gathered)
        if stored != self._gathered and cursor.execute(_HAS_REPEATS).fetchone()[0]:
            cursor.execute("ROLLBACK TO SAVEPOINT gathered")
            cursor.execute(_FIRST_ONLY)
            stored = dialect.store_gathered(cursor, STORE_TOUCHPOINTS, self._gathered)
        if cursor.execute("SELECT EXISTS (SELECT 1 FROM packed)").fetchone()[0]:
            cursor.execute(_UNPACK)
        return max(stored, 0)
