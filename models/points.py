"""The points baseline: a score that is the sum of its log, and a classifier a model must beat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.logistic import rising_curve, sigmoid
from models.points_table import PointsTable

if TYPE_CHECKING:
    from sklearn.utils import Tags

Entry = dict[str, Any]
"""One line of the log: ``part``, ``kind``, ``points``, ``count``."""


def points_log(
    table: PointsTable, kinds: Sequence[str], occurred_at: Sequence[int] | NDArray[np.int64], as_of: int
) -> list[Entry]:
    """Every kind's share in the score, the largest first; what the table does not name is left out.

    Parameters
    ----------
    table
        Points by kind. A kind in ``once`` counts by its first touchpoint only.
    kinds, occurred_at
        One contact's touchpoints in any order, times in microseconds.
    as_of
        Only touchpoints strictly before it count, and points fade until it.

    Returns
    -------
    Entries with ``points`` rounded to cents, so that what is shown is what is added up.
    """
    if table.half_life_us is None:
        # How long ago something was tells nothing, so that counting it is enough.
        return _log_of(table, Counter(kind for kind, at in zip(kinds, occurred_at, strict=True) if at < as_of))
    ages: dict[str, list[int]] = {kind: [] for kind in table.kinds}
    for kind, at in zip(kinds, occurred_at, strict=True):
        if kind in ages and at < as_of:
            ages[kind].append(as_of - int(at))
    return _in_order([_entry(table, kind, listed) for kind, listed in ages.items() if listed])


def _log_of(table: PointsTable, counts: Mapping[str, int]) -> list[Entry]:
    """Log of a table whose points do not fade, by the number of touchpoints of each kind."""
    return _in_order([_counted(table, kind, counts[kind]) for kind in table.kinds if kind in counts])


def _in_order(log: list[Entry]) -> list[Entry]:
    log.sort(key=lambda entry: (-entry["points"], entry["kind"]))
    return log


def _counted(table: PointsTable, kind: str, count: int) -> Entry:
    count = 1 if kind in table.once else count
    return {"part": "activity", "kind": kind, "points": round(table.kinds[kind] * float(count), 2), "count": count}


def _entry(table: PointsTable, kind: str, ages: list[int]) -> Entry:
    counted = [max(ages)] if kind in table.once else sorted(ages)
    weight = sum(0.5 ** (age / (table.half_life_us or 1)) for age in counted)
    return {
        "part": "activity",
        "kind": kind,
        "points": round(table.kinds[kind] * weight, 2),
        "count": len(counted),
    }


def total(log: Sequence[Entry]) -> float:
    """Add up the log in its order: the score."""
    return float(sum(entry["points"] for entry in log))


def fit_points(table: PointsTable, traits: Mapping[str, object]) -> float | None:
    """Points for how well the contact fits, shown apart from activity.

    Returns
    -------
    None where the table does not judge fit; 0 where the trait is missing or its value has no points.
    """
    if table.fit is None:
        return None
    return float(table.fit.points.get(_text(traits.get(table.fit.trait)), 0.0))


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def actions_for(table: PointsTable, score: float) -> tuple[str, ...]:
    """All actions whose threshold holds for a score, in the table's order; the first allowed one counts."""
    return tuple(dict.fromkeys(table.actions(score)))


