"""Gradient boosting on a matrix: growing one booster, and choosing how to grow it."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.time_folds import Fold
from models.trees import averaged

T = TypeVar("T")
R = TypeVar("R")
Floats = NDArray[np.float64]
Params = dict[str, Any]

MOST_ROUNDS = 1000
PATIENCE = 40

_ONE_THREAD = 3_000_000
"""Cells of a matrix below which a second thread waits longer than it helps."""

_FIXED: Params = {
    "objective": "binary",
    "metric": "binary_logloss",
    # The same rows and seed give the same bytes for any number of threads.
    "deterministic": True,
    "force_row_wise": True,
    "feature_pre_filter": False,
    "verbosity": -1,
}
# Few rows: splits at random thresholds are what keeps deep trees from learning the noise.
_SMALL: tuple[Params, ...] = (
    {"num_leaves": 6, "min_data_in_leaf": 40, "feature_fraction": 0.4, "extra_trees": True},
    {"num_leaves": 12, "min_data_in_leaf": 40, "feature_fraction": 0.4, "extra_trees": True},
    {"num_leaves": 31, "min_data_in_leaf": 25, "feature_fraction": 0.5, "extra_trees": True},
    {"num_leaves": 6, "min_data_in_leaf": 40, "feature_fraction": 0.4},
)
_MIDDLE: tuple[Params, ...] = (
    {"num_leaves": 15, "min_data_in_leaf": 100, "feature_fraction": 0.5},
    {"num_leaves": 47, "min_data_in_leaf": 150, "feature_fraction": 0.5},
)
_LARGE: tuple[Params, ...] = ({"num_leaves": 63, "min_data_in_leaf": 300, "feature_fraction": 0.6},)


_BESIDE = ("sklearn", "pandas", "pyarrow", "matplotlib", "dask", "graphviz")
"""What LightGBM imports for conveniences of its own, where it is there: two seconds and 130 MB for nothing we call."""

_importing = threading.Lock()


def lightgbm() -> Any:
    """Import LightGBM when it is first needed, without what it would import for its scikit-learn classes and plots.

    Who wants those in the same process imports lightgbm first.
    """
    # Threads that spin while they wait make two busy processes on one machine fifty times slower.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    with _importing, _without(() if "lightgbm" in sys.modules else _BESIDE):
        import lightgbm as library  # noqa: TID251 - the part of models/ that grows trees

    return library


@contextmanager
def _without(names: Iterable[str]) -> Iterator[None]:
    """Let a first import of these modules fail meanwhile, as where they are not installed."""
    modules: dict[str, Any] = sys.modules
    hidden = [name for name in names if name not in modules]
    modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for name in hidden:
            del modules[name]


@dataclass(frozen=True)
class Sample:
    """Rows to learn from: ``X`` float (n, F), ``y`` 0 or 1, the columns' names and which hold codes."""

    X: NDArray[Any]
    y: Floats
    columns: tuple[str, ...]
    categorical: tuple[str, ...]

    def part(self, rows: NDArray[np.int64]) -> Sample:
        """Take some of the rows."""
        return Sample(self.X[rows], self.y[rows], self.columns, self.categorical)


@dataclass(frozen=True)
class Choice:
    """How to grow: parameters, number of rounds, and the out-of-fold probability of every judged row."""

    params: Params
    rounds: int
    judged: NDArray[np.int64]
    probability: Floats


def candidates(sample: Sample, given: Params | None) -> tuple[Params, ...]:
    """List what to compare, the plainest first: more for fewer rows, where choice matters and is cheap."""
    n, rarer = len(sample.y), min(sample.y.sum(), len(sample.y) - sample.y.sum())
    if n > 200_000:
        sized, rate = _LARGE, 0.1
    elif n > 30_000:
        sized, rate = _MIDDLE, 0.06
    else:
        sized, rate = _SMALL, 0.04
    # With few positives a leaf of 40 rows holds none or one: its odds would be noise.
    fewest = int(min(5 * n / max(rarer, 1), n / 20))
    shared: Params = {"learning_rate": rate, "lambda_l2": 10.0, "bagging_fraction": 0.7, "bagging_freq": 1}
    shared |= {"cat_smooth": 20.0, "cat_l2": 20.0, "max_cat_threshold": 16}
    listed = [shared | p | {"min_data_in_leaf": max(p["min_data_in_leaf"], fewest)} | (given or {}) for p in sized]
    return tuple(p for i, p in enumerate(listed) if p not in listed[:i])


def grow(sample: Sample, params: Params, rounds: int, seed: int, bags: int = 1) -> str:
    """Text of a booster with a fixed number of rounds, averaged over ``bags`` seeds."""
    data = _dataset(sample)

    def one(bag: int) -> str:
        booster = lightgbm().train(_fixed(sample) | params | {"seed": seed + bag}, data, num_boost_round=rounds)
        return str(booster.model_to_string(num_iteration=-1))

    return averaged(_beside(one, range(bags), sample))


