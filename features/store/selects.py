"""What is read from the store, as statements; every row comes in an order that is the same in every database."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Table,
    bindparam,
    cast,
    distinct,
    exists,
    func,
    literal_column,
    null,
    or_,
    select,
    text,
    union_all,
)

from features.store import tables
from features.store.dialect import Sql

_T, _C, _R, _L = tables.TOUCHPOINTS.c, tables.CONTACTS.c, tables.RECORDS.c, tables.LINKS.c
_D, _O, _S, _Q = tables.DECISIONS.c, tables.OUTCOMES.c, tables.SCORES.c, tables.QUARANTINE.c
_P, _A, _W = tables.SPLITS.c, tables.ACCOUNT_MEMBERS.c, tables.ASSET_OWNERS.c


def _touchpoints() -> Select[Any]:
    columns: list[Any] = [c for c in tables.TOUCHPOINTS.c if c.name not in ("action", "source")]
    # A touchpoint that names a decision is about the decision's action, whichever of the two came first.
    columns.insert(12, func.coalesce(_T.action, _D.action))
    return (
        select(*columns)
        .select_from(tables.TOUCHPOINTS.outerjoin(tables.DECISIONS, _D.decision_id == _T.decision_id))
        .order_by(_T.identity, _T.occurred_at, _T.touchpoint_id, _T.source)
    )


HISTORY = Sql(_touchpoints().where(_T.identity == bindparam("a"), _T.occurred_at < bindparam("b")))
TOUCHPOINTS = Sql(_touchpoints().where(_T.occurred_at < bindparam("a")))
ALL_TOUCHPOINTS = Sql(_touchpoints())
TRAITS = Sql(select(_C.body).where(_C.identity == bindparam("a"), _C.known_at < bindparam("b")).order_by(_C.known_at))
TRAITS_OF = Sql(
    select(*tables.CONTACTS.c).where(_C.identity == bindparam("a"), _C.known_at < bindparam("b")).order_by(_C.known_at)
)
CHANGED = Sql(select(func.max(_C.known_at)).where(_C.identity == bindparam("a"), _C.known_at < bindparam("b")))
CONTACTS = Sql(select(*tables.CONTACTS.c).where(_C.known_at < bindparam("a")).order_by(_C.identity, _C.known_at))
RECORD = Sql(
    select(_R.body)
    .where(_R.table_name == bindparam("a"), _R.key == bindparam("b"), _R.known_at < bindparam("c"))
    .order_by(_R.known_at)
)
RECORDS = Sql(
    select(_R.key, _R.known_at, _R.body)
    .where(_R.table_name == bindparam("a"), _R.known_at < bindparam("b"))
    .order_by(_R.key, _R.known_at)
)
CHANGES = Sql(select(tables.RECORD_CHANGES.c.table_name, tables.RECORD_CHANGES.c.number))


def _owned(kind: str, owner: str, before: str) -> Select[Any]:
    return select(_W.asset_id).where(
        _W.owner_kind == literal_column(f"'{kind}'"), _W.owner == bindparam(owner), _W.known_at < bindparam(before)
    )


def _assets(keys: Any, before: str) -> Sql:
    return Sql(
        select(_R.key, _R.known_at, _R.body)
        .where(_R.table_name == literal_column("'assets'"), _R.key.in_(keys), _R.known_at < bindparam(before))
        .order_by(_R.key, _R.known_at)
    )


ASSETS_OF = {kind: _assets(_owned(kind, "a", "b"), "c") for kind in ("identity", "account")}
ASSETS_AROUND = _assets(union_all(_owned("identity", "a", "b"), _owned("account", "c", "d")), "e")
LINKS = Sql(
    select(*tables.LINKS.c).where(_L.seen_at < bindparam("a")).order_by(_L.identity_a, _L.identity_b, _L.seen_at)
)
ENDS = Sql(
    text(
        "SELECT identity, other, seen_at, how, confidence FROM link_ends WHERE identity = :a AND seen_at < :b "
        "ORDER BY seen_at, other, how, confidence LIMIT :c"
    )
)
LINKS_BETWEEN = Sql(
    select(*tables.LINKS.c)
    .where(_L.identity_a == bindparam("a"), _L.identity_b == bindparam("b"), _L.seen_at < bindparam("c"))
    .order_by(_L.seen_at, _L.how)
)
SPLITS = Sql(select(*_P).where(_P.at < bindparam("a")).order_by(_P.at, _P.identity_a, _P.identity_b))
SPLITS_OF = Sql(
    select(*_P)
    .where(or_(_P.identity_a == bindparam("a"), _P.identity_b == bindparam("b")), _P.at < bindparam("c"))
    .order_by(_P.at, _P.identity_a, _P.identity_b)
)
IS_CONTACT = Sql(select(exists().where(_C.identity == bindparam("a"), _C.known_at < bindparam("b"))))
MEMBERS = Sql(
    select(_A.identity)
    .distinct()
    .where(_A.account == bindparam("a"), _A.known_at < bindparam("b"))
    .order_by(_A.identity)
)
LAKES = Sql(select(tables.LAKES.c.path).order_by(tables.LAKES.c.path))
PACKED = Sql(select(tables.PACKED.c.blob).where(tables.PACKED.c.identity == bindparam("a")))
DECISION = Sql(select(*tables.DECISIONS.c).where(_D.decision_id == bindparam("a")))


def decision_columns(without: frozenset[str] = frozenset()) -> list[ColumnElement[Any]]:
    """Return the columns of a decision's row; of some nothing is read."""
    return [cast(null(), c.type).label(c.name) if c.name in without else c for c in _D]


