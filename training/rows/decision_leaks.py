"""Features of past decisions to learn from, without the traits that know what came of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from features.feature_set import FeatureSet
from models.stages.stages import StageModel
from training.past import Past
from training.rows.decision_rows import DecisionRows
from training.rows.telling_columns import FEWEST, Leak, given, tells


def honest_matrix(
    rows: DecisionRows, past: Past, features: FeatureSet, stages: StageModel | None = None
) -> tuple[NDArray[np.float32], list[Leak]]:
    """Features of each decision as ``DecisionRows.matrix`` gives them, those that tell an outcome emptied.

    Only decisions that may teach are asked, so that what is held out decides nothing. A trait that is filled in after
    the fact would not only order contacts too well: it would make every action seem to work alike.

    Returns
    -------
    The matrix, shape (n, columns), and what was emptied.
    """
    X = rows.matrix(past, features, stages)
    leaks = _leaks(rows, features, X)
    # A column without values is never split on, so that the models keep the columns that requests have.
    X[:, [features.columns.index(leak.column) for leak in leaks]] = np.nan
    return X, leaks


def _leaks(rows: DecisionRows, features: FeatureSet, X: NDArray[np.float32]) -> list[Leak]:
    found: dict[str, Leak] = {}
    columns = given(features)
    for goal in rows.goals:
        teaching = np.flatnonzero(rows.train(goal))
        _, first, contact = np.unique(rows.cluster[teaching], return_index=True, return_inverse=True)
        came = np.bincount(contact, rows.outcomes[goal].label[teaching].astype(np.float64)) > 0
        if min(int(came.sum()), int((~came).sum())) < FEWEST:
            continue
        for name, shown in columns.items():
            values = X[teaching[first], features.columns.index(name)]
            why = tells(values, [came], categorical=name in features.categorical, columns=len(columns))
            if why is not None:
                found.setdefault(name, Leak(name, shown, why, left_out=True))
    return list(found.values())