def points_summary(
    table: PointsTable,
    kinds: Sequence[str],
    occurred_at: Sequence[int] | NDArray[np.int64],
    as_of: int,
    traits: Mapping[str, object],
    *,
    counts: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """Make the ``points`` of a recommendation: total, actions, log, fit, and totals of the other schemes.

    Parameters
    ----------
    kinds, occurred_at, as_of
        As for ``points_log``; of tables that fade only, where there are ``counts``.
    counts
        Touchpoints by kind, where somebody has counted them already.
    """

    def log_of(scheme: PointsTable) -> list[Entry]:
        if counts is not None and scheme.half_life_us is None:
            return _log_of(scheme, counts)
        return points_log(scheme, kinds, occurred_at, as_of)

    log = log_of(table)
    score = total(log)
    return {
        "total": score,
        "actions": list(actions_for(table, score)),
        "log": log,
        "fit": fit_points(table, traits),
        "schemes": {name: total(log_of(scheme)) for name, scheme in table.schemes.items()},
    }


class PointScore:
    """Propensity from fixed points per touchpoint: the rule a model must beat.

    It keeps scikit-learn's conventions for classifiers without importing it, as this module stands on the
    request path. The columns of ``X`` are the kinds of the table in its order: counts before ``as_of``,
    faded where the table has a half-life.

    Parameters
    ----------
    table
        What each kind is worth.

    Attributes
    ----------
    classes_
        The two labels of ``y``, the second being success.
    slope_, intercept_
        Log-odds of success are ``intercept_ + slope_ * log(1 + score)``; the slope is never negative, so the
        order of the contacts is always that of their points.

    Examples
    --------
    >>> PointScore().decision_function([[0, 1, 1, 0, 2, 0]]).tolist()
    [255.0]
    """

    _estimator_type = "classifier"

    def __init__(self, table: PointsTable = PointsTable()) -> None:  # noqa: B008 - frozen, so sharing it is safe
        self.table = table

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the constructor's arguments; there is nothing deeper."""
        return {"table": self.table}

    def set_params(self, **params: Any) -> Self:
        """Change constructor arguments.

        Raises
        ------
        ValueError
            For a name that is none.
        """
        for name, value in params.items():
            if name != "table":
                raise ValueError(f"PointScore has no parameter {name!r}; it has: table")
            self.table = value
        return self

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Learn how likely success is at each score; the points themselves are fixed.

        Raises
        ------
        ValueError
            Where ``X`` has another number of columns than the table has kinds, or ``y`` not two classes.
        """
        score, labels = self.decision_function(X), np.asarray(y)
        self.classes_ = np.unique(labels)
        if len(self.classes_) != 2 or labels.shape != score.shape:
            raise ValueError(f"y has {len(self.classes_)} classes in shape {labels.shape}; give two, one a row of X")
        self.slope_, self.intercept_ = rising_curve(_compressed(score), (labels == self.classes_[1]).astype(np.float64))
        self.n_features_in_ = len(self.table.kinds)
        return self

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Score of each row, shape (n,); needs no fit."""
        counts = np.asarray(X, dtype=np.float64)
        kinds = self.table.kinds
        if counts.ndim != 2 or counts.shape[1] != len(kinds):
            raise ValueError(
                f"X has shape {counts.shape}; it must be (n, {len(kinds)}), one column for each of {[*kinds]}"
            )
        once = np.array([kind in self.table.once for kind in kinds], dtype=np.bool_)
        counted = np.where(once, np.minimum(counts, 1), counts)
        score: NDArray[np.float64] = (counted * np.array(list(kinds.values()), dtype=np.float64)).sum(axis=1)
        return score

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Probability of each class, shape (n, 2)."""
        success = sigmoid(self.intercept_ + self.slope_ * _compressed(self.decision_function(X)))
        return np.column_stack([1 - success, success])

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the likelier class of each row, shape (n,)."""
        labels: NDArray[Any] = self.classes_[(self.predict_proba(X)[:, 1] > 0.5).astype(np.int64)]
        return labels

    def score(self, X: ArrayLike, y: ArrayLike) -> float:
        """Share of rows whose class is predicted right."""
        return float(np.mean(self.predict(X) == np.asarray(y)))

    def __repr__(self) -> str:
        return f"PointScore({len(self.table.kinds)} kinds)"

    def __sklearn_tags__(self) -> Tags:
        from sklearn.utils import ClassifierTags, Tags, TargetTags

        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags(multi_class=False),
        )


def _compressed(score: NDArray[np.float64]) -> NDArray[np.float64]:
    compressed: NDArray[np.float64] = np.sign(score) * np.log1p(np.abs(score))
    return compressed
