"""A view: its columns with what each means, and its text for each database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from features.store.view_words import WORDS, Words

TEXT, WHOLE, NUMBER, FLAG, MOMENT, MICROSECONDS, DAY = (
    "text", "whole number", "number", "0 or 1", "time", "microseconds", "day",
)  # fmt: skip


@dataclass(frozen=True)
class Column:
    """A column: what it holds and what it means."""

    name: str
    type: str
    means: str


@dataclass(frozen=True)
class View:
    """A view.

    ``select`` makes its text of a database's words; ``row`` says what one row is, ``notes`` what a reader must know.
    """

    name: str
    row: str
    notes: str
    columns: tuple[Column, ...]
    select: Callable[[Words], str]

    def text(self, dialect: str) -> str:
        """Return what selects the rows, in the words of a database."""
        return self.select(WORDS[dialect])


def moment(name: str, means: str) -> tuple[Column, Column]:
    """Make the columns of a time: as a time, and in microseconds."""
    return (
        Column(f"{name}_at", MOMENT, means),
        Column(f"{name}_us", MICROSECONDS, f"The same as `{name}_at`, exactly."),
    )


def moments(words: Words, us: str, name: str) -> str:
    """Select such columns."""
    return f"{words.moment.format(us=us)} AS {name}_at, {us} AS {name}_us"
