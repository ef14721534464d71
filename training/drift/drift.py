"""Drift: how far features, scores and outcomes have moved since the training, and what that means in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.catalogue import Feature
from features.times import DAY, parse_duration
from training.drift.reference import Rate, Reference, Sample, contacts_of
from training.metrics import Z_95
from training.rows.bins import Bins, Shift, shift

Matrix = NDArray[np.float32]
Floats = NDArray[np.float64]

MOVED, FAR = 0.1, 0.25
"""Index from which a distribution has moved, and moved far (Siddiqi 2006, Credit Risk Scorecards)."""
FALSE_ALARM = 0.05
"""Chance that anything at all is called moved where nothing is: a third each for features, scores and outcomes."""
_Z = 2.394
"""Two-sided, of the third that outcomes have."""
SHOWN = 10
STEADY, HAS_MOVED, HAS_MOVED_FAR = "steady", "moved", "moved far"
_SETTLED = 730 * DAY
"""Age of the records from which what looks at all of them no longer grows much by itself."""


def compare(
    reference: Reference,
    sample: Sample,
    features: Sequence[Feature],
    gains: Mapping[str, float] | None = None,
    *,
    within: bool = False,
) -> dict[str, Any]:
    """Say how far rows have moved from a reference; JSON-able.

    Parameters
    ----------
    features
        Of the sample's columns, in their order.
    gains
        How much of the model rests on each column, 0 to 1.
    within
        Whether both are rows of one training, so that its model has learnt from what moved.

    Returns
    -------
    ``features`` (the furthest moved, at most ten), ``moved``, ``moved_far`` and ``of`` (how many columns),
    ``score``, ``outcome``, ``level`` and ``sentence``. Columns that grow by themselves because the records are
    young are counted in ``by_themselves`` and in nothing else.
    """
    gains = gains or {}
    contacts = len(np.unique(sample.contact))
    # A column that was empty at the training is one no model looks at.
    kept = {name for name, bins in reference.columns.items() if sum(bins.counts[:-1])}
    known = [(i, f) for i, f in enumerate(features) if f.name in kept]
    found: list[dict[str, Any]] = []
    by_themselves = 0
    for i, feature in known:
        bins = reference.columns[feature.name]
        counts = bins.count(sample.X[:, i])
        moved = shift(bins.counts, counts, (reference.contacts, contacts))
        meaning = _meaning(moved, len(known))
        if meaning == STEADY:
            continue
        if _grows(feature, reference):
            by_themselves += 1
            continue
        found.append(
            {
                "feature": feature.name,
                "means": feature.means,
                **_numbers(moved),
                "meaning": meaning,
                "how": _how(bins, counts),
                "gain": float(gains.get(feature.name, 0.0)),
            }
        )
    found.sort(key=lambda row: (-row["excess"], row["feature"]))
    report = {
        "contacts": [reference.contacts, contacts],
        "of": len(known),
        "moved": sum(row["meaning"] == HAS_MOVED for row in found),
        "moved_far": sum(row["meaning"] == HAS_MOVED_FAR for row in found),
        "by_themselves": by_themselves,
        "moved_gain": float(sum(row["gain"] for row in found)),
        "features": found[:SHOWN],
        "score": _score(reference, sample),
        "outcome": _outcome(reference, sample),
    }
    report["level"] = _level(report)
    report["sentence"] = _sentence(report, within)
    return report


def _numbers(moved: Shift) -> dict[str, float]:
    return {"psi": moved.psi, "chance": moved.chance, "excess": moved.excess, "p_value": moved.p_value}


def _meaning(moved: Shift, tests: int) -> str:
    """Name the size of what is left once chance is taken off, only where chance cannot be all there is."""
    if moved.p_value > FALSE_ALARM / 3 / max(1, tests) or moved.excess < MOVED:
        return STEADY
    return HAS_MOVED if moved.excess <= FAR else HAS_MOVED_FAR


def _grows(feature: Feature, reference: Reference) -> bool:
    """Whether a column looks back further than the records did for the oldest of the reference's rows."""
    age = reference.since - reference.records_from
    if feature.window == "ever":
        return age < (_SETTLED if feature.unit in ("count", "days", "money") else _SETTLED // 2)
    return feature.window[:1].isdigit() and parse_duration(feature.window) > age


def _how(bins: Bins, counts: NDArray[np.int64]) -> str:
    before, after = np.array(bins.counts, dtype=np.float64), counts.astype(np.float64)
    missing = after[-1] / after.sum() - before[-1] / before.sum()
    if abs(missing) >= 0.1:
        return f"missing {'more' if missing > 0 else 'less'} often ({before[-1] / before.sum():.0%} to " + (
            f"{after[-1] / after.sum():.0%})"
        )
    if bins.is_category:
        return "other values"
    place = np.arange(len(before) - 1)
    means = [float(np.average(place, weights=c[:-1])) if c[:-1].sum() else 0.0 for c in (before, after)]
    if abs(means[1] - means[0]) < 0.05 * len(place):
        return "spread otherwise"
    return "higher" if means[1] > means[0] else "lower"


def _score(reference: Reference, sample: Sample) -> dict[str, Any] | None:
    if reference.score is None or sample.score is None or not len(sample.score):
        return None
    counts = reference.score.count(sample.score)
    independent = reference.score_contacts, contacts_of(sample.score_contact, sample.contact)
    moved = shift(reference.score.counts, counts, independent)
    meaning = _meaning(moved, 1)
    return {**_numbers(moved), "meaning": meaning, "how": "" if meaning == STEADY else _how(reference.score, counts)}


def _outcome(reference: Reference, sample: Sample) -> dict[str, Any] | None:
    """Compare the rates: the index of two parts hardly sees a rare outcome double, so the change itself is told."""
    if sample.label is None or not len(sample.label) or not reference.outcome.rows:
        return None
    who = sample.contact if sample.label_contact is None else sample.label_contact
    before, now = reference.outcome, Rate.of(sample.label, who)
    difference, error = now.share - before.share, float(np.hypot(before.error, now.error))
    change = difference / before.share if before.share > 0 else None
    size = abs(change) if change is not None else 1.0
    certain = abs(difference) > _Z * error
    meaning = STEADY if not certain or size < MOVED else HAS_MOVED if size <= FAR else HAS_MOVED_FAR
    return {
        "before": before.share,
        "now": now.share,
        "rows": now.rows,
        "difference_interval": [difference - Z_95 * error, difference + Z_95 * error],
        "change": change,
        "meaning": meaning,
    }


def _level(report: Mapping[str, Any]) -> str:
    """Take the worst of score and outcome; features alone move a prediction only as far as the score shows."""
    told = [part["meaning"] for part in (report["score"], report["outcome"]) if part is not None]
    if HAS_MOVED_FAR in told:
        return HAS_MOVED_FAR
    return HAS_MOVED if HAS_MOVED in told or report["moved"] + report["moved_far"] else STEADY


def _sentence(report: Mapping[str, Any], within: bool) -> str:
    parts = []
    score, outcome = report["score"], report["outcome"]
    if report["moved"] + report["moved_far"]:
        first = report["features"][0]
        parts.append(
            f"{report['moved'] + report['moved_far']} of {report['of']} features have moved "
            f"({report['moved_gain']:.0%} of what the model rests on), most {first['feature']} ({first['how']}, "
            f"PSI {first['psi']:.2f})"
        )
    if score is not None and score["meaning"] != STEADY:
        parts.append(f"scores have {score['meaning']} ({score['how']}, PSI {score['psi']:.2f})")
    if outcome is not None and outcome["meaning"] != STEADY:
        parts.append(f"the rate has {outcome['meaning']}, from {outcome['before']:.1%} to {outcome['now']:.1%}")
    if not parts:
        return "steady: nothing has moved by more than chance explains"
    if report["by_themselves"]:
        parts.append(f"{report['by_themselves']} more features grow because the records are young, which is no alarm")
    told = "; ".join(parts)
    return told if within else f"{told}. {_ADVICE[_level(report)]}"


_ADVICE = {
    HAS_MOVED: "Look at what changed in the sources, and retrain",
    HAS_MOVED_FAR: "Retrain with `nba train run` before the numbers are trusted",
}
