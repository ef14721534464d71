"""The views that BI tools read: which there are, and making them anew where their definition has changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from features.store.view_contacts import NEXT_BEST_ACTION, PROPENSITIES, TIMELINE
from features.store.view_decisions import DAILY, LIFT
from features.store.view_running import QUALITY, VERSIONS
from features.store.view_types import View

if TYPE_CHECKING:
    from features.store.dialect import Cursor, Dialect

VIEWS: tuple[View, ...] = (NEXT_BEST_ACTION, PROPENSITIES, DAILY, LIFT, TIMELINE, VERSIONS, QUALITY)


def are_current(cursor: Cursor, dialect: Dialect) -> bool:
    """Whether every view stands as this version defines it."""
    return not list(_changed(cursor, dialect))


def renew(cursor: Cursor, dialect: Dialect) -> None:
    """Make the views that are not there, and anew those whose definition has changed, in a transaction."""
    for view in list(_changed(cursor, dialect)):
        told = {column.name: column.means for column in view.columns}
        if dialect.put_view(cursor, view.name, view.text(dialect.name), view.row, told):
            cursor.execute("DELETE FROM view_definitions WHERE name = " + _quoted(view.name))
            cursor.execute(
                f"INSERT INTO view_definitions (name, digest) VALUES ({_quoted(view.name)}, '{_digest(view, dialect)}')"
            )


def _changed(cursor: Cursor, dialect: Dialect) -> Iterator[View]:
    there = dict(cursor.execute("SELECT name, digest FROM view_definitions").fetchall())
    return (view for view in VIEWS if there.get(view.name) != _digest(view, dialect))


def _digest(view: View, dialect: Dialect) -> str:
    said = "\n".join([view.text(dialect.name), view.row, *(f"{each.name} {each.means}" for each in view.columns)])
    return hashlib.sha256(said.encode()).hexdigest()


def _quoted(name: str) -> str:
    return f"'{name}'"
