"""CSV files: comma, semicolon or tab; quoted fields may contain line breaks."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field

from features.files.files import CHUNK_BYTES, CHUNK_ROWS, Chunk, Fault, LoadError, Source, check_header

_DELIMITERS = {",": "a comma", ";": "a semicolon", "\t": "a tab"}
_LONGEST_RECORD = 2**20
_BOUND = 2**31 - 1


@dataclass(slots=True)
class _Rows:
    rows: list[list[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


class CsvFile:
    """A CSV file whose first line names the columns.

    A quote that is never closed spoils its own line only: a record over several lines is taken apart again
    when it has the wrong number of fields and one of its lines, by itself, has the right one.
    """

    is_text = True
    part = None

    def __init__(self, source: Source) -> None:
        csv.field_size_limit(_BOUND)
        self._path = source.path
        # Undecodable bytes become lone surrogates, which the row rules refuse: one bad row, not a bad file.
        self._text = io.TextIOWrapper(
            source.inflated(), encoding="utf-8", errors="surrogateescape", newline="", write_through=True
        )
        self.notes: list[str] = []
        self._ahead: list[str] = []
        self._line = 1
        first = self._text.readline()
        if not first.strip():
            raise LoadError(f"{self._path} is empty; its first line must name the columns")
        self._delimiter = self._sniff(first)
        self._names = self._read_header(first)
        self.header = tuple(name for name in self._names if name)
        check_header(self._names, self._path)
        if "" in self._names:
            self.notes.append(f"{self._path}: a column without a name is left out")

    def _sniff(self, first: str) -> str:
        widths = {d: len(next(csv.reader([first], delimiter=d), [])) for d in _DELIMITERS}
        delimiter = max(_DELIMITERS, key=lambda d: widths[d])
        if delimiter != ",":
            self.notes.append(f"{self._path}: read with {_DELIMITERS[delimiter]} between the fields")
        return delimiter

    def _read_header(self, first: str) -> list[str]:
        self._width = 0
        self._ahead = [first]
        found = _Rows()
        try:
            self._quoted([first], found)
        except csv.Error:
            found = _Rows()
        if not found.rows:
            raise LoadError(f"{self._path}: the first line is not a row of column names; check its quotes")
        self._width = len(found.rows[0])
        return [name.strip() for name in found.rows[0]]

    def chunks(self) -> Iterator[Chunk]:
        """Every row once, in order."""
        while block := self._text.readlines(CHUNK_BYTES):
            cells = self._cells(block)
            if cells is not None:
                yield from self._slices(cells, len(block))
                continue
            found = _Rows()
            if any('"' in line for line in block):
                self._quoted(block, found)
            else:
                self._unquoted(block, found)
            yield from self._cut(found)

    def _cells(self, block: list[str]) -> list[str] | None:
        """Cells of plain lines, one after the other; None where a line needs a closer look."""
        text = "".join(block)
        wide = self._width - 1
        if '"' in text or not wide or {line.count(self._delimiter) for line in block} != {wide}:
            return None
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        return text.removesuffix("\n").replace("\n", self._delimiter).split(self._delimiter)

    def _slices(self, cells: list[str], n: int) -> Iterator[Chunk]:
        width = self._width
        for start in range(0, n, CHUNK_ROWS):
            end = min(start + CHUNK_ROWS, n)
            columns = {
                name: cells[start * width + at : end * width : width] for at, name in enumerate(self._names) if name
            }
            yield Chunk(columns, range(self._line + start, self._line + end))
        self._line += n

    def _cut(self, found: _Rows) -> Iterator[Chunk]:
        for start in range(0, max(len(found.rows), 1), CHUNK_ROWS):
            rows = found.rows[start : start + CHUNK_ROWS]
            columns = zip(*rows, strict=True) if rows else [()] * self._width
            yield Chunk(
                {name: list(values) for name, values in zip(self._names, columns, strict=True) if name},
                found.lines[start : start + CHUNK_ROWS],
                found.faults if start == 0 else [],
            )

    def _unquoted(self, block: list[str], found: _Rows) -> None:
        """Lines without a quote: each is a row."""
        rows = csv.reader(block, delimiter=self._delimiter, quoting=csv.QUOTE_NONE)
        width = self._width
        for line, fields in enumerate(rows, self._line):
            if len(fields) == width:
                found.rows.append(fields)
                found.lines.append(line)
            elif fields:
                found.faults.append(self._wrong_width(line, fields))
        self._line += len(block)

    def _quoted(self, block: list[str], found: _Rows) -> None:
        """Lines some of which go on in the next; the last record may read lines beyond the block."""
        at = 0
        while at < len(block):
            feed = _Feed(block, at, self._text)
            reader = csv.reader(feed, delimiter=self._delimiter, strict=True)
            while True:
                start = feed.at
                feed.between = True
                try:
                    fields = next(reader)
                except StopIteration:
                    at = len(block)
                    break
                except csv.Error as error:
                    at = self._recover(block, start, feed.at, None, str(error), found)
                    break
                if self._width in (len(fields), 0):
                    found.rows.append(fields)
                    found.lines.append(self._line + start)
                elif fields:
                    at = self._recover(block, start, feed.at, fields, "", found)
                    if at != feed.at:
                        break
        self._line += len(block)

    def _recover(
        self, block: list[str], start: int, end: int, fields: list[str] | None, said: str, found: _Rows
    ) -> int:
        """Put a broken record aside; returns the line of the block to go on with."""
        line = self._line + start
        # A faulty quote that ran on over whole rows is no reason to lose these; a record that was read to its
        # end and has too many fields may well contain line breaks.
        unclosed = fields is None or any(self._is_row(text) for text in block[start + 1 : end])
        if fields is not None and not unclosed:
            found.faults.append(self._wrong_width(line, fields))
            return end
        rule = "a quote is not closed, or text follows a closing quote"
        found.faults.append(Fault(line, block[start].rstrip("\r\n"), f"{rule} ({said})" if said else rule, rule))
        return start + 1

    def _is_row(self, text: str) -> bool:
        # With an odd number of quotes the line begins or ends inside one.
        if text.count('"') % 2:
            return False
        try:
            return len(next(csv.reader([text], delimiter=self._delimiter, strict=True), [])) == self._width
        except csv.Error:
            return False

    def _wrong_width(self, line: int, fields: list[str]) -> Fault:
        rule = f"the row has {'fewer' if len(fields) < self._width else 'more'} fields than the header"
        return Fault(line, fields, f"{rule}: {len(fields)} instead of {self._width}", rule)


class _Feed:
    """Lines for a csv.reader: stops at the block's end between two records, reads on inside one."""

    def __init__(self, block: list[str], at: int, text: io.TextIOWrapper) -> None:
        self._block, self._text = block, text
        self.at = at
        self.between = True
        self._length = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.between:
            self._length = 0
        if self.at >= len(self._block):
            line = "" if self.between or self._length > _LONGEST_RECORD else self._text.readline()
            if not line:
                raise StopIteration
            self._block.append(line)
        self.between = False
        line = self._block[self.at]
        self.at += 1
        self._length += len(line)
        if self._length > _LONGEST_RECORD and self._length > len(line):
            raise csv.Error(f"the row is longer than {_LONGEST_RECORD >> 20} MiB")
        return line
