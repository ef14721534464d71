"""Fitting one goal: on the training part for the report, then with the same choices on every row for the bundle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.catalogue import PER_TOPIC, RISING
from features.feature_set import REST, FeatureSet
from models.propensity import NotEnoughData, Propensity
from models.stages.column import fill_stage
from models.stages.stages import StageModel
from training import metrics
from training.baselines import baselines
from training.dataset import describe
from training.drivers import feature_drivers, meaning_drivers
from training.past import Past
from training.rows.goal_rows import GoalRows
from training.rows.leaks import eventually, find_leaks

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


def fit_goal(data: GoalRows, past: Past, *, seed: int = 0, stages: StageModel | None = None) -> GoalFit:
    """Fit, judge and fit again.

    ``stages`` are those of the bundle, which the last fit looks at, where the feature set has a column for them; the
    first looks at those that ``data`` was built with.
    """
    rows, train, test = data.rows, data.split.train, data.split.test
    leaks = find_leaks(data, eventually(data, past))
    left_out = [data.features.columns.index(leak.column) for leak in leaks if leak.left_out]
    # A column without values is never split on, so that the models keep the columns that every goal shares.
    data.X[:, left_out] = np.nan
    warnings = _row_warnings(data) + [str(leak) for leak in leaks]
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
            optional=_optional(data.features),
            params=_rising(data),
        )
    except NotEnoughData as few:
        judged = None
        warnings.append(f"not enough data: {few}")
    predicted = None if judged is None or not test.any() else judged.predict(data.X[test])
    fill_stage(stages, data.features, data.X)
    final = None if judged is None else judged.refit(data.X, rows.label)
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
        "reliability": [] if predicted is None else metrics.calibration_curve(label, predicted).tolist(),
        "left_out": [] if judged is None else list(judged.unused),
        "drivers": feature_drivers(data.features, final),
        "driver_groups": meaning_drivers(data.features, final, data.X, seed),
        "warnings": warnings,
    }
    return GoalFit(data, judged, final, report, test, predicted, rules)


def _rising(data: GoalRows) -> dict[str, Any] | None:
    """Hold trees to what the catalogue says can only rise; of what an absence does nothing is declared."""
    names = RISING.intersection(data.features.columns) - set(data.features.categorical)
    if data.goal.is_absence or not data.features.own:
        return None
    return {"monotone_constraints": [int(name in names) for name in data.features.columns]}


def _optional(features: FeatureSet) -> list[list[str]]:
    """Name the groups of columns that must pay for being looked at.

    A column per topic says what one topic did; on few rows, trees learn which of them happened to go up with the
    outcome. What holds for every topic (interest, trends, how an action's topics fit) is always looked at.
    """
    topics = [feature.named(topic).name for topic in (*features.topics, REST) for feature in PER_TOPIC]
    return [topics, [feature.name for feature in features.stage_features]]


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
