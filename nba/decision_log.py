"""A file of logged decisions to be judged: read whole, with every fault named by row and column."""

from __future__ import annotations

import csv
import gzip
import io
import math
import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from features.errors import UserError

REQUIRED = ("action", "probability", "reward", "target")
ESTIMATES = ("estimate_logged", "estimate_target")
CLUSTER = "cluster"

_SHOWN_FAULTS = 10


class DecisionLogError(UserError):
    """What is wrong in a file of decisions."""


@dataclass(frozen=True)
class DecisionLog:
    """Columns of logged decisions, each of shape (n,)."""

    action: list[str]
    probability: NDArray[np.float64]
    reward: NDArray[np.float64]
    target: NDArray[np.float64]
    estimates: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None
    cluster: NDArray[np.int64] | None = None


def read_decision_log(path: Path) -> DecisionLog:
    """Read a CSV, Parquet or JSON Lines file, ``.gz`` too.

    Raises
    ------
    DecisionLogError
        The whole file's fault, or the first faults of rows, each with row (from 1) and column.
    """
    columns, rows = _open(path)
    missing = [name for name in REQUIRED if name not in columns]
    if missing:
        raise DecisionLogError(
            f"{path} lacks the column{'s'[: len(missing) - 1]} {', '.join(missing)}; "
            f"needed are {', '.join(REQUIRED)}, and there are {', '.join(map(str, columns)) or 'none'}"
        )
    one = [name for name in ESTIMATES if name in columns]
    if len(one) == 1:
        other = next(name for name in ESTIMATES if name not in columns)
        raise DecisionLogError(f"{path} has {one[0]} without {other}; doubly robust values need both, or neither")
    return _checked(path, columns, rows)


def _checked(path: Path, columns: list[str], rows: Iterable[Mapping[str, Any]]) -> DecisionLog:
    names = [name for name in (*REQUIRED, *ESTIMATES, CLUSTER) if name in columns]
    found: dict[str, list[Any]] = {name: [] for name in names}
    faults: list[str] = []
    for n, row in enumerate(rows, 1):
        for name in names:
            try:
                found[name].append(_value(name, row.get(name)))
            except ValueError as error:
                faults.append(f"{path}, row {n}, column {name}: {error}")
    if faults:
        more = [f"{path}: and {len(faults) - _SHOWN_FAULTS} more faults"] if len(faults) > _SHOWN_FAULTS else []
        raise DecisionLogError([*faults[:_SHOWN_FAULTS], *more])
    numbers = {name: np.array(found[name], dtype=np.float64) for name in names if name not in ("action", CLUSTER)}
    return DecisionLog(
        action=found["action"],
        probability=numbers["probability"],
        reward=numbers["reward"],
        target=numbers["target"],
        estimates=(numbers[ESTIMATES[0]], numbers[ESTIMATES[1]]) if ESTIMATES[0] in numbers else None,
        cluster=_numbered(found[CLUSTER]) if CLUSTER in found else None,
    )


def _numbered(labels: list[str]) -> NDArray[np.int64]:
    of: dict[str, int] = {}
    return np.array([of.setdefault(label, len(of)) for label in labels], dtype=np.int64)


def _value(column: str, value: object) -> str | float:
    if column in ("action", CLUSTER):
        if value is None or value == "":
            raise ValueError(f"is empty; name the {column}")
        return str(value)
    number = _number(value)
    if column == "probability" and not sys.float_info.min <= number <= 1:
        raise ValueError(f"{value} is not a chance that something was drawn with; it lies above 0 and at most at 1")
    if column == "target" and not 0 <= number <= 1:
        raise ValueError(f"{value} is not a probability; it lies from 0 to 1")
    return number


def _number(value: object) -> float:
    if value is None or value == "":
        raise ValueError("is empty; write a number")
    try:
        number = float(value) if _may_be_number(value) else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{value!r} is not a finite number")
    return number


def _may_be_number(value: object) -> TypeGuard[str | int | float | Decimal]:
    return isinstance(value, str | int | float | Decimal) and not isinstance(value, bool)


def _open(path: Path) -> tuple[list[str], Iterable[Mapping[str, Any]]]:
    """Columns and rows of a file, told apart by its suffix."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    packed = suffixes[-1:] == [".gz"]
    kind = (suffixes[:-1] if packed else suffixes)[-1:]
    readers = {".csv": _csv, ".parquet": _parquet, ".jsonl": _json_lines, ".ndjson": _json_lines}
    if not kind or kind[0] not in readers:
        raise DecisionLogError(f"{path} has no suffix that is known; name it .csv, .parquet or .jsonl (.gz too)")
    try:
        content = path.read_bytes()
        return readers[kind[0]](path, gzip.decompress(content) if packed else content)
    except FileNotFoundError:
        raise DecisionLogError(f"there is no file {path}; name one that exists") from None
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise DecisionLogError(f"{path} is not gzip, or is cut off; pack it again") from None
    except OSError as error:
        raise DecisionLogError(f"{path} cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise DecisionLogError(f"{path} is not UTF-8 at byte {error.start + 1}; save it as UTF-8") from None


def _csv(path: Path, content: bytes) -> tuple[list[str], Iterable[Mapping[str, Any]]]:
    reader = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    columns = next(reader, [])
    doubled = sorted({name for name in columns if columns.count(name) > 1})
    if doubled:
        raise DecisionLogError(f"{path} has the column {doubled[0]} twice; keep one")
    return columns, _csv_rows(path, columns, reader)


def _csv_rows(path: Path, columns: list[str], reader: Iterator[list[str]]) -> Iterator[Mapping[str, Any]]:
    n = 0
    try:
        for cells in reader:
            if not cells:
                continue
            n += 1
            if len(cells) != len(columns):
                raise DecisionLogError(
                    f"{path}, row {n}: has {len(cells)} fields, the header {len(columns)}; quote the commas"
                )
            yield dict(zip(columns, cells, strict=True))
    except csv.Error as error:
        raise DecisionLogError(f"{path}, row {n + 1}: is not CSV: {error}") from None


def _json_lines(path: Path, content: bytes) -> tuple[list[str], Iterable[Mapping[str, Any]]]:
    import orjson

    rows: list[Mapping[str, Any]] = []
    for n, line in enumerate(content.decode("utf-8-sig").splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise DecisionLogError(f"{path}, line {n}: is not JSON: {error}") from None
        if not isinstance(row, dict):
            raise DecisionLogError(f'{path}, line {n}: is not an object; write {{"action": "call", ...}}')
        rows.append(row)
    return list(dict.fromkeys(name for row in rows for name in row)), rows


def _parquet(path: Path, content: bytes) -> tuple[list[str], Iterable[Mapping[str, Any]]]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ModuleNotFoundError:
        raise DecisionLogError(
            f"{path}: reading Parquet needs pyarrow; install it with `pip install 'nba-service[training]'`"
        ) from None
    try:
        table = parquet.read_table(io.BytesIO(content))
    except pyarrow.ArrowException as error:
        raise DecisionLogError(f"{path} is not a Parquet file: {error}") from None
    return table.column_names, table.to_pylist()
