"""What makes a good lead: the features that drive a goal, one by one and by meaning, and which way they point."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.feature_set import FeatureSet
from models.propensity import Propensity
from models.reasons.meanings import Column, columns_of
from models.reasons.reasons import by_meaning

MOST_DRIVERS = 15
_ROWS = 400
"""Rows whose contributions say which way a meaning points: a second's work."""
_FEWEST = 10
_CLEAR = 0.3
"""Rank correlation of a feature with what its meaning adds from which it has a direction."""
_SILENCE = {"recency", "gap"}
"""Parts of the names of columns that count time without something: the more, the less of what is meant."""


def feature_drivers(features: FeatureSet, model: Propensity | None) -> list[dict[str, Any]]:
    """Features with their share of the gain, the largest first."""
    if model is None:
        return []
    means = {f.name: f.means for f in features.features}
    return [{"feature": name, "means": means[name], "gain": gain} for name, gain in model.drivers()[:MOST_DRIVERS]]


def meaning_drivers(
    features: FeatureSet, model: Propensity | None, X: NDArray[np.float32], seed: int = 0
) -> list[dict[str, Any]]:
    """Meanings with their share of the gain, the largest first, and what raises the goal.

    Parameters
    ----------
    X
        Rows to look at, shape (n, columns); some of them are drawn.

    Returns
    -------
    A list of ``means`` (in words), ``gain``, ``features`` (the strongest first), and of the strongest one: ``more``
    is "raises", "lowers" or "mixed", which more of what is meant does (fewer days since it, where the column counts
    those); for a category ``best`` are the values that raise most.
    """
    if model is None or not len(X):
        return []
    columns = columns_of(features)
    rows = X[np.sort(np.random.default_rng(seed).choice(len(X), min(_ROWS, len(X)), replace=False))]
    added = model.contributions(rows)
    at = {column.name: i for i, column in enumerate(columns)}
    found = []
    for meaning, gain, names in by_meaning(dict(model.drivers()), columns)[:MOST_DRIVERS]:
        together = added[:, [at[name] for name in names]].sum(axis=1)
        lead = at[names[0]]
        way = _direction(columns[lead], features, rows[:, lead].astype(np.float64), together)
        found.append({"means": str(meaning), "gain": gain, "features": names, **way})
    return found


def _direction(
    column: Column, features: FeatureSet, values: NDArray[np.float64], added: NDArray[np.float64]
) -> dict[str, Any]:
    known = ~np.isnan(values)
    if column.name in features.categorical:
        return {"best": _best(column, features, values[known].astype(np.int64), added[known])}
    if known.sum() < _FEWEST or np.ptp(values[known]) == 0.0 or np.ptp(added[known]) == 0.0:
        return {"more": "mixed"}
    along = float(np.corrcoef(_ranks(values[known]), _ranks(added[known]))[0, 1])
    if any(part in _SILENCE for part in column.name.split("_")):
        along = -along
    return {"more": "raises" if along >= _CLEAR else "lowers" if along <= -_CLEAR else "mixed"}


def _best(column: Column, features: FeatureSet, codes: NDArray[np.int64], added: NDArray[np.float64]) -> list[str]:
    names = {"own_type": features.types, "own_channel": features.own_channels}.get(column.name)
    if names is None:
        names = () if column.trait is None else column.trait.categories
    means = [(float(added[codes == i].mean()), name) for i, name in enumerate(names) if (codes == i).sum() >= _FEWEST]
    return [name for mean, name in sorted(means, key=lambda each: (-each[0], each[1])) if mean > 0][:3]


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks, equal values sharing the mean of theirs."""
    _, level, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    ranks: NDArray[np.float64] = (last - (count - 1) / 2)[level]
    return ranks
