"""What each goal and action has been like: worth of a success, bounds of the grades, and what actions are about."""

from __future__ import annotations

from typing import Any

import numpy as np

from features.own_rows import own_of
from nba.settings import Settings
from nba.settings.goals import Goal, Until
from training.fit import GoalFit
from training.past import Past


def describe_goal(fit: GoalFit, past: Past) -> dict[str, Any]:
    """Say what the service needs to know of a goal, for the bundle's manifest."""
    goal, rows, features = fit.data.goal, fit.data.rows, fit.data.features
    p = fit.final.predict(fit.data.X) if fit.final is not None else np.zeros(0)
    own = None
    if features.own:
        own = {
            "types": list(features.types),
            "own_channels": list(features.own_channels),
            "numbers": list(features.numbers),
        }
    return {
        "is_absence": goal.is_absence,
        "linked": goal.linked,
        "horizon_us": None if isinstance(goal.horizon, Until) else goal.horizon,
        "base_rate": float(np.clip(rows.label.mean(), 1e-4, 1 - 1e-4)) if len(rows) else 0.5,
        "success_value": success_value(goal, fit),
        "grades": _grades(goal, p),
        "own": own,
        "effects": {},
        "metrics": fit.report["metrics"]["model"],
        "after_kind": None if goal.snapshots.after is None else goal.snapshots.after.kind,
        "tested_from_us": int(rows.as_of[fit.test].min()) if fit.test.any() else past.end,
        "trained_to": fit.report["test"]["to"] or fit.report["train"]["to"],
    }


def success_value(goal: Goal, fit: GoalFit) -> float:
    """Worth of one success: the number of ``nba.toml``, else the mean margin in the horizon of successes.

    For a goal of absence the worth is what those who stayed brought in.
    """
    if goal.value != "sum":
        return float(goal.value)
    rows = fit.data.rows
    brought = rows.value[~rows.label if goal.is_absence else rows.label]
    return float(brought.mean()) if len(brought) else 0.0


def _grades(goal: Goal, p: np.ndarray[Any, np.dtype[np.float64]]) -> list[float]:
    """Bounds between the grades: D | C | B | A at the 50, 80 and 95 % quantiles, low | medium | high at 60 and 90."""
    at = (0.6, 0.9) if goal.is_absence else (0.5, 0.8, 0.95)
    if not len(p):
        return [1.0] * len(at)
    return [float(q) for q in np.quantile(p, at)]


def action_profiles(past: Past, settings: Settings, fits: list[GoalFit]) -> dict[str, Any]:
    """Find the topics, channel and numbers each action had when it was last taken."""
    profiles: dict[str, Any] = {}
    for fit in fits:
        rows = fit.data.rows
        if not fit.data.features.own or not len(rows):
            continue
        latest: dict[str, int] = {}
        own = own_of(past.recorded, rows.own)
        for i in np.argsort(rows.as_of, kind="stable").tolist():
            latest[own.type[i]] = i
        for name, i in latest.items():
            profiles[name] = {
                "topics": list(own.topics[i]),
                "channel": own.channel[i],
                "numbers": {k: v for k, v in own.numbers[i].items() if k in fit.data.features.numbers},
            }
    for decision in past.decisions:
        if decision.topics and decision.action not in profiles:
            profiles[decision.action] = {"topics": list(decision.topics), "channel": None, "numbers": {}}
    return profiles
