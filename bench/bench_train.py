"""Fitting a propensity model against bare ``lgb.train`` on the same matrices, with the same parameters and rounds.

Ours chooses parameters and rounds on folds in time, calibrates, and fits twice, as ``nba train run`` does. Every
booster that it grows is noted with its matrix; bare LightGBM then grows the same ones, one after the other, with all
threads, without judging, choosing or stopping early. The ratio says what all the rest costs.

Every size runs in a process of its own, so that its peak is its own. Run it with ``make bench-train`` or
``python bench/bench_train.py --rows 100000 1000000``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

# Threads that spin while they wait take the processor from who works.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import lightgbm
import numpy as np
from numpy.typing import NDArray

from bench.wanted import peak_mb
from features.times import DAY
from models import boosting
from models.propensity import Propensity

FLOOR = 1.2
ROWS = (100_000, 1_000_000, 5_000_000)
SNAPSHOTS = 24


@dataclass(frozen=True)
class World:
    """Rows of contacts at snapshots; ``until`` is four weeks later, and few columns matter."""

    X: NDArray[np.float32]
    y: NDArray[np.float64]
    as_of: NDArray[np.int64]
    until: NDArray[np.int64]
    contact: NDArray[np.int64]

    @classmethod
    def of(cls, rows: int, columns: int, seed: int = 0) -> World:
        """Draw a world."""
        rng = np.random.default_rng(seed)
        X = rng.standard_exponential((rows, columns), dtype=np.float32)
        # Most columns of a real matrix are counts, and mostly 0.
        X[:, columns // 2 :] = np.floor(X[:, columns // 2 :] * 2.0)
        X[rng.random(rows) < 0.3, 1] = np.nan
        score = np.log1p(X[:, 0]) - 0.5 * np.nan_to_num(X[:, 1]) + 0.3 * X[:, columns - 1] * (X[:, 2] > 1) - 1.8
        as_of = np.sort(rng.integers(0, SNAPSHOTS, rows)) * 14 * DAY
        y = (rng.random(rows, dtype=np.float32) < 1 / (1 + np.exp(-score))).astype(np.float64)
        return cls(X, y, as_of, as_of + 28 * DAY, rng.integers(0, max(1, rows // SNAPSHOTS), rows))


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock, and of all processors together."""

    seconds: float
    processor: float

    def __add__(self, other: Cost) -> Cost:
        """Take two together."""
        return Cost(self.seconds + other.seconds, self.processor + other.processor)

    def less(self, other: Cost) -> Cost:
        """Take away what does not belong to it."""
        return Cost(self.seconds - other.seconds, self.processor - other.processor)


