"""Columns that know the outcome: what is filled in after the fact looks like the best feature of all."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from training import metrics
from training.goal_rows import GoalRows

SUSPICIOUS = 0.95
"""One column alone that orders the rows better than this is likely to have been filled in afterwards."""
FEWEST = 20
"""Positives and negatives below which one column may do so by chance."""


def leak_warnings(data: GoalRows) -> list[str]:
    """Name every trait and every number of a row's own touchpoint that alone tells the training labels."""
    label = data.rows.label[data.split.train]
    if min(int(label.sum()), int((~label).sum())) < FEWEST:
        return []
    at = {name: i for i, name in enumerate(data.features.columns)}
    suspects = {
        f.name: f"trait {t.name!r}" for f, t in zip(data.features.trait_features, data.features.traits, strict=True)
    }
    suspects |= {f"own_number_{name}": f"property {name!r}" for name in data.features.numbers}
    warnings = []
    for column, shown in suspects.items():
        values = data.X[data.split.train, at[column]].astype(np.float64)
        found = alone(values, label, categorical=column in data.features.categorical)
        if found >= SUSPICIOUS:
            warnings.append(f"{shown} alone reaches AUC {found:.2f}: is it filled in after the fact?")
    return warnings


def alone(values: NDArray[np.float64], label: NDArray[np.bool_], *, categorical: bool) -> float:
    """Area under the curve of one column, in its better direction; its being missing counts as a value.

    Examples
    --------
    >>> alone(np.array([np.nan, 1.0, np.nan, 2.0]), np.array([False, True, False, True]), categorical=False)
    1.0
    """
    missing = np.isnan(values)
    candidates: list[Any] = [missing.astype(np.float64)]
    if categorical:
        candidates.append(_shares(np.where(missing, -1.0, values), label))
    else:
        candidates += [np.where(missing, -np.inf, values), np.where(missing, np.inf, values)]
    areas = [metrics.auc(label, np.clip(c, -1e300, 1e300)) or 0.5 for c in candidates]
    return max(max(area, 1.0 - area) for area in areas)


def _shares(codes: NDArray[np.float64], label: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Share of positives among the other rows with the same code, so that a rare code tells nothing of itself."""
    _, group = np.unique(codes, return_inverse=True)
    rows, positives = np.bincount(group), np.bincount(group, label)
    own = label.astype(np.float64)
    shares: NDArray[np.float64] = (positives[group] - own + label.mean()) / rows[group]
    return shares
