"""Everybody: the same features of 1 M rows by ours, DuckDB, Polars and pandas, with time, memory and equality.

Each contender works in a process of its own, so that its peak memory is its own: the process's largest resident set,
input and libraries included. Times are from columns in memory (a log in the order of time) to a matrix, or, where it
says "lake", from Parquet files that lie in the system's file cache to a matrix. The world, the lake and what turns
columns into each one's own frame are made before the clock starts. Everybody runs twice, and the better time counts.
Run it with ``make bench-features``; options go into ``ARGS``, and ``--help`` lists them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench import featuretools_rate, own_ways, peers
from bench.wanted import WANTED, Arrays, Figures, world

CONTENDERS = {
    "ours": own_ways.ours,
    "ours_lake": own_ways.ours_lake,
    "duckdb": peers.duckdb,
    "duckdb_lake": peers.duckdb_lake,
    "polars": peers.polars,
    "pandas": peers.pandas,
}
FLOORS = {"duckdb": 6.0, "polars": 4.0, "pandas": 15.0}
AIMS = {"duckdb": 15.0, "polars": 10.0, "pandas": 35.0}
LAKE_FLOOR, STREAMING_MOST, STREAMING_AIM, PEAK_MOST = 12.0, 20.0, 5.0, 1200.0
TOLERANCE = 1e-5
_WITHIN = 900
_RUNS = 2
"""Runs of each contender in its process: the better time counts, and the peak memory of the first."""


@dataclass(frozen=True)
class Line:
    """One line of the last table; a ``limit`` is a floor, or the most that may be where ``is_most``."""

    what: str
    found: float
    limit: float
    aim: float | None = None
    is_most: bool = False
    unit: str = "x"

    @property
    def is_kept(self) -> bool:
        """Whether the limit holds."""
        return self.found <= self.limit if self.is_most else self.found >= self.limit

    def __str__(self) -> str:
        aim = "" if self.aim is None else f"{self.aim:g}"
        found = f"{self.found:.1e}" if self.limit < 1e-3 else f"{self.found:.1f}"
        sign = "<=" if self.is_most else ">="
        verdict = "kept" if self.is_kept else "MISSED"
        return f"{self.what:<58}{found:>9} {self.unit:<3}{sign} {self.limit:<7g}{aim:<7}{verdict}"


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)


def compare(data: Arrays, folder: Path, names: list[str], threads: int) -> list[Line]:
    """Run every contender, print a line each, and return the lines of the last table."""
    lines: list[Line] = []
    mine = _run("ours", folder, threads)
    if mine is None:
        return [Line("ours did not finish", 0.0, 1.0)]
    X = np.load(folder / "out-ours.npy")
    say(
        f"        ours: {mine['seconds']:.2f} s = sort {mine['sort']:.2f} + features {mine['features']:.2f} "
        f"(all {mine['columns']:.0f} columns in the same pass, those wanted kept), peak {mine['peak_mb']:.0f} MB"
    )
    lines.append(Line("our peak memory", mine["peak_mb"], PEAK_MOST, None, True, "MB"))
    for n in (1, 2):
        kernel, streaming = mine[f"kernel_{n}"], mine[f"streaming_{n}"]
        say(
            f"      kernel: {kernel:.3f} s on {n} thread(s); its columns read and its matrix written: {streaming:.4f} s"
        )
        what = f"kernel / streaming its columns, {n} thread{'s'[: n - 1]}"
        lines.append(Line(what, kernel / streaming, STREAMING_MOST, STREAMING_AIM, True))
    peers_found = {}
    for name in names:
        theirs = peers_found[name] = _run(name, folder, threads)
        if theirs is None:
            continue
        say(f"{name:>12}: {theirs['seconds']:.2f} s for {len(WANTED)} columns, peak {theirs['peak_mb']:.0f} MB")
        lines.append(
            Line(f"{name} / ours, sort included", theirs["seconds"] / mine["seconds"], FLOORS[name], AIMS[name])
        )
        in_order = theirs["seconds"] / mine["features"]
        say(f"              {in_order:.1f} times ours where touchpoints lie in memory in order")
        if name == "duckdb":
            lines.append(Line("duckdb / ours in memory, touchpoints in order", in_order, LAKE_FLOOR))
        lines.append(_agreement(name, X, folder))
    return lines + _from_lake(data, folder, X, peers_found.get("duckdb"), threads)


def _from_lake(
    data: Arrays, folder: Path, X: NDArray[np.float32], in_memory: Figures | None, threads: int
) -> list[Line]:
    written = own_ways.write_lake(data, folder, say)
    size = sum(path.stat().st_size for path in (folder / "lake").glob("*/*.parquet")) / 1e6
    say(f"        lake: written in {written:.1f} s (in none of the times), {size:.0f} MB of Parquet, in the file cache")
    mine = _run("ours_lake", folder, threads)
    if mine is None:
        return [Line("ours from the lake did not finish", 0.0, 1.0)]
    say(
        f"   ours_lake: {mine['seconds']:.2f} s from files to matrix, no sort (reading took {mine['read']:.2f} s, "
        f"added up over threads), peak {mine['peak_mb']:.0f} MB"
    )
    lines = [_agreement("ours_lake", X, folder)]
    if in_memory is not None:
        ratio = in_memory["seconds"] / mine["seconds"]
        say(f"              {ratio:.1f} times faster than DuckDB on tables that lie in its memory already")
    theirs = _run("duckdb_lake", folder, threads) if in_memory is not None else None
    if theirs is not None:
        say(
            f" duckdb_lake: {theirs['seconds']:.2f} s; reads identity, occurred_at, kind, channel, value and topics "
            f"of the same files and joins rows by name, as ours; peak {theirs['peak_mb']:.0f} MB"
        )
        ratio = theirs["seconds"] / mine["seconds"]
        lines += [
            Line("duckdb / ours, both from the lake's files", ratio, LAKE_FLOOR),
            _agreement("duckdb_lake", X, folder),
        ]
    return lines


def _agreement(name: str, mine: NDArray[np.float32], folder: Path) -> Line:
    theirs = np.load(folder / f"out-{name}.npy")
    both = ~np.isnan(mine) & ~np.isnan(theirs)
    a, b = mine[both].astype(np.float64), theirs[both].astype(np.float64)
    # Below 1e-3 a feature (days, money, counts) is rounding of what cancels; there the difference itself is taken.
    worst = float((np.abs(a - b) / np.maximum(np.abs(b), 1e-3)).max(initial=0.0))
    if (np.isnan(mine) != np.isnan(theirs)).any():
        worst = float("inf")
    return Line(f"largest relative difference to {name}", worst, TOLERANCE, None, True, "")


def _work(name: str, folder: Path, threads: int) -> None:
    """Be one contender: write the matrix, print the figures as JSON."""
    found = []
    for _ in range(_RUNS):
        data = {path.stem[3:]: np.load(path) for path in folder.glob("in-*.npy")}
        figures, X = CONTENDERS[name](data, folder, threads)
        found.append(figures)
        np.save(folder / f"out-{name}.npy", X)
        del data, X
    # Where a machine gives memory out slowly, the first touch of it says more about the machine than about the work.
    print(json.dumps({**min(found, key=lambda each: each["seconds"]), "peak_mb": found[0]["peak_mb"]}))


def _run(name: str, folder: Path, threads: int) -> Figures | None:
    command = [sys.executable, "-m", "bench.bench_features", "--contender", name]
    command += ["--folder", str(folder), "--threads", str(threads)]
    root = str(Path(__file__).resolve().parents[1])
    path = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    given = {**os.environ, "PYTHONPATH": path, **({"POLARS_MAX_THREADS": str(threads)} if threads else {})}
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=given, timeout=_WITHIN)
    except subprocess.TimeoutExpired:
        say(f"{name:>12}: did not finish within {_WITHIN} s")
        return None
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1:] or ["killed, probably for want of memory"]
        say(f"{name:>12}: did not finish: {reason[0][-300:]}")
        return None
    found: Figures = json.loads(done.stdout.splitlines()[-1])
    (folder / f"figures-{name}.json").write_text(json.dumps(found))
    return found


def main() -> None:
    """Read the options, compare, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--touchpoints", type=int, default=10_000_000)
    parser.add_argument("--contacts", type=int, default=500_000)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--peers", default="duckdb,polars,pandas", help="which to compare with")
    parser.add_argument("--threads", type=int, default=0, help="for everybody but pandas; all processors when left out")
    parser.add_argument("--featuretools", action="store_true", help="install and measure Featuretools on a sample")
    parser.add_argument("--featuretools-rows", type=int, default=400, help="rows of that sample")
    parser.add_argument("--strict", action="store_true", help="exit with 1 where a floor is missed")
    parser.add_argument("--contender", choices=list(CONTENDERS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.contender:
        _work(given.contender, given.folder, given.threads)
        return
    began = time.perf_counter()
    say(
        f"{given.touchpoints:,} touchpoints in the order of a log, {given.contacts:,} contacts, {given.rows:,} rows, "
        f"{len(WANTED)} features compared, which ours computes among all {len(own_ways.FEATURES.columns)} of its own"
    )
    data = world(given.touchpoints, given.contacts, given.rows)
    with tempfile.TemporaryDirectory() as name:
        for key, column in data.items():
            np.save(Path(name) / f"in-{key}.npy", column)
        lines = compare(data, Path(name), [peer for peer in given.peers.split(",") if peer], given.threads)
        if given.featuretools:
            _featuretools(data, given.featuretools_rows, Path(name))
    say(f"\n{'what':<58}{'found':>9}    {'limit':<10}{'aim':<7}")
    for line in lines:
        say(str(line))
    say(f"all of it took {time.perf_counter() - began:.0f} s")
    if given.strict and not all(line.is_kept for line in lines):
        raise SystemExit(1)


def _featuretools(data: Arrays, n_rows: int, folder: Path) -> None:
    found = featuretools_rate.rate(data, n_rows, say)
    if isinstance(found, str):
        say(f"featuretools: {found}")
        return
    per_second = found["rows"] / found["seconds"]
    mine = folder / "figures-ours.json"
    own = len(data["row_as_of"]) / json.loads(mine.read_text())["seconds"] if mine.exists() else float("nan")
    say(
        f"featuretools: {found['seconds']:.1f} s for {found['rows']:.0f} rows of {found['features']:.0f} features = "
        f"{per_second:.1f} rows/s, only these rows' contacts loaded; ours on all rows {own:,.0f} rows/s, "
        f"{own / per_second:,.0f} times as many"
    )


if __name__ == "__main__":
    main()
