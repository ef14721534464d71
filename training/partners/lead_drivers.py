"""What makes a good lead: activities, topics and traits, and how much likelier the goal is with each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from features.catalogue import PER_KIND, PER_TOPIC, Feature
from features.feature_set import REST
from models.propensity import Propensity
from training.fit import GoalFit
from training.past import Past
from training.rows.goal_rows import GoalRows

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

FALSE_SHARE = 0.05
"""Share of what is called a driver that is one by chance."""
FEWEST = 20
"""Contacts with and without something below which nothing is said of it."""
SHOWN = 20
_EXPLAINED = 2000
_RECENT_DAYS = 30


@dataclass(frozen=True)
class _Mark:
    """Something a contact may have at a moment; ``columns`` of the matrix are about it."""

    what: str
    of: str
    has: Flags
    columns: tuple[int, ...]


@dataclass(frozen=True)
class Lift:
    """How many times likelier a goal is with a mark than without, on the log scale with its error."""

    rate: float
    without: float
    log: float
    error: float
    contacts: int

    @property
    def p_value(self) -> float:
        """How often chance alone shows as much, by the normal distribution."""
        from scipy.special import ndtr

        return float(2.0 * ndtr(-abs(self.log) / self.error))


def lift(label: Flags, has: Flags, contact: NDArray[np.int64]) -> Lift:
    """Compare the rates of rows with and without a mark; rows of one contact may depend on each other.

    Examples
    --------
    >>> label = np.array([1, 1, 0, 0, 1, 0, 0, 0] * 50, dtype=bool)
    >>> found = lift(label, np.arange(400) % 8 < 4, np.arange(400))
    >>> found.rate, found.without, round(float(np.exp(found.log)), 2)
    (0.5, 0.25, 1.99)
    """
    _, group = np.unique(contact, return_inverse=True)
    summed = np.zeros(int(group.max()) + 1)
    rates, logs = [], []
    for which, sign in ((has, 1.0), (~has, -1.0)):
        n, hits = int(which.sum()), int(label[which].sum())
        # Half a success more on either side: a rate of 0 has no logarithm.
        smoothed = (hits + 0.5) / (n + 1.0)
        rates.append(hits / n)
        logs.append(float(np.log(smoothed)))
        summed += np.bincount(group[which], sign * (label[which] - hits / n) / (n * smoothed), len(summed))
    least = sum((1.0 - rate) / max(0.5, rate * n) for rate, n in zip(rates, (has.sum(), (~has).sum()), strict=True))
    error = float(np.sqrt(max(np.sum(summed**2), 0.25 * least, 1e-12)))
    return Lift(rates[0], rates[1], logs[0] - logs[1], error, len(np.unique(contact[has])))


def lead_drivers(fit: GoalFit, past: Past) -> dict[str, Any]:
    """Compare contacts with and without each activity, topic and trait, on every row of a goal; JSON-able.

    Many things are compared at once, so some look good by chance: what ``holds`` is chosen so that about one in
    twenty of it is false (Benjamini & Hochberg 1995, JRSS B 57), and intervals are as much wider as the choice asks
    for (Benjamini & Yekutieli 2005, JASA 100). A lift is no effect: who downloads a price list wants to buy already.

    Returns
    -------
    ``tested``, ``found``, ``is_absence`` (the rates are those of nothing happening), and ``rows``, the most certain
    first, at most 20.
    """
    data = fit.data
    label, contact = data.rows.label, data.rows.cluster
    told: list[tuple[_Mark, Lift]] = []
    for mark in _marks(data, past):
        if min(len(np.unique(contact[mark.has])), len(np.unique(contact[~mark.has]))) >= FEWEST:
            told.append((mark, lift(label, mark.has, contact)))
    holds = chosen([found.p_value for _, found in told])
    z = _wider(int(holds.sum()), len(told))
    adjusted = _adjusted(fit.final, data, [mark for mark, _ in told])
    rows = [
        {
            "what": mark.what,
            "of": mark.of,
            "contacts": found.contacts,
            "rate": found.rate,
            "rate_without": found.without,
            "lift": float(np.exp(found.log)),
            "lift_interval": [float(np.exp(found.log + side * z * found.error)) for side in (-1.0, 1.0)],
            "p_value": found.p_value,
            "holds": bool(keeps),
            "odds_in_model": odds,
        }
        for (mark, found), keeps, odds in zip(told, holds, adjusted, strict=True)
    ]
    rows.sort(key=lambda row: (not row["holds"], row["p_value"], str(row["what"])))
    found = int(holds.sum())
    return {"tested": len(rows), "found": found, "is_absence": data.goal.is_absence, "rows": rows[:SHOWN]}


def tell_leads(fits: Sequence[GoalFit], past: Past) -> None:
    """Put what makes a good lead into the report of every goal with rows."""
    for fit in fits:
        if len(fit.data.rows):
            fit.report["lead_drivers"] = lead_drivers(fit, past)


def chosen(p_values: ArrayLike, share: float = FALSE_SHARE) -> Flags:
    """Mark what may be called found so that at most ``share`` of it is expected to be so by chance.

    Examples
    --------
    >>> chosen([0.001, 0.2, 0.03, 0.6]).tolist()
    [True, False, False, False]
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    below = p[order] <= share * np.arange(1, len(p) + 1) / max(1, len(p))
    last = int(np.flatnonzero(below).max()) + 1 if below.any() else 0
    found = np.zeros(len(p), dtype=np.bool_)
    found[order[:last]] = True
    return found


