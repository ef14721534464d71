"""Everybody: the same features of 1 M rows by ours, DuckDB, Polars and pandas, with time, memory and equality.

Each contender works in a process of its own, so that its peak memory is its own: the process's largest resident set,
input and libraries included. Times are from columns in memory (a log in the order of time) to a matrix; what turns
files into each one's own frame is not counted. Run it with ``make bench-features``; ``--help`` lists smaller sizes.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.wanted import CHANNELS, KINDS, TOPICS, WANTED, Arrays, world

LOG = ("contact", "ts", "kind", "channel", "value", "topic")
FLOORS = {"duckdb": 6.0, "polars": 4.0, "pandas": 15.0}
AIMS = {"duckdb": 15.0, "polars": 10.0, "pandas": 35.0}


def ours(data: Arrays, threads: int) -> tuple[dict[str, float], NDArray[np.float32]]:
    """Features by the kernel: the sort into (contact, time) order, then one pass."""
    from features.feature_set import FeatureSet
    from features.matrix import History
    from features.touchpoints import Touchpoints

    features = FeatureSet(kinds=("order", "visit"), channels=("web", "email"), topics=("pumps", "service"))

    names = [str(i) for i in range(int(data["n_contacts"]))]

    def sorted_(log: Arrays) -> Touchpoints:
        return Touchpoints.from_columns(
            names[: int(log["n_contacts"])], log["contact"], log["ts"], kind=log["kind"], kinds=KINDS,
            channel=log["channel"], channels=CHANNELS, value=log["value"], topic=log["topic"], topics=TOPICS,
        )  # fmt: skip

    warm = {name: column[:1000] if column.ndim else column for name, column in data.items()}
    History(sorted_(warm), features).matrix(warm["row_contact"], warm["row_as_of"])
    del warm
    contact, as_of = data["row_contact"].astype(np.int64), data["row_as_of"]
    began = time.perf_counter()
    touchpoints = sorted_(data)
    # What has been sorted is not needed in the order of the log any more.
    for name in LOG:
        del data[name]
    is_sorted = time.perf_counter()
    X = History(touchpoints, features).matrix(contact, as_of, threads=threads or None)
    done, peak = time.perf_counter(), _peak_mb()
    history = History(touchpoints, features)
    again = min(_seconds(lambda: history.fill_history(contact, as_of, X, threads or None)) for _ in range(3))
    at = [features.columns.index(wanted.name) for wanted in WANTED]
    figures = {
        "seconds": done - began, "sort": is_sorted - began, "features": done - is_sorted, "kernel": again,
        "columns": len(features.columns), "peak_mb": peak,
    }  # fmt: skip
    found = X[:, at]
    figures["streaming"] = _streaming(touchpoints, X)
    return figures, found


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def _seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _streaming(touchpoints: Any, X: NDArray[np.float32]) -> float:
    """Seconds to read every input column and to write every output once, the least of three."""
    columns = [touchpoints.occurred_at, touchpoints.kind, touchpoints.channel, touchpoints.value]
    columns += [touchpoints.topic_start, touchpoints.topic]

    def once() -> None:
        for column in columns:
            column.view(np.int64 if column.dtype.itemsize == 8 else np.int32).max()
        X.fill(0.0)

    return min(_seconds(once) for _ in range(3))


def _asked(data: Arrays) -> Arrays:
    n = len(data["row_as_of"])
    return {"row": np.arange(n), "contact": data["row_contact"], "as_of": data["row_as_of"]}


def duckdb(data: Arrays, threads: int) -> tuple[dict[str, float], NDArray[np.float32]]:
    """Features by one join and one aggregation in SQL."""
    import duckdb as engine
    import pyarrow as pa

    db = engine.connect()
    if threads:
        db.execute(f"SET threads = {threads}")
    db.register("given", pa.table({name: data[name] for name in LOG}))
    db.register("given_rows", pa.table(_asked(data)))
    db.execute("CREATE TABLE ev AS SELECT * FROM given; CREATE TABLE asked AS SELECT * FROM given_rows")
    columns = ", ".join(f'{wanted.sql()} AS "{wanted.name}"' for wanted in WANTED)
    sql = (
        "WITH e AS (SELECT *, ts - lag(ts) OVER (PARTITION BY contact ORDER BY ts) AS gap FROM ev) "
        f"SELECT {columns} FROM asked r LEFT JOIN e ON e.contact = r.contact AND e.ts < r.as_of "
        "GROUP BY r.row ORDER BY r.row"
    )
    began = time.perf_counter()
    table = db.execute(sql).fetchnumpy()
    done, peak = time.perf_counter(), _peak_mb()
    found = [np.ma.filled(np.ma.asarray(table[wanted.name]).astype(np.float32), np.nan) for wanted in WANTED]
    return {"seconds": done - began, "peak_mb": peak}, np.column_stack(found)


def polars(data: Arrays, threads: int) -> tuple[dict[str, float], NDArray[np.float32]]:
    """Features by a lazy join and group_by on the streaming engine."""
    import polars as pl

    events = pl.DataFrame({name: data[name] for name in LOG})
    asked = pl.DataFrame(_asked(data))
    began = time.perf_counter()
    query = (
        events.lazy()
        .sort("contact", "ts")
        .with_columns(gap=pl.col("ts").diff().over("contact"))
        .join(asked.lazy(), on="contact")
        .filter(pl.col("ts") < pl.col("as_of"))
        .with_columns(age=pl.col("as_of") - pl.col("ts"))
        .group_by("row")
        .agg([wanted.polars(pl).alias(wanted.name) for wanted in WANTED])
    )
    found = asked.lazy().select("row").join(query, on="row", how="left").sort("row").collect(engine="streaming")
    done, peak = time.perf_counter(), _peak_mb()
    columns = [found[wanted.name].cast(pl.Float64).fill_null(wanted.absent).to_numpy() for wanted in WANTED]
    return {"seconds": done - began, "peak_mb": peak}, np.column_stack(columns).astype(np.float32)


def pandas(data: Arrays, threads: int) -> tuple[dict[str, float], NDArray[np.float32]]:
    """Features by a merge and one groupby over masked columns."""
    import pandas as pd

    events = pd.DataFrame({name: data[name] for name in LOG})
    asked = pd.DataFrame(_asked(data))
    began = time.perf_counter()
    events = events.sort_values(["contact", "ts"])
    events["gap"] = events.groupby("contact")["ts"].diff()
    joined = events.merge(asked, on="contact")
    joined = joined[joined["ts"] < joined["as_of"]]
    joined["age"] = joined["as_of"] - joined["ts"]
    by_row = joined.groupby("row", sort=True)
    rows = pd.RangeIndex(len(asked))
    found = [wanted.pandas(joined, by_row).reindex(rows).fillna(wanted.absent) for wanted in WANTED]
    done, peak = time.perf_counter(), _peak_mb()
    return {"seconds": done - began, "peak_mb": peak}, np.column_stack(
        [column.to_numpy(dtype=np.float32) for column in found]
    )


CONTENDERS = {"ours": ours, "duckdb": duckdb, "polars": polars, "pandas": pandas}


def _work(name: str, folder: Path, threads: int) -> None:
    """Be one contender: write the matrix, print the figures as JSON."""
    figures, X = CONTENDERS[name]({path.stem[3:]: np.load(path) for path in folder.glob("in-*.npy")}, threads)
    np.save(folder / f"out-{name}.npy", X)
    print(json.dumps(figures))


def _run(name: str, folder: Path, threads: int) -> dict[str, float] | None:
    command = [sys.executable, __file__, "--contender", name, "--folder", str(folder), "--threads", str(threads)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{name:>8}: did not finish: {done.stderr.strip()[-300:] or 'killed'}")
        return None
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _agreement(mine: NDArray[np.float32], theirs: NDArray[np.float32]) -> str:
    unknown = int((np.isnan(mine) != np.isnan(theirs)).sum())
    both = ~np.isnan(mine) & ~np.isnan(theirs)
    a, b = mine[both].astype(np.float64), theirs[both].astype(np.float64)
    # Below 1e-3 a feature (days, money, counts) is rounding of what cancels; there the difference itself is taken.
    worst = float((np.abs(a - b) / np.maximum(np.abs(b), 1e-3)).max())
    return f"largest relative difference {worst:.1e}, {unknown} mismatches of NaN"


def compare(n: int, n_contacts: int, n_rows: int, names: list[str], threads: int) -> None:
    """Print one line per contender, and what the kernel costs against the memory it moves."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for key, column in world(n, n_contacts, n_rows).items():
            np.save(folder / f"in-{key}.npy", column)
        print(f"{n:,} touchpoints, {n_contacts:,} contacts, {n_rows:,} rows, {len(WANTED)} features compared")
        mine = _run("ours", folder, threads)
        if mine is None:
            raise SystemExit(1)
        X = np.load(folder / "out-ours.npy")
        print(
            f"    ours: {mine['seconds']:.2f} s (sort {mine['sort']:.2f}, features {mine['features']:.2f}, "
            f"{mine['columns']:.0f} columns), peak {mine['peak_mb']:.0f} MB (at most 1200)"
        )
        print(
            f"  kernel: {mine['kernel']:.3f} s, {mine['kernel'] / mine['streaming']:.1f} times reading its columns "
            f"and writing its matrix once ({mine['streaming']:.3f} s; at most 20, aim 5)"
        )
        for other in names:
            theirs = _run(other, folder, threads)
            if theirs is None:
                continue
            ratio, in_order = theirs["seconds"] / mine["seconds"], theirs["seconds"] / mine["features"]
            print(
                f"{other:>8}: {theirs['seconds']:.2f} s, peak {theirs['peak_mb']:.0f} MB; ours is {ratio:.1f} times "
                f"faster (floor {FLOORS[other]:.0f}, aim {AIMS[other]:.0f}), {in_order:.1f} times where touchpoints "
                f"are kept in order; {_agreement(X, np.load(folder / f'out-{other}.npy'))}"
            )


def main() -> None:
    """Read the sizes and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--touchpoints", type=int, default=10_000_000)
    parser.add_argument("--contacts", type=int, default=500_000)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--peers", default="duckdb,polars,pandas", help="which to compare with")
    parser.add_argument("--threads", type=int, default=0, help="for ours and DuckDB; all processors when left out")
    parser.add_argument("--contender", choices=list(CONTENDERS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.contender:
        _work(given.contender, given.folder, given.threads)
        return
    names = [name for name in given.peers.split(",") if name]
    compare(given.touchpoints, given.contacts, given.rows, names, given.threads)


if __name__ == "__main__":
    main()
