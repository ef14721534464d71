"""A worklist as a file: CSV, Parquet or JSON Lines by its suffix, written whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa

from nba.safe_csv import lines
from training.plan.rows import COLUMNS

Rows = Sequence[Mapping[str, Any]]

_NUMBERS = ("priority", "propensity", "without_action", "value", "lever", "context", "cost")
_BETWEEN_REASONS = "; "


def write_rows(rows: Rows, path: Path) -> None:
    """Write rows; a file of that name is replaced once all are written."""
    part = path.with_name(path.name + ".part")
    _WRITERS[path.suffix](rows, part)
    part.replace(path)


def _write_csv(rows: Rows, path: Path) -> None:
    joined = ({**row, "reasons": _BETWEEN_REASONS.join(row["reasons"] or ())} for row in rows)
    with path.open("wb") as file:
        file.writelines(lines(COLUMNS, joined))


def _write_parquet(rows: Rows, path: Path) -> None:
    import pyarrow.parquet as pq

    kinds = {"rank": pa.int64(), "reasons": pa.list_(pa.string()), **dict.fromkeys(_NUMBERS, pa.float64())}
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in COLUMNS])
    columns = [pa.array([row[field.name] for row in rows], field.type) for field in schema]
    pq.write_table(pa.table(columns, schema=schema), path)


def _write_lines(rows: Rows, path: Path) -> None:
    with path.open("wb") as file:
        for row in rows:
            file.write(orjson.dumps({name: row[name] for name in COLUMNS}, option=orjson.OPT_APPEND_NEWLINE))


_WRITERS: Mapping[str, Callable[[Rows, Path], None]] = {
    ".csv": _write_csv,
    ".parquet": _write_parquet,
    ".jsonl": _write_lines,
}
SUFFIXES = tuple(_WRITERS)
