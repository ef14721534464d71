"""What makes the owner's sight of somebody out of date: links, splits, traits and terms that were written since.

Whose belonging changes is marked, together with everybody it was one contact with, and is in no view and no export
until ``features.store.sights.save_sights`` has put down anew what the owner sees. So nothing is shown for a while that
a partner has come to keep.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any

import orjson
from sqlalchemy import text

from features.rows.row_types import RecordRow
from features.rows.schema import PARTNERS
from features.store.belonging import Bodies, Changes, memberships
from features.store.dialect import Sql
from features.store.reading import Reading

TRAITS = {"partner": "named", "account": "account", "owner": "owner"}
"""The traits that say whose somebody is, and the columns of ``owner_sights`` that hold them."""

COUNTED_AS = "owner_sights"
"""The row of ``record_changes`` that counts how often the sights were put down; without it there are none to mark."""

_ARE_THERE = Sql(text(f"SELECT EXISTS (SELECT 1 FROM record_changes WHERE table_name = '{COUNTED_AS}')"))

_ONE_CONTACT = "contact_id IN (SELECT contact_id FROM owner_sights WHERE identity = :a{})"
# Evidence that is there already changes nothing: visitors log in again and again.
_IS_NEW = (
    "NOT EXISTS (SELECT 1 FROM link_ends WHERE identity = :b AND other = :c AND how = :d AND confidence = :e "
    "AND seen_at <= :f)"
)
_NAME = "INSERT INTO owner_sights (identity, contact_id) SELECT :x, :y WHERE {} ON CONFLICT DO NOTHING"
_HIDE = "UPDATE owner_sights SET shows = NULL WHERE {}"

_HIDE_LINKED = Sql(text(f"{_HIDE.format(_ONE_CONTACT.format(''))} AND {_IS_NEW}"))
_NAME_LINKED = Sql(text(_NAME.format(_IS_NEW)))
_HIDE_ONE = Sql(text(_HIDE.format(_ONE_CONTACT.format(""))))
_NAME_ONE = Sql(text("INSERT INTO owner_sights (identity, contact_id) VALUES (:x, :y) ON CONFLICT DO NOTHING"))
_HIDE_TOLD = {
    trait: Sql(text(_HIDE.format(_ONE_CONTACT.format(f" AND coalesce({column}, '') <> :b"))))
    for trait, column in TRAITS.items()
}
# A split may leave a key with so few links that it is shared no more, and joins those around it.
_HIDE_AROUND = Sql(
    text(
        _HIDE.format(
            "contact_id IN (SELECT known.contact_id FROM owner_sights AS known "
            "JOIN link_ends AS e ON e.other = known.identity WHERE e.identity = :a)"
        )
    )
)
_HIDE_PARTNER = Sql(text(_HIDE.format("named = :a")))


class Marks:
    """Marks whose sight is out of date within a transaction; nobody's where no sights were ever put down.

    Parameters
    ----------
    seen
        What the transaction reads.
    many
        Runs a statement for each row.
    """

    def __init__(self, seen: Reading, many: Callable[[Sql, list[tuple[Any, ...]]], object]) -> None:
        self._seen, self._many = seen, many

    def by_links(self, ends: Sequence[tuple[str, str, str, float, int]]) -> None:
        """Mark those whom links join or part, from both ends of each; to be called before they are stored."""
        self._put(
            (_HIDE_LINKED, [(end[0], *end) for end in ends]), (_NAME_LINKED, [(end[0], end[0], *end) for end in ends])
        )

    def by_splits(self, pairs: Iterable[Sequence[Any]]) -> None:
        """Mark those who were split; the first two of each row are their names."""
        names = sorted({name for pair in pairs for name in pair[:2]})
        each = [(name,) for name in names]
        self._put((_HIDE_ONE, each), (_HIDE_AROUND, each), (_NAME_ONE, [(name, name) for name in names]))

    def by_records(self, table: str, rows: Iterable[RecordRow]) -> None:
        """Mark everybody of the partners whose terms were changed; other tables say nothing of it."""
        if table == PARTNERS.name:
            self._put((_HIDE_PARTNER, [(key,) for key in sorted({row.key for row in rows})]))

    def memberships(self, changed: Bodies) -> Changes:
        """Return what keeps accounts in step with traits, and marks those of whom it is newly said whose they are."""
        return (*memberships(changed), *(_by_traits(changed) if self._are_there else ()))

    def _put(self, *changes: tuple[Sql, list[tuple[Any, ...]]]) -> None:
        for statement, rows in changes if self._are_there else ():
            self._many(statement, rows)

    @cached_property
    def _are_there(self) -> bool:
        return bool(self._seen._all(_ARE_THERE)[0][0])


def _by_traits(changed: Bodies) -> Changes:
    told: dict[str, list[tuple[str, str]]] = {trait: [] for trait in TRAITS}
    for (identity, _), (before, body) in changed.items():
        was = orjson.loads(before or "{}")
        for trait in TRAITS:
            if trait in body and (trait not in was or was[trait] != body[trait]):
                told[trait].append((identity, told_as(body[trait]) or ""))
    names = sorted({identity for rows in told.values() for identity, _ in rows})
    marks = [(_HIDE_TOLD[trait], list[tuple[Any, ...]](rows)) for trait, rows in told.items()]
    return (*marks, (_NAME_ONE, [(name, name) for name in names]))


def told_as(value: object) -> str | None:
    """Return a trait as the sights hold it; None where nobody is named.

    Examples
    --------
    >>> told_as("north"), told_as(7), told_as("")
    ('north', '7', None)
    """
    return None if value is None or value == "" else str(value)
