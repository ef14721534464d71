"""Writing to the store, whole or not at all."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import Table, bindparam, delete, select, text, update

from features.rows.row_types import (
    LOGGED_WITHIN,
    AuditRow,
    ContactRow,
    DecisionRow,
    LinkRow,
    OutcomeRow,
    QuarantineRow,
    RecordRow,
    SplitRow,
    TouchpointRow,
)
from features.rows.schema import ASSETS, RECORDS
from features.store import late_words, tables
from features.store import packing as store_packing
from features.store.belonging import Bodies, Changes, ownerships
from features.store.dialect import Cursor, Dialect, Sql, once, quoted
from features.store.inside import Inside
from features.store.merging import merge
from features.store.reading import Reading
from features.store.sight_marks import Marks
from features.store.tombstones import Erased, of_asset, of_decision, of_identity, of_outcome, of_pair
from features.store.values import QUARANTINE_COLUMNS, decided, quarantined
from features.touchpoints.touchpoints import TouchpointRules

_TOUCHPOINT = once(tables.TOUCHPOINTS, TouchpointRow._fields)
# Of links that differ in nothing but their confidence the surest stays, so that their order tells nothing.
_LINK = once(
    tables.LINKS,
    otherwise="(identity_a, identity_b, seen_at, how) DO UPDATE "
    "SET confidence = excluded.confidence, properties = excluded.properties "
    "WHERE coalesce(excluded.confidence, 1.0) > coalesce(links.confidence, 1.0)",
)
_LINK_END = once(
    tables.LINK_ENDS,
    otherwise="(identity, other, how, confidence) DO UPDATE SET seen_at = excluded.seen_at "
    "WHERE excluded.seen_at < link_ends.seen_at",
)
_SPLIT = once(tables.SPLITS)
_MESSAGE = once(tables.MESSAGES)
_CHANGE = once(tables.RECORD_CHANGES, otherwise='(table_name) DO UPDATE SET "number" = record_changes."number" + 1')
_LAKE = once(tables.LAKES)
_PACK = once(tables.PACKED, otherwise="(identity) DO UPDATE SET blob = excluded.blob")
_UNPACK = Sql(delete(tables.PACKED).where(tables.PACKED.c.identity == bindparam("a")))
_COLUMNS = [column.name for column in tables.DECISIONS.c]
_DECISION = once(tables.DECISIONS)
# The same, where nobody was ever erased and no feedback waits for it: then that is all there is to do.
_DECISION_ALONE = Sql(
    text(
        f"INSERT INTO decisions ({quoted(_COLUMNS)}) SELECT {', '.join(f':{name}' for name in _COLUMNS)} "
        "WHERE NOT EXISTS (SELECT 1 FROM tombstone_key) "
        "AND NOT EXISTS (SELECT 1 FROM outcomes WHERE decision_id = :named) ON CONFLICT DO NOTHING"
    )
)
_OUTCOME = once(tables.OUTCOMES)
_AUDIT = Sql(tables.AUDIT.insert())
_QUARANTINED = once(tables.QUARANTINE, QUARANTINE_COLUMNS)

_KNOWN_DECISION = Sql(select(tables.DECISIONS.c.action).where(tables.DECISIONS.c.decision_id == bindparam("a")))
_ACTIVATE = Sql(
    update(tables.DECISIONS)
    .values(activated_at=bindparam("at"))
    .where(tables.DECISIONS.c.decision_id == bindparam("a"), tables.DECISIONS.c.activated_at.is_(None))
)
_SETTLE = Sql(
    update(tables.OUTCOMES).values(pending=bindparam("b")).where(tables.OUTCOMES.c.decision_id == bindparam("a"))
)
_REDIRECT = Sql(
    update(tables.OUTCOMES).values(decision_id=bindparam("to")).where(tables.OUTCOMES.c.decision_id == bindparam("a"))
)
_RELEASE = Sql(delete(tables.QUARANTINE).where(tables.QUARANTINE.c.number == bindparam("a")))


class Writing:
    """One transaction; made by ``Store.writing``.

    Every method that stores rows says how many it stored or changed; rows that were there already are left
    alone.
    """

    def __init__(self, cursor: Cursor, dialect: Dialect, *, may_pack: bool = True) -> None:
        self._cursor, self._dialect = cursor, dialect
        self.may_pack = may_pack
        """Whether ``pack`` does anything: not while a load is being stored whose touchpoints cannot be seen yet."""
        self.has_changed_records = False
        """Whether rows of accounts, partners, products ... were changed."""
        self.has_late_decisions = False
        """Whether a decision was stored, or said to have been shown, later than ``LOGGED_WITHIN`` after it was."""
        self.seen: Reading = Inside(cursor, dialect)
        """What this transaction reads: the store with what it has written itself."""
        self._marks = Marks(self.seen, self._many)
        self.erased = Erased(self.seen)
        """Who was erased: their rows are refused by every method that stores rows, and not counted as stored."""

    @property
    def longest_key(self) -> int | None:
        """How many bytes of UTF-8 an identity, an id or a source may have; None where that does not matter."""
        return self._dialect.longest_key

    def touchpoints(self, rows: Sequence[TouchpointRow]) -> int:
        """Store touchpoints; of those with the same source and id the first is kept, for ever.

        Raises
        ------
        ValueError
            Where a row has no id.
        """
        once = {(row[14], row[2]): row for row in reversed(self.erased.without(rows, of_identity))}
        if any(key[1] is None for key in once):
            raise ValueError("a touchpoint has no touchpoint_id; give it one from features.rows.rows.content_id")
        # In the order of the table each page is touched once a chunk instead of once a row.
        ordered = sorted(once.values(), key=_place)
        words, others = late_words.apart(ordered)
        # One by one, because only of those that are new a score may not know.
        new = [row for row in words if self._many(_TOUCHPOINT, [row])]
        late_words.unscore(self, new)
        stored = len(new) + (self._many(_TOUCHPOINT, others) if others else 0)
        store_packing.follow(self, ordered, stored)
        return stored

    def touchpoint_columns(self, columns: Sequence[Sequence[Any]]) -> int:
        """Store touchpoints that come as the columns of ``TouchpointRow``."""
        return self.touchpoints([TouchpointRow._make(row) for row in zip(*columns, strict=True)])

    def contacts(self, rows: Sequence[ContactRow]) -> int:
        """Store traits; those of the same identity and time are merged, where the later value wins."""
        return self._merge(tables.CONTACTS, (), self.erased.without(rows, of_identity), self._marks.memberships)

    def records(self, table: str, rows: Sequence[RecordRow]) -> int:
        """Store rows of one of the tables kept by key and time, merged like contacts."""
        if table not in RECORDS:
            raise ValueError(f"{table!r} is none of {', '.join(RECORDS)}")
        rows = self.erased.without(rows, of_asset) if table == ASSETS.name else rows
        changed = self._merge(tables.RECORDS, (table,), rows, ownerships if table == ASSETS.name else _nothing)
        if changed:
            self._count_change(table)
            self._marks.by_records(table, rows)
            self.has_changed_records = True
        return changed

    def links(self, rows: Sequence[LinkRow]) -> int:
        """Store links; the same two identities at the same time in the same way are one, the surest of them."""
        rows = self.erased.without(rows, of_pair)
        stored = self._many(_LINK, rows)
        ends = sorted({end for row in rows for end in _ends(row)})
        self._marks.by_links(ends)
        self._many(_LINK_END, ends)
        return stored

    def splits(self, rows: Sequence[SplitRow]) -> int:
        """Store that pairs were split; the two names are kept in the order of their text."""
        rows = self.erased.without(rows, of_pair)
        self._marks.by_splits(rows)
        return self._many(_SPLIT, [(*sorted(row[:2]), *row[2:]) for row in rows])

    def is_new_message(self, source: str, message_id: str) -> bool:
        """Take note of a message that leaves no touchpoint; false where it was noted before, however long ago."""
        return self._many(_MESSAGE, [(source, message_id)]) == 1

    def lake(self, path: str) -> None:
        """Make the touchpoints of a lake belong to this store.

        Parameters
        ----------
        path
            The lake's folder, absolute: the store is read from other working directories too.
        """
        self._many(_LAKE, [(path,)])

    def pack(self, identity: str, blob: bytes) -> None:
        """Put down bytes for an identity, in the place of what was there.

        They must be made of what ``seen`` read in this very transaction. Nothing is put down without
        ``may_pack``.
        """
        if self.may_pack:
            self._many(_PACK, [(identity, blob)])

    def repack(self, identity: str, rules: TouchpointRules) -> bool:
        """Pack an identity's history as it stands, to be read under these rules; says whether it is worth it."""
        return self.may_pack and store_packing.put(self, identity, rules)

    def unpack_all(self, identities: Iterable[str]) -> None:
        """Forget what ``pack`` put down for these identities."""
        self._many(_UNPACK, [(identity,) for identity in identities])

    def decisions(self, rows: Sequence[DecisionRow]) -> int:
        """Store decisions; the first with an id stays. Feedback that waited for them is pending no more."""
        rows = self.erased.without(rows, of_decision)
        self._note(min((row.decided_at for row in rows), default=None))
        stored = self._many(_DECISION, [decided(row) for row in rows])
        self._many(_SETTLE, [(False, row.decision_id) for row in rows])
        return stored

    def decision(self, row: DecisionRow) -> int | None:
        """Store a decision, as ``decisions`` does.

        Returns
        -------
        int or None
            How many pieces of feedback waited for it; None where it was not stored.
        """
        values = decided(row)
        if not self.erased.has_key and self._many(_DECISION_ALONE, ((*values, row.decision_id),)):
            self._note(row.decided_at)
            return 0
        if not self.erased.without((row,), of_decision) or not self._many(_DECISION, (values,)):
            return None
        self._note(row.decided_at)
        return self._many(_SETTLE, ((False, row.decision_id),))

    def outcomes(self, rows: Sequence[OutcomeRow]) -> int:
        """Store outcomes; the first with a feedback_id stays. ``pending`` is set here."""
        rows = self.erased.without(rows, of_outcome)
        known = {row.decision_id: self._is_decision(row.decision_id) for row in rows}
        return self._many(_OUTCOME, [row._replace(pending=not known[row.decision_id]) for row in rows])

    def redirect_outcomes(self, decision_id: str, to: str) -> None:
        """Give the outcomes of one decision to another: the first id stands for it."""
        self._cursor.execute(self._dialect.text(_REDIRECT), (to, decision_id))

    def activate(self, decision_id: str, at: int) -> bool:
        """Say that a deferred decision was really shown; false where there is no such decision.

        Parameters
        ----------
        at
            When, in microseconds; of several times the first stays.
        """
        self._cursor.execute(self._dialect.text(_ACTIVATE), (at, decision_id))
        self._note(at)
        return self._is_decision(decision_id)

    def quarantine(self, rows: Sequence[QuarantineRow]) -> int:
        """Keep rows aside; an equal row of the same table is kept once for each time it stood in one file."""
        return self._many(_QUARANTINED, [quarantined(row) for row in self.erased.silenced(rows)])

    def audit(self, row: AuditRow) -> None:
        """Append to the audit log; made by ``features.store.audit.append``, which chains it."""
        self._cursor.execute(self._dialect.text(_AUDIT), row)

    def release(self, numbers: Iterable[int]) -> None:
        """Take rows out of the quarantine."""
        self._many(_RELEASE, [(number,) for number in numbers])

    def _note(self, taken_at: int | None) -> None:
        if taken_at is not None and taken_at < time.time_ns() // 1_000 - LOGGED_WITHIN:
            self.has_late_decisions = True

    def _many(self, statement: Sql, rows: Iterable[tuple[Any, ...]]) -> int:
        """Run a statement for each row; says how many rows it wrote."""
        text = self._dialect.text(statement)
        if isinstance(rows, list | tuple) and len(rows) == 1:
            # For many, a server's driver makes ready what one row does not need.
            self._cursor.execute(text, rows[0])
        else:
            self._cursor.executemany(text, rows)
        return max(self._cursor.rowcount, 0)

    def _count_change(self, table: str) -> None:
        """Let whoever keeps a table in memory see that it is old."""
        self._many(_CHANGE, [(table, 1)])

    def _is_decision(self, decision_id: str) -> bool:
        return self.seen._one(_KNOWN_DECISION, (decision_id,)) is not None

    def _merge(
        self, table: Table, prefix: tuple[str, ...], rows: Sequence[RecordRow], follow: Callable[[Bodies], Changes]
    ) -> int:
        found = merge(self.seen, table, prefix, rows)
        self._many(found.write, found.rows)
        for statement, places in follow(found.bodies):
            self._many(statement, places)
        return found.changed


def _nothing(changed: Bodies) -> Changes:
    return ()


def _place(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return row[:3]


def _ends(link: LinkRow) -> list[tuple[str, str, str, float, int]]:
    a, b, seen_at, how, confidence = link[:5]
    sure = 1.0 if confidence is None else confidence
    return [] if a == b else [(a, b, how, sure, seen_at), (b, a, how, sure, seen_at)]