def timed(work: Callable[[], object]) -> Cost:
    """Run work once."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return Cost(time.perf_counter() - wall, time.process_time() - processor)


@dataclass
class Grown:
    """A booster as it was grown: which matrix, with what, and how many rounds it came to."""

    matrix: int
    params: dict[str, Any]
    rounds: int


@dataclass
class Noting:
    """LightGBM's module, noting which matrices are laid out and what is grown on them.

    Matrices go into files in ``folder``: kept in memory they would count as ours. ``cost`` is what that took.
    """

    folder: Path
    matrices: list[dict[str, Any]] = field(default_factory=list)
    grown: list[Grown] = field(default_factory=list)
    cost: Cost = field(default_factory=lambda: Cost(0.0, 0.0))

    def __getattr__(self, name: str) -> Any:
        return getattr(lightgbm, name)

    def Dataset(self, data: NDArray[Any], label: NDArray[Any], **more: Any) -> Any:
        """Lay out a matrix."""
        at = len(self.matrices)
        if more.get("reference") is None:
            self.cost += timed(lambda: np.save(self.folder / f"{at}.npy", data))
        self.matrices.append({"label": label, **more, "reference": None})
        found = lightgbm.Dataset(data, label, **more)
        found.noted_as = at
        return found

    def laid_out(self, at: int) -> tuple[Any, Cost]:
        """Lay a noted matrix out again; reading it back costs nothing."""
        params = {**self.matrices[at]["params"], "num_threads": 0}
        data = np.load(self.folder / f"{at}.npy")
        found = lightgbm.Dataset(data, **{**self.matrices[at], "params": params})
        return found, timed(found.construct)

    def train(self, params: dict[str, Any], train_set: Any, **more: Any) -> Any:
        """Grow a booster, and note to how many rounds it came, those behind its best one too."""
        rounds = [0]

        def count(at: Any) -> None:
            rounds[0] = at.iteration + 1

        booster = lightgbm.train(params, train_set, **{**more, "callbacks": [count, *more.get("callbacks", ())]})
        self.grown.append(Grown(train_set.noted_as, params, rounds[0]))
        return booster


def ours(world: World, columns: tuple[str, ...]) -> None:
    """Fit before the test, and again on every row."""
    train = world.until <= world.as_of.max() - 42 * DAY
    judged = Propensity.fit(
        world.X[train], world.y[train], world.as_of[train], world.until[train], world.contact[train], columns=columns
    )
    judged.refit(world.X, world.y)


def bare(noted: Noting) -> Cost:
    """Grow the same boosters."""
    laid_out: dict[int, Any] = {}
    cost = Cost(0.0, 0.0)
    last = {grown.matrix: i for i, grown in enumerate(noted.grown)}
    for i, grown in enumerate(noted.grown):
        if grown.matrix not in laid_out:
            laid_out[grown.matrix], spent = noted.laid_out(grown.matrix)
            cost += spent
        params = {**grown.params, "num_threads": 0}
        data, rounds = laid_out[grown.matrix], grown.rounds
        cost += timed(partial(lightgbm.train, params, data, num_boost_round=rounds))
        if last[grown.matrix] == i:
            del laid_out[grown.matrix], data
    return cost


def _this(noted: Noting) -> Noting:
    return noted


def measure(rows: int, columns: int, *, times: int) -> dict[str, Any]:
    """Fit ``times`` times by ours and bare in turns; the least of each counts."""
    world = World.of(rows, columns)
    names = tuple(f"feature_{i}" for i in range(columns))
    data_mb = peak_mb()
    costs = []
    peak = 0.0
    with tempfile.TemporaryDirectory(prefix="bench-train-") as folder:
        for _ in range(times):
            noted = Noting(Path(folder))
            known = boosting.lightgbm
            boosting.lightgbm = partial(_this, noted)
            try:
                mine = timed(lambda: ours(world, names)).less(noted.cost)
            finally:
                boosting.lightgbm = known
            peak = peak or peak_mb()
            costs.append((mine, bare(noted)))
    return {
        "rows": rows,
        "columns": columns,
        "boosters": len(noted.grown),
        "rounds": sum(grown.rounds for grown in noted.grown),
        "seconds": min(mine.seconds for mine, _ in costs),
        "bare_seconds": min(theirs.seconds for _, theirs in costs),
        "processor_ratio": min(m.processor for m, _ in costs) / min(t.processor for _, t in costs),
        "data_mb": data_mb,
        "peak_mb": peak,
    }


def main() -> int:
    """Measure every size in its own process, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=ROWS, help="sizes (default: 100,000, 1 M and 5 M)")
    parser.add_argument("--columns", type=int, default=60, help="columns of the matrix (default 60)")
    parser.add_argument("--times", type=int, help="how often (default: 3 for up to 200,000 rows, else 1)")
    parser.add_argument("--strict", action="store_true", help="exit with 1 where the floor is missed")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(measure(args.rows[0], args.columns, times=args.times)))
        return 0
    heads = (("rows", 10), ("boosters", 8), ("rounds", 7), ("fit s", 8), ("bare s", 8), ("ratio", 6), ("cpu ratio", 9))
    print(" ".join(f"{head:>{width}}" for head, width in (*heads, ("data MB", 8), ("peak MB", 8))))
    missed = False
    for rows in args.rows:
        print(f"fitting {rows:,} rows ...", file=sys.stderr, flush=True)
        found = _alone(rows, args.columns, args.times or (3 if rows <= 200_000 else 1))
        ratio = found["seconds"] / found["bare_seconds"]
        missed |= ratio > FLOOR
        print(
            f"{rows:>10,} {found['boosters']:>8} {found['rounds']:>7,} {found['seconds']:>8.1f} "
            f"{found['bare_seconds']:>8.1f} {ratio:>6.2f} {found['processor_ratio']:>9.2f} "
            f"{found['data_mb']:>8,.0f} {found['peak_mb']:>8,.0f}",
            flush=True,
        )
    print(f"floor: fitting costs at most {FLOOR} times bare lgb.train on the same matrices")
    return int(missed and args.strict)


def _alone(rows: int, columns: int, times: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.bench_train", "--one", "--rows", str(rows), "--columns", str(columns)]
    done = subprocess.run([*command, "--times", str(times)], stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    sys.exit(main())
