"""What a transaction reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from features.store.dialect import Cursor, Dialect, Sql
from features.store.reading import Reading
from features.touchpoints.touchpoints import TouchpointRules


class Inside(Reading):
    """Reads through the connection that writes."""

    def __init__(self, cursor: Cursor, dialect: Dialect) -> None:
        self._cursor, self._dialect = cursor, dialect

    def _all(self, statement: Sql | str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        self._cursor.execute(self._dialect.text(statement), parameters)
        return self._cursor.fetchall()

    def _stream(self, statement: Sql, parameters: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
        return iter(self._all(statement, parameters))

    def wants_packing(self, identity: str, rules: TouchpointRules) -> None:
        """Let it pass: who writes packs what is worth it."""
