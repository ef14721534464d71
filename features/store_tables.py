"""The store's tables and its door to the database; the dialect stands here and nowhere else."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Engine,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    create_engine,
    event,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.sql.expression import ClauseElement

from features.errors import UserError

SCHEMA_VERSION = 1
BUSY_SECONDS = 60

METADATA = MetaData()


class StoreError(UserError):
    """The store cannot be opened, or would not take what it was given."""


def _text(*names: str) -> list[Column[Any]]:
    return [Column(name, Text) for name in names]


def _number(*names: str) -> list[Column[Any]]:
    return [Column(name, Double) for name in names]


VERSION = Table("nba_store", METADATA, Column("version", Integer, primary_key=True))

# Clustered on identity and time, so that one contact's history is one short read.
TOUCHPOINTS = Table(
    "touchpoints",
    METADATA,
    Column("identity", Text, primary_key=True),
    Column("occurred_at", BigInteger, primary_key=True),
    Column("touchpoint_id", Text, primary_key=True),
    # The key's columns come first: SQLite 3.40 checks the integrity of tables laid out otherwise wrongly.
    Column("source", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    *_text("channel", "direction", "topics"),
    *_number("value"),
    *_text("currency"),
    *_number("margin", "duration"),
    *_text("decision_id", "action", "properties"),
    Index("touchpoints_once", "source", "touchpoint_id", unique=True),
    sqlite_with_rowid=False,
)

CONTACTS = Table(
    "contacts",
    METADATA,
    Column("identity", Text, primary_key=True),
    Column("known_at", BigInteger, primary_key=True),
    Column("body", Text, nullable=False),
    sqlite_with_rowid=False,
)

RECORDS = Table(
    "records",
    METADATA,
    Column("table_name", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("known_at", BigInteger, primary_key=True),
    Column("body", Text, nullable=False),
    sqlite_with_rowid=False,
)

LINKS = Table(
    "links",
    METADATA,
    Column("identity_a", Text, primary_key=True),
    Column("identity_b", Text, primary_key=True),
    Column("seen_at", BigInteger, primary_key=True),
    Column("how", Text, primary_key=True),
    *_number("confidence"),
    *_text("properties"),
    Index("links_of_b", "identity_b", "seen_at"),
    sqlite_with_rowid=False,
)

DECISIONS = Table(
    "decisions",
    METADATA,
    Column("decision_id", Text, primary_key=True),
    Column("identity", Text, nullable=False),
    Column("decided_at", BigInteger, nullable=False),
    Column("action", Text, nullable=False),
    *_number("probability"),
    *_text("allowed", "policy", "topics", "properties", "chances", "mode", "placement", "model_version", "terms"),
    *_text("key", "request_hash"),
    Column("answer", LargeBinary),
    Column("as_of", BigInteger),
    Column("activated_at", BigInteger),
    Column("deferred", Boolean, nullable=False),
    Column("holdout", Boolean, nullable=False),
    *_text("features_sha"),
    Index("decisions_of", "identity", "decided_at"),
)

OUTCOMES = Table(
    "outcomes",
    METADATA,
    Column("feedback_id", Text, primary_key=True),
    Column("decision_id", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("occurred_at", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    *_text("action", "reason", "note"),
    Column("until", BigInteger),
    *_number("value"),
    Column("pending", Boolean, nullable=False),
    Index("outcomes_of", "decision_id", "occurred_at"),
)

SCORES = Table(
    "scores",
    METADATA,
    Column("contact_id", Text, primary_key=True),
    Column("as_of", BigInteger, nullable=False),
    *_text("stage"),
    *_number("points"),
    Column("body", Text, nullable=False),
    *_text("model_version"),
)

QUARANTINE = Table(
    "quarantine",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("fingerprint", Text, nullable=False, unique=True),
    Column("table_name", Text, nullable=False),
    Column("raw", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("refused_at", BigInteger, nullable=False),
    Column("file", Text, nullable=False),
    Column("line", BigInteger),
    *_text("zone"),
    Column("nth", Integer, nullable=False),
)


def connect(url: str) -> Engine:
    """Make an engine for the URL of [store].

    Raises
    ------
    StoreError
        Where the URL is not one, or of a database that is not supported.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise StoreError(f"store.url {url!r} is not a database URL; write one such as sqlite:///nba.db") from error
    if parsed.get_backend_name() != "sqlite":
        raise StoreError(f"store.url {_hidden(parsed)!r}: only SQLite is supported so far; write sqlite:///nba.db")
    if not parsed.database or parsed.database == ":memory:":
        raise StoreError(f"store.url {url!r} names no file; write one such as sqlite:///nba.db")
    path = Path(parsed.database)
    if path.is_dir():
        raise StoreError(f"the store {parsed.database!r} is a folder; store.url must name a file")
    if not path.parent.is_dir():
        raise StoreError(f"no folder {str(path.parent)!r} for the store; make it, or change store.url")
    engine = create_engine(parsed, connect_args={"timeout": BUSY_SECONDS}, pool_size=4, max_overflow=-1)
    event.listen(engine, "connect", _prepare)
    return engine


def _hidden(url: URL) -> str:
    return url.render_as_string(hide_password=True)


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    # Transactions are begun by hand: the driver would begin them late and upgrade a read to a write.
    connection.isolation_level = None
    for pragma in (
        "synchronous = FULL",
        "cache_size = -65536",
        "mmap_size = 268435456",
        "temp_store = MEMORY",
        "journal_size_limit = 67108864",
    ):
        connection.execute(f"PRAGMA {pragma}")


def sql(statement: ClauseElement) -> str:
    """Return the text of a statement, with its parameters by position in the order of their appearance."""
    return str(statement.compile(dialect=sqlite.dialect(paramstyle="qmark")))


@contextmanager
def sentences(where: str) -> Iterator[None]:
    """Turn the database's own errors into sentences.

    Raises
    ------
    StoreError
        For every error of the database inside.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(_sentence(error, where)) from error
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None)
        raise StoreError(_sentence(cause or error, where)) from error


def _sentence(error: object, where: str) -> str:
    said = str(error)
    if "locked" in said or "busy" in said:
        return f"another process has been writing to the store {where} for {BUSY_SECONDS} s; try again later"
    if "not a database" in said:
        return f"{where} is not a store of this service but some other file; change store.url, or move it away"
    if "readonly" in said or "unable to open" in said:
        return f"the store {where} cannot be written to ({said}); check the permissions of file and folder"
    if "full" in said:
        return f"no room left to write to the store {where}; nothing of this was stored"
    return f"the store {where} failed: {said}"
