"""Fitting one goal: on the training part for the report, then with the same choices on every row for the bundle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.propensity import NotEnoughData, Propensity
from training import metrics
from training.baselines import baselines
from training.dataset import describe
from training.goal_rows import GoalRows
from training.leaks import leak_warnings
from training.past import Past

MOST_DRIVERS = 15
LEAK = 0.95
"""An area under the curve that is too good to be true."""


@dataclass(frozen=True)
class GoalFit:
    """What was learnt of one goal.

    ``judged`` is the fit from before the test, ``final`` the one on every row; both None where rows are too few.
    ``test`` are the test rows, with what the model and each rule said of them.
    """

    data: GoalRows
    judged: Propensity | None
    final: Propensity | None
    report: dict[str, Any]
    test: NDArray[np.bool_]
    predicted: NDArray[np.float64] | None
    rules: dict[str, NDArray[np.float64] | None]


def fit_goal(data: GoalRows, past: Past, *, seed: int = 0) -> GoalFit:
    """Fit, judge and fit again."""
    rows, train, test = data.rows, data.split.train, data.split.test
    warnings = _row_warnings(data) + leak_warnings(data)
    try:
        judged: Propensity | None = Propensity.fit(
            data.X[train],
            rows.label[train],
            rows.as_of[train],
            rows.until[train],
            rows.cluster[train],
            columns=data.features.columns,
            categorical=data.features.categorical,
            seed=seed,
        )
    except NotEnoughData as few:
        judged = None
        warnings.append(f"not enough data: {few}")
    final = None if judged is None else judged.refit(data.X, rows.label)
    predicted = None if judged is None or not test.any() else judged.predict(data.X[test])
    rules = {
        name: None if scores is None else scores[test] for name, scores in baselines(data, past.touchpoints).items()
    }
    label, contact = rows.label[test], rows.cluster[test]
    found = _metrics(label, contact, predicted, rules)
    warnings += _metric_warnings(found)
    report = {
        "train": describe(rows.only(train)),
        "test": {**describe(rows.only(test)), "mean_prediction": _mean(predicted)},
        "censored": rows.censored,
        "metrics": found,
        "calibration": "none" if judged is None else judged.calibration.method,
        "drivers": _drivers(data, final),
        "warnings": warnings,
    }
    return GoalFit(data, judged, final, report, test, predicted, rules)


def _metrics(
    label: NDArray[np.bool_],
    contact: NDArray[np.int64],
    predicted: NDArray[np.float64] | None,
    rules: dict[str, NDArray[np.float64] | None],
) -> dict[str, dict[str, Any]]:
    empty = dict.fromkeys(("auc", "auc_interval", "average_precision", "brier", "ece", "lift_at_10", "log_loss"))
    model = empty if predicted is None else metrics.summary(label, predicted, contact)
    found: dict[str, dict[str, Any]] = {"model": model}
    for name, scores in rules.items():
        known = scores if scores is not None and len(label) else None
        interval = None if known is None else metrics.auc_interval(label, known, contact)
        found[name] = {
            "auc": None if known is None else metrics.auc(label, known),
            "auc_interval": None if interval is None else list(interval),
        }
    return found


def _mean(predicted: NDArray[np.float64] | None) -> float | None:
    return None if predicted is None else float(predicted.mean())


def _drivers(data: GoalRows, model: Propensity | None) -> list[dict[str, Any]]:
    if model is None:
        return []
    means = {f.name: f.means for f in data.features.features}
    return [{"feature": name, "means": means[name], "gain": gain} for name, gain in model.drivers()[:MOST_DRIVERS]]


def _row_warnings(data: GoalRows) -> list[str]:
    rows, warnings = data.rows, []
    if rows.censored:
        warnings.append(f"{rows.censored:,} rows end after the data and are left out (censored)")
    if rows.endless:
        warnings.append(f"{rows.endless:,} rows carry no usable time at which their horizon ends and are left out")
    if not data.split.train.any():
        warnings.append("no row lies before the test by a whole horizon: load a longer history")
    if not data.split.test.any():
        warnings.append("no row is left for the test: metrics cannot be computed")
    return warnings


def _metric_warnings(found: dict[str, dict[str, Any]]) -> list[str]:
    model, warnings = found["model"], []
    missing = [name for name, value in model.items() if value is None]
    if missing:
        warnings.append(f"cannot be computed and null: {', '.join(missing)}")
    if model["auc"] is not None and model["auc"] > LEAK:
        warnings.append(f"the model reaches AUC {model['auc']:.3f}: is something filled in after the fact?")
    lead = model["auc"]
    for name, other in found.items():
        if name != "model" and lead is not None and other["auc"] is not None and other["auc"] > lead:
            warnings.append(f"the rule {name!r} orders the test rows better than the model ({other['auc']:.3f})")
    return warnings
