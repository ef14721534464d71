"""How sure a sum of chances is: its own chance, and how far earlier sums like it were off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

LEVEL = 0.90
_PRIOR_ERROR = 0.10
"""Relative error that is expected of a forecast before one has been tried; weighs as much as one trial."""
_PRIOR_TRIALS = 2.0
"""Trials that weigh as much as the belief that the model is right on the whole."""


@dataclass(frozen=True)
class Expected:
    """A number to expect, with the interval that holds it nine times of ten; None where none can be given."""

    value: float
    interval: tuple[float, float] | None

    def to_json(self) -> dict[str, object]:
        """As in the answer."""
        return {"expected": self.value, "interval": None if self.interval is None else list(self.interval)}


@dataclass(frozen=True)
class Trials:
    """Forecasts of the past with what came: sums of chances, their own variance, and the truth.

    Parameters
    ----------
    foreseen, variance, came
        Shape (trials, groups); one group for a total.
    independent
        How many trials do not overlap.
    """

    foreseen: Floats
    variance: Floats
    came: Floats
    independent: float

    @property
    def count(self) -> int:
        """How many there were."""
        return len(self.foreseen)

    def without(self, trial: int) -> Trials:
        """Leave one out, as if it were still to come."""
        others = np.arange(self.count) != trial
        kept = self.independent * (self.count - 1) / max(1, self.count)
        return Trials(self.foreseen[others], self.variance[others], self.came[others], kept)

    @property
    def correction(self) -> float:
        """Factor by which what came differed from what was foreseen, drawn to 1 while trials are few."""
        foreseen = float(self.foreseen.sum())
        if foreseen <= 0.0:
            return 1.0
        return 1.0 + self.weight * (float(self.came.sum()) / foreseen - 1.0)

    @property
    def weight(self) -> float:
        """How far the correction follows the trials, 0 to 1."""
        return self.independent / (self.independent + _PRIOR_TRIALS)

    def error(self, correction: float) -> float:
        """Relative error of the next one beyond the sum's own chance, by moments over trials and groups."""
        foreseen = correction * self.foreseen
        size = float((foreseen**2).sum())
        excess = float(((self.came - foreseen) ** 2 - correction * self.variance).sum())
        n, followed = self.independent, self.weight
        # The correction was drawn towards these very trials, so that they lie nearer to it than the next one will.
        nearer = 1.0 - (2.0 * followed - followed**2) / max(1.0, n)
        found = max(0.0, excess / size / nearer) if size > 0 else 0.0
        farther = 1.0 + followed**2 / max(1.0, n)
        return float(np.sqrt((n * found + _PRIOR_ERROR**2) / (n + 1.0) * farther))


def expect(
    foreseen: float, variance: float, trials: Trials, *, correction: float | None = None, most: float | None = None
) -> Expected:
    """Expect a sum of chances, corrected by how such sums came out.

    The variance is the sum's own (Poisson-binomial) and that of the relative error of the trials. Its interval is a
    gamma distribution's, which is never below 0, widened as Student's t is where trials are few.

    Parameters
    ----------
    foreseen, variance
        The sum of chances (times worth), and its variance were the chances exact.
    trials
        Of the past; without any there is no interval.
    correction
        Where another factor than that of these trials is known better, such as that of the total for a group.
    most
        What it cannot exceed.

    Examples
    --------
    >>> past = Trials(*(np.full((9, 1), x) for x in (100.0, 80.0, 104.0)), 9.0)
    >>> found = expect(100.0, 80.0, past)
    >>> round(found.value, 1), [round(bound) for bound in found.interval]
    (103.3, [86, 121])
    """
    factor = trials.correction if correction is None else correction
    value = factor * foreseen if most is None else min(most, factor * foreseen)
    if not trials.count:
        return Expected(value, None)
    if value <= 0.0:
        return Expected(0.0, (0.0, 0.0))
    total = factor * variance + (trials.error(factor) * value) ** 2
    return Expected(value, _gamma(value, total, trials.independent, most))


def _gamma(mean: float, variance: float, trials: float, most: float | None) -> tuple[float, float]:
    from scipy.special import gammaincinv, ndtri, stdtrit

    tail = (1.0 - LEVEL) / 2.0
    wider = float(stdtrit(trials + 1.0, 1.0 - tail) / ndtri(1.0 - tail))
    scale = wider**2 * variance / mean
    low, high = (float(gammaincinv(mean / scale, q) * scale) for q in (tail, 1.0 - tail))
    return low, high if most is None else min(most, high)


def columns(values: ArrayLike) -> Floats:
    """One column of totals."""
    return np.asarray(values, dtype=np.float64).reshape(-1, 1)
