"""The store: append, read before a moment, one contact's history; every part of it begins with ``store``."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from types import TracebackType
from typing import Any, Self

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import NullPool, PoolProxiedConnection, QueuePool

from features.rows.row_types import ScoreRow
from features.store import tables
from features.store.dialect import Cursor, Dialect, Sql, StoreError
from features.store.loading import Loading
from features.store.migrations import NEWEST, migrate
from features.store.reading import Reading
from features.store.writing import Writing
from features.touchpoints.touchpoints import TouchpointRules

__all__ = ["Loading", "Store", "StoreError", "Writing"]

_KEPT_OPEN = 4
_ATTEMPTS = _KEPT_OPEN + 1
_MOST_NOTED = 10_000


class Store(Reading):
    """Touchpoints, traits, links, decisions and what belongs to them.

    Safe to use from several threads and processes: readers never wait, writers wait for
    each other for a minute.
    Made by ``Store.open``.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._pool = QueuePool(dialect.connect, pool_size=_KEPT_OPEN, max_overflow=-1, reset_on_return=None)
        self._thread = threading.local()
        self._lent: list[PoolProxiedConnection] = []
        self._lending = threading.Lock()
        self._to_pack: dict[str, TouchpointRules] = {}
        self.record_writes = 0
        """How many transactions of this object changed accounts, partners, products ...; others' are not counted."""

    @classmethod
    def open(cls, url: str) -> Self:
        """Open a store, made anew where there is none and brought to the newest schema where it is older.

        Parameters
        ----------
        url
            As in ``[store] url``, with an absolute path or one from the working directory.

        Raises
        ------
        StoreError
            Where the URL is wrong, the file is something else or the store was made by a newer version.
        """
        store = cls(_dialect_of(url))
        try:
            with store._dialect.sentences(), closing(store._pool.connect()) as connection:
                store._dialect.prepare(connection)
                store._make_tables(connection)
        except BaseException:
            store.close()
            raise
        return store

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of every connection, those of other threads too."""
        with self._lending:
            for connection in self._lent:
                connection.close()
            self._lent.clear()
        self._thread = threading.local()
        self._pool.dispose()

    @contextmanager
    def writing(self) -> Iterator[Writing]:
        """One transaction: everything written inside is there afterwards, or nothing where an error ended it.

        Raises
        ------
        StoreError
            Where another process has been writing for a minute, or there is no room.
        """
        with self._dialect.sentences():
            connection, cursor, may_pack = self._begun()
            with closing(connection):
                try:
                    writing = Writing(cursor, self._dialect, may_pack=may_pack)
                    yield writing
                    cursor.execute("COMMIT")
                    self.record_writes += writing.has_changed_records
                except BaseException:
                    self._dialect.rollback(connection)
                    raise

    def wants_packing(self, identity: str, rules: TouchpointRules) -> None:
        """Take note of an identity that would have been read faster from a packed history."""
        if len(self._to_pack) < _MOST_NOTED:
            self._to_pack[identity] = rules

    def pack_some(self, most: int = 8) -> int:
        """Pack histories that were read from their rows since; says how many.

        Meant for when nobody waits: it is one transaction of its own, and what it does nobody will miss.
        """
        noted = [self._to_pack.popitem() for _ in range(min(most, len(self._to_pack)))]
        if not noted:
            return 0
        with self.writing() as writing:
            return sum(writing.repack(identity, rules) for identity, rules in noted)

    @contextmanager
    def loading(self) -> Iterator[Loading]:
        """One load, whole or not at all; others write on until ``Loading.settle`` is called.

        Raises
        ------
        StoreError
            Where another process has been writing for a minute, or there is no room.
        """
        pool = NullPool(self._dialect.connect_to_load, reset_on_return=None)
        with self._dialect.sentences(), closing(pool.connect()) as connection:
            try:
                loading = Loading(self._dialect.cursor(connection), self._dialect)
                yield loading
                loading.commit()
                self.record_writes += loading.has_changed_records
            except BaseException:
                self._dialect.rollback(connection)
                raise

    def _begun(self) -> tuple[PoolProxiedConnection, Cursor, bool]:
        """Begin to write, on a new connection where those that were kept have lost their server."""
        for left in reversed(range(_KEPT_OPEN + 1)):
            connection = self._pool.connect()
            try:
                cursor = self._dialect.cursor(connection)
                return connection, cursor, self._dialect.begin(cursor)
            except BaseException:
                was_lost = self._dialect.is_lost(connection)
                self._dialect.rollback(connection)
                connection.close()
                if not (was_lost and left):
                    raise
        raise StoreError(f"the store {self._dialect.where} keeps losing its connections; try again later")

    def save_scores(self, rows: Iterable[ScoreRow]) -> int:
        """Put these scores in the place of all there were, whole or not at all."""
        with self.writing() as writing:
            return writing.scores(rows)

    def _make_tables(self, connection: PoolProxiedConnection) -> None:
        with closing(self._dialect.cursor(connection)) as cursor:
            # A store that is there already is opened without waiting for whoever writes to it.
            if self._version(cursor) == NEWEST:
                return
            self._dialect.begin_change(cursor)
            try:
                version = self._version(cursor)
                if version is None:
                    self._dialect.make_tables(cursor)
                    cursor.execute(f"INSERT INTO {tables.VERSION.name} (version) VALUES ({NEWEST})")
                elif version < NEWEST:
                    migrate(version, cursor.execute, self._dialect.words)
                cursor.execute("COMMIT")
            except BaseException:
                self._dialect.rollback(connection)
                raise

    def _version(self, cursor: Cursor) -> int | None:
        """Return the version of the schema; None where there is no store yet."""
        found = self._dialect.table_names(cursor)
        if tables.VERSION.name in found:
            row = cursor.execute(f"SELECT version FROM {tables.VERSION.name}").fetchone()
            version = None if row is None else int(row[0])
            self._check_version(version)
            return version
        ours = sorted(found & set(tables.METADATA.tables))
        if ours:
            raise StoreError(
                f"{self._dialect.where} has tables of its own called {', '.join(ours)}; "
                "give the store a file or a database to itself in store.url"
            )
        return None

    def _check_version(self, version: int | None) -> None:
        if version is None or version > NEWEST:
            raise StoreError(
                f"the store {self._dialect.where} was made by a newer nba "
                f"(schema {version}, this one knows {NEWEST}); upgrade nba, or use another store"
            )

    def _all(self, statement: Sql | str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        dialect = self._dialect
        with dialect.sentences():
            for attempt in range(_ATTEMPTS):
                try:
                    found: list[tuple[Any, ...]]
                    found = self._cursor().execute(dialect.text(statement), parameters).fetchall()
                    return found
                except dialect.errors:
                    # A read can be repeated: the server may have been started anew since the last one, and every
                    # connection that was at rest then is lost.
                    if attempt == _ATTEMPTS - 1 or not self._has_lost():
                        raise
            return []

    def _cursor(self) -> Cursor:
        """Return this thread's own cursor, for short reads."""
        cursor: Cursor | None = getattr(self._thread, "cursor", None)
        if cursor is None:
            connection = self._pool.connect()
            with self._lending:
                self._lent.append(connection)
            self._thread.connection = connection
            cursor = self._thread.cursor = self._dialect.cursor(connection)
        return cursor

    def _has_lost(self) -> bool:
        """Let go of this thread's connection if its other end has gone; says whether it had."""
        connection: PoolProxiedConnection | None = getattr(self._thread, "connection", None)
        if connection is None or not self._dialect.is_lost(connection):
            return False
        with self._lending:
            self._lent.remove(connection)
        connection.invalidate()
        self._thread.cursor = self._thread.connection = None
        return True

    def _stream(self, statement: Sql, parameters: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
        # On a connection of its own, because a reader may write or read other things between two rows.
        with self._dialect.sentences(), closing(self._pool.connect()) as connection:
            try:
                yield from self._dialect.stream(connection, self._dialect.text(statement), parameters)
            finally:
                self._dialect.rollback(connection)


def _dialect_of(url: str) -> Dialect:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        # A port that is no number is a ValueError; what cannot be parsed may still hold a password.
        shown = re.sub(r":[^:@]*@", ":***@", url)
        raise StoreError(f"store.url {shown!r} is not a database URL; write one such as sqlite:///nba.db") from error
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        from features.store.sqlite import Sqlite

        return Sqlite(parsed)
    if parsed.drivername in ("postgresql", "postgresql+psycopg"):
        return _postgresql(parsed)
    shown = parsed.render_as_string(hide_password=True)
    raise StoreError(
        f"store.url {shown!r} is of no supported database; write sqlite:///nba.db or postgresql://user@host/db"
    )


def _postgresql(url: URL) -> Dialect:
    try:
        from features.store.postgresql import Postgresql
    except ImportError as error:
        raise StoreError(
            "a store in PostgreSQL needs psycopg; `pip install 'nba-service[postgresql]'` brings it"
        ) from error
    return Postgresql(url)
