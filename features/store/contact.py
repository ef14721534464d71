"""All that is kept under one identity as a decision looks at it, read at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from sqlalchemy import BigInteger, BindParameter, ColumnElement, bindparam, exists, func, literal_column, select

from features.rows.row_types import EXPLAINED, DecisionRow, ScoreRow
from features.store import selects, tables
from features.store.together import Together
from features.store.values import decision_of, score_of
from features.times import ALWAYS

if TYPE_CHECKING:
    from features.store.reading import Reading

_C, _D, _L = tables.CONTACTS.c, tables.DECISIONS.c, tables.LINK_ENDS.c
_WHOSE: BindParameter[str] = bindparam("identity")
_BEFORE: BindParameter[int] = bindparam("before")


def _contact(*columns: ColumnElement[Any]) -> Together:
    return Together(
        select(*columns).where(
            _D.identity == _WHOSE,
            _D.decided_at < _BEFORE,
            # A deferred decision counts from when it was shown.
            func.coalesce(_D.activated_at, _D.decided_at) >= bindparam("since"),
        ),
        select(_C.known_at, _C.body).where(_C.identity == _WHOSE, _C.known_at < _BEFORE),
        select(tables.PACKED.c.blob).where(tables.PACKED.c.identity == _WHOSE),
        select(*tables.SCORES.c).where(tables.SCORES.c.contact_id == _WHOSE),
        select(literal_column("1", BigInteger)).where(exists().where(_L.identity == _WHOSE, _L.seen_at < _BEFORE)),
    )


_WHOLE_CONTACT, _BRIEF_CONTACT = _contact(*_D), _contact(*selects.decision_columns(EXPLAINED))


class ContactRows(NamedTuple):
    """What was known under an identity strictly before a moment.

    ``decisions`` by time; ``traits`` as they became known, each with its ``known_at`` in microseconds; ``packed`` the
    bytes of its touchpoints, of whatever moment, empty where there are none; ``has_links`` whether any identity had
    been linked to it, however badly.
    """

    decisions: list[DecisionRow]
    traits: list[tuple[int, dict[str, Any]]]
    packed: bytes
    scored: ScoreRow | None
    has_links: bool

    @property
    def changed_at(self) -> int | None:
        """When traits last became known; None where no row says when."""
        last = self.traits[-1][0] if self.traits else ALWAYS
        return None if last == ALWAYS else last


def read_contact(
    reading: Reading, identity: str, before: int, since: int, *, whole_decisions: bool = True
) -> ContactRows:
    """Read what was known under an identity; of its decisions those made or activated at ``since`` or later.

    Parameters
    ----------
    whole_decisions
        False: decisions come as ``DecisionRow.brief`` has them, without most of their bytes.
    """
    named = {"identity": identity, "before": before, "since": since}
    sentence = _WHOLE_CONTACT if whole_decisions else _BRIEF_CONTACT
    decisions, traits, packed, scored, links = reading.parts(sentence, named)
    found = [decision_of(row) for row in decisions]
    if len(found) > 1:
        found.sort(key=lambda row: (row.decided_at, row.decision_id))
    traits.sort()
    return ContactRows(
        decisions=found,
        traits=[(known_at, orjson.loads(body)) for known_at, body in traits],
        packed=bytes(packed[0][0]) if packed else b"",
        scored=score_of(scored[0]) if scored else None,
        has_links=bool(links),
    )
