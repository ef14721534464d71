"""What a training and a forecast would have reported of the models that are measured, which nobody has trained."""

from __future__ import annotations

from typing import Any

from features.times import DAY, iso
from nba.settings import Settings

_WHO = ("model", "points", "recency", "frequency", "abc", "logistic")
_TRIED = 12
_SUM = {"expected": 8.25, "interval": [4.5, 12.75]}
_GROUP = {"contacts": 7, "conversions": _SUM, "revenue": _SUM}


def standing(settings: Settings, version: str, sha256: str, now: int) -> dict[str, Any]:
    """Make up what the registry knows of the champion and of who wants to take its place."""
    values = {who: {"value": 1.0 + i / 10, "interval": [0.8, 1.9]} for i, who in enumerate(_WHO[:3])}
    gain = {"value": 0.2, "interval": [0.1, 0.3], "best_simple": "points"}
    effect = {"value": 0.01, "interval": [0.0, 0.02], "decisions": 900, "evidence": "randomised"}
    report = {
        "goals": {name: _learnt(now) for name in settings.goals},
        "policies": {"estimates": values, "gain_over_best_simple": gain},
        "effects": {"conversion": dict.fromkeys(settings.actions, effect)},
        "verdict": {"reasons": ["better than the champion"]},
    }
    told = {"promoted_by": "bench", "reason": "better", "experiment_id": "1", "run_id": "1", "report": report}
    return {
        "champion": {"version": version, "sha256": sha256, **told},
        "challenger": {"version": "2", "sha256": "1" * 64, **told},
    }


def _learnt(now: int) -> dict[str, Any]:
    metrics = {"auc": 0.81, "auc_interval": [0.78, 0.84], "ece": 0.02, "lift_at_10": 3.1, "brier": 0.11}
    moved = [{"feature": f"f{i}", "means": f"what {i} says", "psi": 0.3 + i / 100, "how": ""} for i in range(20)]
    drift = {"level": "moved", "sentence": "x", "moved": 20, "moved_far": 1, "of": 40, "features": moved}
    spans = ("train", 365, 90), ("test", 90, 1)
    return {
        "metrics": dict.fromkeys(_WHO, metrics),
        "calibration": "isotonic",
        "reliability": [[500.0, i / 10, i / 10 + 0.01] for i in range(10)],
        "drift": {"in_data": drift},
        "warnings": ["the records are young"],
        **{
            name: {
                "rows": 9_000, "positives": 900, "from": iso(now - old * DAY), "to": iso(now - young * DAY),
                "mean_prediction": 0.1,
            }
            for name, old, young in spans
        },
    }  # fmt: skip


def forecast_of(settings: Settings, then: int) -> dict[str, Any]:
    """Make up what ``nba forecast`` reports as of a moment: with a dozen tries on the past, for fifty owners."""
    whole = _SUM | {"with_new_contacts": _SUM}
    came = _SUM | {"actual": 9.0, "held": True}
    tried = [
        {"as_of": iso(then - i * 30 * DAY), "contacts": 300, "conversions": came, "revenue": came | {"naive": 1.0}}
        for i in range(_TRIED, 0, -1)
    ]
    part = {
        "horizon_us": 30 * DAY, "until": iso(then + 30 * DAY), "counts": "order", "contacts": 321,
        "conversions": whole, "revenue": whole,
        "abc": [{"name": name, **_GROUP, "last_year": 901.0, "naive": 345.0} for name in "ABC"],
        "by": {"owner": [{"name": f"owner:{i}", **_GROUP} for i in range(50)]},
        "backtests": {"rows": tried}, "notes": ["the records are young"],
    }  # fmt: skip
    goals = dict.fromkeys(settings.goals, part)
    return {"as_of_us": then, "model_version": "1", "currency": "EUR", "goals": goals, "earlier": []}
