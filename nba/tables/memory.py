"""The catalogues of a store, kept in memory for as long as nobody changes them."""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

from features.frozen import Frozen
from nba.tables.reading import Body, content_of, event_of, known_bodies, partner_of, product_of
from nba.tables.tables import Tables

if TYPE_CHECKING:
    from features.rows.row_types import RecordRow
    from features.store.store import Store

_READERS: Mapping[str, Callable[[str, Body], Any]] = {
    "products": product_of,
    "events": event_of,
    "content": content_of,
    "partners": partner_of,
}
_MOST_MOMENTS = 8
ASKED_EVERY = 1.0
"""Seconds between two looks for changes by other processes."""


def tables_of(store: Store, as_of: int) -> Tables:
    """Return what a store's catalogues said strictly before a moment.

    They are read when they were changed since the last time: through this store at once, by others a second later at
    most, as one short read tells. Safe to call from several threads.
    """
    with _LOCK:
        memory = _MEMORIES.get(store)
        if memory is None:
            memory = _MEMORIES[store] = _Memory()
    return memory.tables(store, as_of)


def tables_read(store: Store) -> Tables:
    """Return what a store's catalogues said when they were read last, without asking it."""
    with _LOCK:
        memory = _MEMORIES.get(store)
    return Tables() if memory is None else memory.last


class _Memory:
    """What was last read of one store."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._generation = 0
        self._numbers: Mapping[str, int] = {}
        self._asked: tuple[int, float] | None = None
        self._tables: dict[str, _Table] = {}
        self._last = Tables()
        self._holds = _Holds({}, 0, 0)

    @property
    def last(self) -> Tables:
        return self._last

    def tables(self, store: Store, as_of: int) -> Tables:
        with self._lock:
            self._forget_others(store.generation)
            numbers, holds = self._changes(store), self._holds
            if numbers is holds.numbers and holds.after < as_of <= holds.until:
                return self._last
            tables = {name: self._table(store, name, numbers.get(name, 0)) for name in _READERS}
            found = {name: table.read(as_of) for name, table in tables.items()}
            after, until = zip(*(table.around(as_of) for table in tables.values()), strict=True)
            self._holds = _Holds(numbers, max(after), min(until))
            # What has been worked out from the tables once holds for as long as they say the same.
            if any(found[name] is not getattr(self._last, name) for name in _READERS):
                self._last = Tables(**found)
            return self._last

    def _forget_others(self, generation: int) -> None:
        """Forget what another file told that was in the store's place."""
        if generation != self._generation:
            self._generation, self._asked = generation, None
            self._tables.clear()

    def _changes(self, store: Store) -> Mapping[str, int]:
        writes, now = store.record_writes, time.monotonic()
        if self._asked is None or self._asked[0] != writes or now - self._asked[1] >= ASKED_EVERY:
            # Read before the rows: what changes in between is read again at the next time.
            self._numbers, self._asked = store.record_changes(), (writes, now)
        return self._numbers

    def _table(self, store: Store, name: str, number: int) -> _Table:
        found = self._tables.get(name)
        if found is None or found.number < number:
            rows = list(store.record_rows(name)) if number else []
            found = self._tables[name] = _Table(number, rows, _READERS[name])
        return found


class _Holds(NamedTuple):
    """For which state of the tables, and which moments, what was told last holds: those in ``(after, until]``."""

    numbers: Mapping[str, int]
    after: int
    until: int


class _Table:
    """Rows of one table, and what they said at the moments that were asked about last."""

    def __init__(self, number: int, rows: list[RecordRow], read: Callable[[str, Body], Any]) -> None:
        self.number = number
        self._rows, self._read = rows, read
        self._known = sorted(row.known_at for row in rows)
        self._at: dict[int, Mapping[str, Any]] = {}

    def around(self, as_of: int) -> tuple[int, int]:
        """Return between which moments the table says the same as at this one; the later one is among them."""
        n = bisect_left(self._known, as_of)
        return self._known[n - 1] if n else -(2**63), self._known[n] if n < len(self._known) else 2**63

    def read(self, as_of: int) -> Mapping[str, Any]:
        # Two moments between which nothing became known are one.
        n = bisect_left(self._known, as_of)
        if n not in self._at:
            if len(self._at) >= _MOST_MOMENTS:
                self._at.clear()
            entries = {key: self._read(key, body) for key, body in known_bodies(self._rows, as_of).items()}
            self._at[n] = Frozen({key: entry for key, entry in entries.items() if entry is not None})
        return self._at[n]


_LOCK = threading.Lock()
_MEMORIES: WeakKeyDictionary[Store, _Memory] = WeakKeyDictionary()
