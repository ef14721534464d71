"""What a belief is asked about: candidates made ready, and the rows that their goals look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.estimate import Candidate
from models.logistic import logit, sigmoid


@dataclass(frozen=True)
class OwnRows:
    """Rows of one goal about the actions of the candidates ``at``, and about what last happened (0 or 1 row)."""

    at: list[int]
    actions: NDArray[np.float32]
    happened: NDArray[np.float32]


@dataclass(frozen=True)
class Asked:
    """Candidates made ready: what depends on nothing but them, because every request has the same ones."""

    candidates: Sequence[Candidate]
    goal: NDArray[np.intp]
    """Place of each candidate's goal among those that are learnt, and one further for a goal that is not."""
    shift: NDArray[np.float64]
    """By how much each moves the log-odds of its goal; NaN where nothing is believed of it."""
    silent: NDArray[np.intp]
    """Those of which nothing is believed."""
    evidence: tuple[str, ...]

    def moved(self, p: NDArray[np.float64]) -> NDArray[np.float64]:
        """Propensity with each action: the odds without it, moved by what is believed of the action, if anything is."""
        found = sigmoid(logit(p) + self.shift)
        if len(self.silent):
            found[self.silent] = p[self.silent]
        return found
