"""The rows of one goal with their matrix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.feature_set import FeatureSet
from features.matrix import History, Own
from features.touchpoints import Touchpoints
from nba.settings.goals import Goal
from training.dataset import Rows, Split, own_properties
from training.past import Past

MOST_NUMBERS = 20


@dataclass(frozen=True)
class GoalRows:
    """Rows, their split and features, shape of ``X`` (rows, columns)."""

    goal: Goal
    rows: Rows
    split: Split
    features: FeatureSet
    X: NDArray[np.float32]


def build(past: Past, goal: Goal, rows: Rows, split: Split, features: FeatureSet) -> GoalRows:
    """Fill the matrix of a goal's rows; a goal with rows after touchpoints also knows those touchpoints."""
    own = None
    if goal.snapshots.after is not None:
        own = own_of(past.touchpoints, rows)
        features = _with_own(features, own, split)
    history = History(past.touchpoints, features)
    X = history.matrix(rows.contact, rows.as_of, traits=past.traits, own=own)
    return GoalRows(goal, rows, split, features, X)


def own_of(touchpoints: Touchpoints, rows: Rows) -> Own:
    """Say what each row's own touchpoint was: its action (else kind), channel, topics and numbers."""
    t = touchpoints
    about: dict[tuple[int, ...], tuple[str, ...]] = {}
    topics = []
    for i in rows.own.tolist():
        codes = tuple(t.topic[t.topic_start[i] : t.topic_start[i + 1]].tolist())
        if codes not in about:
            about[codes] = tuple(t.topics[code] for code in codes)
        topics.append(about[codes])
    return Own(
        type=[
            t.actions[a] if a >= 0 else t.kinds[k] for a, k in zip(t.action[rows.own], t.kind[rows.own], strict=True)
        ],
        channel=[t.channels[c] if c >= 0 else None for c in t.channel[rows.own]],
        topics=topics,
        numbers=[_numbers(properties) for properties in own_properties(t, rows.own)],
    )


def _numbers(properties: Mapping[str, Any]) -> dict[str, float]:
    return {
        name: float(value)
        for name, value in properties.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


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
