"""What is kept beside the bodies of the tables, so that it can be found: accounts' contacts, and owners' devices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Table, bindparam, delete

from features.store import tables
from features.store.dialect import Sql, once

Place = tuple[str, int]
"""Key and ``known_at`` of a record."""

Bodies = Mapping[Place, tuple[str | None, Mapping[str, object]]]
"""What stood at each place before, as JSON (None where nothing did), and what stands there now."""

Changes = Sequence[tuple[Sql, list[tuple[Any, ...]]]]
"""Statements with the rows that each is run for."""

OWNER_COLUMNS = ("identity", "account")
"""The columns of ``assets`` that say whose a device is."""


def _without(table: Table) -> Sql:
    return Sql(delete(table).where(*(column == bindparam(f"k_{column.name}") for column in table.c)))


_MEMBER, _NO_MEMBER = once(tables.ACCOUNT_MEMBERS), _without(tables.ACCOUNT_MEMBERS)
_OWNED, _NOT_OWNED = once(tables.ASSET_OWNERS), _without(tables.ASSET_OWNERS)


def memberships(changed: Bodies) -> Changes:
    """Return what keeps the members of accounts in step with the traits that name them."""
    left, joined = _differences(changed, lambda body: {(value,) for value in _texts(body, ("account",)).values()})
    return ((_NO_MEMBER, left), (_MEMBER, joined))


def ownerships(changed: Bodies) -> Changes:
    """Return what keeps the owners of devices in step with the rows that name them."""
    left, joined = _differences(changed, lambda body: set(_texts(body, OWNER_COLUMNS).items()))
    return ((_NOT_OWNED, left), (_OWNED, joined))


def _differences(changed: Bodies, named: Any) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    left: list[tuple[Any, ...]] = []
    joined: list[tuple[Any, ...]] = []
    for place, (before, body) in sorted(changed.items(), key=lambda item: item[0]):
        was, now = named(orjson.loads(before or "{}")), named(body)
        left += [(*names, *place) for names in sorted(was - now)]
        joined += [(*names, *place) for names in sorted(now - was)]
    return left, joined


def _texts(body: Mapping[str, object], columns: Iterable[str]) -> dict[str, str]:
    return {name: value for name in columns if isinstance(value := body.get(name), str)}
