"""Connections that rest between two transactions, each with its cursor."""

from __future__ import annotations

import threading

from sqlalchemy.pool import PoolProxiedConnection

from features.store.dialect import Cursor


class Resting:
    """Some connections of writers, of which the one that wrote last is taken first.

    To take one from the pool and to give it back costs more than beginning a transaction.

    Parameters
    ----------
    most
        How many rest; others are closed.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._kept: list[tuple[int, PoolProxiedConnection, Cursor]] = []

    def take(self, time: int) -> tuple[PoolProxiedConnection, Cursor] | None:
        """Return one that is of a time; None where none is. Those of another time are given up."""
        with self._lock:
            found = self._kept.pop() if self._kept else None
        if found is None or found[0] == time:
            return None if found is None else found[1:]
        found[1].invalidate()
        self.give_up()
        return None

    def put(self, time: int, connection: PoolProxiedConnection, cursor: Cursor) -> None:
        """Let one rest."""
        with self._lock:
            is_kept = len(self._kept) < self._most
            if is_kept:
                self._kept.append((time, connection, cursor))
        if not is_kept:
            connection.close()

    def give_up(self) -> None:
        """Let go of all, as of connections that have lost their server."""
        for connection in self._all():
            connection.invalidate()

    def close(self) -> None:
        """Give all back to the pool."""
        for connection in self._all():
            connection.close()

    def _all(self) -> list[PoolProxiedConnection]:
        with self._lock:
            kept, self._kept = self._kept, []
        return [connection for _, connection, _ in kept]
