"""What a command says: results on stdout, everything else on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, TextIO

_SECONDS_BETWEEN_LINES = 5.0


class Progress(Protocol):
    """How far some work has come."""

    def advance(self, n: int = 1) -> None:
        """Count ``n`` more steps as done."""


class Output:
    """The two streams of a command.

    Parameters
    ----------
    results
        Where results go; stdout when left out.
    notes
        Where everything else goes; stderr when left out.
    """

    def __init__(self, results: TextIO | None = None, notes: TextIO | None = None) -> None:
        self._results = results or sys.stdout
        self._notes = notes or sys.stderr

    def result(self, text: str) -> None:
        """Write a line of the result."""
        self._results.write(text + "\n")

    def say(self, text: str) -> None:
        """Write a line that is not a result."""
        self._notes.write(text + "\n")
        self._notes.flush()

    def json(self, found: object) -> None:
        """Write the result as JSON; numbers that cannot be computed (NaN) become null."""
        import orjson

        options = orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
        self.result(orjson.dumps(found, default=_plain, option=options).decode())

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Write rows below their columns, aligned: numbers to the right, all else to the left."""
        cells = [[_cell(value) for value in row] for row in rows]
        widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
        right = [all(isinstance(row[n], int | float | None) for row in rows) for n in range(len(columns))]
        for line in [list(columns), ["-" * width for width in widths], *cells]:
            padded = (
                cell.rjust(width) if to_right else cell.ljust(width)
                for cell, width, to_right in zip(line, widths, right, strict=True)
            )
            self.result("  ".join(padded).rstrip())

    @contextmanager
    def progress(self, label: str, total: int | None = None) -> Iterator[Progress]:
        """Show how far some work has come: a bar on a terminal, a line every few seconds elsewhere."""
        if self._notes.isatty():
            with _bar(label, total, self._notes) as bar:
                yield bar
        else:
            lines = Lines(self, label, total)
            yield lines
            lines.end()


class Lines:
    """Progress in plain lines, at most one every few seconds; short work says nothing."""

    def __init__(self, out: Output, label: str, total: int | None) -> None:
        self._out = out
        self._label = label
        self._total = total
        self._done = 0
        self._said_at = time.monotonic()
        self._has_said = False

    def advance(self, n: int = 1) -> None:
        """Count ``n`` more steps as done."""
        self._done += n
        if time.monotonic() - self._said_at >= _SECONDS_BETWEEN_LINES:
            self._say()

    def end(self) -> None:
        """Say the last count, where something has been said before."""
        if self._has_said:
            self._say()

    def _say(self) -> None:
        of = f" of {self._total:,}" if self._total else ""
        self._out.say(f"{self._label}: {self._done:,}{of}")
        self._said_at = time.monotonic()
        self._has_said = True


@contextmanager
def _bar(label: str, total: int | None, stream: TextIO) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import Progress as RichProgress

    with RichProgress(console=Console(file=stream), transient=True) as shown:
        task = shown.add_task(label, total=total)

        class Bar:
            def advance(self, n: int = 1) -> None:
                shown.advance(task, n)

        yield Bar()


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _plain(value: Any) -> object:
    """Turn what orjson does not know into what it does."""
    from collections.abc import Mapping

    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, tuple | set | frozenset):
        return list(value)
    return str(value)
