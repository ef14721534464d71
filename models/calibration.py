"""Calibration: what turns a model's raw probabilities into ones that come true."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.logistic import logit, rising_curve, sigmoid

Floats = NDArray[np.float64]

LOWEST = 1e-4
"""Probabilities are kept this far from 0 and 1, and changed in no other way."""


def clipped(p: Floats) -> Floats:
    """Probabilities within ``[LOWEST, 1 - LOWEST]``."""
    return np.clip(p, LOWEST, 1 - LOWEST)


@dataclass(frozen=True)
class Calibration:
    """A rising map of probability to probability.

    ``none`` has no numbers; ``platt`` has a slope in ``x`` and an intercept in ``y`` on the log-odds;
    ``isotonic`` has the corners of a piecewise linear curve.
    """

    method: str = "none"
    x: tuple[float, ...] = ()
    y: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        sizes = {"none": (0, 0), "platt": (1, 1), "isotonic": (len(self.x), max(len(self.x), 1))}
        if sizes.get(self.method) != (len(self.x), len(self.y)):
            raise ValueError(
                f"a calibration {self.method!r} with {len(self.x)} and {len(self.y)} numbers is none; "
                "it is none, platt (1 and 1) or isotonic (as many x as y)"
            )
        if not np.isfinite([*self.x, *self.y]).all():
            raise ValueError(f"a calibration {self.method!r} has a number that is not finite")

    def apply(self, p: Floats) -> Floats:
        """Calibrated probabilities, shape (n,), clipped."""
        raw = clipped(np.asarray(p, dtype=np.float64))
        if self.method == "platt":
            raw = sigmoid(self.x[0] * logit(raw) + self.y[0])
        elif self.method == "isotonic":
            raw = np.interp(raw, self.x, self.y)
        return clipped(raw)

    def apply_one(self, p: float) -> float:
        """Calibrated probability of one, as ``apply`` gives it."""
        if self.method == "none":
            # In this order NaN stays NaN, as numpy has it.
            return min(max(p, LOWEST), 1 - LOWEST)
        return float(self.apply(np.array([p]))[0])

    @classmethod
    def platt(cls, p: Floats, y: Floats) -> Self:
        """Logistic curve on the log-odds (Platt 1999)."""
        slope, intercept = rising_curve(logit(clipped(p)), y)
        return cls("platt", (slope,), (intercept,))

    @classmethod
    def isotonic(cls, p: Floats, y: Floats) -> Self:
        """Best rising step function, drawn through the centres of its steps (Oron & Flournoy 2017).

        Joining the centres keeps contacts apart that a step would make equal. Each step is pulled to the base
        rate with the weight of one row, so that a step without success does not promise that there is none.
        """
        order = np.argsort(p, kind="stable")
        weight, centre, height = _rising_steps(clipped(p[order]), y[order])
        pulled = np.maximum.accumulate((weight * height + y.mean()) / (weight + 1))
        return cls("isotonic", tuple(centre.tolist()), tuple(pulled.tolist()))

    def to_json(self) -> dict[str, Any]:
        """Plain values; floats survive JSON to the last bit."""
        return {"method": self.method, "x": list(self.x), "y": list(self.y)}

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> Self:
        """Read what ``to_json`` wrote."""
        return cls(str(plain["method"]), tuple(map(float, plain["x"])), tuple(map(float, plain["y"])))


def _rising_steps(p: Floats, y: Floats) -> tuple[Floats, Floats, Floats]:
    """Pool adjacent violators; weight, mean ``p`` and mean ``y`` of each step."""
    levels, start = np.unique(p, return_index=True)
    counts = np.diff(np.append(start, len(p)))
    sums = np.add.reduceat(y, start)
    steps: list[tuple[float, float, float]] = []
    for level, count, positives in zip(levels.tolist(), counts.tolist(), sums.tolist(), strict=True):
        weight, mass, hits = float(count), level * count, positives
        while steps and steps[-1][2] * weight >= hits * steps[-1][0]:
            before = steps.pop()
            weight, mass, hits = weight + before[0], mass + before[1], hits + before[2]
        steps.append((weight, mass, hits))
    columns = np.array(steps, dtype=np.float64).T
    return columns[0], columns[1] / columns[0], columns[2] / columns[0]


def row_losses(y: Floats, p: Floats) -> Floats:
    """Negative log likelihood of each row, shape (n,), natural logarithm."""
    losses: Floats = -np.where(y == 1, np.log(p), np.log1p(-p))
    return losses


def choose(p: Floats, y: Floats, later_p: Floats, later_y: Floats, later_contact: NDArray[np.int64]) -> str:
    """Which calibration lowers the log loss on later rows: ``none``, ``platt`` or ``isotonic``.

    Parameters
    ----------
    p, y
        Out-of-fold probabilities and truths that a calibrator may learn from, shape (n,).
    later_p, later_y, later_contact
        Rows that start after the others' horizons have ended, predicted by a model that has not seen them.

    Returns
    -------
    The method with the lowest loss, when its gain over raw scores exceeds one standard error (by contact);
    a gain within the noise of the rows is none, and raw scores are the simpler thing.
    """
    if not len(later_y) or not 0 < y.sum() < len(y):
        return "none"
    raw = row_losses(later_y, clipped(later_p))
    best, best_loss = "none", float(raw.sum())
    for calibration in (Calibration.platt(p, y), Calibration.isotonic(p, y)):
        losses = row_losses(later_y, calibration.apply(later_p))
        gain = np.bincount(np.unique(later_contact, return_inverse=True)[1], raw - losses)
        if gain.sum() > np.sqrt(np.sum(gain**2)) and losses.sum() < best_loss:
            best, best_loss = calibration.method, float(losses.sum())
    return best


def fitted(method: str, p: Floats, y: Floats) -> Calibration:
    """Calibration of a chosen method on all rows it may learn from."""
    if method == "platt":
        return Calibration.platt(p, y)
    return Calibration.isotonic(p, y) if method == "isotonic" else Calibration()
