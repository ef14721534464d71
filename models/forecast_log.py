"""Forecasts that were made, kept in a file beside ``nba.toml``: a line for each goal of each forecast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from features.times import iso
from models.line_log import add_lines, read_lines

FILE = "forecasts.jsonl"
MEASURES = ("conversions", "revenue")
"""What is foreseen: how many, and how much."""
_BESIDE = ("until", "counts", "contacts", "by", "abc", "backtests", "notes")


@dataclass(frozen=True)
class ForecastLog:
    """The forecasts of one folder."""

    path: Path

    @classmethod
    def of(cls, folder: Path) -> ForecastLog:
        """Name the file of a folder."""
        return cls(folder / FILE)

    def add(self, report: Mapping[str, Any], made_at: int) -> bool:
        """Keep a forecast, with what came of earlier ones as far as it was known then; says whether the folder let it.

        Parameters
        ----------
        report
            As ``nba forecast --json`` writes it.
        made_at
            Microseconds.
        """
        earlier = report.get("earlier", ())
        lines = [
            {
                "made_at": iso(made_at),
                "as_of_us": report["as_of_us"],
                "goal": goal,
                "horizon_us": part["horizon_us"],
                "model_version": report["model_version"],
                "currency": report.get("currency"),
                "earlier": [row for row in earlier if row["goal"] == goal],
                **{name: part[name] for name in (*MEASURES, *_BESIDE) if name in part},
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

    def newest(self, until: int) -> list[dict[str, Any]]:
        """Return the newest forecast of each goal and horizon as of a moment up to ``until``, by goal and horizon."""
        newest = {(told["goal"], told["horizon_us"]): told for told in self.made() if int(told["as_of_us"]) <= until}
        return [newest[key] for key in sorted(newest)]
