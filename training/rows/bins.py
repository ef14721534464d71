"""How a column is spread: where it is cut into parts, and how many rows lie in each; enough to compare it later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

PARTS = 10
"""Parts of about equal size that numbers are cut into, and categories that have a part of their own."""

_LEAST = 5.0


@dataclass(frozen=True)
class Bins:
    """Cuts of one column and the rows counted between them.

    Attributes
    ----------
    cuts
        Of numbers: a value belongs to the first part whose cut is not below it. Of categories: their codes.
    counts
        Rows in each part; then those of any other category, where it is one; last those without a value.
    is_category
        Whether the column holds codes.
    """

    cuts: tuple[float, ...]
    counts: tuple[int, ...]
    is_category: bool = False

    @classmethod
    def of(cls, values: ArrayLike, *, is_category: bool = False) -> Self:
        """Cut a column, shape (n,), NaN where there is no value, at its tenths or by its most frequent codes.

        Examples
        --------
        >>> Bins.of([0, 0, 0, 1, 2, np.nan])
        Bins(cuts=(0.0, 1.0), counts=(3, 1, 1, 1), is_category=False)
        """
        column = np.asarray(values, dtype=np.float64)
        known = column[~np.isnan(column)]
        if is_category:
            codes, size = np.unique(known, return_counts=True)
            most = np.sort(codes[np.lexsort((codes, -size))[:PARTS]])
            cuts = tuple(most.tolist())
        else:
            cuts = _tenths(known)
        empty = cls(cuts, (), is_category)
        return cls(cuts, tuple(empty.count(column).tolist()), is_category)

    def count(self, values: ArrayLike) -> Counts:
        """Count the rows of a column in these parts, as in ``counts``."""
        column = np.asarray(values, dtype=np.float64)
        cuts = np.array(self.cuts, dtype=np.float64)
        known = column[~np.isnan(column)]
        place = np.searchsorted(cuts, known, side="left")
        if self.is_category and len(cuts):
            place = np.where(cuts[np.minimum(place, len(cuts) - 1)] == known, place, len(cuts))
        parts = np.bincount(place, minlength=len(cuts) + 1)
        return np.append(parts, len(column) - len(known)).astype(np.int64)

    def to_json(self) -> dict[str, Any]:
        """Plain numbers, few bytes."""
        plain: dict[str, Any] = {"cuts": list(self.cuts), "counts": list(self.counts)}
        return plain | ({"is_category": True} if self.is_category else {})

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Read what ``to_json`` wrote."""
        return cls(tuple(plain["cuts"]), tuple(plain["counts"]), bool(plain.get("is_category", False)))


def _tenths(known: Floats) -> tuple[float, ...]:
    """Values at the tenths, the highest part open; six digits tell as much and are short to write."""
    if not len(known):
        return ()
    at = np.quantile(known, np.arange(1, PARTS) / PARTS, method="lower")
    cuts = np.unique([float(f"{value:.6g}") for value in at])
    # A cut at or above the largest value would leave the open part empty for good.
    return tuple(float(cut) for cut in cuts if cut < known.max())


@dataclass(frozen=True)
class Shift:
    """How far a distribution has moved.

    Attributes
    ----------
    psi
        Population stability index: sum over the parts of (q - p) ln(q / p).
    chance
        What equal distributions show on average with as many independent rows.
    p_value
        How often chance alone shows as much.
    """

    psi: float
    chance: float
    p_value: float

    @property
    def excess(self) -> float:
        """The index less what chance explains, never below 0."""
        return max(0.0, self.psi - self.chance)


def shift(before: ArrayLike, after: ArrayLike, independent: tuple[float, float] | None = None) -> Shift:
    """Compare counts in the same parts.

    Under equal distributions, ``psi / (1/n + 1/m)`` has a mean of one less than there are parts (Yurdakul & Naranjo
    2020, Journal of Risk Model Validation 14(4)), so that few rows in many parts show an index far above 0 by chance
    alone. The test is Pearson's for equal shares, whose tail holds with fewer rows than that of the index.

    Parameters
    ----------
    before, after
        Rows in each part, shape (parts,).
    independent
        How many independent rows either stands for, such as contacts; all of them when left out.

    Examples
    --------
    >>> found = shift([500, 500], [60, 40])
    >>> round(found.psi, 3), round(found.excess, 3)
    (0.04, 0.029)
    """
    from scipy.special import gammaincc

    first, second = np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)
    if min(first.sum(), second.sum()) == 0:
        return Shift(0.0, 0.0, 1.0)
    n, m = independent or (first.sum(), second.sum())
    first, second = _joined(first, second, min(n, m))
    if len(first) < 2:
        return Shift(0.0, 0.0, 1.0)
    # Half a row in every part: an empty one would make the index infinite.
    p, q = ((counts + 0.5) / (counts.sum() + 0.5 * len(counts)) for counts in (first, second))
    psi = float(np.sum((q - p) * np.log(q / p)))
    freedom, noise = len(first) - 1, float(1.0 / n + 1.0 / m)
    p, q = first / first.sum(), second / second.sum()
    pearson = float(np.sum((q - p) ** 2 / ((n * p + m * q) / (n + m)))) / noise
    return Shift(psi, freedom * noise, float(gammaincc(freedom / 2.0, pearson / 2.0)))


def _joined(before: Floats, after: Floats, fewest: float) -> tuple[Floats, Floats]:
    """Join neighbouring parts until each stands for five independent rows: below that chance has longer tails."""
    share = (before / before.sum() + after / after.sum()) / 2 * fewest
    group = np.zeros(len(share), dtype=np.int64)
    held = 0.0
    for i, part in enumerate(share.tolist()):
        group[i] = group[i - 1] + 1 if i and held >= _LEAST else group[i - 1] if i else 0
        held = part if i and held >= _LEAST else held + part
    if held < _LEAST and group[-1] > 0:
        group[group == group[-1]] -= 1
    joined = (np.bincount(group, weights=counts).astype(np.float64) for counts in (before, after))
    return next(joined), next(joined)
