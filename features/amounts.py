"""How large an amount may be: money, a duration, whatever is added up later."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LARGEST = 1e15
"""In either direction. Nobody sells for more, and sums of such amounts stay far below what a number can hold."""


def known(amounts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return amounts with NaN for those that are beyond ``LARGEST``: a store may hold such from before the bound.

    Examples
    --------
    >>> known(np.array([20.0, -1.7e308, np.nan])).tolist()
    [20.0, nan, nan]
    """
    beyond = np.abs(amounts) > LARGEST
    return np.where(beyond, np.nan, amounts) if beyond.any() else amounts
