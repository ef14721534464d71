"""A store in a file of SQLite."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import URL
from sqlalchemy.pool import PoolProxiedConnection

from features.frozen import Frozen
from features.store.dialect import Cursor, Dialect, StoreError, quoted
from features.store.found_by import FOUND_BY
from features.store.opened_file import OpenedFile

_FORGET_KNOWN = (
    "DELETE FROM loading WHERE EXISTS (SELECT 1 FROM touchpoints AS known "
    "WHERE known.source = loading.source AND known.touchpoint_id = loading.touchpoint_id)"
)
_TRIES = 100
_SCRUB_SECONDS = 60
_AWAY = ("locked", "busy", "full", "disk I/O", "unable to open", "readonly", "malformed", "not a database", "moved")
_PRAGMAS = (
    "synchronous = FULL",
    "cache_size = -65536",
    "temp_store = MEMORY",
    "journal_size_limit = 67108864",
)
_MOVED = "the file was moved or removed"
# For long reads. Whoever reads shortly between others' commits would have the file mapped anew after each of them.
_MAPPED = "mmap_size = 268435456"


class Sqlite(Dialect):
    """SQLite with a write-ahead log: readers see the last commit, writers wait for each other.

    Parameters
    ----------
    url
        Names the file; its folder must be there.
    """

    name = "sqlite"
    grammar = SQLiteDialect_pysqlite(paramstyle="qmark")
    errors = (sqlite3.Error,)
    words = Frozen(
        {
            "text": "TEXT",
            "double": "DOUBLE",
            "clustered": " WITHOUT ROWID",
            "identity": "json_extract(body, '$.identity')",
            "account": "json_extract(body, '$.account')",
            **FOUND_BY["sqlite"],
        }
    )

    def __init__(self, url: URL) -> None:
        if not url.database or url.database == ":memory:":
            raise StoreError(f"store.url {str(url)!r} names no file; write one such as sqlite:///nba.db")
        path = Path(url.database)
        if path.is_dir():
            raise StoreError(f"the store {url.database!r} is a folder; store.url must name a file")
        if not path.parent.is_dir():
            raise StoreError(f"no folder {str(path.parent)!r} for the store; make it, or change store.url")
        self.where = repr(url.database)
        arguments, named = self.grammar.create_connect_args(url)
        self._file: str = arguments[0]
        self._named: dict[str, Any] = {**named, "check_same_thread": False}
        self._opened = OpenedFile()

    def may_be_there(self) -> bool:
        """Whether the file is there."""
        return Path(self._file).is_file()

    def connect(self) -> sqlite3.Connection:
        """Open the file.

        Raises
        ------
        sqlite3.OperationalError
            Where it cannot be opened, or is not the one that was made ready.
        """
        self.check()
        return self._open()

    def reopen(self) -> sqlite3.Connection:
        """Open the file that is there now, whichever it is; where one was and none is, none is made.

        Raises
        ------
        sqlite3.OperationalError
            Where it cannot be opened.
        """
        if self._opened.is_missing:
            raise sqlite3.OperationalError(_MOVED)
        return self._open()

    def _open(self) -> sqlite3.Connection:
        # Transactions are begun by hand: the driver would begin them late and upgrade a read to a write.
        named = {"timeout": self.busy_seconds, **self._named}
        connection: sqlite3.Connection = sqlite3.connect(self._file, isolation_level=None, **named)
        for pragma in _PRAGMAS if self.patience is not None else (*_PRAGMAS, _MAPPED):
            connection.execute(f"PRAGMA {pragma}")
        return connection

    def prepare(self, connection: PoolProxiedConnection) -> None:
        """Switch to a write-ahead log."""
        for attempt in range(100):
            try:
                _driver(connection).execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                # The switch, made once in a store's life, does not wait for others by itself.
                if "locked" not in str(error) or attempt == 99:
                    raise
                time.sleep(0.05)

    def cursor(self, connection: PoolProxiedConnection) -> Cursor:
        """Make a cursor."""
        return _driver(connection).cursor()

    def begin(self, cursor: Cursor) -> bool:
        """Begin to write; there is one writer at a time.

        Raises
        ------
        sqlite3.OperationalError
            Where the file was moved, removed or replaced: what is written to one that nobody finds again is lost.
        """
        self.check()
        cursor.execute("BEGIN IMMEDIATE")
        self._opened.written()
        return True

    def made(self, cursor: Cursor) -> None:
        """Take note of the file that was made ready."""
        self._opened.made(cursor)

    def closed(self) -> None:
        """Take note that no connection of this process is open."""
        self._opened.closed()

    def is_other(self) -> bool:
        """Whether the file that was made ready, or its write-ahead log, was moved, removed or replaced."""
        return self._opened.is_other

    def check(self) -> None:
        """Raise where it ``is_other``."""
        if self.is_other():
            raise sqlite3.OperationalError(_MOVED)

    def begin_load(self, cursor: Cursor) -> None:
        """Begin to write."""
        self.begin(cursor)

    @contextmanager
    def filling(self, cursor: Cursor, table: str) -> Iterator[None]:
        """Make the indexes anew behind the rows: sorted at once they cost a fraction of what row by row does.

        Nobody waits for that, as a server's readers would: they see what stood before.
        """
        asked = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL"
        indexes = cursor.execute(asked, (table,)).fetchall()
        for name, _ in indexes:
            cursor.execute(f"DROP INDEX {name}")
        yield
        for _, made_by in indexes:
            cursor.execute(made_by)

    def begin_change(self, cursor: Cursor) -> None:
        """Begin to write."""
        self.begin(cursor)

    def connect_to_load(self) -> sqlite3.Connection:
        """Open the file; what is gathered and sorted goes to temporary files and not to memory."""
        connection = self.connect()
        for pragma in ("temp_store = FILE", "temp.journal_mode = OFF", "cache_size = -131072"):
            connection.execute(f"PRAGMA {pragma}")
        # Python is called back now and then, so that a load in the midst of a long statement can be interrupted.
        connection.set_progress_handler(lambda: 0, 1_000_000)
        return connection

    def raised(self, error: Exception) -> BaseException:
        """Return a sentence; a statement that was interrupted was so by Ctrl-C."""
        if isinstance(error, sqlite3.OperationalError) and str(error) == "interrupted":
            return KeyboardInterrupt()
        return super().raised(error)

    def gathering(self, cursor: Cursor, name: str, columns: Sequence[str], like: Table) -> None:
        """Make a temporary table."""
        cursor.execute(f"CREATE TEMP TABLE {name} (n INTEGER PRIMARY KEY, {quoted(columns)})")

    def gather(
        self, cursor: Cursor, name: str, columns: Sequence[str], like: Table, rows: Iterable[tuple[Any, ...]]
    ) -> None:
        """Append to a temporary table."""
        marks = ", ".join("?" * len(columns))
        # One commit a chunk instead of one a row, unless there is a transaction already.
        cursor.execute("SAVEPOINT gather")
        cursor.executemany(f"INSERT INTO {name} ({quoted(columns)}) VALUES ({marks})", rows)
        cursor.execute("RELEASE gather")

    def store_gathered(self, cursor: Cursor, statement: str, gathered: int) -> int:
        """Store in the order of the table; the index of ids is made anew where more comes than is there."""
        there = cursor.execute("SELECT count(*) FROM (SELECT 1 FROM touchpoints LIMIT ?)", (gathered,)).fetchone()[0]
        if there == gathered:
            cursor.execute(statement)
            return cursor.rowcount
        if there:
            cursor.execute(_FORGET_KNOWN)
        index = cursor.execute("SELECT sql FROM sqlite_master WHERE name = 'touchpoints_once'").fetchone()[0]
        cursor.execute("DROP INDEX touchpoints_once")
        cursor.execute(statement)
        stored = cursor.rowcount
        try:
            cursor.execute(index)
        except sqlite3.IntegrityError:
            return -1
        return stored

    def loaded(self, cursor: Cursor, gathered: int) -> None:
        """Do nothing."""

    def rollback(self, connection: PoolProxiedConnection) -> None:
        """Undo a transaction; a full disk has ended it already."""
        if _driver(connection).in_transaction:
            _driver(connection).execute("ROLLBACK")

    def table_names(self, cursor: Cursor) -> set[str]:
        """Return the tables of the file."""
        return {row[0] for row in cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()}

    def stream(
        self, connection: PoolProxiedConnection, statement: str, parameters: Sequence[Any]
    ) -> Iterator[tuple[Any, ...]]:
        """Step through a statement, a few thousand rows at a time."""
        with closing(_driver(connection).cursor()) as cursor:
            cursor.arraysize = 5000
            cursor.execute(statement, parameters)
            while rows := cursor.fetchmany():
                yield from rows

    def is_lost(self, connection: PoolProxiedConnection) -> bool:
        """Return false: whether a file was moved is asked of the file, not of who has it open."""
        return False

    def scrub(self, connection: PoolProxiedConnection) -> str | None:
        """Write the file anew, without free pages, and empty the write-ahead log."""
        driver = _driver(connection)
        # Others that write shortly come in between; a service keeps what comes meanwhile in its journal.
        driver.execute(f"PRAGMA busy_timeout = {_SCRUB_SECONDS * 1000}")
        driver.execute("VACUUM")
        for _ in range(_TRIES):
            # The log can be emptied once nobody reads what stood before.
            if driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0:
                return None
            time.sleep(0.1)
        return (
            "somebody has been reading the database all the while, so that old bytes stay in its write-ahead log; "
            "erase again when fewer do, which empties it"
        )

    def is_away(self, error: Exception) -> bool:
        """Whether it is locked, full, unreadable or damaged."""
        return isinstance(error, sqlite3.DatabaseError) and any(word in str(error) for word in _AWAY)

    def is_gone(self, error: Exception) -> bool:
        """Whether the file is not the one that was opened."""
        return str(error) == _MOVED

    def put_view(self, cursor: Cursor, name: str, select: str, means: str, columns: Mapping[str, str]) -> bool:
        """Make it; where there is one it is removed."""
        cursor.execute(f"DROP VIEW IF EXISTS {name}")
        cursor.execute(f"CREATE VIEW {name} AS {select}")
        return True

    def sentence(self, error: Exception) -> str:
        """Say what an error of SQLite means."""
        said = str(error)
        if said == _MOVED:
            then = "start again to go on with what is there" if self.patience is None else "put a copy of it there"
            return f"the store {self.where} was moved, removed or replaced while it was open; put it back, or {then}"
        if "locked" in said or "busy" in said:
            seconds = self.busy_seconds
            return f"another process has been writing to the store {self.where} for {seconds} s; try again later"
        if "disk I/O" in said and self.is_other():
            return f"the write-ahead log of the store {self.where} was taken away while it was open; start again"
        if "not a database" in said:
            return f"{self.where} is not a store of this service but some other file; change store.url, or move it away"
        if "readonly" in said or "unable to open" in said:
            return f"the store {self.where} cannot be written to ({said}); check the permissions of file and folder"
        if "full" in said:
            return f"no room left to write to the store {self.where}; nothing of this was stored"
        return f"the store {self.where} failed: {said}"


def _driver(connection: PoolProxiedConnection) -> sqlite3.Connection:
    driver = connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        raise TypeError(f"expected a connection to SQLite, got {type(driver).__name__}")
    return driver
