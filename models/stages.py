"""Journey stages: learnt as clusters of behaviour, and named by rules beside them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from features.times import DAY
from models.clusters import best_number, k_means, nearest
from models.stage_rules import StageRules

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SAMPLE = 20_000
"""Rows that clusters are sought on; more add time, not stages."""
LIMIT = 3.0
"""Scaled values are cut off here, so that one extreme contact makes no stage of its own."""


def rule_stage(rules: StageRules, days_since: Mapping[str, float]) -> str:
    """Stage of one contact by the rules: the first that holds, else the first name.

    Parameters
    ----------
    days_since
        Days from a kind's latest touchpoint to ``as_of``; kinds never seen are missing or NaN.
    """
    for rule in rules.rules:
        within = rule.within_us / DAY
        # The window is [as_of - within, as_of), as everywhere; comparing with NaN is false.
        if any(0 < days_since.get(kind, math.nan) <= within for kind in rule.seen):
            return rule.name
    return rules.names[0]


def rule_stages(rules: StageRules, kinds: Sequence[str], days_since: ArrayLike) -> Ints:
    """Codes into ``rules.names`` of many contacts at once, shape (n,).

    Parameters
    ----------
    kinds
        What the columns of ``days_since`` stand for.
    days_since
        Days since the latest touchpoint of each kind, float (n, kinds), NaN where never seen.
    """
    days = np.asarray(days_since, dtype=np.float64)
    if days.ndim != 2 or days.shape[1] != len(kinds):
        raise ValueError(f"days_since has shape {days.shape}; {len(kinds)} kinds need (n, {len(kinds)})")
    column = {kind: i for i, kind in enumerate(kinds)}
    stages = np.zeros(len(days), dtype=np.int64)
    for rule in reversed(rules.rules):
        seen = days[:, [column[kind] for kind in rule.seen if kind in column]]
        stages[((seen > 0) & (seen <= rule.within_us / DAY)).any(axis=1)] = rules.names.index(rule.name)
    return stages


@dataclass(frozen=True, eq=False)
class StageModel:
    """Clusters of behaviour in the order of the journey; arrays only, so that predicting needs only numpy.

    Attributes
    ----------
    columns
        Names of the matrix's columns, in order.
    names
        Stage of each cluster; the codes of ``predict`` index it.
    median, logged, centre, scale
        Per column: what fills a gap; whether its logarithm is taken; what is then subtracted and divided by.
    centres
        Cluster centres after scaling, shape (clusters, F).
    sizes
        Training rows by name.
    stability
        Mean adjusted Rand index between clusterings of bootstrap resamples; 1 is always the same.
    agreement
        Share of the training rows whose learnt stage is the one by rule.
    """

    columns: tuple[str, ...]
    names: tuple[str, ...]
    median: Floats
    logged: NDArray[np.bool_]
    centre: Floats
    scale: Floats
    centres: Floats
    sizes: Mapping[str, int]
    stability: float
    agreement: float

    @classmethod
    def fit(
        cls,
        X: ArrayLike,
        columns: Sequence[str],
        rule_stage: ArrayLike,
        names: Sequence[str],
        clusters: int | None = None,
        seed: int = 0,
    ) -> Self:
        """Find, order and name the clusters of behaviour.

        Parameters
        ----------
        X
            Behaviour, float (n, F), NaN where missing.
        rule_stage
            Stage by rule of each row, codes into ``names``, shape (n,).
        names
            Stages in the order of the journey.
        clusters
            Their number; None for 3 to 8 (at most one a name) by stability.

        Raises
        ------
        ValueError
            Where shapes do not fit, or fewer rows differ than clusters are wanted.
        """
        matrix, rule = np.asarray(X, dtype=np.float64), np.asarray(rule_stage, dtype=np.int64)
        if matrix.ndim != 2 or matrix.shape != (len(rule), len(columns)):
            raise ValueError(f"behaviour has shape {matrix.shape}; it must be ({len(rule)}, {len(columns)})")
        scaling = _scaling(matrix)
        scaled = _scaled(matrix, *scaling)
        rng = np.random.default_rng(seed)
        sample = scaled if len(scaled) <= SAMPLE else scaled[np.sort(rng.choice(len(scaled), SAMPLE, replace=False))]
        number, stability = best_number(sample, [clusters] if clusters else range(3, min(8, len(names)) + 1), seed)
        centres = k_means(sample, number, seed)
        stages = _matched(nearest(scaled, centres), rule, scaled, number, len(names))
        order = np.argsort(stages, kind="stable")
        codes = nearest(scaled, centres[order])
        labels = _labels([names[stages[i]] for i in order])
        counted = np.bincount(codes, minlength=number)
        return cls(
            tuple(columns),
            labels,
            *scaling,
            centres=centres[order],
            sizes={label: int(count) for label, count in zip(labels, counted, strict=True)},
            stability=stability,
            agreement=float(np.mean(stages[order][codes] == rule)),
        )

    def predict(self, X: ArrayLike) -> Ints:
        """Code of the stage of each row, shape (n,); the same for a row alone and among others."""
        matrix = np.asarray(X, dtype=np.float64)
        if matrix.ndim != 2 or matrix.shape[1] != len(self.columns):
            raise ValueError(f"the matrix has shape {matrix.shape}; the stages want (n, {len(self.columns)})")
        return nearest(_scaled(matrix, self.median, self.logged, self.centre, self.scale), self.centres)

    def to_json(self) -> dict[str, Any]:
        """Plain values; floats survive JSON to the last bit."""
        arrays = {name: getattr(self, name).tolist() for name in ("median", "logged", "centre", "scale", "centres")}
        return {
            "columns": list(self.columns),
            "names": list(self.names),
            **arrays,
            "sizes": dict(self.sizes),
            "stability": self.stability,
            "agreement": self.agreement,
        }

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> Self:
        """Read what ``to_json`` wrote.

        Raises
        ------
        ValueError
            Where the arrays do not fit together.
        """
        columns, names = tuple(plain["columns"]), tuple(plain["names"])
        arrays: dict[str, Any] = {
            name: np.array(plain[name], dtype=np.float64) for name in ("median", "centre", "scale", "centres")
        }
        logged = np.array(plain["logged"], dtype=np.bool_)
        width = (len(columns),)
        shapes = [arrays["median"].shape, arrays["centre"].shape, arrays["scale"].shape, logged.shape]
        if shapes != [width] * 4 or arrays["centres"].shape != (len(names), *width):
            raise ValueError(f"stages with {len(names)} names and {len(columns)} columns have arrays of other shapes")
        sizes = {str(name): int(count) for name, count in plain["sizes"].items()}
        numbers: dict[str, Any] = {name: float(plain[name]) for name in ("stability", "agreement")}
        return cls(columns, names, logged=logged, sizes=sizes, **arrays, **numbers)


def _scaling(X: Floats) -> tuple[Floats, NDArray[np.bool_], Floats, Floats]:
    known = np.where(np.isfinite(X), X, np.nan)
    empty = np.isnan(known).all(axis=0)
    median = np.nanmedian(np.where(empty, 0.0, known), axis=0)
    filled = np.where(np.isnan(known), median, known)
    spread = filled.std(axis=0)
    skew = ((filled - filled.mean(axis=0)) ** 3).mean(axis=0) / np.where(spread > 0, spread, 1) ** 3
    # Counts and money have a long tail to the right; their logarithms lie about evenly.
    logged = (filled >= 0).all(axis=0) & (skew > 1)
    values = np.where(logged, np.log1p(np.abs(filled)), filled)
    low, centre, high = np.quantile(values, [0.25, 0.5, 0.75], axis=0)
    # Where most rows have the same value the quartiles meet, and the deviation has to do.
    scale = np.where(high > low, (high - low) / 1.349, values.std(axis=0))
    return median, logged, centre, np.where(scale > 0, scale, 1.0)


def _scaled(X: Floats, median: Floats, logged: NDArray[np.bool_], centre: Floats, scale: Floats) -> Floats:
    filled = np.where(np.isfinite(X), X, median)
    values = np.where(logged, np.log1p(np.maximum(filled, 0)), filled)
    scaled: Floats = np.clip((values - centre) / scale, -LIMIT, LIMIT)
    return scaled


def _matched(codes: Ints, rule: Ints, scaled: Floats, number: int, stages: int) -> Ints:
    """Stage of each cluster by the largest overlap (Jaccard) in all, each name once while they last."""
    from scipy.optimize import linear_sum_assignment

    table = np.zeros((number, stages))
    np.add.at(table, (codes, rule), 1)
    union = table.sum(axis=1, keepdims=True) + table.sum(axis=0, keepdims=True) - table
    overlap = table / np.maximum(union, 1)
    # Clusters that no rule tells apart go along the journey by how much happened in them.
    sizes = np.bincount(codes, minlength=number)
    activity = np.bincount(codes, scaled.mean(axis=1), minlength=number) / np.maximum(sizes, 1)
    place = np.argsort(np.argsort(activity, kind="stable"), kind="stable") / max(number - 1, 1)
    overlap -= 1e-6 * (place[:, None] - np.arange(stages) / max(stages - 1, 1)) ** 2
    matched = overlap.argmax(axis=1)
    rows, columns = linear_sum_assignment(overlap, maximize=True)
    matched[rows] = columns
    stage: Ints = matched.astype(np.int64)
    return stage


def _labels(names: Sequence[str]) -> tuple[str, ...]:
    """Names told apart by a number where more clusters than names were asked for."""
    return tuple(
        name if names.index(name) == i else f"{name} {names[: i + 1].count(name)}" for i, name in enumerate(names)
    )
