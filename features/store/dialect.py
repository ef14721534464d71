"""What the databases have of their own: connecting, transactions, long reads, and the sentences of their errors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, Protocol

from sqlalchemy import Table, text
from sqlalchemy.pool import PoolProxiedConnection
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.sql.expression import ClauseElement

from features.errors import UserError
from features.store.patience import Patience
from features.store.tables import METADATA

BUSY_SECONDS = 60
"""How long a writer waits for others."""


class StoreError(UserError):
    """The store cannot be opened, or would not take what it was given."""


class StoreAwayError(StoreError):
    """The store cannot be used for now; what it was given it may take later."""


class Cursor(Protocol):
    """What the drivers' cursors have in common."""

    @property
    def rowcount(self) -> int:
        """How many rows the last statement wrote."""

    def execute(self, statement: str, parameters: Sequence[Any] = ..., /) -> Any:
        """Run a statement; returns the cursor."""

    def executemany(self, statement: str, parameters: Iterable[Sequence[Any]], /) -> Any:
        """Run a statement for each row."""

    def fetchone(self) -> Any:
        """Return the next row, or None."""

    def fetchall(self) -> list[Any]:
        """Return the rows that are left."""

    def close(self) -> None:
        """Let go of it."""


def quoted(names: Iterable[str]) -> str:
    """Names of columns for a statement."""
    return ", ".join(f'"{name}"' for name in names)


class Sql:
    """A statement in the words of each dialect, its parameters by position in the order of their appearance."""

    def __init__(self, clause: ClauseElement) -> None:
        self._clause = clause
        self._texts: dict[str, str] = {}

    def text(self, dialect: Dialect) -> str:
        """Return the text for a dialect, worked out once."""
        found = self._texts.get(dialect.name)
        if found is None:
            found = self._texts[dialect.name] = str(self._clause.compile(dialect=dialect.grammar))
        return found


def once(table: Table, columns: Sequence[str] | None = None, otherwise: str = "DO NOTHING") -> Sql:
    """Insert a row, its values in the order of ``columns`` (the table's where left out), unless it is there."""
    names = columns or [column.name for column in table.c]
    values = ", ".join(f":{name}" for name in names)
    return Sql(text(f"INSERT INTO {table.name} ({quoted(names)}) VALUES ({values}) ON CONFLICT {otherwise}"))


