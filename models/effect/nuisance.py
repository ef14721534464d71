"""What has to be known on the way to an effect: the outcome under each action, and the chance that each was taken.

Every fold's models have never seen that fold's rows, and a fold holds all rows of a cluster (cross-fitting,
Chernozhukov et al. 2018, Econometrics Journal 21, C1-C68).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.boosting import Params
from models.effect.trees import ALL, Binned, Family, Task, grow_family
from models.logistic import logit, sigmoid

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

TRIMMED = 0.01
"""An estimated chance is at least this, and at most 1 less this."""

FEWEST_ROWS, FEWEST_OUTCOMES = 600, 60
"""Decisions of an action, and among them outcomes of the rarer sort, from which on it has trees of its own."""


@dataclass(frozen=True)
class Log:
    """Decisions to learn from: n rows, k actions besides "do nothing", which is action 0.

    ``known`` is the chance of the taken action, NaN where it is not known; ``chances`` those of all actions, NaN where
    they are not known; ``fold`` counts from 0.
    """

    binned: Binned
    action: Ints
    y: Floats
    known: Floats
    chances: Floats
    allowed: Flags
    fold: Ints

    @property
    def folds(self) -> range:
        """The folds."""
        return range(int(self.fold.max()) + 1)


@dataclass(frozen=True)
class Outcomes:
    """The chance of the outcome under each action: what holds whatever is done, and what each action adds to it.

    ``level`` and ``bases`` are the log-odds that trees are added to, for each fold without its rows and for ``ALL``
    of them; the families hold the trees.
    """

    level: dict[int, float]
    common: Family
    bases: tuple[dict[int, float], ...]
    own: tuple[Family, ...]

    def under(self, j: int, rows: Ints) -> Floats:
        """Chance of rows under each action by the models without fold ``j``, shape (rows, k)."""
        common = self.level[j] + self.common.raw[j][rows]
        each = [base[j] + family.raw[j][rows] for base, family in zip(self.bases, self.own, strict=True)]
        return sigmoid(common[:, None] + np.column_stack(each))

    def of_row(self, fold: Ints) -> Floats:
        """Chance of each row under each action by models that have not seen its fold, shape (n, k)."""
        found = np.empty((len(fold), len(self.own)))
        for j in range(int(fold.max()) + 1):
            mine = np.flatnonzero(fold == j)
            found[mine] = self.under(j, mine)
        return found


def cut_folds(cluster: Ints, seed: int) -> Ints:
    """Fold of each row, at random and by cluster: five, or three where rows are many."""
    _, member = np.unique(cluster, return_inverse=True)
    folds = 3 if len(cluster) > 60_000 else 5
    n = int(member.max()) + 1
    found: Ints = (np.random.default_rng([seed, n]).permutation(n) % folds)[member]
    return found


def shape_of(rows: int, rarer: float) -> Params:
    """Size of trees for so many rows, of which ``rarer`` are of the rarer sort."""
    fewest = int(np.clip(4 * rows / max(rarer, 1.0), 40, max(40.0, rows / 10)))
    if rows > 50_000:
        return {"num_leaves": 12, "min_data_in_leaf": max(200, fewest), "feature_fraction": 0.3, "learning_rate": 0.1}
    return {"num_leaves": 8, "min_data_in_leaf": max(60, fewest), "feature_fraction": 0.6, "learning_rate": 0.06}


def fit_outcomes(log: Log, seed: int) -> Outcomes:
    """Learn the outcome: one model over all actions, and per action what it adds, where its rows can tell.

    Trees of an action are added to what holds for all, so that an action with few rows leans on the others.
    """
    n, k = len(log.y), log.allowed.shape[1]
    levels = {j: _log_odds(log.y[log.fold != j]) for j in (ALL, *log.folds)}
    task = Task(
        rows=np.arange(n, dtype=np.int64),
        label=log.y,
        offset={j: np.full(n, level) for j, level in levels.items()},
        params={"objective": "binary", **shape_of(n, _rarer(log.y))},
    )
    common = grow_family(log.binned, task, log.fold, seed)
    said = {j: levels[j] + common.raw[j] for j in (ALL, *log.folds)}
    found = [_own(log, action, said, seed) for action in range(k)]
    return Outcomes(levels, common, tuple(base for base, _ in found), tuple(family for _, family in found))


def _own(log: Log, action: int, said: dict[int, Floats], seed: int) -> tuple[dict[int, float], Family]:
    """Learn what an action adds to the log-odds: a constant for each fold, and trees where there are rows enough."""
    rows = np.flatnonzero(log.action == action)
    y = log.y[rows]
    base = {j: _shift(y[log.fold[rows] != j], said[j][rows][log.fold[rows] != j]) for j in (ALL, *log.folds)}
    offset = {j: said[j] + base[j] for j in (ALL, *log.folds)}
    if len(rows) < FEWEST_ROWS or _rarer(y) < FEWEST_OUTCOMES:
        nothing = np.zeros(len(log.y))
        return base, Family(0, None, {j: nothing for j in (ALL, *log.folds)})
    shape = shape_of(len(rows), _rarer(y)) | {"learning_rate": 0.04, "num_leaves": 6}
    task = Task(rows, y, offset, {"objective": "binary", **shape}, most=150)
    return base, grow_family(log.binned, task, log.fold, seed)


def _shift(y: Floats, offset: Floats) -> float:
    """Constant that makes offset log-odds fit best, held towards 0 as by two rows (Newton's method)."""
    shift = 0.0
    for _ in range(30):
        p = sigmoid(offset + shift)
        step = (float((y - p).sum()) - 0.5 * shift) / (float((p * (1 - p)).sum()) + 0.5)
        shift += float(np.clip(step, -2, 2))
        if abs(step) < 1e-10:
            break
    return shift


def _log_odds(y: Floats) -> float:
    return float(logit(np.array([(y.sum() + 0.5) / (len(y) + 1.0)]))[0])


def _rarer(y: Floats) -> float:
    return float(min(y.sum(), len(y) - y.sum()))


def taken_chances(log: Log, seed: int) -> tuple[Floats, Floats, Flags]:
    """Chance that the taken action had, the chance of every action, and which rows had theirs estimated.

    Where a row's is not known, it is estimated by models that have not seen the row's fold, for allowed actions only,
    and trimmed to [.01, .99].

    Returns
    -------
    chance of the taken action (n,), of every action (n, k) with NaN where it is not known, estimated (n,).
    """
    unknown = np.isnan(log.known)
    if not unknown.any():
        return log.known, log.chances, unknown
    estimated = _estimated(log, seed)
    rows = np.arange(len(log.action))
    taken = np.where(unknown, estimated[rows, log.action], log.known)
    return taken, np.where(unknown[:, None], estimated, log.chances), unknown


def _estimated(log: Log, seed: int) -> Floats:
    """Chance of each action for each row, one against the rest, made to sum to 1 over the allowed ones."""
    k = log.allowed.shape[1]
    found = np.column_stack([_chance_of(log, action, seed) for action in range(k)])
    found = np.where(log.allowed, np.maximum(found, 1e-6), 0.0)
    found /= found.sum(axis=1, keepdims=True)
    trimmed: Floats = np.where(log.allowed, np.clip(found, TRIMMED, 1 - TRIMMED), 0.0)
    return trimmed


def _chance_of(log: Log, action: int, seed: int) -> Floats:
    """Chance that an action is taken where it is allowed, by models that have not seen the row's fold."""
    rows = np.flatnonzero(log.allowed[:, action])
    taken = (log.action[rows] == action).astype(np.float64)
    base = {j: _log_odds(taken[log.fold[rows] != j]) for j in (ALL, *log.folds)}
    n = len(log.action)
    params = {"objective": "binary", **shape_of(len(rows), _rarer(taken))}
    task = Task(rows, taken, {j: np.full(n, level) for j, level in base.items()}, params)
    enough = _rarer(taken) >= FEWEST_OUTCOMES
    family = grow_family(log.binned, task, log.fold, seed) if enough else None
    said = np.empty(n)
    for j in log.folds:
        mine = log.fold == j
        said[mine] = base[j] if family is None else base[j] + family.raw[j][mine]
    return sigmoid(said)


def pseudo_outcomes(y: Floats, action: Ints, of_row: Floats, taken: Floats) -> Floats:
    """Doubly robust stand-ins for the effect of each action on each row, shape (n, k - 1).

    Their mean given the features is the effect where either the outcomes or the chances are right (Kennedy 2023,
    Electronic Journal of Statistics 17, 3008-3049; Robins, Rotnitzky & Zhao 1994). One for action a is
    ``mu_a - mu_0``, plus ``(y - mu_a) / chance`` where a was taken, less ``(y - mu_0) / chance`` where nothing was.
    """
    rows = np.arange(len(y))
    scores = of_row.copy()
    scores[rows, action] += (y - of_row[rows, action]) / taken
    found: Floats = scores[:, 1:] - scores[:, :1]
    return found


def precision_weights(chances: Floats, usable: Flags, action: int) -> Floats | None:
    """Weights by which rows teach about an action: one over the variance that their chances give a stand-in.

    None where some chances are not known: to weigh by the taken action's alone would bias what is learnt.
    """
    pair = chances[usable][:, [0, action]]
    if np.isnan(pair).any() or (pair <= 0).any():
        return None
    weight = 1.0 / (1.0 / pair).sum(axis=1)
    found: Floats = weight / weight.mean()
    return found
