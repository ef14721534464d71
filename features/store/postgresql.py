"""A store in a database of PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import psycopg
from psycopg import errors as faults
from psycopg.types.numeric import Int8BinaryDumper, Int8Dumper
from sqlalchemy import BigInteger, Double, Integer, Table, Text
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.engine import URL
from sqlalchemy.pool import PoolProxiedConnection

from features.frozen import Frozen
from features.store import postgresql_views
from features.store.dialect import Cursor, Dialect, quoted
from features.store.found_by import FOUND_BY
from features.store.patient import NoAnswerError, Patient, refusal_in
from features.store.tables import METADATA

_CONNECT_SECONDS = "10"
# Locks are a database's; those of stores in different schemas of one database must not meet.
_KEY = "hashtext('nba ' || current_schema())"
_WRITE, _CHANGE, _LOAD = 1, 2, 3
_MANY = 100_000
_LOADED = ("touchpoints", "contacts", "account_members", "records", "asset_owners", "links", "link_ends")
_ELSE_NOTHING = " ON CONFLICT DO NOTHING"
_ONLY_NEW = (
    " WHERE NOT EXISTS (SELECT 1 FROM touchpoints AS known WHERE known.source = loading.source "
    "AND known.touchpoint_id = loading.touchpoint_id) "
)
_DAMAGED = faults.InternalError_, faults.DataCorrupted, faults.IndexCorrupted
_AWAY = *_DAMAGED, faults.ReadOnlySqlTransaction, faults.IdleInTransactionSessionTimeout
_TYPES: dict[type[Any], str] = {Text: "text", BigInteger: "int8", Integer: "int4", Double: "float8"}


class Postgresql(Dialect):
    """PostgreSQL 14 or newer.

    Short transactions that write come one after the other, as they do in SQLite, so that what one of them has read
    still holds when it writes, and no two wait for each other for ever. Loads are gathered beside them.

    Parameters
    ----------
    url
        With the options of libpq, such as ``sslmode``, as its query. The tables are made in the first schema of the
        connection's search path.
    """

    name = "postgresql"
    grammar = PGDialect(paramstyle="format")  # type: ignore[no-untyped-call] # untyped there
    errors = (psycopg.Error,)
    # An entry of an index has some 2,700 bytes; the longest of ours has three keys.
    longest_key = 800
    words = Frozen(
        {
            "text": 'TEXT COLLATE "C"',
            "double": "DOUBLE PRECISION",
            "clustered": "",
            "identity": "body::json ->> 'identity'",
            "account": "body::json ->> 'account'",
            **FOUND_BY["postgresql"],
        }
    )
    gave_way = (faults.DeadlockDetected, faults.SerializationFailure)
    no_answer = (NoAnswerError,)

    def __init__(self, url: URL) -> None:
        self.where = repr(url.render_as_string(hide_password=True))
        self._server = f"{url.host or url.query.get('host') or 'this machine'}"
        self._database = str(url.database)
        query = {"connect_timeout": _CONNECT_SECONDS, "application_name": "nba", **url.query}
        self._info = url.set(drivername="postgresql", query=query).render_as_string(hide_password=False)

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """Connect to the server; statements are prepared when they come again."""
        connection = self._connected()
        # One width for every number, because each would be a statement of its own to prepare.
        connection.adapters.register_dumper(int, Int8Dumper)
        connection.adapters.register_dumper(int, Int8BinaryDumper)
        try:
            # Short reads go by indexes: a plan that was made while a table was empty would stay when it is full.
            connection.execute(f"SET lock_timeout = '{int(self.busy_seconds * 1000)}ms'; SET enable_seqscan = off")
        except BaseException:
            connection.close()
            raise
        return connection

    def _connected(self) -> psycopg.Connection[tuple[Any, ...]]:
        if self.patience is None:
            return psycopg.connect(self._info, autocommit=True, prepare_threshold=1)
        seconds = self.patience.connect
        patient = Patient.connect(self._info, autocommit=True, prepare_threshold=1, connect_timeout=seconds)
        patient.patience = self.patience
        return patient

    def prepare(self, connection: PoolProxiedConnection) -> None:
        """Do nothing: a server needs no switch."""

    def cursor(self, connection: PoolProxiedConnection) -> Cursor:
        """Make a cursor that reads values in binary."""
        return _driver(connection).cursor(binary=True)

    def begin(self, cursor: Cursor) -> bool:
        """Begin to write, when no other short transaction does."""
        cursor.execute("BEGIN")
        taken = cursor.execute(
            f"SELECT pg_advisory_xact_lock({_KEY}, {_WRITE}), pg_try_advisory_xact_lock({_KEY}, {_LOAD})"
        ).fetchone()
        return bool(taken[1])

    def connect_to_load(self) -> psycopg.Connection[tuple[Any, ...]]:
        """Connect with memory to sort in."""
        connection = self.connect()
        if isinstance(connection, Patient):
            # What a load does in one statement may take minutes.
            connection.patience = None
        connection.execute("SET work_mem = '128MB'; SET enable_seqscan = on")
        return connection

    def gathering(self, cursor: Cursor, name: str, columns: Sequence[str], like: Table) -> None:
        """Make a temporary table."""
        typed = (f'"{column}" {like.c[column].type.compile(self.grammar)}' for column in columns)
        cursor.execute(f"CREATE TEMP TABLE {name} (n bigserial, {', '.join(typed)})")

    def gather(
        self, cursor: Cursor, name: str, columns: Sequence[str], like: Table, rows: Iterable[tuple[Any, ...]]
    ) -> None:
        """Copy into a temporary table."""
        types = [_TYPES[type(like.c[column].type)] for column in columns]
        with _of(cursor).copy(f"COPY {name} ({quoted(columns)}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(types)
            write = copy.write_row
            for row in rows:
                write(row)

    def begin_load(self, cursor: Cursor) -> None:
        """Begin beside those who write shortly; what they pack would be wrong as soon as this is committed."""
        cursor.execute("BEGIN")
        cursor.execute(f"SELECT pg_advisory_xact_lock_shared({_KEY}, {_LOAD})")

    def store_gathered(self, cursor: Cursor, statement: str, gathered: int) -> int:
        """Store in the order of the table, so that one contact's touchpoints lie together.

        Looking for a conflict at every row doubles the time, so that is done only where there is one.
        """
        cursor.execute("ANALYZE loading")
        cursor.execute("SAVEPOINT plain")
        try:
            cursor.execute(_ONLY_NEW.join(statement.removesuffix(_ELSE_NOTHING).split(" WHERE true ")))
        except faults.UniqueViolation:
            cursor.execute("ROLLBACK TO SAVEPOINT plain")
            cursor.execute(statement)
        return cursor.rowcount

    def loaded(self, cursor: Cursor, gathered: int) -> None:
        """Let the planner know how much there is now."""
        if gathered >= _MANY:
            cursor.execute(f"ANALYZE {', '.join(_LOADED)}")

    def begin_change(self, cursor: Cursor) -> None:
        """Begin to change the schema; whoever comes at the same time waits."""
        cursor.execute("BEGIN")
        cursor.execute(f"SELECT pg_advisory_xact_lock({_KEY}, {_CHANGE})")

    def rollback(self, connection: PoolProxiedConnection) -> None:
        """Undo a transaction; a connection that is lost has undone it already."""
        driver = _driver(connection)
        if driver.closed:
            connection.invalidate()
        elif driver.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            try:
                driver.rollback()
            except psycopg.Error:
                connection.invalidate()

    def table_names(self, cursor: Cursor) -> set[str]:
        """Return what stands in the connection's search path."""
        found = cursor.execute(
            "SELECT relname::text FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f') "
            "AND pg_table_is_visible(oid) AND relnamespace <> 'pg_catalog'::regnamespace"
        ).fetchall()
        return {row[0] for row in found}

    def stream(
        self, connection: PoolProxiedConnection, statement: str, parameters: Sequence[Any]
    ) -> Iterator[tuple[Any, ...]]:
        """Fetch from a cursor that stays on the server, a few thousand rows at a time."""
        driver = _driver(connection)
        # A transaction, in which alone a cursor lives; all of the rows are wanted, not the first ones soon.
        with driver.transaction(), driver.cursor("stream") as cursor:
            driver.execute("SET LOCAL cursor_tuple_fraction = 1; SET LOCAL enable_seqscan = on")
            cursor.itersize = 5000
            cursor.execute(statement, parameters, binary=True)
            yield from cursor

    def is_lost(self, connection: PoolProxiedConnection) -> bool:
        """Whether the server closed the connection."""
        return _driver(connection).closed

    def scrub(self, connection: PoolProxiedConnection) -> str | None:
        """Free the room of deleted rows; to write every table anew would lock everybody out for as long."""
        for table in sorted(METADATA.tables):
            _driver(connection).execute(f"VACUUM {table}")
        return (
            "no query and no dump finds what was deleted; its bytes may stay in free room of PostgreSQL's files until "
            "that is used again, in its write-ahead log and in backups; VACUUM FULL in a quiet hour writes files anew"
        )

    def put_view(self, cursor: Cursor, name: str, select: str, means: str, columns: Mapping[str, str]) -> bool:
        """Replace it; who may read it still may."""
        told = {f"VIEW {name}": means, **{f"COLUMN {name}.{column}": said for column, said in columns.items()}}
        return postgresql_views.put(cursor, name, select, told)

    def is_away(self, error: Exception) -> bool:
        """Whether it is away, busy, full, read-only or damaged; what it refuses for being too long is no such thing."""
        if isinstance(error, faults.ProgramLimitExceeded):
            return False
        return isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError, *_AWAY))

    def is_gone(self, error: Exception) -> bool:
        """Whether there is no connection to it, or it is going down."""
        if not isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
            return False
        return error.sqlstate is None or error.sqlstate.startswith(("08", "57P", "53300"))

    def will_pass(self, error: BaseException | None) -> bool:
        """Whether it cannot be reached, or goes down or comes up; to be let in takes somebody who changes something."""
        return isinstance(error, Exception) and self.is_gone(error) and refusal_in(str(error)) is None

    def sentence(self, error: Exception) -> str:
        """Say what an error of PostgreSQL means."""
        first = str(error).strip().partition("\n")[0]
        for kinds, sentence in _SENTENCES:
            if isinstance(error, kinds):
                return sentence.format(where=self.where, said=first, seconds=self.busy_seconds)
        if isinstance(error, psycopg.OperationalError):
            return self._away(str(error), first)
        return f"the store {self.where} failed: {first}"

    def _away(self, said: str, first: str) -> str:
        """Say why there is no connection; the server's words carry no code while there is none."""
        if (refuses := refusal_in(said)) == "entry":
            return (
                f"the server does not let us into the store {self.where} ({first}); check the user, and give the "
                "password by PGPASSWORD, a file ~/.pgpass or NBA_STORE_URL"
            )
        if refuses == "database":
            return (
                f"there is no database {self._database!r} on {self._server}; make it with createdb, or change store.url"
            )
        if refuses == "role":
            return f"the server of the store {self.where} does not know the user ({first}); change store.url"
        if "too many" in said or "remaining connection slots" in said:
            return f"the server of the store {self.where} takes no more connections ({first}); try again later"
        return f"the server of the store {self.where} cannot be reached ({first}); check that it runs, and store.url"


