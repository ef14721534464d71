"""What came of forecasts that were made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from features.times import iso
from models.forecast_log import MEASURES, ForecastLog
from nba.settings import Settings
from training.forecast.rows import Watcher
from training.past import Past

MOST = 24


def matured(log: ForecastLog, past: Past, settings: Settings) -> list[dict[str, Any]]:
    """Return forecasts whose horizon has ended, with what came of the contacts that were known then."""
    found = []
    for told in log.made():
        goal, as_of, horizon = settings.goals.get(told["goal"]), int(told["as_of_us"]), int(told["horizon_us"])
        if goal is None or as_of + horizon > past.end or goal.snapshots.after is not None:
            continue
        came = Watcher(past, settings, goal, horizon).came(as_of)
        row: dict[str, Any] = {name: told[name] for name in ("goal", "made_at", "model_version")}
        row |= {"as_of": iso(as_of), "until": iso(as_of + horizon), "horizon_us": horizon}
        for measure, actual in zip(MEASURES, came, strict=True):
            if measure in told:
                row[measure] = {**_plain(told[measure]), "actual": actual, "held": _held(told[measure], actual)}
        found.append(row)
    return found[-MOST:]


def _plain(told: Mapping[str, Any]) -> dict[str, Any]:
    return {"expected": told["expected"], "interval": told["interval"]}


def _held(told: Mapping[str, Any], actual: float) -> bool | None:
    interval = told["interval"]
    return None if interval is None else bool(interval[0] <= actual <= interval[1])
