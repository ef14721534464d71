"""The features by this project: from columns in the order of a log, and from a lake that is in order already."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bench.wanted import CHANNELS, KINDS, LOG, TOPICS, WANTED, Arrays, Figures, name_of, peak_mb
from features.feature_set import FeatureSet
from features.lake.lake import Lake
from features.matrix import History
from features.sorting import processors, sort_order
from features.touchpoints.order import ranges
from features.touchpoints.touchpoints import TouchpointRules, Touchpoints

FEATURES = FeatureSet(kinds=("order", "visit"), channels=("web", "email"), topics=("pumps", "service"))
AT = [FEATURES.columns.index(wanted.name) for wanted in WANTED]
_CHUNK = 500_000
_REPEATS = 3


def ours(data: Arrays, folder: Path, threads: int) -> tuple[Figures, NDArray[np.float32]]:
    """By the kernel: the sort into (contact, time) order, then one pass."""
    _warm(data)
    names = [name_of(code) for code in range(int(data["n_contacts"]))]
    contact, as_of = data["row_contact"].astype(np.int64), data["row_as_of"]
    began = time.perf_counter()
    touchpoints = _sorted(data, names)
    # What has been sorted is not needed in the order of the log any more.
    for name in LOG:
        del data[name]
    is_sorted = time.perf_counter()
    history = History(touchpoints, FEATURES)
    found = history.columns(contact, as_of, AT, threads=threads or None)
    done, peak = time.perf_counter(), peak_mb()
    figures: Figures = {
        "seconds": done - began, "sort": is_sorted - began, "features": done - is_sorted, "peak_mb": peak,
        "columns": len(FEATURES.columns), "threads": threads or processors(),
    }  # fmt: skip
    X = np.empty((len(as_of), len(FEATURES.columns)), dtype=np.float32)
    for n in (1, 2):
        figures[f"kernel_{n}"] = _least(lambda n=n: history.fill_history(contact, as_of, X, n))  # type: ignore[misc] # a default binds n
        figures[f"streaming_{n}"] = _streaming(touchpoints, X, n)
    return figures, found


def ours_lake(data: Arrays, folder: Path, threads: int) -> tuple[Figures, NDArray[np.float32]]:
    """From the lake's files, a partition at a time, without a sort of touchpoints.

    Timed: opening and decoding the files, making names and codes of what they hold, matching the rows by the name
    of their contact, and the features. The matrix is in the order of partitions, with the number of each row beside;
    bringing it into the order of the rows asked for, to compare values, is not timed.
    """
    _warm(data)
    _warm_reading(data)
    names = [name_of(code) for code in range(int(data["n_contacts"]))]
    row_contact, as_of = np.ascontiguousarray(data["row_contact"], dtype=np.int32), data["row_as_of"]
    rules, spent = TouchpointRules(), {"read": 0.0}
    began = time.perf_counter()
    lake = Lake(folder / "lake")
    X = np.empty((len(as_of), len(AT)), dtype=np.float32)
    order, start = sort_order(row_contact, as_of, len(names))
    code_of = {name: code for code, name in enumerate(names)}
    is_known = np.zeros(len(names), dtype=np.bool_)
    row_at, lock = np.empty(len(as_of), dtype=np.int64), Lock()
    filled = 0

    def claim(rows: NDArray[Any]) -> slice:
        nonlocal filled
        with lock:
            here = slice(filled, filled + len(rows))
            filled = here.stop
        row_at[here] = rows
        return here

    def fill(partition: int) -> None:
        begun = time.perf_counter()
        touchpoints = lake.touchpoints(rules, partition=partition, texts=False)
        spent["read"] += time.perf_counter() - begun
        known = touchpoints.contacts
        code = np.fromiter(map(code_of.__getitem__, known), dtype=np.int64, count=len(known))
        is_known[code] = True
        rows_of_each = start[code + 1] - start[code]
        rows = order[ranges(start[code], rows_of_each)]
        contact = np.repeat(np.arange(len(known)), rows_of_each)
        X[claim(rows)] = History(touchpoints, FEATURES).columns(contact, as_of[rows], AT, threads=1)

    with ThreadPoolExecutor(threads or processors()) as pool:
        list(pool.map(fill, range(lake.partitions)))
    rows = np.flatnonzero(~is_known[row_contact])
    nobody = History(Touchpoints.from_rows((), rules), FEATURES)
    X[claim(rows)] = nobody.columns(np.full(len(rows), -1), as_of[rows], AT, threads=1)
    done, peak = time.perf_counter(), peak_mb()
    figures: Figures = {"seconds": done - began, "peak_mb": peak, "read": spent["read"]}
    found = np.empty_like(X)
    found[row_at] = X
    return figures, found


def write_lake(data: Arrays, folder: Path, say: Callable[[str], None]) -> float:
    """Put the log into a lake, and its files' names beside; says how many seconds it took."""
    began = time.perf_counter()
    names, n = pa.array([name_of(code) for code in range(int(data["n_contacts"]))]), len(data["ts"])
    lake = Lake.make(folder / "lake")
    with lake.appending() as rows:
        for low in range(0, n, _CHUNK):
            rows.table(_table(data, names, low, min(n, low + _CHUNK)))
            if low and low % 2_000_000 == 0:
                say(f"writing the lake: {low:,} of {n:,} put beside")
        rows.commit()
    (folder / "lake-files.json").write_text(json.dumps([str(path) for path in lake.files()]))
    return time.perf_counter() - began


