"""The last stage of an effect: how much one action's effect differs between contacts, as far as the data show it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.effect.nuisance import Log, Outcomes, precision_weights, shape_of
from models.effect.trees import ALL, Family, Task, grow_family

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

FEWEST_EACH = 500
"""Decisions of the action, and with nothing done, from which on its effect is given trees."""

MOST_REACH = 1.5

UNSEEN = 0.7
"""Beyond what features show, effects are taken to differ by this part of what they show: no log can tell it."""

UNNOTICED = 2.0
"""Ratio of slope and error, squared, below which a difference counts as chance."""

_SPREAD_ROWS = 4_000


@dataclass(frozen=True)
class ActionEffect:
    """What one action changes.

    The effect on a contact is ``anchor + reach x (difference - centre)``, where the difference is what the outcome
    models say, and by the part ``mix`` what trees learnt from pseudo-outcomes. The average is that over all decisions;
    the anchor, that individual effects hang on, is steadier where an action hardly had a chance: there a single
    decision for it moves the average a long way, and must not move everybody's effect with it.
    ``average_error``, ``anchor_error`` and ``reach_error`` are standard errors, ``noise`` is the standard deviation
    that other decisions would give to a difference, and ``unseen`` what effects are taken to differ by beyond what
    features show.
    """

    action: str
    evidence: str
    taken: int
    """Decisions for it."""
    base: float
    """Propensity with nothing done, mean over the decisions where both were allowed."""
    average: float
    average_error: float
    anchor: float
    anchor_error: float
    reach: float = 0.0
    reach_error: float = 0.0
    centre: float = 0.0
    noise: float = 0.0
    unseen: float = 0.0
    mix: float = 0.0
    level: float = 0.0
    """What the trees of its difference are added to."""

    def difference(self, plain: Floats, learnt: Floats) -> Floats:
        """Mix what tells contacts apart from the outcome models' difference and the trees' own."""
        return plain if self.mix == 0.0 else (1.0 - self.mix) * plain + self.mix * (self.level + learnt)

    def of(self, difference: Floats) -> Floats:
        """Effect on contacts with these learnt differences."""
        return np.asarray(self.anchor + self.reach * (difference - self.centre))

    def error_of(self, difference: Floats) -> Floats:
        """Return the standard error of the effect on contacts with these learnt differences."""
        return np.asarray(np.hypot(self.doubt_of(difference), self.unseen))

    def doubt_of(self, difference: Floats) -> Floats:
        """Return the part of that error which more decisions would take away: all but what no feature shows."""
        swing = (self.reach_error * (difference - self.centre)) ** 2
        return np.asarray(np.sqrt(self.anchor_error**2 + (self.reach * self.noise) ** 2 + swing))

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True)
class Stage:
    """What was learnt of one action, and the effect on each row by models that have not seen its fold."""

    effect: ActionEffect
    family: Family | None
    of_row: Floats


def fit_stage(
    log: Log,
    outcomes: Outcomes,
    of_row: Floats,
    stand_in: Floats,
    chances: Floats,
    cluster: Ints,
    action: int,
    name: str,
    evidence: str,
    seed: int,
) -> Stage:
    """Learn how an action's effect differs, and shrink that towards its average as far as it holds out of fold.

    Parameters
    ----------
    of_row
        Chance under each action by models that have not seen the row's fold, shape (n, k).
    stand_in
        Pseudo-outcome of this action, shape (n,).
    chances
        Of each action, NaN where not known, shape (n, k).
    """
    usable = log.allowed[:, 0] & log.allowed[:, action]
    rows = np.flatnonzero(usable)
    target, group = stand_in[rows], cluster[rows]
    weight = precision_weights(chances, usable, action)
    family, levels = _differences(log, stand_in, rows, weight, action, seed)
    plain = of_row[rows, action] - of_row[rows, 0]
    learnt = None if family is None else _unseen(family, levels, log.fold, rows)
    mix = 0.0 if learnt is None else _mix(target, plain, learnt, weight)
    difference = plain if learnt is None else (1.0 - mix) * plain + mix * learnt
    average, average_error = float(target.mean()), _sum_error(target - target.mean(), group) / len(rows)
    anchor, anchor_error = average, average_error
    if weight is not None:
        anchor, anchor_error = _anchor((average, average_error), *_by_models(log, of_row, rows, group, action))
    reach, reach_error = _reach(target, difference, weight, group)
    by = _Learnt(outcomes, family, levels, mix, action)
    found = ActionEffect(
        action=name,
        evidence=evidence,
        taken=int((log.action == action).sum()),
        base=float(of_row[rows, 0].mean()),
        average=average,
        average_error=average_error,
        anchor=anchor,
        anchor_error=anchor_error,
        reach=reach,
        reach_error=reach_error,
        centre=float(by.without(ALL, rows).mean()),
        noise=_noise(log, rows, by),
        # A difference whose spread is a few errors of the average would not have been noticed.
        unseen=math.hypot(UNSEEN * reach * float(difference.std()), math.sqrt(UNNOTICED) * anchor_error),
        mix=mix,
        level=levels[ALL],
    )
    everyone = np.full(len(log.y), np.nan)
    everyone[rows] = anchor + reach * (difference - difference.mean())
    return Stage(found, family if mix else None, everyone)


@dataclass(frozen=True)
class _Learnt:
    """What tells contacts apart, by the models without a fold."""

    outcomes: Outcomes
    family: Family | None
    levels: dict[int, float]
    mix: float
    action: int

    def without(self, j: int, rows: Ints) -> Floats:
        """Difference that the models without fold ``j`` see for rows."""
        chances = self.outcomes.under(j, rows)
        plain: Floats = chances[:, self.action] - chances[:, 0]
        if self.family is None or self.mix == 0.0:
            return plain
        return (1.0 - self.mix) * plain + self.mix * (self.levels[j] + self.family.raw[j][rows])


def _differences(
    log: Log, stand_in: Floats, rows: Ints, weight: Floats | None, action: int, seed: int
) -> tuple[Family | None, dict[int, float]]:
    """Trees for the pseudo-outcomes, where there are rows enough and trees help on unseen ones."""
    counts = [int((log.action[rows] == which).sum()) for which in (0, action)]
    label = stand_in[rows]
    levels = {j: float(label[log.fold[rows] != j].mean()) for j in (ALL, *log.folds)}
    if min(counts) < FEWEST_EACH:
        return None, levels
    # Chances below one tenth make single stand-ins huge: a leaf needs many, and few leaves are enough.
    shape = shape_of(len(rows), len(rows)) | {"num_leaves": 5, "lambda_l2": 100.0}
    shape["min_data_in_leaf"] = max(150, len(rows) // 100)
    offset = {j: np.full(len(log.y), level) for j, level in levels.items()}
    task = Task(rows, label, offset, {"objective": "regression", **shape}, weight, most=100)
    family = grow_family(log.binned, task, log.fold, seed)
    return (family if family.rounds else None), levels


def _mix(target: Floats, plain: Floats, learnt: Floats, weight: Floats | None) -> float:
    """Part of the trees' differences in the mix, by least squares on unseen rows with no part below 0."""
    w = np.ones(len(target)) if weight is None else weight
    X = np.column_stack([plain, learnt])
    X -= np.average(X, axis=0, weights=w)
    gram, power = (X * w[:, None]).T @ X, (X * w[:, None]).T @ (target - np.average(target, weights=w))
    # Both see much the same; held together, neither gets all on a hair's breadth.
    gram += np.diag(0.1 * np.diag(gram) + 1e-12)
    parts = np.maximum(np.linalg.solve(gram, power), 0.0)
    if not parts.any():
        return 0.0
    return float(parts[1] / parts.sum())


