"""Where rows of behaviour lie, and which centre is nearest: compiled, as calls of numpy cost more than one row does.

Imported where it is called: whoever only reads a bundle waits for no compiler.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from features.compiled import Flags, compiled

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@compiled
def fill_points(
    X: Floats, recent: Floats, prior: Floats, median: Floats, logged: Flags, centre: Floats, scale: Floats,
    weight: Floats, limit: float, points: Floats,
) -> None:  # fmt: skip
    """Fill in the points of rows of behaviour; the parameters are those of ``StageSpace``, the prior in touchpoints."""
    kinds, windows = len(prior), len(recent)
    for row in range(len(X)):
        total = 0.0
        for kind in range(kinds):
            had = 0.0
            for window in range(windows):
                count = X[row, kind * windows + window]
                if count > 0.0 and np.isfinite(count):
                    had += count * recent[window]
            points[row, kind] = had + prior[kind]
            total += points[row, kind]
        for kind in range(kinds):
            points[row, kind] = math.sqrt(points[row, kind] / total)
        for j in range(len(median)):
            value = X[row, kinds * windows + j]
            if not np.isfinite(value):
                value = median[j]
            if logged[j]:
                value = math.log1p(max(value, 0.0))
            points[row, kinds + j] = min(max((value - centre[j]) / scale[j], -limit), limit) * weight[j]


@compiled
def fill_nearest(X: Floats, centres: Floats, found: Ints) -> None:
    """Fill in the nearest centre of each row, the first of equals."""
    for row in range(len(X)):
        least = np.inf
        found[row] = 0
        for centre in range(len(centres)):
            distance = 0.0
            for j in range(centres.shape[1]):
                away = X[row, j] - centres[centre, j]
                distance += away * away
            if distance < least:
                least, found[row] = distance, centre
