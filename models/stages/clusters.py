"""Clusters of scaled rows: finding them, and how many the data hold steadily."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

RESAMPLES = 8
STABILITY_ROWS = 3_000
STEADY = 0.8
"""Stability from which on clusters are steady whatever others are."""
AS_STEADY = 0.05
"""Differences of the adjusted Rand index that say nothing about which number is right."""


def nearest(X: Floats, centres: Floats) -> Ints:
    """Row number of the nearest centre, the first of equals; shape (n,).

    Distances are summed row by row, not by matrix products, whose last digits depend on the number of rows.
    """
    from models.stages.kernel import fill_nearest

    found = np.empty(len(X), dtype=np.int64)
    fill_nearest(np.ascontiguousarray(X), centres, found)
    return found


def spread(X: Floats, centres: Floats) -> float:
    """Mean squared distance of the rows to their nearest centre."""
    return float(((X - centres[nearest(X, centres)]) ** 2).sum(axis=1).mean())


def k_means(
    X: Floats, number: int, seed: int, starts: int = 5, *, weight: Floats | None = None, begin: Floats | None = None
) -> Floats:
    """Centres of ``number`` clusters, shape (number, F).

    Parameters
    ----------
    starts
        How many times it is begun anew; the best is taken.
    weight
        How often each row counts, shape (n,).
    begin
        Centres to begin with instead, shape (number, F): those found then stand in the same order.

    Raises
    ------
    ValueError
        Where fewer rows differ than clusters are wanted.
    """
    if len(np.unique(X if weight is None else X[weight > 0], axis=0)) < number:
        raise ValueError(f"fewer than {number} rows differ; load more contacts or set a smaller stages.clusters")
    return _centres(X, number, seed, starts, weight, begin)


def _centres(
    X: Floats, number: int, seed: int, starts: int, weight: Floats | None = None, begin: Floats | None = None
) -> Floats:
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped] # comes with scikit-learn

    # Sums over threads are added in the order in which these finish; one thread always gives the same bits.
    with threadpool_limits(1):
        known = {"n_init": starts} if begin is None else {"init": begin, "n_init": 1}
        fitted = KMeans(number, random_state=seed, **known).fit(X, sample_weight=weight)
    return np.asarray(fitted.cluster_centers_, dtype=np.float64)


def still_steady(stability: float, best: float) -> bool:
    """Whether clusters may stay as they are: they are steady, or about as steady as any others would be."""
    return stability >= STEADY or stability >= best - AS_STEADY


def best_number(
    X: Floats, numbers: Iterable[int], seed: int, group: Ints | None = None, usual: int | None = None
) -> tuple[int, float]:
    """Find the number of clusters that bootstrap resamples agree on, and how far they agree.

    For each number, clusters of resamples are compared with each other on the same rows by the adjusted Rand
    index. Of the numbers about as steady as the steadiest - within ``AS_STEADY``, or one standard error - the
    largest is taken, as it tells more.

    Parameters
    ----------
    group
        Rows of one contact at several moments are drawn together: they say little more than one of them.
    usual
        The number so far, which is kept where it is about as steady.

    Returns
    -------
    The number and its stability, at most 1.
    """
    found = stabilities(X, numbers, seed, group)
    steadiest, error = max(found.values())
    as_steady = [n for n, (mean, _) in found.items() if mean >= steadiest - max(error, AS_STEADY)]
    if usual is not None and usual in found and still_steady(found[usual][0], steadiest):
        return usual, found[usual][0]
    return max(as_steady), found[max(as_steady)][0]


def stabilities(
    X: Floats, numbers: Iterable[int], seed: int, group: Ints | None = None
) -> Mapping[int, tuple[float, float]]:
    """Mean agreement of neighbouring resamples and its standard error, by number of clusters; see ``best_number``.

    Raises
    ------
    ValueError
        Where fewer rows differ than any of the numbers.
    """
    rng = np.random.default_rng(seed)
    few = np.arange(len(X)) if len(X) <= STABILITY_ROWS else np.sort(rng.choice(len(X), STABILITY_ROWS, replace=False))
    rows = X[few]
    of = np.arange(len(rows)) if group is None else np.unique(group[few], return_inverse=True)[1]
    alike = np.unique(rows, axis=0, return_inverse=True)[1].ravel()
    distinct = int(alike.max()) + 1
    tried = [number for number in numbers if number <= distinct]
    if not tried:
        raise ValueError(f"only {distinct} rows differ, which is too few for stages; load more contacts")
    groups = int(of.max()) + 1
    drawn = [np.bincount(rng.choice(groups, groups), minlength=groups)[of].astype(np.float64) for _ in range(RESAMPLES)]
    differ = [len(np.unique(alike[weight > 0])) for weight in drawn]
    return {
        number: _stability(rows, [weight for weight, n in zip(drawn, differ, strict=True) if n >= number], number, seed)
        for number in tried
    }


def _stability(X: Floats, drawn: list[Floats], number: int, seed: int) -> tuple[float, float]:
    labels = [nearest(X, _centres(X, number, seed, 5, weight)) for weight in drawn]
    if len(labels) < 2:
        return 0.0, 0.0
    agreements = [adjusted_rand(a, b) for a, b in pairwise(labels)]
    return float(np.mean(agreements)), float(np.std(agreements) / np.sqrt(len(agreements)))


def adjusted_rand(a: Ints, b: Ints) -> float:
    """Agreement of two clusterings, 0 by chance and 1 when they are the same (Hubert & Arabie 1985)."""
    table = np.zeros((int(a.max()) + 1, int(b.max()) + 1))
    np.add.at(table, (a, b), 1)
    together, first, second = (_pairs(t) for t in (table, table.sum(axis=1), table.sum(axis=0)))
    chance = first * second / max(_pairs(np.array([float(len(a))])), 1.0)
    highest = (first + second) / 2
    return 1.0 if highest == chance else (together - chance) / (highest - chance)


def _pairs(counts: Floats) -> float:
    return float((counts * (counts - 1) / 2).sum())