class Dialect(ABC):
    """One database.

    ``where`` is what sentences call the store; a password never stands in it.
    """

    name: ClassVar[str]
    grammar: ClassVar[Any]
    """SQLAlchemy's dialect, with parameters by position."""
    errors: ClassVar[tuple[type[Exception], ...]]
    gave_way: ClassVar[tuple[type[Exception], ...]] = ()
    """The errors after which the same transaction may well succeed."""
    no_answer: ClassVar[tuple[type[Exception], ...]] = ()
    """The errors after which it must not be asked again at once: the time for it has run out."""
    longest_key: ClassVar[int | None] = None
    """How many bytes of UTF-8 an identity, an id or a source may have; None where that does not matter."""
    words: ClassVar[Mapping[str, str]]
    """What migrations call by a name and each database by another."""
    where: str
    patience: Patience | None = None
    """Of a service; None: of a command, which has time."""
    why_out: str | None = None
    """Why nobody was there the last time, as a service has found; it is asked no more until somebody is."""

    @property
    def busy_seconds(self) -> float:
        """How long a writer waits for others."""
        return BUSY_SECONDS if self.patience is None else self.patience.busy

    def may_be_there(self) -> bool:
        """Whether connecting would make nothing anew."""
        return True

    @abstractmethod
    def connect(self) -> Any:
        """Make a connection, in which transactions are begun by hand."""

    def reopen(self) -> Any:
        """Make a connection to whatever is there now, also where that is another store than was made ready."""
        return self.connect()

    def made(self, cursor: Cursor) -> None:
        """Take note of what was made ready."""
        return

    def closed(self) -> None:
        """Take note that no connection of this process is open."""
        return

    def is_other(self) -> bool:
        """Whether what is there now is not what was made ready."""
        return False

    def check(self) -> None:
        """Raise one of ``errors`` where what is there now is not what was made ready."""
        return

    @abstractmethod
    def prepare(self, connection: PoolProxiedConnection) -> None:
        """Do what has to be done once to a database before it is used."""

    @abstractmethod
    def cursor(self, connection: PoolProxiedConnection) -> Cursor:
        """Make a cursor whose reads see the last commit, or its own transaction."""

    @abstractmethod
    def begin(self, cursor: Cursor) -> bool:
        """Begin a transaction that writes, after those before it have ended; says whether it may pack.

        It may not while a load is being stored: what it reads would be old as soon as that is committed.
        """

    @abstractmethod
    def connect_to_load(self) -> Any:
        """Make a connection for one load."""

    @abstractmethod
    def gathering(self, cursor: Cursor, name: str, columns: Sequence[str], like: Table) -> None:
        """Make a table that nobody else sees, with ``n`` to number its rows as they come."""

    @abstractmethod
    def gather(
        self, cursor: Cursor, name: str, columns: Sequence[str], like: Table, rows: Iterable[tuple[Any, ...]]
    ) -> None:
        """Put rows into such a table, outside of any transaction."""

    @abstractmethod
    def begin_load(self, cursor: Cursor) -> None:
        """Begin the transaction in which gathered touchpoints are stored."""

    @abstractmethod
    def store_gathered(self, cursor: Cursor, statement: str, gathered: int) -> int:
        """Store the touchpoints that were gathered.

        Parameters
        ----------
        statement
            What stores them, but for those that are there.
        gathered
            How many they are.

        Returns
        -------
        int
            How many were stored; -1 where two of them have the same source and id, then nothing is right yet.
        """

    @abstractmethod
    def loaded(self, cursor: Cursor, gathered: int) -> None:
        """Do what is good for a database after a load of so many touchpoints was committed."""

    @contextmanager
    def filling(self, cursor: Cursor, table: str) -> Iterator[None]:
        """Have a table that is empty filled inside, within a transaction."""
        yield

    @abstractmethod
    def begin_change(self, cursor: Cursor) -> None:
        """Begin a transaction that changes the schema; one at a time."""

    @abstractmethod
    def rollback(self, connection: PoolProxiedConnection) -> None:
        """Undo a transaction, if there still is one."""

    @abstractmethod
    def table_names(self, cursor: Cursor) -> set[str]:
        """Return the tables there are."""

    @abstractmethod
    def stream(
        self, connection: PoolProxiedConnection, statement: str, parameters: Sequence[Any]
    ) -> Iterator[tuple[Any, ...]]:
        """Rows as they are asked for, all from one moment."""

    @abstractmethod
    def is_lost(self, connection: PoolProxiedConnection) -> bool:
        """Whether the other end of a connection has gone."""

    @abstractmethod
    def scrub(self, connection: PoolProxiedConnection) -> str | None:
        """Take the bytes of deleted rows out of the database's files; says which of them stay, and until when."""

    @abstractmethod
    def is_away(self, error: Exception) -> bool:
        """Whether one of ``errors`` says that the database cannot be used for now, whatever it was given."""

    def is_gone(self, error: Exception) -> bool:
        """Whether it says that nobody is there at all."""
        return False

    def will_pass(self, error: BaseException | None) -> bool:
        """Whether nobody is there for now: in contrast to a server that lets nobody in, somebody may be later."""
        return False

    @abstractmethod
    def put_view(self, cursor: Cursor, name: str, select: str, means: str, columns: Mapping[str, str]) -> bool:
        """Make a view, or make it anew, within a transaction that changes the schema.

        Parameters
        ----------
        means, columns
            What a row is and what each column means.

        Returns
        -------
        bool
            False where it had to be left as it was, because views of others stand on it.
        """

    @abstractmethod
    def sentence(self, error: Exception) -> str:
        """Say what one of ``errors`` means and what to do."""

    def text(self, statement: Sql | str) -> str:
        """Return the text of a statement; one that is text already is left as it is."""
        return statement if isinstance(statement, str) else statement.text(self)

    def make_tables(self, cursor: Cursor) -> None:
        """Make every table and index of the newest schema."""
        for table in METADATA.sorted_tables:
            cursor.execute(str(CreateTable(table).compile(dialect=self.grammar)))
            for index in sorted(table.indexes, key=lambda one: str(one.name)):
                cursor.execute(str(CreateIndex(index).compile(dialect=self.grammar)))

    @contextmanager
    def sentences(self) -> Iterator[None]:
        """Turn the database's own errors into sentences.

        Raises
        ------
        StoreError
            For every error of the database inside; a StoreAwayError for one that will pass.
        """
        try:
            yield
        except self.errors as error:
            raise self.raised(error) from error

    def raised(self, error: Exception) -> BaseException:
        """Return what is raised in the place of one of ``errors``; takes note where nobody is there."""
        said = self.sentence(error)
        if not self.is_away(error):
            return StoreError(said)
        if self.patience is not None and self.is_gone(error):
            self.why_out = said
        return StoreAwayError(said)
