"""A fitted goal put to any rows: their matrix as the model wants it, and what it says of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.feature_set import FeatureSet
from features.own_rows import own_of
from models.propensity import Propensity
from models.stages.column import fill_stage
from models.stages.stages import StageModel
from nba.settings.scale import SEQUENTIAL, Scale
from training.dataset import Rows
from training.past import Past
from training.rows.matrix_parts import matrix_of

_ROWS_AT_ONCE = 100_000


@dataclass(frozen=True)
class Predictor:
    """A model with what its rows are made from; ``stages`` fill the column of the stage, where there is one."""

    past: Past
    features: FeatureSet
    model: Propensity
    stages: StageModel | None = None

    def matrix(self, rows: Rows) -> NDArray[np.float32]:
        """Features of rows, shape (rows, columns)."""
        past, features = self.past, self.features
        own = own_of(past.recorded, rows.own) if features.own else None
        X = matrix_of(past, rows, features, own, Scale(SEQUENTIAL), advance=lambda n: None)
        past.fill_account(features, rows.contact, rows.as_of, X)
        fill_stage(self.stages, features, X)
        return X

    def predict(self, rows: Rows, columns: tuple[str, ...] = ()) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """Chance of every row, shape (rows,), and some columns of their matrix, shape (rows, columns).

        The matrix is made a part at a time, so that it need not be held whole.
        """
        at = [self.features.columns.index(name) for name in columns]
        p, kept = np.empty(len(rows)), np.empty((len(rows), len(at)), dtype=np.float32)
        for low in range(0, len(rows), _ROWS_AT_ONCE):
            part = np.zeros(len(rows), dtype=np.bool_)
            part[low : low + _ROWS_AT_ONCE] = True
            X = self.matrix(rows.only(part))
            p[part], kept[part] = self.model.predict(X), X[:, at]
        return p, kept
