"""Packed histories: read in the place of rows, and kept in step with them.

A history is packed inside a transaction that writes, so that no row can be stored in between; what is stored later is
packed behind it in the same transaction, or the packed history is forgotten. What gives touchpoints another meaning
is looked up when they are read: the rules, and decisions that became known after their touchpoints.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, exists, select

from features.rows.row_types import TouchpointRow
from features.store import tables
from features.store.dialect import Sql
from features.touchpoints.packing import PackError, pack, unpack
from features.touchpoints.told import Told
from features.touchpoints.told_rules import is_asked, with_topics
from features.touchpoints.touchpoints import TouchpointRules, Touchpoints

if TYPE_CHECKING:
    from features.store.reading import Reading
    from features.store.writing import Writing

FEWEST = 8
"""Touchpoints of the shortest history that is worth packing."""
_MOST_BEHIND = 256
"""Rows of the largest batch that is packed behind what is there; of a larger one all its identities are forgotten."""
_EVER = 2**63 - 1

_ACTION = Sql(select(tables.DECISIONS.c.action).where(tables.DECISIONS.c.decision_id == bindparam("a")))
_ANY = Sql(select(exists().select_from(tables.PACKED)))


def touchpoints(store: Reading, identity: str, before: int, rules: TouchpointRules, blob: bytes | None) -> Touchpoints:
    """One identity's touchpoints strictly before a moment, from its packed history where there is a sound one."""
    told = _read(store, blob)
    if told is None:
        rows = store.history(identity, before)
        if len(rows) >= FEWEST:
            store.wants_packing(identity, rules)
        return Touchpoints.from_rows(rows, rules)
    if not is_asked(told, rules.topic_rules):
        store.wants_packing(identity, rules)
    told = told.until(before)
    return Touchpoints.from_told(told, rules) if len(told) else Touchpoints.from_rows((), rules)


def put(writing: Writing, identity: str, rules: TouchpointRules) -> bool:
    """Pack an identity's history anew, with topics by these rules; says whether it has one worth packing."""
    rows = writing.seen.history(identity, _EVER)
    if len(rows) < FEWEST:
        return False
    return _put(writing, with_topics(Told.of(rows), rules.topic_rules))


def follow(writing: Writing, rows: Sequence[TouchpointRow], stored: int) -> None:
    """Keep packed histories in step with rows, of which so many were stored and the others had been there."""
    if not stored or not writing.seen._all(_ANY)[0][0]:
        return
    identities = {row.identity for row in rows}
    if stored < len(rows) or len(rows) > _MOST_BEHIND or not writing.may_pack:
        writing.unpack_all(sorted(identities))
        return
    ordered = sorted(rows, key=lambda row: (*row[:3], row.source))
    for identity, own in groupby(ordered, key=lambda row: row.identity):
        told = _read(writing.seen, writing.seen.packed(identity), asks=False)
        more = [row[:14] for row in own]
        if told is None or not told.is_before(more):
            writing.unpack_all([identity])
        else:
            _put(writing, _decided(writing.seen, told.followed_by(more)))


def _put(writing: Writing, told: Told) -> bool:
    try:
        blob = pack(told)
    except PackError:
        writing.unpack_all([told.identity])
        return False
    writing.pack(told.identity, blob)
    return True


def _read(store: Reading, blob: bytes | None, *, asks: bool = True) -> Told | None:
    if not blob:
        return None
    try:
        told = unpack(blob)
    except PackError:
        return None
    return _decided(store, told) if asks and told.is_open else told


def _decided(store: Reading, told: Told) -> Told:
    """Look up the decisions that were not known when their touchpoints were packed."""
    found = {name: row[0] for name in told.undecided() if (row := store._one(_ACTION, (name,)))}
    return told.decided(found)
