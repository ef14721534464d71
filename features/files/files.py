"""Files of rows, read in chunks of columns, told apart by their suffix: CSV, Parquet and JSON Lines."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Protocol, Self

from features.errors import UserError

CHUNK_ROWS = 16_384
CHUNK_BYTES = 2**20
LONGEST_LINE = 64 * 2**20

CSV_SUFFIXES = (".csv", ".csv.gz")
PARQUET_SUFFIXES = (".parquet",)
JSON_LINES_SUFFIXES = (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz")


class LoadError(UserError):
    """A file or an option that makes a whole load impossible; nothing is stored."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A piece of a file that is no row: its text or fields, and why."""

    line: int
    raw: object
    reason: str
    rule: str


@dataclass(slots=True)
class Chunk:
    """Rows as columns: each list has ``n`` values, None where a row has none; ``lines`` says where."""

    columns: dict[str, list[Any]]
    lines: Sequence[int]
    faults: list[Fault] = field(default_factory=list)

    @property
    def n(self) -> int:
        """Number of rows, those at fault not counted."""
        return len(self.lines)


class RowFile(Protocol):
    """A file of rows, open.

    ``notes`` are sentences about how the file is read.
    """

    notes: list[str]

    @property
    def header(self) -> tuple[str, ...] | None:
        """Column names, where the format names them before the rows."""

    @property
    def is_text(self) -> bool:
        """Whether every value is the text of a cell."""

    @property
    def part(self) -> float | None:
        """Part of the rows that has been read; None where only the bytes tell."""

    def chunks(self) -> Iterator[Chunk]:
        """Every row once, in order.

        Raises
        ------
        LoadError
            Where the rest of the file cannot be read.
        """


class Source:
    """A file's bytes, inflated where its name ends in .gz; knows how much of the file has been read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stack = ExitStack()
        self._raw: BinaryIO = self._stack.enter_context(path.open("rb"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def at(self) -> int:
        """Bytes of the file that have been read."""
        return 0 if self._raw.closed else self._raw.tell()

    def raw(self) -> BinaryIO:
        """Return the bytes as they lie on the disk."""
        return self._raw

    def inflated(self) -> io.BufferedReader[_Lines]:
        """Return the bytes to be read, without a byte order mark.

        Raises
        ------
        LoadError
            Where the bytes are UTF-16.
        """
        stream: Any = self._raw
        if self.path.name.lower().endswith(".gz"):
            stream = self._stack.enter_context(gzip.GzipFile(fileobj=self._raw, mode="rb"))
        buffered = io.BufferedReader(_Lines(stream, self.path), CHUNK_BYTES)
        start = buffered.peek(4)[:4]
        if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise LoadError(f"{self.path} is UTF-16, not UTF-8 text; save it as UTF-8")
        if start[:3] == b"\xef\xbb\xbf":
            buffered.read(3)
        return buffered


class _Lines(io.RawIOBase):
    """Bytes whose lines have a bound, so that a damaged file cannot fill the memory."""

    def __init__(self, stream: Any, path: Path) -> None:
        self._stream, self._path, self._since = stream, path, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        block = self._stream.read(len(buffer))
        end = max(block.rfind(b"\n"), block.rfind(b"\r"))
        self._since = len(block) - end - 1 + (self._since if end < 0 else 0)
        if self._since > LONGEST_LINE:
            raise LoadError(f"{self._path} has a line of more than {LONGEST_LINE >> 20} MiB; is it a text file?")
        buffer[: len(block)] = block
        return len(block)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what goes wrong with a file into sentences.

    Raises
    ------
    LoadError
        For a file that cannot be opened, read or inflated.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise LoadError(f"no file {str(path)!r}; give a path that exists") from error
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise LoadError(f"{path} is not a whole gzip file ({error}); write or copy it again") from error
    except OSError as error:
        raise LoadError(f"{path} cannot be read: {error.strerror or error}") from error


def check_suffix(path: Path) -> str:
    """Tell the format of a file by its name: csv, parquet or jsonl.

    Raises
    ------
    LoadError
        Where the name ends in none of the known suffixes.
    """
    name = path.name.lower()
    for kind, suffixes in (
        ("csv", CSV_SUFFIXES),
        ("parquet", PARQUET_SUFFIXES),
        ("jsonl", JSON_LINES_SUFFIXES),
    ):
        if name.endswith(suffixes):
            return kind
    known = ", ".join((*CSV_SUFFIXES, *PARQUET_SUFFIXES, *JSON_LINES_SUFFIXES))
    raise LoadError(f"{path} is of no known format by its name; rename it so that it ends in one of {known}")


def open_rows(source: Source) -> RowFile:
    """Open the rows of a file.

    Raises
    ------
    LoadError
        Where the file is not what its name says.
    """
    kind = check_suffix(source.path)
    # The readers import this module; each is only needed for its own format.
    if kind == "csv":
        from features.files.csv_files import CsvFile

        return CsvFile(source)
    if kind == "parquet":
        from features.files.parquet_files import ParquetFile

        return ParquetFile(source)
    from features.files.jsonl_files import JsonLinesFile

    return JsonLinesFile(source)


def check_header(names: Sequence[str], path: Path) -> None:
    """Refuse column names that could not be told apart or kept.

    Raises
    ------
    LoadError
        Where a name stands twice or is not text.
    """
    for name in names:
        if "\0" in name or (not name.isascii() and name.encode(errors="replace").decode() != name):
            raise LoadError(f"{path}: the column name {name!r} is not UTF-8 text; save the file as UTF-8")
        if name and names.count(name) > 1:
            raise LoadError(f"{path} has the column {name!r} more than once; leave one of them")
