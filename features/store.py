"""The store: append, read before a moment, one contact's history; every part of it begins with ``store``."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, Engine, insert, inspect, select
from sqlalchemy.pool import PoolProxiedConnection

from features import store_tables as tables
from features.row_types import ScoreRow
from features.store_reading import Reading
from features.store_tables import SCHEMA_VERSION, StoreError
from features.store_writing import Writing

__all__ = ["Store", "StoreError", "Writing"]


class Store(Reading):
    """Touchpoints, traits, links, decisions and what belongs to them.

    Safe to use from several threads and processes: readers never wait, writers wait for
    each other for a minute.
    Made by ``Store.open``.
    """

    def __init__(self, engine: Engine, where: str) -> None:
        self._engine = engine
        self._where = where
        self._thread = threading.local()
        self._lent: list[PoolProxiedConnection] = []
        self._lending = threading.Lock()

    @classmethod
    def open(cls, url: str) -> Self:
        """Open a store, made anew where there is none.

        Parameters
        ----------
        url
            As in ``[store] url``, with an absolute path or one from the working directory.

        Raises
        ------
        StoreError
            Where the URL is wrong, the file is something else or the store was made by a newer version.
        """
        engine = tables.connect(url)
        store = cls(engine, repr(engine.url.database))
        try:
            with tables.sentences(store._where):
                store._keep_log()
                store._make_tables()
        except StoreError:
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
        self._engine.dispose()

    @contextmanager
    def writing(self) -> Iterator[Writing]:
        """One transaction: everything written inside is there afterwards, or nothing where an error ended it.

        Raises
        ------
        StoreError
            Where another process has been writing for a minute, or there is no room.
        """
        with tables.sentences(self._where), closing(self._engine.raw_connection()) as connection:
            cursor = _driver(connection).cursor()
            cursor.execute("BEGIN IMMEDIATE")
            try:
                yield Writing(cursor)
                cursor.execute("COMMIT")
            except BaseException:
                if _driver(connection).in_transaction:
                    cursor.execute("ROLLBACK")
                raise

    def save_scores(self, rows: Iterable[ScoreRow]) -> int:
        """Put these scores in the place of all there were, whole or not at all."""
        with self.writing() as writing:
            return writing.scores(rows)

    def _keep_log(self) -> None:
        """Switch to a write-ahead log, in which readers see the last commit while others write."""
        with closing(self._engine.raw_connection()) as connection:
            for attempt in range(100):
                try:
                    _driver(connection).execute("PRAGMA journal_mode = WAL")
                    return
                except sqlite3.OperationalError as error:
                    # The switch, made once in a store's life, does not wait for others by itself.
                    if "locked" not in str(error) or attempt == 99:
                        raise
                    time.sleep(0.05)

    def _make_tables(self) -> None:
        with self._engine.connect() as connection:
            # A store that is there already is opened without waiting for whoever writes to it.
            if self._is_made(connection):
                return
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            if not self._is_made(connection):
                tables.METADATA.create_all(connection)
                connection.execute(insert(tables.VERSION).values(version=SCHEMA_VERSION))
            connection.exec_driver_sql("COMMIT")

    def _is_made(self, connection: Connection) -> bool:
        found = set(inspect(connection).get_table_names())
        if tables.VERSION.name in found:
            self._check_version(connection.execute(select(tables.VERSION.c.version)).scalar())
            return True
        ours = sorted(found & set(tables.METADATA.tables))
        if ours:
            raise StoreError(
                f"{self._where} has tables of its own called {', '.join(ours)}; "
                "give the store a file to itself in store.url"
            )
        return False

    def _check_version(self, version: int | None) -> None:
        if version is None or version > SCHEMA_VERSION:
            raise StoreError(
                f"the store {self._where} was made by a newer nba "
                f"(schema {version}, this one knows {SCHEMA_VERSION}); upgrade nba, or use another store"
            )

    def _cursor(self) -> sqlite3.Cursor:
        cursor: sqlite3.Cursor | None = getattr(self._thread, "cursor", None)
        if cursor is None:
            connection = self._engine.raw_connection()
            with self._lending:
                self._lent.append(connection)
            cursor = self._thread.cursor = _driver(connection).cursor()
        return cursor

    def _stream(self, statement: str, parameters: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
        # On a connection of its own, because a reader may write or read other things between two rows.
        with tables.sentences(self._where), closing(self._engine.raw_connection()) as connection:
            cursor = _driver(connection).cursor()
            cursor.arraysize = 5000
            with closing(cursor):
                cursor.execute(statement, parameters)
                while rows := cursor.fetchmany():
                    yield from rows


def _driver(connection: PoolProxiedConnection) -> sqlite3.Connection:
    driver = connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        raise TypeError(f"expected a connection to SQLite, got {type(driver).__name__}")
    return driver
