"""The pictures of a training: one place where they are gathered, by the name they have in MLflow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from training.fit import GoalFit
from training.plots import plots


def pictures(fits: Iterable[GoalFit], *others: Mapping[str, bytes]) -> dict[str, bytes]:
    """Calibration and lift of every goal that was judged, and what others have drawn.

    Parameters
    ----------
    fits
        One for each goal.
    others
        File name to PNG: of stages, effects, policies, drift.
    """
    drawn: dict[str, bytes] = {}
    for fit in fits:
        drawn |= _of_goal(fit)
    for more in others:
        drawn |= more
    return drawn


def _of_goal(fit: GoalFit) -> dict[str, bytes]:
    label = fit.data.rows.label[fit.test]
    if fit.predicted is None or not 0 < int(label.sum()) < len(label):
        return {}
    name, y = fit.data.goal.name, label.astype(np.float64)
    title = f"{name}: test rows {fit.report['test']['from'][:10]} to {fit.report['test']['to'][:10]}"
    scores = {"model": fit.predicted} | {rule: values for rule, values in fit.rules.items() if values is not None}
    return {
        f"{name}-calibration.png": plots.calibration_plot(y, fit.predicted, title),
        f"{name}-lift.png": plots.lift_plot(y, scores, title),
    }
