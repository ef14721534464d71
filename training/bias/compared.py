"""How much more often something befalls one group than the largest one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.metrics import Z_95
from training.partners.lead_drivers import lift

Flags = NDArray[np.bool_]

TOLERATED = (0.8, 1.25)
"""Ratios within which nothing is said: the rule of four fifths (Uniform Guidelines on Employee Selection Procedures,
1978, 29 CFR 1607.4 D), in both directions."""


@dataclass(frozen=True)
class Ratio:
    """A group's rate over the largest group's, with its two-sided 95 % interval."""

    value: float
    interval: tuple[float, float]

    @property
    def is_outside(self) -> bool:
        """Whether it is outside what is tolerated, and by more than chance."""
        low, high = self.interval
        return not TOLERATED[0] <= self.value <= TOLERATED[1] and not low <= 1.0 <= high


def ratio(came: Flags, group: NDArray[np.int64], of: int, to: int, person: NDArray[np.int64]) -> Ratio | None:
    """Compare how often something came in two groups; rows of one person may depend on each other.

    Half a case more on either side keeps a rate of 0 comparable, as in ``lift``.

    Returns
    -------
    None where it came to nobody in either group.

    Examples
    --------
    >>> who = np.arange(2000)
    >>> found = ratio(who % 10 < np.where(who < 1000, 4, 2), np.where(who < 1000, 0, 1), 1, 0, who)
    >>> round(found.value, 2), found.is_outside
    (0.5, True)
    """
    both = (group == of) | (group == to)
    if not came[both].any():
        return None
    found = lift(came[both], group[both] == of, person[both])
    low, high = (float(np.exp(found.log + side * Z_95 * found.error)) for side in (-1.0, 1.0))
    return Ratio(float(np.exp(found.log)), (low, high))
