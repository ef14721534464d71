"""Reading from the store; the only place where history is cut: strictly before a moment."""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import orjson
from sqlalchemy import Select, Table, bindparam, distinct, exists, func, select

from features import store_tables as tables
from features.row_types import DecisionRow, LinkRow, OutcomeRow, QuarantineRow, RecordRow, ScoreRow
from features.store_tables import sentences, sql
from features.times import ALWAYS
from features.touchpoints import TouchpointTuple

_T, _C, _R, _L = tables.TOUCHPOINTS.c, tables.CONTACTS.c, tables.RECORDS.c, tables.LINKS.c
_D, _O, _S, _Q = tables.DECISIONS.c, tables.OUTCOMES.c, tables.SCORES.c, tables.QUARANTINE.c
_EVER = 2**63 - 1


def _touchpoints() -> Select[Any]:
    columns: list[Any] = [c for c in tables.TOUCHPOINTS.c if c.name not in ("action", "source")]
    # A touchpoint that names a decision is about the decision's action, whichever of the two came first.
    columns.insert(12, func.coalesce(_T.action, _D.action))
    return (
        select(*columns)
        .select_from(tables.TOUCHPOINTS.outerjoin(tables.DECISIONS, _D.decision_id == _T.decision_id))
        .order_by(_T.identity, _T.occurred_at, _T.touchpoint_id, _T.source)
    )


_HISTORY = sql(_touchpoints().where(_T.identity == bindparam("a"), _T.occurred_at < bindparam("b")))
_TOUCHPOINTS = sql(_touchpoints().where(_T.occurred_at < bindparam("a")))
_ALL_TOUCHPOINTS = sql(_touchpoints())
_TRAITS = sql(select(_C.body).where(_C.identity == bindparam("a"), _C.known_at < bindparam("b")).order_by(_C.known_at))
_CHANGED = sql(select(func.max(_C.known_at)).where(_C.identity == bindparam("a"), _C.known_at < bindparam("b")))
_CONTACTS = sql(select(*tables.CONTACTS.c).where(_C.known_at < bindparam("a")).order_by(_C.identity, _C.known_at))
_RECORD = sql(
    select(_R.body)
    .where(_R.table_name == bindparam("a"), _R.key == bindparam("b"), _R.known_at < bindparam("c"))
    .order_by(_R.known_at)
)
_RECORDS = sql(
    select(_R.key, _R.known_at, _R.body)
    .where(_R.table_name == bindparam("a"), _R.known_at < bindparam("b"))
    .order_by(_R.key, _R.known_at)
)
_LINKS = sql(
    select(*tables.LINKS.c).where(_L.seen_at < bindparam("a")).order_by(_L.identity_a, _L.identity_b, _L.seen_at)
)
_DECISION = sql(select(*tables.DECISIONS.c).where(_D.decision_id == bindparam("a")))
_DECISIONS = sql(
    select(*tables.DECISIONS.c)
    .where(_D.decided_at < bindparam("a"))
    .order_by(_D.identity, _D.decided_at, _D.decision_id)
)
_DECISIONS_OF = sql(
    select(*tables.DECISIONS.c)
    .where(
        _D.identity == bindparam("a"),
        _D.decided_at < bindparam("b"),
        # A deferred decision counts from when it was shown.
        func.coalesce(_D.activated_at, _D.decided_at) >= bindparam("c"),
    )
    .order_by(_D.identity, _D.decided_at, _D.decision_id)
)
_OUTCOMES = sql(
    select(*tables.OUTCOMES.c)
    .where(_O.received_at < bindparam("a"), _O.occurred_at < bindparam("b"))
    .order_by(_O.decision_id, _O.occurred_at, _O.feedback_id)
)
_OUTCOMES_OF = sql(
    select(*tables.OUTCOMES.c).where(_O.decision_id == bindparam("a")).order_by(_O.occurred_at, _O.feedback_id)
)
_SCORE = sql(select(*tables.SCORES.c).where(_S.contact_id == bindparam("a")))
_SCORES = sql(select(*tables.SCORES.c).order_by(_S.contact_id))
_QUARANTINED = sql(select(*tables.QUARANTINE.c).order_by(_Q.file, _Q.line, _Q.number))
_LATEST = sql(select(func.max(_T.occurred_at)).where(_T.occurred_at < bindparam("a")))
_EARLIEST = sql(select(func.min(_T.occurred_at)))
_IS_KNOWN = sql(select(exists().where(_T.identity == bindparam("a"))))


def _count(table: Table) -> str:
    return sql(select(func.count()).select_from(table))


_COUNTS = {
    "touchpoints": _count(tables.TOUCHPOINTS),
    "contacts": sql(select(func.count(distinct(_T.identity)))),
    "quarantined": _count(tables.QUARANTINE),
    "decisions": _count(tables.DECISIONS),
}


