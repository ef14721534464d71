"""Whether a new bundle may take the champion's place, and why."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from features.matrix import History
from features.own_rows import own_of
from models.belief import Belief
from models.propensity import Propensity
from training import metrics
from training.fit import GoalFit
from training.past import Past

WORST_CALIBRATION = 0.10
"""Expected calibration error beyond which a probability misleads whoever reads it."""
FEWEST = 40
"""Positive and negative rows that a comparison needs."""


@dataclass(frozen=True)
class Verdict:
    """Whether to promote, with a sentence for everything that was looked at."""

    promote: bool
    reasons: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """As in the report."""
        return {"promote": self.promote, "reasons": list(self.reasons)}


@dataclass(frozen=True)
class Champion:
    """The bundle that serves, with its fits from before its own test."""

    belief: Belief
    judged: Mapping[str, Propensity]


def judge(fits: list[GoalFit], past: Past, champion: Champion | None) -> Verdict:
    """Judge a new bundle by its goals, alone and against the champion."""
    faults: list[str] = []
    passed: list[str] = []
    fitted = [fit for fit in fits if fit.judged is not None]
    if not fitted:
        return Verdict(False, ("no goal has enough data for a model; the points baseline carries on",))
    for fit in fitted:
        fault = _alone(fit)
        if fault:
            faults.append(fault)
            continue
        against = _against(fit, past, champion) if champion is not None else None
        if against is not None and against[0]:
            faults.append(against[1])
        else:
            passed.append(against[1] if against else _sound(fit))
    if champion is None and not faults:
        passed.append("there is no champion to compare with")
    return Verdict(not faults, tuple(faults or passed))


def _alone(fit: GoalFit) -> str | None:
    name, found = fit.data.goal.name, fit.report["metrics"]["model"]
    if found["auc"] is None:
        return f"{name}: the model cannot be judged, its test rows lack positives or negatives"
    interval = found["auc_interval"]
    if interval is None or interval[0] <= 0.5:
        return f"{name}: AUC {found['auc']:.3f} cannot be told from chance (95 % interval {_shown(interval)})"
    chance = calibration_noise(fit.report["test"]["rows"], fit.report["test"]["positives"])
    if found["ece"] is not None and found["ece"] > WORST_CALIBRATION + chance:
        return (
            f"{name}: calibration error {found['ece']:.3f} is above {WORST_CALIBRATION} "
            f"by more than chance explains ({chance:.3f})"
        )
    return None


def calibration_noise(rows: int, positives: int, bins: int = 10) -> float:
    """Return the calibration error that a perfect model shows by chance: a mean absolute normal deviation per bin.

    Examples
    --------
    >>> round(calibration_noise(1000, 500), 3)
    0.04
    """
    share = positives / rows
    return math.sqrt(2.0 / math.pi * share * (1.0 - share) * bins / rows)


def _shown(interval: list[float] | None) -> str:
    return "unknown" if interval is None else f"{interval[0]:.3f} to {interval[1]:.3f}"


def _sound(fit: GoalFit) -> str:
    found = fit.report["metrics"]["model"]
    return f"{fit.data.goal.name}: AUC {found['auc']:.3f}, calibration error {found['ece']:.3f}"


def _against(fit: GoalFit, past: Past, champion: Champion) -> tuple[bool, str] | None:
    """Whether the champion is better beyond noise on rows later than both trainings, in words.

    Each is represented by its fit from before its own test, so that neither has seen the rows.
    """
    name = fit.data.goal.name
    described: Mapping[str, Any] | None = champion.belief.goals.get(name)
    if described is None or name not in champion.judged or fit.predicted is None:
        return None
    rows = fit.data.rows.only(fit.test)
    later = rows.as_of >= int(described["tested_from_us"])
    if min(int(rows.label[later].sum()), int((~rows.label[later]).sum())) < FEWEST:
        return False, f"{name}: too few rows after both trainings to compare with the champion; {_sound(fit)}"
    rows = rows.only(later)
    features = champion.belief.own_features.get(name, champion.belief.features)
    own = own_of(past.recorded, rows.own) if features.own else None
    X = History(past.touchpoints, features).matrix(rows.contact, rows.as_of, traits=past.traits, own=own)
    past.fill_account(features, rows.contact, rows.as_of, X)
    gain, error = paired_gain(rows.label, fit.predicted[later], champion.judged[name].predict(X), rows.cluster)
    words = f"{name}: AUC {gain:+.3f} against the champion on {len(rows):,} rows (standard error {error:.3f})"
    return gain + 1.96 * error < 0.0, words


def paired_gain(
    label: np.ndarray[Any, Any],
    ours: np.ndarray[Any, Any],
    theirs: np.ndarray[Any, Any],
    contact: np.ndarray[Any, Any],
) -> tuple[float, float]:
    """Difference in AUC on the same rows and its standard error, by leaving out tenths of the contacts."""
    total = (metrics.auc(label, ours) or 0.0) - (metrics.auc(label, theirs) or 0.0)
    fold = contact % 10
    parts = []
    for left_out in range(10):
        keep = fold != left_out
        a, b = metrics.auc(label[keep], ours[keep]), metrics.auc(label[keep], theirs[keep])
        if a is not None and b is not None:
            parts.append(a - b)
    n = len(parts)
    error = float(np.sqrt((n - 1) / n * np.sum((np.array(parts) - np.mean(parts)) ** 2))) if n > 1 else float("inf")
    return total, error
