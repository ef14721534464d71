"""What is asked of a belief, and what it answers: actions to compare, and the chances with and without them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from features.catalogue import Feature
from features.frozen import Frozen
from models.saying.said import Said
from models.saying.tongues import say


@dataclass(frozen=True)
class Start:
    """Belief in an action before there are data: the propensity under it, and how many decisions that weighs."""

    propensity: float
    evidence: float


@dataclass(frozen=True)
class Candidate:
    """An action whose outcome is to be estimated; ``topics`` None are those it last had in the data."""

    action: str
    channel: str | None
    goal: str | None
    topics: tuple[str, ...] | None = None
    start: Start | None = None


@dataclass(frozen=True)
class Driver:
    """What one feature adds to the log-odds of a goal."""

    feature: Feature
    value: float
    contribution: float
    goal: str


@dataclass(frozen=True)
class Reason:
    """What columns of one meaning add to the log-odds of a goal together, and what they say.

    ``about`` is that meaning; ``trait`` the trait it is read from, None where it is from none.
    """

    said: Said | str
    contribution: float
    about: str
    trait: str | None = None

    @property
    def text(self) -> str:
        """What they say, in English."""
        return say(self.said)


@dataclass(frozen=True)
class Estimate:
    """Belief about one contact at one moment; arrays have one entry per candidate.

    ``propensity`` is the probability of the candidate's goal with the action, ``without_action`` without it, and
    ``effect_error`` the standard error of the difference, NaN where it is not known.
    """

    stage: str | None
    propensities: Mapping[str, float]
    grades: Mapping[str, str]
    propensity: NDArray[np.float64]
    without_action: NDArray[np.float64]
    evidence: tuple[str, ...]
    drivers: tuple[Driver, ...] = ()
    reasons: Mapping[str, tuple[Reason, ...]] = field(default_factory=Frozen)
    """Of each goal, the strongest first, where they were asked for."""
    effect_error: NDArray[np.float64] | None = None
    """None: of no candidate."""
    learnt_stages: tuple[str, ...] = ()
    """Every stage that the bundle tells contacts to be in."""
    features_sha: str | None = None
    """Of the row that the models saw, by ``features.digest``; None where nobody asked for it."""
