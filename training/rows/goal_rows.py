"""The rows of one goal with their matrix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from features.feature_set import FeatureSet
from features.matrix import Own
from features.own_rows import own_of
from models.stages.column import fill_stage
from models.stages.stages import StageModel
from nba.settings.goals import Goal
from nba.settings.scale import SEQUENTIAL, Scale
from training.dataset import Rows
from training.past import Past
from training.rows.matrix_parts import matrix_of
from training.rows.row_split import Split

MOST_NUMBERS = 20


@dataclass(frozen=True)
class GoalRows:
    """Rows, their split and features, shape of ``X`` (rows, columns)."""

    goal: Goal
    rows: Rows
    split: Split
    features: FeatureSet
    X: NDArray[np.float32]


def build(
    past: Past,
    goal: Goal,
    rows: Rows,
    split: Split,
    features: FeatureSet,
    scale: Scale | None = None,
    *,
    stages: StageModel | None = None,
    advance: Callable[[int], None] = lambda n: None,
) -> GoalRows:
    """Fill the matrix of a goal's rows; a goal with rows after touchpoints also knows those touchpoints.

    Parameters
    ----------
    scale
        Where it is computed; in this process when left out.
    stages
        Learnt before the first test row; a feature set with a column for the stage has it filled with these.
    advance
        Told of rows as they are done.
    """
    own = None
    if goal.snapshots.after is not None:
        own = own_of(past.recorded, rows.own)
        features = _with_own(features, own, split)
    X = matrix_of(past, rows, features, own, scale or Scale(SEQUENTIAL), advance=advance)
    past.fill_account(features, rows.contact, rows.as_of, X)
    fill_stage(stages, features, X)
    return GoalRows(goal, rows, split, features, X)


def _with_own(features: FeatureSet, own: Own, split: Split) -> FeatureSet:
    """Types, channels and numbers as the training rows have them; what comes later is not known of them."""
    train: list[int] = np.flatnonzero(split.train).tolist()
    numbers: dict[str, int] = {}
    for i in train:
        for name in own.numbers[i]:
            numbers[name] = numbers.get(name, 0) + 1
    most = sorted(numbers, key=lambda name: (-numbers[name], name))[:MOST_NUMBERS]
    return replace(
        features,
        own=True,
        types=tuple(sorted({own.type[i] for i in train})),
        own_channels=tuple(sorted({channel for i in train if (channel := own.channel[i]) is not None})),
        numbers=tuple(sorted(most)),
    )