def _wider(found: int, tested: int) -> float:
    from scipy.special import ndtri

    return float(ndtri(1.0 - FALSE_SHARE * max(1, found) / max(1, tested) / 2.0))


def _marks(data: GoalRows, past: Past) -> Iterator[_Mark]:
    features, at = data.features, {name: i for i, name in enumerate(data.features.columns)}
    outbound = _outbound(past)
    for kind in (k for k in features.kinds if k not in outbound):
        has = data.X[:, at[f"n_kind_{kind}_30d"]] > 0
        yield _Mark(f"{kind} in the last {_RECENT_DAYS} days", "activity", has, _about(PER_KIND, kind, at))
    for topic in (t for t in features.topics if t != REST):
        has = data.X[:, at[f"recency_topic_{topic}_days"]] <= _RECENT_DAYS
        yield _Mark(f"interest in {topic} in the last {_RECENT_DAYS} days", "topic", has, _about(PER_TOPIC, topic, at))
    for column, trait in zip(features.trait_features, features.traits, strict=True):
        i = at[column.name]
        values = data.X[:, i].astype(np.float64)
        if trait.type == "category":
            for code, category in enumerate(trait.categories):
                yield _Mark(f"{trait.name} = {category}", "trait", values == code, (i,))
        elif trait.type == "boolean":
            yield _Mark(f"{trait.name} = true", "trait", values == 1.0, (i,))
        elif trait.type == "number" and not np.isnan(values).all():
            middle = float(np.nanmedian(values))
            yield _Mark(f"{trait.name} above {middle:.6g}", "trait", values > middle, (i,))


def _outbound(past: Past) -> set[str]:
    """Kinds that are mostly ours: what we send is judged by its effect, not by who gets it."""
    recorded = past.recorded
    total = np.bincount(recorded.kind, minlength=len(recorded.kinds))
    ours = np.bincount(recorded.kind[recorded.outbound], minlength=len(recorded.kinds))
    return {kind for i, kind in enumerate(recorded.kinds) if 2 * ours[i] > total[i]}


def _about(features: Sequence[Feature], name: str, at: dict[str, int]) -> tuple[int, ...]:
    return tuple(at[feature.named(name).name] for feature in features)


def _adjusted(model: Propensity | None, data: GoalRows, marks: Sequence[_Mark]) -> list[float | None]:
    """Tell by how many times the model's odds differ between rows with and without a mark because of its own columns.

    All else that such contacts have in common is in other columns, so this is the lift that is left for the mark.
    """
    n = len(data.X)
    if model is None or not n:
        return [None] * len(marks)
    kept = np.sort(np.random.default_rng(0).choice(n, min(n, _EXPLAINED), replace=False))
    added = model.contributions(data.X[kept])
    found: list[float | None] = []
    for mark in marks:
        has = mark.has[kept]
        part = added[:, list(mark.columns)].sum(axis=1)
        found.append(float(np.exp(part[has].mean() - part[~has].mean())) if has.any() and not has.all() else None)
    return found


def lead_lines(drivers: Mapping[str, Any]) -> list[str]:
    """Write the drivers that hold, at most eight lines."""
    rows = [row for row in drivers["rows"] if row["holds"]][:8]
    title = "who is lost, and who is not" if drivers["is_absence"] else "what makes a good lead"
    if not rows:
        return [f"  {title}: none of {drivers['tested']} things compared stands out beyond chance"]
    lines = [f"  {title} ({drivers['found']} of {drivers['tested']} things compared hold):"]
    for row in rows:
        low, high = row["lift_interval"]
        model = "" if row["odds_in_model"] is None else f"; {row['odds_in_model']:.2f} times the odds in the model"
        lines.append(
            f"    {row['what']}: {row['rate']:.1%} against {row['rate_without']:.1%}, "
            f"{row['lift']:.2f} times ({low:.2f} - {high:.2f}), {row['contacts']:,} contacts{model}"
        )
    return lines
