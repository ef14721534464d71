"""A process that turns lines of JSON into Parquet: pyarrow is large, and the service does without it.

Reads a first line with the columns, then a row a line, from stdin; writes the file to stdout.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import islice
from typing import IO, Any

import orjson

TEXT, NUMBER, MOMENT = "text", "number", "time"
"""What a column may hold."""

_ROWS = 50_000


class _Pipe:
    """A pipe that counts what went through it, as a file would tell where it stands."""

    closed = False

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._at = 0

    def write(self, data: bytes) -> int:
        self._pipe.write(data)
        self._at += len(data)
        return len(data)

    def tell(self) -> int:
        return self._at

    def flush(self) -> None:
        self._pipe.flush()


def convert(lines: Iterator[bytes], out: IO[bytes]) -> None:
    """Write the rows that come as lines; the first line is the columns, as (name, what it holds)."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {TEXT: pa.string(), NUMBER: pa.float64(), MOMENT: pa.timestamp("us", tz="UTC")}
    columns: dict[str, str] = dict(orjson.loads(next(lines)))
    schema = pa.schema([(name, kinds[kind]) for name, kind in columns.items()])
    with pq.ParquetWriter(pa.PythonFile(_Pipe(out), mode="w"), schema) as writer:
        while chunk := [orjson.loads(line) for line in islice(lines, _ROWS)]:
            writer.write_table(pa.table([_column(chunk, field) for field in schema], schema=schema))
    out.flush()


def _column(rows: list[dict[str, Any]], field: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    values = [row[field.name] for row in rows]
    if not pa.types.is_timestamp(field.type):
        return pa.array(values, field.type)
    return pc.cast(pa.array(values, pa.string()), field.type)


if __name__ == "__main__":
    convert(iter(sys.stdin.buffer), sys.stdout.buffer)
