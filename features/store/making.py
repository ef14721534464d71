"""Making the tables of a store, or bringing those of an older one to the newest schema."""

from __future__ import annotations

from contextlib import closing

from sqlalchemy.pool import PoolProxiedConnection

from features.store import tables, views
from features.store.dialect import Cursor, Dialect, StoreAwayError, StoreError
from features.store.migrations import NEWEST, migrate


def make_tables(dialect: Dialect, connection: PoolProxiedConnection) -> None:
    """Make what is missing, whole or not at all.

    Raises
    ------
    StoreError
        Where the store was made by a newer version, or the database holds something else.
    """
    with closing(dialect.cursor(connection)) as cursor:
        # A store that is there already is opened without waiting for whoever writes to it.
        if _version(dialect, cursor) == NEWEST and views.are_current(cursor, dialect):
            return
        dialect.begin_change(cursor)
        try:
            version = _version(dialect, cursor)
            if version is None:
                dialect.make_tables(cursor)
                cursor.execute(f"INSERT INTO {tables.VERSION.name} (version) VALUES ({NEWEST})")
            elif version < NEWEST:
                migrate(version, cursor.execute, dialect.words)
            views.renew(cursor, dialect)
            cursor.execute("COMMIT")
        except BaseException:
            dialect.rollback(connection)
            raise


def _version(dialect: Dialect, cursor: Cursor) -> int | None:
    """Return the version of the schema; None where there is no store yet."""
    found = dialect.table_names(cursor)
    if tables.VERSION.name in found:
        row = cursor.execute(f"SELECT version FROM {tables.VERSION.name}").fetchone()
        version = None if row is None else int(row[0])
        _check_version(dialect, version)
        return version
    ours = sorted(found & set(tables.METADATA.tables))
    if ours:
        raise StoreError(
            f"{dialect.where} has tables of its own called {', '.join(ours)}; "
            "give the store a file or a database to itself in store.url"
        )
    return None


def _check_version(dialect: Dialect, version: int | None) -> None:
    if version is None or version > NEWEST:
        raise StoreError(
            f"the store {dialect.where} was made by a newer nba "
            f"(schema {version}, this one knows {NEWEST}); upgrade nba, or use another store"
        )


def refuse_others(dialect: Dialect, connection: PoolProxiedConnection) -> None:
    """Let only a store take the place of one: nobody asked to make one of what else lies there.

    Raises
    ------
    StoreAwayError
        Where it is none.
    """
    if tables.TOUCHPOINTS.name not in dialect.table_names(dialect.cursor(connection)):
        raise StoreAwayError(f"what stands in the place of the store {dialect.where} is none; put the store back there")
