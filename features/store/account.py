"""The contacts of an account as a decision about one of them looks at them, read at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from sqlalchemy import (
    BigInteger,
    BindParameter,
    Boolean,
    Select,
    and_,
    bindparam,
    case,
    exists,
    false,
    func,
    literal_column,
    or_,
    select,
    type_coerce,
)

from features.store import tables
from features.store.together import Together

if TYPE_CHECKING:
    from features.store.reading import Reading

_A, _C, _D, _L = tables.ACCOUNT_MEMBERS.c, tables.CONTACTS.c, tables.DECISIONS.c, tables.LINK_ENDS.c
_T = tables.TOUCHPOINTS.c
_BEFORE: BindParameter[int] = bindparam("before")
_SINCE: BindParameter[int] = bindparam("since")
_UNTIL: BindParameter[int] = bindparam("until")

_NAMED = (
    select(_A.identity)
    .distinct()
    .where(_A.account == bindparam("account"), _A.known_at < _BEFORE)
    .limit(bindparam("too_many"))
    .cte("named")
)
_HOW_MANY = select(type_coerce(func.count(), BigInteger)).select_from(_NAMED)
# Of an account that too many were ever said to belong to nothing more is read.
_THEY = select(_NAMED.c.identity).where(_HOW_MANY.scalar_subquery() < bindparam("too_many")).cte("they")
_OTHERS = select(_THEY.c.identity).where(_THEY.c.identity != bindparam("own"))

_CARRIED_OUT_AT = case((_D.deferred, _D.activated_at), else_=_D.decided_at)


def _of_them(*columns: Any) -> Select[Any]:
    return select(*columns).where(
        _D.identity.in_(_OTHERS),
        # Not to be looked for by: only who they are narrows decisions down.
        _D.decided_at + literal_column("0", BigInteger) < _UNTIL,
        _CARRIED_OUT_AT >= _SINCE,
        _CARRIED_OUT_AT < _UNTIL,
    )


# Not a condition: a server that knows little of the table would look through the index of what was taken for it.
_IS_OURS = type_coerce(_D.chances.is_not(None), Boolean)
_DEEDS = _of_them(_D.identity, _D.decision_id, _D.action, _D.placement, _CARRIED_OUT_AT, _IS_OURS)
# Found by its decision, however long before that was carried out a touchpoint of it happened.
_TOLD = select(_T.identity, _T.decision_id, _T.kind, _T.direction).where(
    _T.decision_id.in_(_of_them(_D.decision_id)), _T.occurred_at < _BEFORE
)
_DECIDED = Together(_DEEDS, _TOLD)


@lru_cache(maxsize=8)
def _account(outbound: tuple[str, ...]) -> Together:
    """Return what reads an account, of its touchpoints those that we made."""
    by_kind = and_(func.coalesce(_T.direction, "") == "", or_(false(), *(_T.kind == kind for kind in outbound)))
    return Together(
        _DEEDS,
        _TOLD,
        select(_T.identity, _T.occurred_at, _T.kind, _T.channel, _T.direction, func.coalesce(_T.action, _D.action))
        .select_from(tables.TOUCHPOINTS.outerjoin(tables.DECISIONS, _D.decision_id == _T.decision_id))
        .where(
            _T.identity.in_(_OTHERS),
            _T.occurred_at >= _SINCE,
            _T.occurred_at < _BEFORE,
            or_(_T.direction == "outbound", by_kind),
        ),
        select(_C.identity, _C.body, _C.known_at).where(
            _C.identity.in_(select(_THEY.c.identity)), _C.known_at < _BEFORE
        ),
        select(_THEY.c.identity).where(exists().where(_L.identity == _THEY.c.identity, _L.seen_at < _BEFORE)),
        _HOW_MANY,
    )


class Deeds(NamedTuple):
    """Decisions with chances that were carried out in some time, as far as we know, by identity.

    ``made`` has decision id, action, placement and when it was carried out; ``told`` decision id, kind and direction of
    the touchpoints of an identity that name one of them.
    """

    made: Mapping[str, Sequence[tuple[str, str, str | None, int]]]
    told: Mapping[str, Sequence[tuple[str, str, str | None]]]


class AccountRows(NamedTuple):
    """What was known of those who were ever said to belong to an account, by identity.

    ``traits`` are as they became known, each with its ``known_at``; ``linked`` who had been linked to anybody;
    ``touchpoints`` are those that we made, with time, kind, channel, direction and action. Of an account that is
    crowded there is nothing.
    """

    is_crowded: bool
    traits: Mapping[str, Sequence[tuple[int, dict[str, Any]]]]
    linked: Collection[str]
    touchpoints: Mapping[str, Sequence[tuple[int, str, str | None, str | None, str | None]]]
    deeds: Deeds


def read_account(
    reading: Reading,
    account: str,
    most: int,
    before: int,
    since: int | None = None,
    *,
    own: str,
    outbound: tuple[str, ...],
) -> AccountRows:
    """Read what was known strictly before a moment.

    Parameters
    ----------
    most
        How many identities it may have that are looked at.
    own
        Whose touchpoints and decisions are left out.
    outbound
        The kinds of touchpoints that we make, where they do not say who did.
    since
        What happened and was decided is read from then on, microseconds; None: not at all.
    """
    since = before if since is None else since
    named = {"account": account, "own": own, "too_many": most + 1, "before": before, "since": since, "until": before}
    made, told, touchpoints, traits, linked, how_many = reading.parts(_account(outbound), named)
    known: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    for identity, body, known_at in sorted(traits, key=lambda row: (row[0], row[2])):
        known.setdefault(identity, []).append((known_at, orjson.loads(body)))
    return AccountRows(
        is_crowded=how_many[0][0] > most,
        traits=known,
        linked={row[0] for row in linked},
        touchpoints=_by_identity(touchpoints),
        deeds=_deeds(made, told),
    )


def read_deeds(reading: Reading, account: str, most: int, before: int, since: int, until: int, *, own: str) -> Deeds:
    """Read what was carried out in ``[since, until)`` for the others who belonged to an account before a moment."""
    named = {"account": account, "own": own, "too_many": most + 1, "before": before, "since": since, "until": until}
    made, told = reading.parts(_DECIDED, named)
    return _deeds(made, told)


def _deeds(made: Sequence[tuple[Any, ...]], told: Sequence[tuple[Any, ...]]) -> Deeds:
    # Decisions without chances were loaded from elsewhere.
    return Deeds(_by_identity([row[:5] for row in made if row[5]]), _by_identity(told))


def _by_identity(rows: Sequence[tuple[Any, ...]]) -> dict[str, list[Any]]:
    found: defaultdict[str, list[Any]] = defaultdict(list)
    for identity, *row in rows:
        found[identity].append(row)
    return found