def choose(sample: Sample, folds: Sequence[Fold], seed: int, given: Params | None) -> Choice:
    """Find the configuration and rounds with the lowest log loss on the judged rows of all folds together.

    One number of rounds is chosen for all folds: the best point of their summed curves, which is steadier
    than the mean of their own best points.
    """
    # Rows are laid out once for all configurations; what is judged looks up its bins once, too.
    sets = _beside(partial(_sets, sample), folds, sample)
    weights = [len(fold.judge) for fold in folds]
    lowest, best = np.inf, None
    for params in candidates(sample, given):
        grown = _beside(partial(_grown, _fixed(sample) | params | {"seed": seed}), sets, sample)
        rounds = 1 + best_point([curve for _, curve in grown], weights)
        losses = [curve[min(rounds, booster.num_trees()) - 1] for booster, curve in grown]
        loss = float(np.dot(losses, weights))
        if loss < lowest:
            lowest, best = loss, (params, rounds, [booster for booster, _ in grown])
    if best is None:
        raise ValueError("there is no fold to choose on")
    params, rounds, boosters = best
    p = _beside(partial(_judged, sample, rounds), list(zip(boosters, folds, strict=True)), sample)
    return Choice(params, rounds, np.concatenate([fold.judge for fold in folds]), np.concatenate(p))


def _sets(sample: Sample, fold: Fold) -> tuple[Any, Any]:
    data = _dataset(sample.part(fold.learn))
    return data, _dataset(sample.part(fold.judge), like=data)


def _judged(sample: Sample, rounds: int, fitted: tuple[Any, Fold]) -> Floats:
    booster, fold = fitted
    threads = _fixed(sample)["num_threads"]
    p = booster.predict(sample.X[fold.judge], num_iteration=min(rounds, booster.num_trees()), num_threads=threads)
    return np.asarray(p, dtype=np.float64)


def _dataset(sample: Sample, like: Any = None) -> Any:
    """Lay rows out in bins, those of other rows where these are only to be judged."""
    data = lightgbm().Dataset(
        sample.X,
        sample.y,
        # LightGBM splits names at spaces and refuses JSON's signs in them; ours stand in the manifest.
        feature_name=[f"f{i}" for i in range(len(sample.columns))],
        categorical_feature=[sample.columns.index(name) for name in sample.categorical],
        params=_fixed(sample) if like is None else like.params,
        reference=like,
    )
    # The bins are all that trees look at: the copy of a fold's rows is let go.
    return data.construct()


def _fixed(sample: Sample) -> Params:
    return _FIXED | {"num_threads": 1 if sample.X.size < _ONE_THREAD else 0}


def _beside(task: Callable[[T], R], items: Iterable[T], sample: Sample) -> list[R]:
    """Run tasks beside each other where each takes one thread, which changes no result."""
    return [task(item) for item in items] if sample.X.size >= _ONE_THREAD else beside(task, items)


def beside(task: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """Run tasks beside each other, their results in the order of the items."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(task, items))


def grow_judged(
    params: Params, learn: Any, judge: Any, *, most: int, patience: int, **more: Any
) -> tuple[Any, list[float]]:
    """Grow a booster with its curve of losses on rows that it is judged by.

    Parameters
    ----------
    learn, judge
        Datasets of LightGBM.
    most, patience
        Rounds at the most, and so many without a lower loss.
    more
        Said to LightGBM's ``train`` besides.
    """
    lgb, curve = lightgbm(), dict[str, Any]()
    booster = lgb.train(
        params,
        learn,
        num_boost_round=most,
        valid_sets=[judge],
        valid_names=["judge"],
        callbacks=[lgb.early_stopping(patience, verbose=False), lgb.record_evaluation(curve)],
        **more,
    )
    return booster, list(curve["judge"][params["metric"]])


def _grown(params: Params, fold: tuple[Any, Any]) -> tuple[Any, Floats]:
    booster, curve = grow_judged(params, *fold, most=MOST_ROUNDS, patience=PATIENCE, keep_training_booster=True)
    return booster, np.array(curve, dtype=np.float64)


def best_point(curves: Sequence[ArrayLike], weights: Sequence[int]) -> int:
    """Place of the lowest point of curves of losses taken together, each weighed by its rows."""
    longest = max(len(np.asarray(curve)) for curve in curves)
    # A curve that was stopped was rising; it is taken on at its last value.
    padded = [np.pad(np.asarray(curve), (0, longest - len(np.asarray(curve))), mode="edge") for curve in curves]
    return int(np.average(padded, axis=0, weights=weights).argmin())
