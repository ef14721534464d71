"""Names that callers who see some contacts only give to others: their ``ann`` is kept as ``ann@partner:north``.

``serving.own_names`` gives these names; here they are found, because who is erased as ``ann`` is erased under them too.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select

from features.store import tables
from features.store.dialect import Sql

if TYPE_CHECKING:
    from features.store.reading import Reading

MARKS = ("@partner:", "@owner:")
"""What stands between a name and whose it is."""

_AFTER = {mark: mark[:-1] + chr(ord(mark[-1]) + 1) for mark in MARKS}
_NAMES = tuple(
    Sql(select(column).distinct().where(column >= bindparam("a"), column < bindparam("b")))
    for column in (
        tables.TOUCHPOINTS.c.identity,
        tables.CONTACTS.c.identity,
        tables.DECISIONS.c.identity,
        tables.LINK_ENDS.c.identity,
    )
)


def bare(name: str) -> str:
    """Return what its caller calls somebody, whoever the caller is.

    Examples
    --------
    >>> bare("ann@example.com@partner:north"), bare("ann@example.com"), bare("ann@owner:jo@partner:north")
    ('ann@example.com', 'ann@example.com', 'ann')
    """
    for mark in MARKS:
        name = name.partition(mark)[0]
    return name


def own_names_of(reading: Reading, names: Iterable[str]) -> list[str]:
    """Return under which names of their own such callers keep what they say of somebody, sorted."""
    ranges = [(f"{name}{mark}", f"{name}{after}") for name in names for mark, after in _AFTER.items()]
    return sorted({row[0] for within in ranges for statement in _NAMES for row in reading._all(statement, within)})
