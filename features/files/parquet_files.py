"""Parquet files, through pyarrow."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from features.files.files import CHUNK_ROWS, Chunk, LoadError, Source, check_header

_INDEX = re.compile(r"__index_level_\d+__")


class ParquetFile:
    """A Parquet file; NaN is taken as absent, a category as its text, a decimal as a number."""

    is_text = False

    def __init__(self, source: Source) -> None:
        try:
            import pyarrow
            import pyarrow.parquet
        except ImportError as error:
            raise LoadError(
                f"{source.path}: reading Parquet needs pyarrow; `pip install nba-service[training]` brings it"
            ) from error
        self._path, self._arrow = source.path, pyarrow
        self.part: float | None = 0.0
        self.notes: list[str] = []
        try:
            self._file = pyarrow.parquet.ParquetFile(source.raw())
        except (pyarrow.ArrowException, OSError) as error:
            raise LoadError(f"{self._path} is not a Parquet file: {error}") from error
        # What pandas writes for rows that were taken out of a larger table is no column of anybody's.
        names = [str(name) for name in self._file.schema_arrow.names]
        self._kept = [i for i, name in enumerate(names) if not _INDEX.fullmatch(name)]
        self.header = tuple(names[i] for i in self._kept)
        check_header(self.header, self._path)

    def chunks(self) -> Iterator[Chunk]:
        """Every row once, in order; a row's line is its number."""
        start = 1
        try:
            for batch in self._file.iter_batches(batch_size=CHUNK_ROWS):
                columns = dict(zip(self.header, map(self._values, batch.select(self._kept).columns), strict=True))
                yield Chunk(columns, range(start, start + batch.num_rows))
                start += batch.num_rows
                self.part = (start - 1) / max(self._file.metadata.num_rows, 1)
        except (self._arrow.ArrowException, OSError) as error:
            raise LoadError(f"{self._path} is damaged: {error}") from error

    def _values(self, array: Any) -> list[Any]:
        types = self._arrow.types
        if types.is_timestamp(array.type):
            array = array.cast(self._arrow.timestamp("us", array.type.tz), safe=False)
        elif types.is_decimal(array.type) and array.type.scale > 0:
            array = array.cast(self._arrow.float64())
        try:
            values = array.to_pylist()
        except (ValueError, OverflowError):
            values = [_one(item) for item in array]
        kinds = {type(value) for value in values}
        if kinds <= {str, int, bool, datetime, type(None)}:
            return list(values)
        return [_plain(value) for value in values]


def _one(item: Any) -> Any:
    """Return one value; a time beyond the calendar as text, so that its row alone is refused."""
    try:
        return item.as_py()
    except (ValueError, OverflowError):
        return str(getattr(item, "value", item))


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return None if math.isnan(value) else value
    if isinstance(value, bytes):
        return value.decode(errors="surrogateescape")
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, date | time) and not isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value
