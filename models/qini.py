"""How well effects order contacts, and whether groups of them change as they were said to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

NORMAL_975 = 1.959963984540054


def qini_curve(effect: Floats, treated: Flags, y: Floats, weight: Floats | None = None) -> tuple[Floats, Floats]:
    """Outcomes brought about when the contacts of the largest effect come first (Radcliffe 2007).

    Parameters
    ----------
    effect
        As predicted, shape (n,); contacts of one value come together, on a straight line.
    treated
        Whether the action was taken (else nothing was done), shape (n,).
    y
        What came of it.
    weight
        One over the chance of what was done, where that differs between contacts; left out: all alike.

    Returns
    -------
    Weight of the contacts so far, and outcomes under the action less those with nothing done, as if these had been as
    many; both begin at 0.
    """
    w = np.ones(len(effect)) if weight is None else weight
    order = np.argsort(-effect, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(effect[order]) != 0, True))
    is_treated, counted = treated[order], w[order]
    n_treated, n_rest = np.cumsum(counted * is_treated)[ends], np.cumsum(counted * ~is_treated)[ends]
    worked = counted * y[order]
    y_treated, y_rest = np.cumsum(worked * is_treated)[ends], np.cumsum(worked * ~is_treated)[ends]
    share = np.divide(n_treated, n_rest, out=np.zeros(len(ends)), where=n_rest > 0)
    return np.append(0.0, n_treated + n_rest), np.append(0.0, y_treated - y_rest * share)


def qini(effect: Floats, treated: Flags, y: Floats, weight: Floats | None = None) -> float | None:
    """Qini coefficient: the area between the curve and chance, as a part of that of a perfect order.

    The perfect order knows what came of each: outcomes under the action first, those that came with nothing done last
    (as scikit-uplift's ``qini_auc_score`` with negative effects). None where only one of both was done, or nothing
    ever came of it.

    Examples
    --------
    >>> y, treated = np.array([1.0, 0.0, 0.0, 1.0]), np.array([True, False, True, False])
    >>> qini(np.array([4.0, 3.0, 2.0, 1.0]), treated, y)
    1.0
    """
    if treated.all() or not treated.any():
        return None
    best = qini_curve(y * treated - y * ~treated, treated, y, weight)
    most = _above_chance(*best)
    return None if most <= 1e-12 else _above_chance(*qini_curve(effect, treated, y, weight)) / most


def _above_chance(x: Floats, gained: Floats) -> float:
    return float(np.trapezoid(gained, x) - 0.5 * x[-1] * gained[-1])


@dataclass(frozen=True)
class EffectGroup:
    """Decisions of about the same predicted effect: its mean, and what the effect was, with a 95 % interval."""

    decisions: int
    predicted: float
    measured: float
    interval: tuple[float, float]

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self) | {"interval": list(self.interval)}


def effect_groups(
    effect: Floats, stand_in: Floats, cluster: NDArray[np.int64], count: int = 5
) -> tuple[EffectGroup, ...]:
    """Compare predicted effects with measured ones, in groups of as many decisions by rising prediction.

    Parameters
    ----------
    effect
        As predicted by models that have not seen the row, shape (n,).
    stand_in
        Doubly robust pseudo-outcomes, whose mean is the effect.
    cluster
        Label of each row: rows of one may depend on each other.

    Returns
    -------
    One group where all predictions are the same.
    """
    cuts = np.unique(np.quantile(effect, np.arange(1, count) / count)) if len(effect) else np.zeros(0)
    group = np.searchsorted(cuts, effect, side="left")
    return tuple(
        _group(effect[group == g], stand_in[group == g], cluster[group == g]) for g in np.unique(group).tolist()
    )


def _group(effect: Floats, stand_in: Floats, cluster: NDArray[np.int64]) -> EffectGroup:
    mean = float(stand_in.mean())
    _, member = np.unique(cluster, return_inverse=True)
    sums = np.bincount(member, weights=stand_in - mean)
    error = float(np.sqrt((sums**2).sum() * len(sums) / max(len(sums) - 1, 1))) / len(stand_in)
    low, high = mean - NORMAL_975 * error, mean + NORMAL_975 * error
    return EffectGroup(len(effect), float(effect.mean()), mean, (low, high))


def total_error(groups: Sequence[EffectGroup]) -> float | None:
    """Mean distance between predicted and measured effects over groups, by decisions; None without any."""
    n = sum(group.decisions for group in groups)
    return sum(abs(g.predicted - g.measured) * g.decisions for g in groups) / n if n else None