def _unseen(family: Family, levels: dict[int, float], fold: Ints, rows: Ints) -> Floats:
    found = np.empty(len(rows))
    for j in range(int(fold.max()) + 1):
        mine = fold[rows] == j
        found[mine] = levels[j] + family.raw[j][rows[mine]]
    return found


def _noise(log: Log, rows: Ints, learnt: _Learnt) -> float:
    """Return the jackknife's standard deviation of a learnt difference: how far the folds' models disagree."""
    some = rows[:: max(1, len(rows) // _SPREAD_ROWS)]
    said = np.stack([learnt.without(j, some) for j in log.folds])
    said -= said.mean(axis=1, keepdims=True)
    return math.sqrt(float(said.var(axis=0).mean()) * (len(said) - 1))


def _by_models(log: Log, of_row: Floats, rows: Ints, cluster: Ints, action: int) -> tuple[float, float]:
    """Average effect by the outcome models, put right by what they missed where each action was taken; its error.

    Every decision counts once, however small its chance was, so the error falls with each of them. It leans on the
    models: what they miss where an action was taken is taken for what they miss elsewhere.
    """
    taken = log.action[rows]
    missed = np.where(taken == action, 1.0, -1.0) * (log.y[rows] - of_row[rows, taken])
    mean, centred = float((of_row[rows, action] - of_row[rows, 0]).mean()), np.zeros(len(rows))
    for which in (0, action):
        here = taken == which
        mean += float(missed[here].mean())
        centred[here] = (missed[here] - missed[here].mean()) / here.sum()
    return mean, _sum_error(centred, cluster)


def _anchor(average: tuple[float, float], mean: float, error: float) -> tuple[float, float]:
    """Weigh two means of one thing by one over their variances; the error as if they were no two witnesses."""
    weights = np.array([average[1], error]) ** -2.0
    return float(np.average([average[0], mean], weights=weights)), math.sqrt(2.0 / float(weights.sum()))


def _reach(stand_in: Floats, difference: Floats, weight: Floats | None, cluster: Ints) -> tuple[float, float]:
    """How far individual effects may go: the slope of unseen pseudo-outcomes on learnt differences, shrunk.

    The slope is held towards 0 by the part of its square that its own error would give (the positive-part estimator
    of James & Stein, as empirical Bayes: Efron & Morris 1973, JASA 68, 117-130). Nothing shown out of fold gives 0:
    the average for everybody.

    Returns
    -------
    The reach, within [0, 1.5], and the standard error of the slope.
    """
    w = np.ones(len(difference)) if weight is None else weight
    centred = difference - np.average(difference, weights=w)
    power = float((w * centred**2).sum())
    if power <= 1e-12 * len(w):
        return 0.0, 0.0
    slope = float((w * centred * stand_in).sum()) / power
    rest = stand_in - np.average(stand_in, weights=w) - slope * centred
    error = _sum_error(w * centred * rest, cluster) / power
    if slope <= 0:
        return 0.0, error
    held = slope * max(0.0, 1.0 - UNNOTICED * error**2 / slope**2)
    return min(held, MOST_REACH), error


def _sum_error(values: Floats, cluster: Ints) -> float:
    """Return the standard error of a sum of values around 0; those of one cluster may depend on each other."""
    _, member = np.unique(cluster, return_inverse=True)
    sums = np.bincount(member, weights=values)
    groups = len(sums)
    return math.sqrt(groups / max(groups - 1, 1) * float((sums**2).sum()))
