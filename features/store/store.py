"""The store: append, read before a moment, one contact's history; every part of it begins with ``store``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from types import TracebackType
from typing import Any, Self

from sqlalchemy.pool import NullPool, PoolProxiedConnection, QueuePool

from features.rows.row_types import ScoreRow
from features.store.dialect import Cursor, Dialect, Sql, StoreAwayError, StoreError
from features.store.dialects import dialect_of
from features.store.loading import Loading
from features.store.making import make_tables, refuse_others
from features.store.own_connections import OwnConnections
from features.store.patience import Patience
from features.store.reading import Reading
from features.store.resting import Resting
from features.store.writing import Writing
from features.touchpoints.touchpoints import TouchpointRules

__all__ = ["Loading", "Store", "StoreAwayError", "StoreError", "Writing"]

_KEPT_OPEN = 4
_ATTEMPTS = _KEPT_OPEN + 1
_MOST_NOTED = 10_000
_MAKING_SECONDS = 600.0


class Store(Reading):
    """Touchpoints, traits, links, decisions and what belongs to them.

    Safe to use from several threads and processes: readers never wait, writers wait for
    each other for a minute.
    Made by ``Store.open``.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._pool = QueuePool(dialect.connect, pool_size=_KEPT_OPEN, max_overflow=-1, reset_on_return=None)
        self._own = OwnConnections(dialect, self._pool)
        self._resting = Resting(_KEPT_OPEN)
        self._to_pack: dict[str, TouchpointRules] = {}
        self._time = 0
        self._is_made = False
        self.record_writes = 0
        """How many transactions of this object changed accounts, partners, products ...; others' are not counted."""
        self.late_decisions = 0
        """How many of them stored decisions of a time that others may have counted already."""
        self.generation = 0
        """How often ``look`` has found another file in the place of the one before: numbers in it may be lower."""

    @classmethod
    def open(cls, url: str, patience: Patience | None = None, *, may_be_away: bool = False) -> Self:
        """Open a store, made anew where there is none and brought to the newest schema where it is older.

        Parameters
        ----------
        url
            As in ``[store] url``, with an absolute path or one from the working directory.
        patience
            Of whoever has to answer soon; None: a writer waits for a minute, and a reader for the server.
        may_be_away
            Whether a server that cannot be reached for now is no error, for who has patience: then the store
            ``is_out``, and the first ``look`` that finds it opens it.

        Raises
        ------
        StoreError
            Where the URL is wrong, the file is something else, the server lets nobody in or the store was made by a
            newer version.
        """
        dialect = dialect_of(url)
        dialect.patience = patience
        store = cls(dialect)
        try:
            with store._dialect.sentences(), closing(store._pool.connect()) as connection:
                store._make(connection)
        except BaseException as error:
            if not (may_be_away and store.is_out and dialect.will_pass(error.__cause__)):
                store.close()
                raise
        return store

    def _make(self, connection: PoolProxiedConnection) -> None:
        self._dialect.prepare(connection)
        make_tables(self._dialect, connection)
        self._dialect.made(self._dialect.cursor(connection))
        self._is_made = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of every connection, those of other threads too."""
        self._own.close()
        self._resting.close()
        self._pool.dispose()
        self._dialect.closed()

    @contextmanager
    def writing(self) -> Iterator[Writing]:
        """One transaction: everything written inside is there afterwards, or nothing where an error ended it.

        Raises
        ------
        StoreError
            Where another process has been writing for a minute, or there is no room.
        """
        dialect, time = self._dialect, self._time
        try:
            connection, cursor, may_pack = self._begun()
            try:
                writing = Writing(cursor, dialect, may_pack=may_pack)
                yield writing
                cursor.execute("COMMIT")
            except BaseException:
                dialect.rollback(connection)
                connection.close()
                raise
            self._resting.put(time, connection, cursor)
            self.record_writes += writing.has_changed_records
            self.late_decisions += writing.has_late_decisions
        except dialect.errors as error:
            raise dialect.raised(error) from error

    @property
    def is_out(self) -> bool:
        """Whether nobody was there the last time; then reads are refused at once, until ``look`` finds it again."""
        return self._dialect.why_out is not None

    @property
    def patience(self) -> Patience:
        """How long its threads wait for it."""
        return self._dialect.patience or Patience(self._dialect.busy_seconds)

    @property
    def why_out(self) -> str | None:
        """Why nobody was there the last time; None unless it ``is_out``."""
        return self._dialect.why_out

    def look(self) -> bool:
        """Ask whether the store is there, on a connection of its own; one that was away when it was opened is made."""
        dialect = self._dialect
        try:
            pool = NullPool(dialect.reopen, reset_on_return=None)
            with dialect.sentences(), closing(pool.connect()) as connection:
                dialect.cursor(connection).execute("SELECT 1").fetchone()
                if dialect.is_other():
                    refuse_others(dialect, connection)
                    dialect.made(dialect.cursor(connection))
                    self._is_made = False
                    self.generation += 1
                if not self._is_made:
                    with self.patience.longer(_MAKING_SECONDS):
                        self._make(connection)
        except StoreError as error:
            dialect.why_out = str(error)
            return False
        if self.is_out:
            # What was connected before may hang for ever. The pool opens as many connections as are asked for, so that
            # it goes on after this.
            self._pool.dispose()
            self._time += 1
            dialect.why_out = None
        return True

    def notice(self) -> None:
        """Find out whether what is there is still what was opened; where it is not, the store ``is_out``."""
        with suppress(StoreAwayError), self._dialect.sentences():
            self._dialect.check()

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
                self.late_decisions += 1
            except BaseException:
                self._dialect.rollback(connection)
                raise

    def _begun(self) -> tuple[PoolProxiedConnection, Cursor, bool]:
        """Begin to write, on a new connection where those that were kept have lost their server."""
        for left in reversed(range(_KEPT_OPEN + 2)):
            connection, cursor = self._rested()
            try:
                return connection, cursor, self._dialect.begin(cursor)
            except BaseException as error:
                was_lost = self._dialect.is_lost(connection)
                self._dialect.rollback(connection)
                connection.close()
                if was_lost:
                    # Those that rest have lost their server too.
                    self._resting.give_up()
                if not (was_lost and left) or isinstance(error, self._dialect.no_answer):
                    raise
        raise StoreError(f"the store {self._dialect.where} keeps losing its connections; try again later")

    def _rested(self) -> tuple[PoolProxiedConnection, Cursor]:
        """Return a connection that has written before, with its cursor, or a new one."""
        found = self._resting.take(self._time)
        if found is not None:
            return found
        connection = self._pool.connect()
        try:
            return connection, self._dialect.cursor(connection)
        except BaseException:
            connection.close()
            raise

    def save_scores(self, rows: Iterable[ScoreRow]) -> int:
        """Put these scores in the place of all there were, whole or not at all."""
        with self.loading() as loading:
            return loading.scores(rows)

    def scrub(self) -> str | None:
        """Take the bytes of deleted rows out of the database's files.

        Takes room and time like a copy of the database; who writes meanwhile waits.

        Returns
        -------
        str or None
            Where bytes stay all the same, and until when; None where none do.
        """
        pool = NullPool(self._dialect.connect_to_load, reset_on_return=None)
        with self._dialect.sentences(), closing(pool.connect()) as connection:
            return self._dialect.scrub(connection)

    def _all(self, statement: Sql | str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        # Every request asks several times: no context manager stands around what hardly ever fails.
        dialect = self._dialect
        try:
            if dialect.why_out is not None:
                self._refuse_if_out()
            found: list[tuple[Any, ...]] = (
                self._own.cursor(self._time).execute(dialect.text(statement), parameters).fetchall()
            )
            return found
        except dialect.errors as error:
            return self._all_again(dialect.text(statement), parameters, error)

    def _all_again(self, text: str, parameters: Sequence[Any], error: Exception) -> list[tuple[Any, ...]]:
        """Repeat a read where its connection was lost.

        The server may have been started anew since the last read, and every connection that was at rest then is lost.
        """
        dialect = self._dialect
        for _ in range(_ATTEMPTS - 1):
            if isinstance(error, dialect.no_answer) or not self._own.has_lost():
                break
            try:
                found: list[tuple[Any, ...]] = self._own.cursor(self._time).execute(text, parameters).fetchall()
                return found
            except dialect.errors as another:
                error = another
        raise dialect.raised(error) from error

    def _refuse_if_out(self) -> None:
        # Read once: a look in another thread may find the store in between.
        if (why := self._dialect.why_out) is not None:
            raise StoreAwayError(f"{why}; it is looked for all the time")

    def _stream(self, statement: Sql, parameters: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
        # On a connection of its own, because a reader may write or read other things between two rows.
        self._refuse_if_out()
        with self._dialect.sentences(), closing(self._pool.connect()) as connection:
            try:
                yield from self._dialect.stream(connection, self._dialect.text(statement), parameters)
            finally:
                self._dialect.rollback(connection)