def _table(data: Arrays, names: pa.Array, low: int, high: int) -> pa.Table:
    here = {name: data[name][low:high] for name in LOG}
    of_topic = pa.array(TOPICS).take(pa.array(here["topic"]))
    return pa.table(
        {
            "identity": names.take(pa.array(here["contact"])),
            "occurred_at": pa.array(here["ts"], pa.timestamp("us", tz="UTC")),
            "touchpoint_id": pa.array(np.arange(low, high)).cast(pa.string()),
            "kind": pa.array(KINDS).take(pa.array(here["kind"])),
            "channel": pa.array(CHANNELS).take(pa.array(here["channel"])),
            "value": here["value"],
            "topics": pa.ListArray.from_arrays(pa.array(np.arange(high - low + 1, dtype=np.int32)), of_topic),
        }
    )


def _sorted(log: Arrays, names: list[str]) -> Touchpoints:
    return Touchpoints.from_columns(
        names, log["contact"], log["ts"], kind=log["kind"], kinds=KINDS, channel=log["channel"], channels=CHANNELS,
        value=log["value"], topic=log["topic"], topics=TOPICS,
    )  # fmt: skip


def _warm(data: Arrays) -> None:
    """Let what is compiled be compiled."""
    few = {name: column[:1000] if column.ndim else column for name, column in data.items()}
    names = [name_of(code) for code in range(int(few["n_contacts"]))]
    History(_sorted(few, names), FEATURES).columns(few["row_contact"], few["row_as_of"], AT)


def _warm_reading(data: Arrays) -> None:
    """Let what reads Parquet be imported."""
    few = {name: data[name][:1000] for name in LOG} | {"n_contacts": data["n_contacts"]}
    with TemporaryDirectory() as name:
        write_lake(few, Path(name), lambda _: None)
        Lake(Path(name) / "lake").touchpoints(TouchpointRules(), texts=False)


def _least(call: Callable[[], object]) -> float:
    found = []
    for _ in range(_REPEATS):
        began = time.perf_counter()
        call()
        found.append(time.perf_counter() - began)
    return min(found)


def _streaming(touchpoints: Touchpoints, X: NDArray[np.float32], threads: int) -> float:
    """Seconds to read every input column and to write every output once, shared by threads."""
    columns: list[NDArray[Any]] = [touchpoints.occurred_at, touchpoints.kind, touchpoints.channel, touchpoints.value]
    columns += [touchpoints.topic_start, touchpoints.topic]
    plain = [column.view(np.int64 if column.dtype.itemsize == 8 else np.int32) for column in columns]

    def part(i: int) -> None:
        for column in plain:
            column[len(column) * i // threads : len(column) * (i + 1) // threads].max()
        X[len(X) * i // threads : len(X) * (i + 1) // threads].fill(0.0)

    with ThreadPoolExecutor(threads) as pool:
        return _least(lambda: list(pool.map(part, range(threads))))
