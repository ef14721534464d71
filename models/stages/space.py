"""The space that stages are clusters in: what a contact's touchpoints are made of, and how much there is of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LIMIT = 3.0
"""Scaled values are cut off here, so that one extreme contact makes no stage of its own."""
RECENT = (2.0, 1.0, 0.1)
"""What a touchpoint adds in each of three nested windows, the shortest first: the journey goes on."""
PRIOR = 1.0
"""How many touchpoints of the usual mix everybody is taken to have had: one page view makes no journey."""
_FAR, _OUTDATED = 2.0, 0.25
"""Spreads that a column may move before it lies elsewhere, and the share of columns that may."""
BESIDE = 0.12
"""Weight of one spread of any other behaviour against the mix, whose distances are at most the root of 2."""


@dataclass(frozen=True, eq=False)
class StageSpace:
    """How rows of behaviour become points; arrays only, the same for a row alone and among others.

    The first columns are counts of each kind in ``len(recent)`` nested windows, kind by kind. Their shares stand as
    square roots (Hellinger's distance, Rao 1995), because a share that goes from 0 to .1 says more than one from .5 to
    .6. All other columns are scaled each by itself.

    Attributes
    ----------
    columns
        Names of the matrix's columns, in order.
    recent
        Weight of each window's count, shape (windows,).
    usual
        Share of each kind in the touchpoints of all, shape (kinds,); empty where no kinds are looked at.
    median, logged, centre, scale, weight
        Per other column: what fills a gap; whether its logarithm is taken; what is then subtracted and divided by; and
        what it is multiplied with.
    """

    columns: tuple[str, ...]
    recent: Floats
    usual: Floats
    median: Floats
    logged: NDArray[np.bool_]
    centre: Floats
    scale: Floats
    weight: Floats

    @property
    def width(self) -> int:
        """Dimensions of the space."""
        return len(self.usual) + len(self.median)

    @property
    def mixed(self) -> int:
        """How many columns count kinds."""
        return len(self.usual) * len(self.recent)

    @classmethod
    def fit(cls, X: Floats, columns: Sequence[str], kinds: int = 0) -> Self:
        """Learn the usual mix and the scaling.

        Parameters
        ----------
        X
            Behaviour, float (n, F), NaN where missing.
        kinds
            How many kinds the first ``3 * kinds`` columns count; 0 where there are none.
        """
        recent = np.array(RECENT)
        counts, others = X[:, : kinds * len(recent)], X[:, kinds * len(recent) :]
        total = _recent(counts, recent).sum(axis=0)
        usual = total / total.sum() if total.sum() > 0 else np.full(kinds, 1.0 / max(kinds, 1))
        weight = np.full(others.shape[1], BESIDE if kinds else 1.0)
        return cls(tuple(columns), recent, usual, *_scaling(others, columns[kinds * len(recent) :]), weight)

    def points(self, X: Floats) -> Floats:
        """Points of rows, shape (n, width)."""
        from models.stages.kernel import fill_points

        points = np.empty((len(X), self.width))
        fill_points(
            np.ascontiguousarray(X, dtype=np.float64),
            self.recent, PRIOR * self.usual, self.median, self.logged, self.centre, self.scale, self.weight, LIMIT,
            points,
        )  # fmt: skip
        return points

    def activity(self, X: Floats) -> Floats:
        """How much happened in each row, shape (n,)."""
        if not len(self.usual):
            mean: Floats = self.points(X).mean(axis=1)
            return mean
        total: Floats = np.log1p(_recent(X[:, : self.mixed], self.recent).sum(axis=1))
        return total

    def rows(self, points: Floats) -> Floats:
        """Rows of behaviour about at these points, the other way round, shape (n, F)."""
        kinds = len(self.usual)
        values = points[:, kinds:] / self.weight * self.scale + self.centre
        others = np.where(self.logged, np.expm1(np.clip(values, 0, 50)), values)
        counts = np.round(20.0 * points[:, :kinds] ** 2)
        nested = np.round(counts[:, :, None] * np.array([0.3, 1.0, 1.4]))
        return np.concatenate([nested.reshape(len(points), -1), others], axis=1)

    def to_json(self) -> dict[str, Any]:
        """Plain values; floats survive JSON to the last bit."""
        arrays = ("recent", "usual", "median", "logged", "centre", "scale", "weight")
        return {"columns": list(self.columns), **{name: getattr(self, name).tolist() for name in arrays}}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Read what ``to_json`` wrote, or what was written before there was a mix.

        Raises
        ------
        ValueError
            Where the arrays do not fit together.
        """
        columns = tuple(plain["columns"])
        given = {"recent": RECENT, "usual": (), "weight": np.ones(len(plain["median"])), **plain}
        names = ("recent", "usual", "median", "centre", "scale", "weight")
        arrays = {name: np.array(given[name], dtype=np.float64) for name in names}
        logged = np.array(plain["logged"], dtype=np.bool_)
        width = (len(columns) - len(arrays["usual"]) * len(arrays["recent"]),)
        shapes = [logged.shape, *(arrays[name].shape for name in ("median", "centre", "scale", "weight"))]
        if shapes != [width] * 5:
            raise ValueError(f"stages with {len(columns)} columns have arrays of other shapes")
        return cls(columns, logged=logged, **arrays)

    def same(self, columns: Sequence[str]) -> bool:
        """Whether it is made for these columns."""
        return self.columns == tuple(columns)

    def fits(self, newer: StageSpace) -> bool:
        """Whether most columns still lie about where they lay, as a space of newer rows has them."""
        alike = self.logged == newer.logged
        moved = np.abs(newer.centre - self.centre) > _FAR * self.scale
        ratio = newer.scale / self.scale
        outside = moved | (ratio > 1.0 + _FAR) | (ratio < 1.0 / (1.0 + _FAR))
        return not outside[alike].any() or float(outside[alike].mean()) <= _OUTDATED


def _recent(counts: Floats, recent: Floats) -> Floats:
    """Weighted counts of each kind, shape (n, kinds)."""
    each = np.maximum(np.where(np.isfinite(counts), counts, 0.0), 0.0).reshape(len(counts), -1, len(recent))
    total: Floats = (each * recent).sum(axis=2)
    return total


def _scaling(X: Floats, columns: Sequence[str]) -> tuple[Floats, NDArray[np.bool_], Floats, Floats]:
    known = np.where(np.isfinite(X), X, np.nan)
    known[:, np.isnan(known).all(axis=0)] = 0.0
    gap = np.nanmedian(known, axis=0)
    # Who never did something did it longer ago than anybody; in the middle he would look like a regular.
    never = np.array([name.startswith("recency_") for name in columns], dtype=np.bool_)
    gap = np.where(never, np.nanmax(known, axis=0), gap)
    filled = np.where(np.isnan(known), gap, known)
    spread = filled.std(axis=0)
    skew = ((filled - filled.mean(axis=0)) ** 3).mean(axis=0) / np.where(spread > 0, spread, 1) ** 3
    # Counts and money have a long tail to the right; their logarithms lie about evenly.
    logged = (filled >= 0).all(axis=0) & (skew > 1)
    values = np.where(logged, np.log1p(np.abs(filled)), filled)
    low, centre, high = np.quantile(values, [0.25, 0.5, 0.75], axis=0)
    # Where most rows have the same value the quartiles meet, and the deviation has to do.
    scale = np.where(high > low, (high - low) / 1.349, values.std(axis=0))
    return gap, logged, centre, np.where(scale > 0, scale, 1.0)
