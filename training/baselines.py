"""The rules a model must beat: points, recency, frequency, ABC by revenue, a logistic regression on three numbers."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.spans import spans, tally
from features.times import DAY
from features.touchpoints.touchpoints import Touchpoints
from training.dataset import of_kinds
from training.rows.goal_rows import GoalRows

Scores = NDArray[np.float64]

_EVER = -(2**62)


def baselines(data: GoalRows, touchpoints: Touchpoints) -> dict[str, Scores | None]:
    """Scores of every row by each rule, higher being likelier to reach the goal, shape (rows,).

    A rule that cannot be computed is None. Whatever a rule learns it learns on the training rows.
    """
    sign = -1.0 if data.goal.is_absence else 1.0
    recency, frequency = _recency_frequency(data, touchpoints)
    revenue = _column(data, "revenue_365d")
    return {
        "points": sign * _column(data, "points"),
        "recency": -sign * recency,
        "frequency": sign * frequency,
        "abc": sign * abc_classes(revenue, revenue[data.split.train]),
        "logistic": _logistic(data, recency, frequency, revenue),
    }


def abc_classes(revenue: Scores, reference: Scores) -> Scores:
    """3 for A (the largest revenues that make up 80 % of the reference's), 2 for B (up to 95 %), 1 for C.

    Examples
    --------
    >>> abc_classes(np.array([80.0, 15.0, 5.0, 0.0]), np.array([80.0, 15.0, 5.0, 0.0])).tolist()
    [3.0, 2.0, 1.0, 1.0]
    """
    falling = np.sort(np.maximum(reference, 0.0))[::-1]
    total = falling.sum()
    if total == 0.0:
        return np.ones(len(revenue))
    share = np.cumsum(falling) / total
    from_a = falling[np.searchsorted(share, 0.80 - 1e-12)]
    from_b = falling[np.searchsorted(share, 0.95 - 1e-12)]
    return np.where(revenue >= from_a, 3.0, np.where((revenue >= from_b) & (revenue > 0), 2.0, 1.0))


def _column(data: GoalRows, name: str) -> Scores:
    return data.X[:, data.features.columns.index(name)].astype(np.float64)


def _recency_frequency(data: GoalRows, touchpoints: Touchpoints) -> tuple[Scores, Scores]:
    """Days since the last, and number of, touchpoints of the goal's kinds before ``as_of``.

    Where nobody has any, all inbound touchpoints stand in. Never is further back than anything.
    """
    rows = data.rows
    before = spans(touchpoints.start, touchpoints.occurred_at, rows.contact, _EVER, rows.as_of)
    count, _, last = tally(before, of_kinds(touchpoints, data.goal.watched))
    if not count.any():
        count, _, last = tally(before, ~touchpoints.outbound)
    days = (rows.as_of - touchpoints.occurred_at[np.maximum(last, 0)]) / DAY
    furthest = float(days[last >= 0].max(initial=0.0)) + 365.0
    return np.where(last >= 0, days, furthest), count.astype(np.float64)


def _logistic(data: GoalRows, recency: Scores, frequency: Scores, revenue: Scores) -> Scores | None:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    train = data.split.train
    if len(np.unique(data.rows.label[train])) < 2:
        return None
    X = np.column_stack([np.log1p(recency), np.log1p(frequency), np.sign(revenue) * np.log1p(np.abs(revenue))])
    model: Any = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    with warnings.catch_warnings():
        # An unfinished fit of a rule is still a rule; the report compares it like any other.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X[train], data.rows.label[train])
    scores: Scores = model.decision_function(X)
    return scores
