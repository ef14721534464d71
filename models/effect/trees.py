"""Boosters judged on rows they have not seen: one for each fold, and one for the bundle with as many rounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.boosting import Params, beside, best_point, grow_judged, lightgbm

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PATIENCE = 15
ALL = -1
"""The fold that holds no row, so that what is fitted without it has seen all of them."""

_FIXED: Params = {
    "verbosity": -1,
    # Each booster has one thread and several grow beside each other, so the number of threads changes no byte.
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "feature_pre_filter": False,
    "max_bin": 63,
    "lambda_l2": 10.0,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "cat_smooth": 20.0,
    "cat_l2": 20.0,
    "max_cat_threshold": 16,
}


@dataclass(frozen=True)
class Binned:
    """A matrix whose columns are cut into bins once, for all boosters that grow on parts of its rows.

    The cuts look at every row's features, never at what came of it.
    """

    X: NDArray[Any]
    columns: int
    data: Any

    @classmethod
    def of(cls, X: NDArray[Any], categorical: Sequence[int]) -> Binned:
        """Cut a matrix, shape (n, F); ``categorical`` are the places of columns that hold codes."""
        data = lightgbm().Dataset(
            X,
            np.zeros(len(X)),
            feature_name=[f"f{i}" for i in range(X.shape[1])],
            categorical_feature=list(categorical),
            params=_FIXED,
            free_raw_data=False,
        )
        return cls(X, X.shape[1], data.construct())

    def rows(self, which: Ints, label: Floats, offset: Floats, weight: Floats | None) -> Any:
        """Take some rows for a booster to learn from or to be judged by."""
        part = self.data.subset(which).construct()
        part.set_label(label)
        part.set_init_score(offset)
        if weight is not None:
            part.set_weight(weight)
        return part


@dataclass(frozen=True)
class Task:
    """What a family of boosters is to learn.

    Attributes
    ----------
    rows
        Numbers of the rows that teach.
    label, weight
        Of those rows; weight None counts each once.
    offset
        What the trees are added to: for each fold (``ALL`` too) a column over all n rows, as the family's other
        members that have not seen the fold predict it.
    params
        Objective and shape of the trees.
    most
        Rounds at most.
    """

    rows: Ints
    label: Floats
    offset: dict[int, Floats]
    params: Params
    weight: Floats | None = None
    most: int = 200


@dataclass(frozen=True)
class Family:
    """What was grown: the boosters' text (None: no tree helped), and what each fold's own one says of all rows."""

    rounds: int
    text: str | None
    raw: dict[int, Floats]
    """For each fold what the trees that have not seen it add, shape (n,) each; ``ALL`` is that of ``text``."""


def grow_family(binned: Binned, task: Task, fold: Ints, seed: int) -> Family:
    """Grow one booster for each fold without its rows, and one on all rows.

    The number of rounds is the best point of the folds' summed curves on the rows they have not seen, zero included.

    Parameters
    ----------
    fold
        Of every row, shape (n,), counted from 0.
    """
    folds = range(int(fold.max()) + 1)
    here = fold[task.rows]
    params = _FIXED | _metric(task.params) | {"seed": seed}

    def judged(j: int) -> tuple[Any, list[float]]:
        learn, judge = (_part(binned, task, which, j) for which in (here != j, here == j))
        booster, curve = grow_judged(params, learn, judge, most=task.most, patience=PATIENCE)
        return booster, [_loss_without_trees(task, here == j, j), *curve]

    grown = beside(judged, folds)
    counts = [int((here == j).sum()) for j in folds]
    rounds = best_point([curve for _, curve in grown], counts)
    if rounds == 0:
        nothing = np.zeros(len(fold))
        return Family(0, None, {j: nothing for j in (ALL, *folds)})
    everything = _part(binned, task, here != ALL, ALL)
    booster = lightgbm().train(params, everything, num_boost_round=rounds, keep_training_booster=False)

    def said(j: int) -> Floats:
        of = booster if j == ALL else grown[j][0]
        used = min(rounds, of.num_trees())
        return np.asarray(of.predict(binned.X, raw_score=True, num_iteration=used, num_threads=1), np.float64)

    raw = dict(zip((ALL, *folds), beside(said, (ALL, *folds)), strict=True))
    return Family(rounds, str(booster.model_to_string(num_iteration=-1)), raw)


def _metric(params: Params) -> Params:
    metric = {"binary": "binary_logloss", "regression": "l2"}[params["objective"]]
    return params | {"metric": metric, "boost_from_average": False}


def _loss_without_trees(task: Task, which: NDArray[np.bool_], j: int) -> float:
    label, offset = task.label[which], task.offset[j][task.rows[which]]
    if task.params["objective"] == "binary":
        loss = np.logaddexp(0, offset) - label * offset
    else:
        loss = (label - offset) ** 2
    return float(np.average(loss, weights=None if task.weight is None else task.weight[which]))


def _part(binned: Binned, task: Task, which: NDArray[np.bool_], j: int) -> Any:
    rows = task.rows[which]
    weight = None if task.weight is None else task.weight[which]
    return binned.rows(rows, task.label[which], task.offset[j][rows], weight)
