"""Clusters of scaled rows: finding them, and how many the data hold steadily."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

RESAMPLES = 8
STABILITY_ROWS = 4_000
AS_STEADY = 0.05
"""Differences of the adjusted Rand index that say nothing about which number is right."""


def nearest(X: Floats, centres: Floats) -> Ints:
    """Row number of the nearest centre, the first of equals; shape (n,).

    Distances are summed row by row, not by matrix products, whose last digits depend on the number of rows.
    """
    distance = np.stack([((X - centre) ** 2).sum(axis=1) for centre in centres], axis=1)
    nearest_row: Ints = distance.argmin(axis=1).astype(np.int64)
    return nearest_row


def k_means(X: Floats, number: int, seed: int, starts: int = 5) -> Floats:
    """Centres of ``number`` clusters, shape (number, F).

    Raises
    ------
    ValueError
        Where fewer rows differ than clusters are wanted.
    """
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped] # comes with scikit-learn

    if len(np.unique(X, axis=0)) < number:
        raise ValueError(f"fewer than {number} rows differ; load more contacts or set a smaller stages.clusters")
    # Sums over threads are added in the order in which these finish; one thread always gives the same bits.
    with threadpool_limits(1):
        fitted = KMeans(number, n_init=starts, random_state=seed).fit(X)
    return np.asarray(fitted.cluster_centers_, dtype=np.float64)


def best_number(X: Floats, numbers: Iterable[int], seed: int) -> tuple[int, float]:
    """Find the number of clusters that bootstrap resamples agree on, and how far they agree.

    For each number, clusters of resamples are compared with each other on the same rows by the adjusted Rand
    index. Of the numbers about as steady as the steadiest - within ``AS_STEADY``, or one standard error - the
    largest is taken, as it tells more.

    Returns
    -------
    The number and its stability, at most 1.
    """
    rng = np.random.default_rng(seed)
    rows = X if len(X) <= STABILITY_ROWS else X[rng.choice(len(X), STABILITY_ROWS, replace=False)]
    distinct = len(np.unique(rows, axis=0))
    tried = [number for number in numbers if number <= distinct]
    if not tried:
        raise ValueError(f"only {distinct} rows differ, which is too few for stages; load more contacts")
    resamples = [rng.choice(len(rows), len(rows)) for _ in range(RESAMPLES)]
    found = {number: _stability(rows, resamples, number, seed) for number in tried}
    steadiest, error = max(found.values())
    number = max(n for n, (mean, _) in found.items() if mean >= steadiest - max(error, AS_STEADY))
    return number, found[number][0]


def _stability(X: Floats, resamples: list[Ints], number: int, seed: int) -> tuple[float, float]:
    """Mean agreement of neighbouring resamples, and its standard error."""
    labels = []
    for resample in resamples:
        part = X[resample]
        if len(np.unique(part, axis=0)) >= number:
            labels.append(nearest(X, k_means(part, number, seed, starts=3)))
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
