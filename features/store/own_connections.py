"""A connection of each thread's own, for short reads."""

from __future__ import annotations

import threading

from sqlalchemy.pool import Pool, PoolProxiedConnection

from features.store.dialect import Cursor, Dialect


class OwnConnections:
    """Connections that threads read through, each kept until it is lost.

    Parameters
    ----------
    pool
        Where they come from.
    """

    def __init__(self, dialect: Dialect, pool: Pool) -> None:
        self._dialect, self._pool = dialect, pool
        self._thread = threading.local()
        self._lent: list[PoolProxiedConnection] = []
        self._lending = threading.Lock()

    def cursor(self, time: int) -> Cursor:
        """Return this thread's own cursor; one that is of another time is given up."""
        if getattr(self._thread, "time", time) != time:
            self._let_go()
        cursor: Cursor | None = getattr(self._thread, "cursor", None)
        if cursor is None:
            connection = self._pool.connect()
            with self._lending:
                self._lent.append(connection)
            self._thread.connection, self._thread.time = connection, time
            cursor = self._thread.cursor = self._dialect.cursor(connection)
        return cursor

    def has_lost(self) -> bool:
        """Let go of this thread's connection if its other end has gone; says whether it had."""
        connection: PoolProxiedConnection | None = getattr(self._thread, "connection", None)
        if connection is None or not self._dialect.is_lost(connection):
            return False
        self._let_go()
        return True

    def close(self) -> None:
        """Let go of every connection, those of other threads too."""
        with self._lending:
            for connection in self._lent:
                connection.close()
            self._lent.clear()
        self._thread = threading.local()

    def _let_go(self) -> None:
        """Let go of this thread's connection."""
        connection: PoolProxiedConnection | None = getattr(self._thread, "connection", None)
        if connection is not None:
            with self._lending:
                self._lent.remove(connection)
            connection.invalidate()
        self._thread.cursor = self._thread.connection = None
