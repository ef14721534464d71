"""Models for the judging of policies: learnt from decisions that teach, asked about others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.feature_set import FeatureSet
from models.effect import nuisance
from models.effect.effect import Effects, NotEnoughDecisions
from models.effect.trees import Binned
from training.effect_fit import fit_effects
from training.policy.values import Believed, Floats, Matrix, mean_chances
from training.rows.decision_rows import DecisionRows

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Lesson:
    """Decisions with their features ``X``, shape (n, F)."""

    rows: DecisionRows
    X: Matrix
    features: FeatureSet
    seed: int = 0


Learn = Callable[[Lesson, str, Flags], Believed]
"""Learn a goal from the decisions marked."""


def learn_mean(lesson: Lesson, goal: str, which: Flags) -> Believed:
    """Believe of everybody what was seen on average."""
    return mean_chances(lesson.rows, goal, which)


def learn_effects(lesson: Lesson, goal: str, which: Flags) -> Believed:
    """Learn what each action changes for whom; the mean where decisions are too few."""
    try:
        effects = fit_effects(lesson.rows, lesson.X, goal, lesson.features, which=which, seed=lesson.seed)
    except NotEnoughDecisions:
        return learn_mean(lesson, goal, which)
    return believed_by(effects, lesson.rows.actions)


def believed_by(effects: Effects, actions: Sequence[str]) -> Believed:
    """Ask effects about ``actions``, of which the first is "do nothing"; those they do not know are NaN."""
    column = [list(actions).index(name) for name in effects.names]

    def believed(X: Matrix) -> tuple[Floats, Floats]:
        found = effects.predict(X)
        effect = np.full((len(X), len(actions)), np.nan)
        effect[:, 0] = 0.0
        effect[:, column] = found.effect
        return found.without, effect

    return believed


def taken_chances(lesson: Lesson, which: Flags) -> Floats:
    """Chance that the action of each decision marked had: as logged, else estimated across folds and trimmed."""
    rows = lesson.rows.only(which)
    if not np.isnan(rows.probability).any():
        return rows.probability
    columns = list(lesson.features.columns)
    places = [columns.index(name) for name in lesson.features.categorical]
    log = nuisance.Log(
        binned=Binned.of(lesson.X[which], places),
        action=rows.action,
        y=np.zeros(len(rows)),
        known=rows.probability,
        chances=rows.chances,
        allowed=rows.allowed,
        fold=nuisance.cut_folds(rows.cluster, lesson.seed),
    )
    return nuisance.taken_chances(log, lesson.seed)[0]
