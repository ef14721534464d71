"""What came of a learning loop: the worth of each day's choices, by the truth, beside what could have been."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nba.evaluation import student_975

F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Day:
    """One day of a loop; money is per decision, expected by the truth, less the cost of the actions.

    ``nothing``, ``oracle`` and ``uniform`` are what always doing nothing, always the best available action, and any
    available one by chance would have brought on the same contacts in the same state. ``share`` is the part of each
    action, "do nothing" first, ``best_share`` the oracle's.
    """

    day: int
    decisions: int
    nothing: float
    earned: float
    oracle: float
    uniform: float
    share: tuple[float, ...]
    best_share: tuple[float, ...]


@dataclass(frozen=True)
class LoopResult:
    """The days of a loop under one policy."""

    policy: str
    actions: tuple[str, ...]
    days: tuple[Day, ...]

    def column(self, name: str) -> F64:
        """One number of every day, shape (days,)."""
        return np.array([getattr(day, name) for day in self.days], dtype=np.float64)

    @property
    def reached(self) -> F64:
        """Part of the oracle's gain over doing nothing that each day's choices had, shape (days,)."""
        found: F64 = (self.column("earned") - self.column("nothing")) / (self.column("oracle") - self.column("nothing"))
        return found

    @property
    def worth(self) -> F64:
        """Part of the oracle's whole worth, what comes without any action included, of each day, shape (days,)."""
        found: F64 = self.column("earned") / self.column("oracle")
        return found

    def reached_in(self, first: int, last: int | None = None) -> float:
        """Part of the oracle's gain over doing nothing in the days ``[first, last)``, taken together."""
        days = slice(first, last)
        gains = [
            self.column("decisions")[days] * (self.column(name) - self.column("nothing"))[days]
            for name in ("earned", "oracle")
        ]
        return float(gains[0].sum() / gains[1].sum())

    def worth_in(self, first: int, last: int | None = None) -> float:
        """Part of the oracle's whole worth, what comes without any action included, in the days ``[first, last)``."""
        days = slice(first, last)
        worths = [(self.column("decisions") * self.column(name))[days] for name in ("earned", "oracle")]
        return float(worths[0].sum() / worths[1].sum())

    @property
    def gained(self) -> F64:
        """What was earned beyond doing nothing until the end of each day, shape (days,)."""
        found: F64 = (self.column("decisions") * (self.column("earned") - self.column("nothing"))).cumsum()
        return found

    def share_of(self, action: str, *, of_oracle: bool = False) -> F64:
        """Part of each day's decisions in which an action is taken, shape (days,)."""
        place = self.actions.index(action)
        return np.array([(day.best_share if of_oracle else day.share)[place] for day in self.days])


def over_seeds(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean of what several seeds gave, and its 95 % interval by Student's t; of one seed the interval is unknown.

    Examples
    --------
    >>> [round(bound, 3) for bound in over_seeds([0.8, 0.9, 0.85])]
    [0.85, 0.726, 0.974]
    """
    mean = float(np.mean(values))
    if len(values) < 2:
        return mean, math.nan, math.nan
    width = student_975(len(values) - 1) * float(np.std(values, ddof=1)) / math.sqrt(len(values))
    return mean, mean - width, mean + width
