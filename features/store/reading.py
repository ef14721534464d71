"""Reading from the store; the only place where history is cut: strictly before a moment."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from features.rows.row_types import (
    AuditRow,
    DecisionRow,
    LinkRow,
    OutcomeRow,
    QuarantineRow,
    RecordRow,
    ScoreRow,
    SplitRow,
)
from features.store import packing as store_packing
from features.store import selects, tables
from features.store.dialect import Dialect, Sql
from features.store.together import Together
from features.store.values import decision_of, score_of
from features.times import ALWAYS
from features.touchpoints.touchpoints import TouchpointRules, Touchpoints, TouchpointTuple

_EVER = 2**63 - 1


class Reading(ABC):
    """What can be read; times are microseconds, and ``before`` is exclusive everywhere."""

    _dialect: Dialect

    @abstractmethod
    def _all(self, statement: Sql | str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Every row of a short statement."""

    @abstractmethod
    def _stream(self, statement: Sql, parameters: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
        """Rows of a statement as they are asked for, all from one moment."""

    def parts(self, statement: Together, named: Mapping[str, Any]) -> list[list[tuple[Any, ...]]]:
        """Every row of each part of a statement, in no order that could be told."""
        return statement.apart(self._all(statement, statement.parameters(self._dialect, named)))

    def _one(self, statement: Sql, parameters: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        found = self._all(statement, parameters)
        return found[0] if found else None

    def history(self, identity: str, before: int) -> list[TouchpointTuple]:
        """One contact's touchpoints in the order of ``Touchpoints.from_rows``."""
        return self._all(selects.HISTORY, (identity, before))

    def touchpoints(
        self, identity: str, before: int, rules: TouchpointRules, packed: bytes | None = None
    ) -> Touchpoints:
        """One identity's touchpoints as columns, from its packed history where there is one.

        Parameters
        ----------
        packed
            What ``packed`` returned for it, empty for nothing; None: it is read.
        """
        blob = self.packed(identity) if packed is None else packed
        return store_packing.touchpoints(self, identity, before, rules, blob)

    @abstractmethod
    def wants_packing(self, identity: str, rules: TouchpointRules) -> None:
        """Take note of an identity that would have been read faster from a packed history."""

    def touchpoint_rows(self, before: int | None = None) -> Iterator[TouchpointTuple]:
        """Everybody's touchpoints in (identity, occurred_at, touchpoint_id) order, as they are asked for."""
        if before is None:
            return self._stream(selects.ALL_TOUCHPOINTS, ())
        return self._stream(selects.TOUCHPOINTS, (before,))

    def has_touchpoints(self, identity: str) -> bool:
        """Whether anything ever happened under an identity."""
        return bool(self._all(selects.IS_KNOWN, (identity,))[0][0])

    def traits(self, identity: str, before: int) -> dict[str, object]:
        """Return the latest known value of every column of ``contacts``, the account's and person's too."""
        return _merged(self._all(selects.TRAITS, (identity, before)))

    def traits_of(self, identity: str, before: int) -> list[RecordRow]:
        """One identity's traits as they became known; ``known_at`` is ALWAYS where none was given."""
        rows = self._all(selects.TRAITS_OF, (identity, before))
        return [RecordRow(name, known_at, orjson.loads(body)) for name, known_at, body in rows]

    def traits_changed_at(self, identity: str, before: int) -> int | None:
        """When a contact's traits last became known; None where no row of it says when."""
        found = self._all(selects.CHANGED, (identity, before))[0][0]
        return None if found is None or found == ALWAYS else int(found)

    def contact_rows(self, before: int | None = None) -> Iterator[RecordRow]:
        """Traits as they became known, by identity and time; ``known_at`` is ALWAYS where none was given."""
        for identity, known_at, body in self._stream(selects.CONTACTS, (_ever(before),)):
            yield RecordRow(identity, known_at, orjson.loads(body))

    def record(self, table: str, key: str, before: int) -> dict[str, object]:
        """Return the latest known values of one account, partner, product ..."""
        return _merged(self._all(selects.RECORD, (table, key, before)))

    def record_rows(self, table: str, before: int | None = None) -> Iterator[RecordRow]:
        """Rows of accounts, partners, products ... as they became known, by key and time."""
        for key, known_at, body in self._stream(selects.RECORDS, (table, _ever(before))):
            yield RecordRow(key, known_at, orjson.loads(body))

    def record_changes(self) -> dict[str, int]:
        """Return how often the rows of each of these tables were changed; one that never was is left out."""
        return dict(self._all(selects.CHANGES))

    def assets_of(self, kind: str, owner: str, before: int) -> list[RecordRow]:
        """Return what is known of the devices that any row says an owner has, by id and time.

        Parameters
        ----------
        kind
            ``identity`` or ``account``.
        """
        rows = self._all(selects.ASSETS_OF[kind], (owner, before, before))
        return [RecordRow(key, known_at, orjson.loads(body)) for key, known_at, body in rows]

    def assets_around(self, identity: str, account: str | None, before: int) -> list[RecordRow]:
        """Return what is known of the devices that any row says an identity or its account has, by id and time."""
        rows = self._all(selects.ASSETS_AROUND, (identity, before, account, before, before))
        return [RecordRow(key, known_at, orjson.loads(body)) for key, known_at, body in rows]

    def link_rows(self, before: int | None = None) -> Iterator[LinkRow]:
        """Links that had been seen."""
        return map(LinkRow._make, self._stream(selects.LINKS, (_ever(before),)))

    def links_of(self, identity: str, before: int, most: int) -> list[LinkRow]:
        """Return the links of one identity that had been seen, earliest first.

        Returns
        -------
        list of LinkRow
            ``identity_a`` is ``identity`` whichever way the link was given. One for each (other identity, how,
            confidence), with the first time it was seen; at most ``most``. A link without confidence has 1.0.
        """
        return [LinkRow(*row) for row in self._all(selects.ENDS, (identity, before, most))]

    def links_between(self, identity: str, other: str, before: int) -> list[LinkRow]:
        """Every link between two identities that had been seen, whichever way it was given."""
        pairs = ((identity, other), (other, identity))
        return [LinkRow._make(row) for a, b in pairs for row in self._all(selects.LINKS_BETWEEN, (a, b, before))]

    def split_rows(self, before: int | None = None) -> Iterator[SplitRow]:
        """Return the pairs that were split, by time."""
        return map(SplitRow._make, self._stream(selects.SPLITS, (_ever(before),)))

    def splits_of(self, identity: str, before: int) -> list[SplitRow]:
        """Return what one identity was split from, by time; ``identity_a`` is ``identity`` either way."""
        rows = map(SplitRow._make, self._all(selects.SPLITS_OF, (identity, identity, before)))
        return [row if row[0] == identity else row._replace(identity_a=identity, identity_b=row[0]) for row in rows]

    def is_contact(self, identity: str, before: int) -> bool:
        """Whether there is a row of ``contacts`` about an identity."""
        return bool(self._all(selects.IS_CONTACT, (identity, before))[0][0])

    def account_members(self, account: str, before: int) -> list[str]:
        """Return the identities of which any row of ``contacts`` names this account."""
        return [row[0] for row in self._all(selects.MEMBERS, (account, before))]

    def lakes(self) -> list[str]:
        """Return the folders of the lakes whose touchpoints belong to this store."""
        return [row[0] for row in self._all(selects.LAKES)]

    def packed(self, identity: str) -> bytes | None:
        """Return what ``Writing.pack`` put down for an identity."""
        found = self._one(selects.PACKED, (identity,))
        return None if found is None else bytes(found[0])

    def decision(self, decision_id: str) -> DecisionRow | None:
        """One decision, or None where it is not known."""
        found = self._one(selects.DECISION, (decision_id,))
        return decision_of(found) if found else None

    def decision_rows(
        self, before: int | None = None, *, without: frozenset[str] = frozenset()
    ) -> Iterator[DecisionRow]:
        """Everybody's decisions by identity and time.

        Parameters
        ----------
        without
            Fields that are not read and are None, such as ``ANSWERED`` or ``EXPLAINED``.
        """
        return map(decision_of, self._stream(selects.decisions(without), (_ever(before),)))

    def decisions_of(self, identity: str, before: int, since: int = ALWAYS) -> list[DecisionRow]:
        """One contact's decisions before ``before`` by time, those made or activated at ``since`` or later."""
        return [decision_of(row) for row in self._all(selects.DECISIONS_OF, (identity, before, since))]

    def taken(self, action: str, before: int, since: int, placement: str) -> list[str]:
        """Return whom an action was taken for by decisions of ours, in no order; an identity as often as it was.

        Those that were carried out in ``[since, before)`` as far as we know (``DecisionRow.carried_out_at``), in a
        placement or where none is logged.
        """
        return [row[0] for row in self._all(selects.TAKEN, _taken(action, before, since, placement))]

    def taken_count(self, action: str, before: int, since: int, placement: str) -> int:
        """Return how often that was."""
        return int(self._all(selects.TAKEN_COUNT, _taken(action, before, since, placement))[0][0])

    def taken_for(self, action: str, before: int, since: int, placement: str, name: str, value: str) -> list[str]:
        """Return whom it was taken for by decisions that have this text under ``name`` in their properties."""
        # The pattern only narrows down: it may find too much, as SQLite does not tell cases apart.
        said = orjson.dumps({name: value}).decode()[1:-1]
        for each in "%\\":
            said = said.replace(each, "_")
        found = self._all(selects.TAKEN_FOR, (*_taken(action, before, since, placement), f"%{said}%"))
        return [identity for identity, told in found if orjson.loads(told).get(name) == value]

    def outcome_rows(self, before: int | None = None) -> Iterator[OutcomeRow]:
        """Outcomes that had happened and had been received, by decision and time; the pending ones too."""
        return map(_outcome, self._stream(selects.OUTCOMES, (_ever(before), _ever(before))))

    def outcomes_of(self, decision_id: str) -> list[OutcomeRow]:
        """One decision's outcomes by time."""
        return [_outcome(row) for row in self._all(selects.OUTCOMES_OF, (decision_id,))]

    def scores_of(self, identity: str) -> ScoreRow | None:
        """Return what the last ``nba score`` found for a contact."""
        found = self._one(selects.SCORE, (identity,))
        return score_of(found) if found else None

    def score_rows(self) -> Iterator[ScoreRow]:
        """Return what the last ``nba score`` found, by contact."""
        return map(score_of, self._stream(selects.SCORES, ()))

    def quarantine_rows(self) -> Iterator[QuarantineRow]:
        """Return what was refused, by file and line."""
        return map(_quarantined, self._stream(selects.QUARANTINED, ()))

    def audit_rows(self, after: int = 0) -> Iterator[AuditRow]:
        """Return the audit log, first entry first; only what follows the entry with a number, where one is given."""
        return map(AuditRow._make, self._stream(selects.AUDIT, (after,)))

    def last_audit_row(self) -> AuditRow | None:
        """Return the newest entry of the audit log."""
        found = self._one(selects.LAST_AUDIT)
        return None if found is None else AuditRow._make(found)

    def counts(self) -> dict[str, int]:
        """How many touchpoints, contacts with touchpoints, quarantined rows and decisions there are."""
        return {name: self._all(statement)[0][0] for name, statement in selects.COUNTS.items()}

    def first_touchpoint_at(self) -> int | None:
        """When the records begin."""
        found = self._all(selects.EARLIEST)[0][0]
        return None if found is None else int(found)

    def last_touchpoint_at(self, before: int | None = None) -> int | None:
        """When the last touchpoint happened."""
        found = self._all(selects.LATEST, (_ever(before),))[0][0]
        return None if found is None else int(found)


def _taken(action: str, before: int, since: int, placement: str) -> tuple[Any, ...]:
    return (action, since, since, before, before, placement, placement)


def _ever(before: int | None) -> int:
    return _EVER if before is None else before


def _merged(rows: list[tuple[Any, ...]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for (body,) in rows:
        found.update(orjson.loads(body))
    return found


def _outcome(row: tuple[Any, ...]) -> OutcomeRow:
    return OutcomeRow._make((*row[:-1], bool(row[-1])))


def _quarantined(row: tuple[Any, ...]) -> QuarantineRow:
    named = dict(zip(tables.QUARANTINE.c.keys(), row, strict=True))
    named.pop("fingerprint")
    return QuarantineRow(table=named.pop("table_name"), **named)
