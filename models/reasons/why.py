"""Why a belief says what it says of one contact: the features that drive each goal, and reasons in plain words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.feature_set import FeatureSet
from features.frozen import Frozen
from features.touchpoints.touchpoints import Touchpoints
from models.estimate import Driver, Reason
from models.propensity import Propensity
from models.reasons.meanings import columns_of
from models.reasons.reasons import reasons
from models.reasons.telling import Telling

MOST_DRIVERS = 8


@dataclass(frozen=True)
class Why:
    """Drivers of all goals, the strongest first, and the reasons of each goal."""

    drivers: tuple[Driver, ...] = ()
    reasons: Mapping[str, tuple[Reason, ...]] = field(default_factory=Frozen)


class Answered(NamedTuple):
    """A goal with the row that answered it, shape of ``x`` (1, columns)."""

    goal: str
    model: Propensity
    features: FeatureSet
    x: NDArray[np.float32]


def why(answered: Iterable[Answered], touchpoints: Touchpoints, as_of: int, stage: str | None) -> Why:
    """Explain rows of one contact.

    Parameters
    ----------
    touchpoints
        Of that contact alone; those at or after ``as_of`` (microseconds) are not looked at.
    stage
        Name of the learnt stage.
    """
    drivers: list[Driver] = []
    found: dict[str, tuple[Reason, ...]] = {}
    for goal, model, features, x in answered:
        added = model.contributions(x)[0]
        drivers += strongest_features(goal, features, x[0], added)
        values = dict(zip(features.columns, x[0].tolist(), strict=True))
        found[goal] = reasons(added, columns_of(features), Telling(values, features, as_of, touchpoints, stage))
    return Why(tuple(sorted(drivers, key=lambda d: -abs(d.contribution))), Frozen(found))


def strongest_features(
    goal: str, features: FeatureSet, row: NDArray[np.float32], added: NDArray[np.float64], most: int = MOST_DRIVERS
) -> list[Driver]:
    """Find the features that move one row's propensity the most; ``row`` and ``added`` have shape (columns,)."""
    order = np.argsort(-np.abs(added), kind="stable")[:most]
    return [Driver(features.features[i], float(row[i]), float(added[i]), goal) for i in order if added[i] != 0.0]