@lru_cache(maxsize=8)
def decisions(without: frozenset[str] = frozenset()) -> Sql:
    """Everybody's decisions; some fields are read as None."""
    rows = select(*decision_columns(without)).where(_D.decided_at < bindparam("a"))
    return Sql(rows.order_by(_D.identity, _D.decided_at, _D.decision_id))


DECISIONS_OF = Sql(
    select(*tables.DECISIONS.c)
    .where(
        _D.identity == bindparam("a"),
        _D.decided_at < bindparam("b"),
        # A deferred decision counts from when it was shown.
        func.coalesce(_D.activated_at, _D.decided_at) >= bindparam("c"),
    )
    .order_by(_D.identity, _D.decided_at, _D.decision_id)
)
_CARRIED_OUT = (
    "FROM decisions WHERE action = :a AND coalesce(activated_at, decided_at) >= :b "
    "AND CASE WHEN deferred THEN activated_at ELSE decided_at END >= :c "
    "AND CASE WHEN deferred THEN activated_at ELSE decided_at END < :d AND decided_at < :e "
    "AND coalesce(placement, :f) = :g AND chances IS NOT NULL"
)
TAKEN = Sql(text(f"SELECT identity {_CARRIED_OUT}"))
TAKEN_COUNT = Sql(text(f"SELECT count(*) {_CARRIED_OUT}"))
TAKEN_FOR = Sql(text(f"SELECT identity, properties {_CARRIED_OUT} AND properties LIKE :h"))
OUTCOMES = Sql(
    select(*tables.OUTCOMES.c)
    .where(_O.received_at < bindparam("a"), _O.occurred_at < bindparam("b"))
    .order_by(_O.decision_id, _O.occurred_at, _O.feedback_id)
)
OUTCOMES_OF = Sql(
    select(*tables.OUTCOMES.c).where(_O.decision_id == bindparam("a")).order_by(_O.occurred_at, _O.feedback_id)
)
SCORE = Sql(select(*tables.SCORES.c).where(_S.contact_id == bindparam("a")))
SCORES = Sql(select(*tables.SCORES.c).order_by(_S.contact_id))
QUARANTINED = Sql(select(*tables.QUARANTINE.c).order_by(_Q.file, _Q.line, _Q.number))
AUDIT = Sql(select(*tables.AUDIT.c).where(tables.AUDIT.c.number > bindparam("after")).order_by(tables.AUDIT.c.number))
LAST_AUDIT = Sql(
    select(*tables.AUDIT.c).where(tables.AUDIT.c.number == select(func.max(tables.AUDIT.c.number)).scalar_subquery())
)
LATEST = Sql(select(func.max(_T.occurred_at)).where(_T.occurred_at < bindparam("a")))
EARLIEST = Sql(select(func.min(_T.occurred_at)))
IS_KNOWN = Sql(select(exists().where(_T.identity == bindparam("a"))))


def _count(table: Table) -> Sql:
    return Sql(select(func.count()).select_from(table))


COUNTS = {
    "touchpoints": _count(tables.TOUCHPOINTS),
    "contacts": Sql(select(func.count(distinct(_T.identity)))),
    "quarantined": _count(tables.QUARANTINE),
    "decisions": _count(tables.DECISIONS),
}
