"""The forest: what several models say of one row, all trees of all of them in one pass over the row.

LightGBM walks each tree from its root, and waits for memory at every step where the trees have not been looked at for a
while. The numbers are the same to the last bit, and whoever makes a forest has LightGBM say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.forest.kernel import fill_scores
from models.forest.layout import Layout, laid_out
from models.forest.model_text import ModelText

PROBED = 64
"""Rows on which LightGBM's answers are compared."""

Rows = NDArray[np.float32]


class Forest:
    """Trees made ready for one row at a time; safe to call from several threads.

    Parameters
    ----------
    models
        Of rows with the same columns.
    """

    def __init__(self, models: Sequence[ModelText]) -> None:
        if len({model.columns for model in models}) != 1:
            raise ValueError("models of one forest look at the same columns")
        self.columns = models[0].columns
        self._layout: Layout = laid_out(models)

    def __call__(self, row: Rows) -> list[float]:
        """Probability by each model for a row of shape (1, columns); NaN where its sum is nothing's log-odds."""
        found: list[float] = self._scores(row)[1].tolist()
        return found

    def raw(self, row: Rows) -> list[float]:
        """Sum over the trees of each model for a row of shape (1, columns)."""
        found: list[float] = self._scores(row)[0].tolist()
        return found

    def _scores(self, row: Rows) -> NDArray[np.float64]:
        if row.shape != (1, self.columns):
            raise ValueError(f"the row has shape {row.shape}; this forest wants (1, {self.columns})")
        out = np.empty((2, len(self._layout.ends)))
        fill_scores(row, *self._layout, out)
        return out

    def differing(self, boosters: Sequence[Any]) -> list[int]:
        """Which models LightGBM answers for otherwise, in the last bit of any of a few rows about its thresholds."""
        rows = probing_rows(self._layout, self.columns)
        found = np.stack([self._scores(row[None, :]) for row in rows])
        wrong = []
        for place, booster in enumerate(boosters):
            raw = booster.predict(rows, raw_score=True, num_threads=1)
            p = booster.predict(rows, num_threads=1)
            if not np.array_equal(found[:, :, place], np.column_stack([raw, p])):
                wrong.append(place)
        return wrong


def probing_rows(layout: Layout, columns: int) -> Rows:
    """Rows with values at, beside and between the thresholds, and such as no matrix should hold."""
    rng = np.random.default_rng(0)
    odd = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, -1.0, -0.5, 1e-40, 0.5, 3e9], dtype=np.float32)
    rows = rng.choice(odd, (PROBED, columns))
    for column, _, first, past, _, _ in layout.runs.tolist():
        at = rng.choice(layout.threshold[first:past], PROBED)
        beside = np.nextafter(at, rng.choice(np.array([-np.inf, np.inf], dtype=np.float32), PROBED))
        listed = np.choose(rng.integers(0, 3, PROBED), [at, beside, rng.permutation(at) / 2 + at / 2])
        rows[:, column] = np.where(rng.random(PROBED) < 0.2, rows[:, column], listed)
    for column, _, _, words in layout.choices.tolist():
        code = rng.integers(0, 32 * words + 2, PROBED).astype(np.float32)
        rows[:, column] = np.where(rng.random(PROBED) < 0.2, rows[:, column], code)
    return rows
