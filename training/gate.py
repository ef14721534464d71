"""Whether a new bundle may take the champion's place, and why."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from training import metrics
from training.champion import Champion, Unreadable
from training.fit import GoalFit
from training.past import Past
from training.predictor import Predictor

WORST_CALIBRATION = 0.10
"""Expected calibration error beyond which a probability misleads whoever reads it."""
FEWEST = 40
"""Positive and negative rows that a comparison needs."""
FEWEST_TESTED = 10
"""Positive and negative test rows below which a model's figures are one contact's luck."""
TOO_GOOD = 0.95
"""AUC from which it is likelier that the rows know the outcome than that the model is so good."""


@dataclass(frozen=True)
class Verdict:
    """Whether to promote, with a sentence for everything that was looked at."""

    promote: bool
    reasons: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """As in the report."""
        return {"promote": self.promote, "reasons": list(self.reasons)}


def judge(
    fits: list[GoalFit],
    past: Past,
    champion: Champion | Unreadable | None,
    drift: Mapping[str, Mapping[str, Any] | None] | None = None,
) -> Verdict:
    """Judge a new bundle by its goals, alone and against the champion.

    Parameters
    ----------
    fits
        One for each goal.
    past
        What they were made from.
    champion
        The bundle that serves, if there is one.
    drift
        Of each goal, from its training rows to its test rows, as ``training.drift.drift.compare`` says it.

    Returns
    -------
    Promoted only where no goal has a fault; its reasons are the faults, or else what each goal has shown.
    """
    fitted = [fit for fit in fits if fit.judged is not None]
    if not fitted:
        return Verdict(False, ("no goal has enough data for a model; the points baseline carries on",))
    readable = champion if isinstance(champion, Champion) else None
    faults: list[str] = []
    passed: list[str] = []
    for fit in fitted:
        name = fit.data.goal.name
        moved = (drift or {}).get(name)
        fault = _too_few(fit) or _alone(fit) or _too_good(fit, readable) or _broken_off(name, moved)
        if fault:
            faults.append(fault)
            continue
        is_worse, words = (False, _sound(fit)) if readable is None else _against(fit, past, readable)
        (faults if is_worse else passed).append(words)
        if moved is not None and moved["level"] != "steady":
            passed.append(f"{name}: {moved['sentence']}")
    if isinstance(champion, Unreadable):
        passed.append(f"the champion cannot be compared with: {champion.why}")
    elif champion is None:
        passed.append("there is no champion to compare with")
    return Verdict(not faults, tuple(faults or passed))


def _too_few(fit: GoalFit) -> str | None:
    test = fit.report["test"]
    fewest = min(test["positives"], test["rows"] - test["positives"])
    if fewest >= FEWEST_TESTED:
        return None
    return (
        f"{fit.data.goal.name}: {test['positives']:,} of {test['rows']:,} test rows are positive; "
        f"{FEWEST_TESTED} of either kind are the least that a model can be judged by"
    )


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


def _too_good(fit: GoalFit, champion: Champion | None) -> str | None:
    """Hold a suspicious model back for a person to look at; who let one like it serve has done so."""
    name, auc = fit.data.goal.name, fit.report["metrics"]["model"]["auc"]
    if auc <= TOO_GOOD or (champion is not None and champion.auc.get(name, 0.0) > TOO_GOOD):
        return None
    return (
        f"{name}: AUC {auc:.3f} is too good to be true; look for what was filled in after the fact, and where "
        "nothing was, promote it by hand with `nba train promote`"
    )


def _broken_off(name: str, moved: Mapping[str, Any] | None) -> str | None:
    """Scores that move far while outcomes do not: it is not the contacts that have changed but what is told of them."""
    if moved is None or moved["score"] is None or moved["outcome"] is None:
        return None
    if moved["score"]["meaning"] != "moved far" or moved["outcome"]["meaning"] != "steady":
        return None
    return (
        f"{name}: the scores have moved far within the test rows (PSI {moved['score']['psi']:.2f}) while the outcomes "
        f"have not; see what changed in the sources: {moved['sentence']}"
    )


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


def _against(fit: GoalFit, past: Past, champion: Champion) -> tuple[bool, str]:
    """Whether the champion is better beyond noise on rows later than both trainings, in words.

    Each is represented by its fit from before its own test, so that neither has seen the rows.
    """
    name = fit.data.goal.name
    described: Mapping[str, Any] | None = champion.belief.goals.get(name)
    if described is None or name not in champion.judged or fit.predicted is None:
        return False, f"{_sound(fit)}; the champion does not know this goal"
    rows = fit.data.rows.only(fit.test)
    later = rows.as_of >= int(described["tested_from_us"])
    if min(int(rows.label[later].sum()), int((~rows.label[later]).sum())) < FEWEST:
        return False, f"{name}: too few rows after both trainings to compare with the champion; {_sound(fit)}"
    rows = rows.only(later)
    features = champion.belief.own_features.get(name, champion.belief.features)
    theirs, _ = Predictor(past, features, champion.judged[name], champion.stages).predict(rows)
    gain, error = metrics.paired_gain(rows.label, fit.predicted[later], theirs, rows.cluster)
    words = f"{name}: AUC {gain:+.3f} against the champion on {len(rows):,} rows (standard error {error:.3f})"
    return gain + 1.96 * error < 0.0, words
