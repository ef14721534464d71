"""What a bundle says of contacts whose touchpoints one has at hand: in a notebook, without a store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from features.feature_set import FeatureSet
from features.matrix import History
from features.rows.columns import TouchpointColumns
from features.rows.row_types import TouchpointRow
from features.rows.rows import content_digest, content_id
from features.touchpoints.touchpoints import Touchpoints
from models.belief import Belief
from models.estimate import Candidate
from models.estimates import foresee

NEEDED = ("identity", "occurred_at", "kind")
"""Columns by which touchpoints are told from features."""
_SHOWN = 5
_ANY_TIME = 2**62
_READ = 14


def touchpoint_scores(belief: Belief, columns: Mapping[str, Sequence[Any]], as_of: int) -> dict[str, list[Any]]:
    """Score every contact that has a touchpoint.

    Parameters
    ----------
    belief
        Of a bundle.
    columns
        Of touchpoints as ``nba load`` takes them, by name; None is absent, other columns are properties. Every
        identity is a contact: what links would join is not known here, nor are traits and accounts.
    as_of
        Microseconds; only what happened strictly before it counts.

    Returns
    -------
    Columns with one entry for each contact, by name: ``identity``, ``stage``, ``points``, ``p_<goal>`` ...; None
    where something cannot be told.

    Raises
    ------
    ValueError
        Where a touchpoint is refused, with the reasons.
    """
    touchpoints = read_touchpoints(columns, belief.features)
    n = len(touchpoints.contacts)
    estimates = foresee(belief, touchpoints, [{}] * n, as_of, _candidates(belief))
    found = [
        estimates.estimate(touchpoints.only(contact), {}, as_of, ())  # handed out by name, computed above
        for contact in range(n)
    ]
    return {
        "identity": list(touchpoints.contacts),
        "stage": [each.stage for each in found],
        "points": _points(touchpoints, belief.features, as_of),
        **{f"p_{goal}": [each.propensities.get(goal) for each in found] for goal in belief.bundle.propensities},
    }


def read_touchpoints(columns: Mapping[str, Sequence[Any]], features: FeatureSet) -> Touchpoints:
    """Judge rows as a load does, and name them as a load does, so that ties in time come in the same order.

    Raises
    ------
    ValueError
        Where a touchpoint is refused, with the reasons.
    """
    n = max((len(values) for values in columns.values()), default=0)
    # Whoever asks about the past has touchpoints from after the moment too: they do not count, and are no fault.
    read, bad = TouchpointColumns(now_us=_ANY_TIME, zone=None, rules=features.rules).read(columns, n)
    if bad:
        shown = "; ".join(f"row {row}: {why}" for row, why in sorted(bad.items())[:_SHOWN])
        raise ValueError(f"{len(bad):,} of {n:,} touchpoints are refused: {shown}")
    rows = [TouchpointRow._make(row) for row in zip(*read, strict=True)]
    return Touchpoints.from_rows((tuple(row[:_READ]) for row in _named(rows)), features.rules)


def _named(rows: Sequence[TouchpointRow]) -> list[TouchpointRow]:
    seen: Counter[bytes] = Counter()
    named = []
    for row in rows:
        if row.touchpoint_id is None:
            digest = content_digest(row)
            row = row._replace(touchpoint_id=content_id(digest, seen[digest]))
            seen[digest] += 1
        named.append(row)
    return named


def _candidates(belief: Belief) -> list[Candidate]:
    """Every action that a goal's model knows: its propensity is that under the likeliest of them."""
    return [
        Candidate(action=name, channel=belief.profiles.get(name, {}).get("channel"), goal=goal)
        for goal, features in belief.own_features.items()
        for name in features.types
    ]


def _points(touchpoints: Touchpoints, features: FeatureSet, as_of: int) -> list[float]:
    n = len(touchpoints.contacts)
    at = features.columns.index("points")
    moments = np.full(n, as_of, dtype=np.int64)
    X = History(touchpoints, features).columns(np.arange(n, dtype=np.int64), moments, [at])
    points: list[float] = np.round(X[:, 0].astype(np.float64), 2).tolist()
    return points