class Reading(ABC):
    """What can be read; times are microseconds, and ``before`` is exclusive everywhere."""

    _where: str

    @abstractmethod
    def _cursor(self) -> sqlite3.Cursor:
        """Return this thread's own cursor, for short reads."""

    @abstractmethod
    def _stream(self, statement: str, parameters: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
        """Rows of a statement as they are asked for, all from one moment."""

    def _all(self, statement: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        with sentences(self._where):
            return self._cursor().execute(statement, parameters).fetchall()

    def _one(self, statement: str, parameters: tuple[Any, ...] = ()) -> tuple[Any, ...] | None:
        found = self._all(statement, parameters)
        return found[0] if found else None

    def history(self, identity: str, before: int) -> list[TouchpointTuple]:
        """One contact's touchpoints in the order of ``Touchpoints.from_rows``."""
        return self._all(_HISTORY, (identity, before))

    def touchpoint_rows(self, before: int | None = None) -> Iterator[TouchpointTuple]:
        """Everybody's touchpoints in (identity, occurred_at, touchpoint_id) order, as they are asked for."""
        if before is None:
            return self._stream(_ALL_TOUCHPOINTS, ())
        return self._stream(_TOUCHPOINTS, (before,))

    def has_touchpoints(self, identity: str) -> bool:
        """Whether anything ever happened under an identity."""
        return bool(self._all(_IS_KNOWN, (identity,))[0][0])

    def traits(self, identity: str, before: int) -> dict[str, object]:
        """Return the latest known value of every column of ``contacts``, the account's and person's too."""
        return _merged(self._all(_TRAITS, (identity, before)))

    def traits_changed_at(self, identity: str, before: int) -> int | None:
        """When a contact's traits last became known; None where no row of it says when."""
        found = self._all(_CHANGED, (identity, before))[0][0]
        return None if found is None or found == ALWAYS else int(found)

    def contact_rows(self, before: int | None = None) -> Iterator[RecordRow]:
        """Traits as they became known, by identity and time; ``known_at`` is ALWAYS where none was given."""
        for identity, known_at, body in self._stream(_CONTACTS, (_ever(before),)):
            yield RecordRow(identity, known_at, orjson.loads(body))

    def record(self, table: str, key: str, before: int) -> dict[str, object]:
        """Return the latest known values of one account, partner, product ..."""
        return _merged(self._all(_RECORD, (table, key, before)))

    def record_rows(self, table: str, before: int | None = None) -> Iterator[RecordRow]:
        """Rows of accounts, partners, products ... as they became known, by key and time."""
        for key, known_at, body in self._stream(_RECORDS, (table, _ever(before))):
            yield RecordRow(key, known_at, orjson.loads(body))

    def link_rows(self, before: int | None = None) -> Iterator[LinkRow]:
        """Links that had been seen."""
        return map(LinkRow._make, self._stream(_LINKS, (_ever(before),)))

    def decision(self, decision_id: str) -> DecisionRow | None:
        """One decision, or None where it is not known."""
        found = self._one(_DECISION, (decision_id,))
        return _decision(found) if found else None

    def decision_rows(self, before: int | None = None) -> Iterator[DecisionRow]:
        """Everybody's decisions by identity and time."""
        return map(_decision, self._stream(_DECISIONS, (_ever(before),)))

    def decisions_of(self, identity: str, before: int, since: int = ALWAYS) -> list[DecisionRow]:
        """One contact's decisions before ``before`` by time, those made or activated at ``since`` or later."""
        return [_decision(row) for row in self._all(_DECISIONS_OF, (identity, before, since))]

    def outcome_rows(self, before: int | None = None) -> Iterator[OutcomeRow]:
        """Outcomes that had happened and had been received, by decision and time; the pending ones too."""
        return map(_outcome, self._stream(_OUTCOMES, (_ever(before), _ever(before))))

    def outcomes_of(self, decision_id: str) -> list[OutcomeRow]:
        """One decision's outcomes by time."""
        return [_outcome(row) for row in self._all(_OUTCOMES_OF, (decision_id,))]

    def scores_of(self, identity: str) -> ScoreRow | None:
        """Return what the last ``nba score`` found for a contact."""
        found = self._one(_SCORE, (identity,))
        return _score(found) if found else None

    def score_rows(self) -> Iterator[ScoreRow]:
        """Return what the last ``nba score`` found, by contact."""
        return map(_score, self._stream(_SCORES, ()))

    def quarantine_rows(self) -> Iterator[QuarantineRow]:
        """Return what was refused, by file and line."""
        return map(_quarantined, self._stream(_QUARANTINED, ()))

    def counts(self) -> dict[str, int]:
        """How many touchpoints, contacts with touchpoints, quarantined rows and decisions there are."""
        return {name: self._all(statement)[0][0] for name, statement in _COUNTS.items()}

    def first_touchpoint_at(self) -> int | None:
        """When the records begin."""
        found = self._all(_EARLIEST)[0][0]
        return None if found is None else int(found)

    def last_touchpoint_at(self, before: int | None = None) -> int | None:
        """When the last touchpoint happened."""
        found = self._all(_LATEST, (_ever(before),))[0][0]
        return None if found is None else int(found)


def _ever(before: int | None) -> int:
    return _EVER if before is None else before


def _merged(rows: list[tuple[Any, ...]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for (body,) in rows:
        found.update(orjson.loads(body))
    return found


def _loads(text: str | None) -> Any:
    return None if text is None else orjson.loads(text)


def _tuple(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(orjson.loads(text))


def _decision(row: tuple[Any, ...]) -> DecisionRow:
    named = dict(zip(tables.DECISIONS.c.keys(), row, strict=True))
    for name in ("allowed", "topics"):
        named[name] = _tuple(named[name])
    for name in ("properties", "chances", "terms"):
        named[name] = _loads(named[name])
    for name in ("deferred", "holdout"):
        named[name] = bool(named[name])
    return DecisionRow(**named)


def _outcome(row: tuple[Any, ...]) -> OutcomeRow:
    return OutcomeRow._make((*row[:-1], bool(row[-1])))


def _score(row: tuple[Any, ...]) -> ScoreRow:
    return ScoreRow._make((*row[:4], orjson.loads(row[4]), row[5]))


def _quarantined(row: tuple[Any, ...]) -> QuarantineRow:
    named = dict(zip(tables.QUARANTINE.c.keys(), row, strict=True))
    named.pop("fingerprint")
    return QuarantineRow(table=named.pop("table_name"), **named)
