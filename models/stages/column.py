"""The learnt stage as a column of the matrix: the same in training and in a request."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from features.feature_set import FeatureSet
from models.stages.stages import StageModel

Places = NDArray[np.intp]


def places_of(stages: StageModel, features: FeatureSet) -> Places:
    """Where the columns that tell the stage stand in the matrix of a feature set."""
    at = {name: i for i, name in enumerate(features.columns)}
    return np.array([at[name] for name in stages.columns], dtype=np.intp)


def fill_stage(
    stages: StageModel | None, features: FeatureSet, X: NDArray[np.float32], places: Places | None = None
) -> NDArray[np.int64] | None:
    """Find the stage of each row and write it into the column for it, where the feature set has one.

    Parameters
    ----------
    stages
        None where none were learnt; the column is then left as it is.
    features
        Of ``X``.
    X
        Matrix with its history columns filled, shape (n, len(features.columns)); changed in place.
    places
        From ``places_of``, for who asks more than once.

    Returns
    -------
    Codes of the stages, shape (n,); None without stages.
    """
    if stages is None:
        return None
    codes = stages.predict(X.take(places_of(stages, features) if places is None else places, axis=1))
    if features.stage:
        X[:, len(features.history) + len(features.traits)] = codes
    return codes
