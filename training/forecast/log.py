"""Forecasts that were made, kept in a file beside ``nba.toml``, and what came of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from features.times import iso
from models.line_log import add_lines, read_lines
from nba.settings import Settings
from training.forecast.rows import Watcher
from training.past import Past

FILE = "forecasts.jsonl"
"""A line a forecast: it is read by people and by this command only, so it needs no table of the store."""
MOST = 24


@dataclass(frozen=True)
class ForecastLog:
    """The forecasts of one folder, oldest first."""

    path: Path

    @classmethod
    def of(cls, settings: Settings) -> ForecastLog:
        """Name the file beside ``nba.toml``."""
        return cls(settings.folder / FILE)

    def add(self, report: Mapping[str, Any], made_at: int) -> bool:
        """Keep the totals of a forecast; says whether the folder let it."""
        lines = [
            {
                "made_at": iso(made_at),
                "as_of_us": report["as_of_us"],
                "goal": goal,
                "horizon_us": part["horizon_us"],
                "model_version": report["model_version"],
                **{measure: _plain(part[measure]) for measure in ("conversions", "revenue") if measure in part},
            }
            for goal, part in report["goals"].items()
        ]
        return add_lines(self.path, lines)

    def made(self) -> list[dict[str, Any]]:
        """Every forecast that can be read; the last made of those for the same goal, horizon and moment."""
        found: dict[tuple[object, ...], dict[str, Any]] = {}
        for told in read_lines(self.path):
            try:
                found[told["goal"], int(told["horizon_us"]), int(told["as_of_us"])] = told
            except (ValueError, KeyError, TypeError):
                # Somebody wrote into the file by hand; what else stands there still counts.
                continue
        return sorted(found.values(), key=lambda told: (told["as_of_us"], told["goal"], told["horizon_us"]))

    def matured(self, past: Past, settings: Settings) -> list[dict[str, Any]]:
        """Forecasts whose horizon has ended, with what came of the contacts that were known then."""
        found = []
        for told in self.made():
            goal, as_of, horizon = settings.goals.get(told["goal"]), int(told["as_of_us"]), int(told["horizon_us"])
            if goal is None or as_of + horizon > past.end or goal.snapshots.after is not None:
                continue
            happened, earned = Watcher(past, settings, goal, horizon).came(as_of)
            row: dict[str, Any] = {name: told[name] for name in ("goal", "made_at", "model_version")}
            row |= {"as_of": iso(as_of), "until": iso(as_of + horizon)}
            for measure, actual in (("conversions", happened), ("revenue", earned)):
                if measure in told:
                    row[measure] = {**told[measure], "actual": actual, "held": _held(told[measure], actual)}
            found.append(row)
        return found[-MOST:]


def _plain(expected: Mapping[str, Any]) -> dict[str, Any]:
    return {"expected": expected["expected"], "interval": expected["interval"]}


def _held(told: Mapping[str, Any], actual: float) -> bool | None:
    interval = told["interval"]
    return None if interval is None else bool(interval[0] <= actual <= interval[1])