_SENTENCES: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    (
        (faults.LockNotAvailable,),
        "another process has been writing to the store {where} for {seconds} s; try again later",
    ),
    (
        (faults.DeadlockDetected, faults.SerializationFailure),
        "the store {where} gave way to another writer ({said}); nothing of this was stored, try again",
    ),
    (
        (faults.InsufficientPrivilege, faults.ReadOnlySqlTransaction),
        "the store {where} cannot be written to ({said}); let the user of store.url write to the tables and make them",
    ),
    ((faults.DiskFull,), "no room left to write to the store {where}; nothing of this was stored"),
    (
        (faults.OutOfMemory, faults.InsufficientResources),
        "the server of the store {where} lacks resources ({said}); nothing of this was stored",
    ),
    (
        (faults.ProgramLimitExceeded,),
        "the store {where} cannot keep an identity or id of more than some 2.6 kB ({said}); shorten it",
    ),
    ((faults.InvalidSchemaName,), "the store {where} has no schema to keep its tables in ({said}); make one"),
    ((faults.AdminShutdown, faults.CrashShutdown, faults.CannotConnectNow),
     "the server of the store {where} is going down or coming up ({said}); try again"),
)  # fmt: skip


def _driver(connection: PoolProxiedConnection) -> psycopg.Connection[tuple[Any, ...]]:
    driver = connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise TypeError(f"expected a connection to PostgreSQL, got {type(driver).__name__}")
    return driver


def _of(cursor: Cursor) -> psycopg.Cursor[tuple[Any, ...]]:
    if not isinstance(cursor, psycopg.Cursor):
        raise TypeError(f"expected a cursor of PostgreSQL, got {type(cursor).__name__}")
    return cursor
