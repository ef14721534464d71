"""What tells that something new is known under an identity, told far sooner than the new itself is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, BindParameter, Select, bindparam, func, or_, select, type_coerce

from features.store import tables
from features.store.together import Together

if TYPE_CHECKING:
    from features.store.reading import Reading

News = tuple[tuple[Any, ...], ...]
"""Equal to an earlier one as long as nothing was stored, changed or removed under an identity since."""

_C, _D, _L, _O = tables.CONTACTS.c, tables.DECISIONS.c, tables.LINK_ENDS.c, tables.OUTCOMES.c
_S, _T = tables.SPLITS.c, tables.TOUCHPOINTS.c
_WHOSE: BindParameter[str] = bindparam("identity")
_HOW_MANY = type_coerce(func.count(), BigInteger)


def _told(*columns: Any) -> Select[Any]:
    return select(*columns)


_NEWS = Together(
    _told(_HOW_MANY, func.max(_D.decided_at), func.max(_D.activated_at)).where(_D.identity == _WHOSE),
    _told(_HOW_MANY, func.max(_O.received_at))
    .select_from(tables.DECISIONS.join(tables.OUTCOMES, _O.decision_id == _D.decision_id))
    .where(_D.identity == _WHOSE),
    _told(_HOW_MANY, func.max(_T.occurred_at)).where(_T.identity == _WHOSE),
    _told(_HOW_MANY, func.max(_L.seen_at)).where(_L.identity == _WHOSE),
    _told(_HOW_MANY, func.max(_S.at)).where(or_(_S.identity_a == _WHOSE, _S.identity_b == _WHOSE)),
    _told(_C.known_at, _C.body).where(_C.identity == _WHOSE),
)


def news_of(reading: Reading, identity: str) -> News:
    """Return what is another one as soon as anything else is known under an identity, of whatever moment.

    What lies in lakes is left aside.
    """
    return tuple(row for part in reading.parts(_NEWS, {"identity": identity}) for row in sorted(part))
