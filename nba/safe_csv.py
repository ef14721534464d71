"""CSV that no spreadsheet takes for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

_STARTS = "=+-@\t\r\n＝＋－＠'"
"""What makes a spreadsheet calculate, its wide forms, and the quote itself, so that it can be undone."""
_LINES = 1000


def cell(value: object) -> object:
    """Put a quote before a text that a spreadsheet would calculate, also behind blanks; numbers stay numbers.

    Examples
    --------
    >>> cell("=1+1"), cell(" @sum"), cell("it's"), cell("'a"), cell(-1.5)
    ("'=1+1", "' @sum", "it's", "''a", -1.5)
    """
    if isinstance(value, str) and (value.startswith(tuple(_STARTS)) or value.lstrip().startswith(tuple(_STARTS))):
        return f"'{value}"
    return value


def text_of(cell: str) -> str:
    """Return the text that ``cell`` was made of.

    Examples
    --------
    >>> text_of("'=1+1"), text_of("it's")
    ('=1+1', "it's")
    """
    return cell.removeprefix("'")


def lines(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """Write a header and rows, many lines at a time; what is not known is an empty cell."""
    yield _written([columns])
    left = iter(rows)
    while chunk := list(islice(left, _LINES)):
        yield _written([row[name] for name in columns] for row in chunk)


def _written(rows: Iterable[Sequence[object]]) -> bytes:
    file = io.StringIO(newline="")
    csv.writer(file).writerows([cell(value) for value in row] for row in rows)
    return file.getvalue().encode()
