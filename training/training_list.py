"""The last trainings side by side: how a metric went from one to the next, and which of them serves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from features.times import DAY, iso
from models.registry.training_run import PastTraining

_AUC = ".model.auc"


def listed(trainings: Sequence[PastTraining]) -> tuple[list[str], list[list[object]]]:
    """Columns and rows of a table, newest training first; goals that were never judged have no column."""
    goals = sorted({name.removesuffix(_AUC) for each in trainings for name in each.metrics if name.endswith(_AUC)})
    columns = ["version", "as of", "gate", *(f"{goal} {what}" for goal in goals for what in ("AUC", "ECE")), "alias"]
    return columns, [_row(each, goals) for each in trainings]


def plain(trainings: Sequence[PastTraining]) -> list[dict[str, Any]]:
    """Return the same as JSON, with every metric and tag."""
    return [
        {
            "version": each.version,
            "as_of": _day(each),
            "aliases": list(each.aliases),
            "tags": dict(each.tags),
            "metrics": dict(sorted(each.metrics.items())),
        }
        for each in trainings
    ]


def _row(each: PastTraining, goals: Sequence[str]) -> list[object]:
    figures = [each.metrics.get(f"{goal}.model.{metric}") for goal in goals for metric in ("auc", "ece")]
    shown = [None if figure is None else round(figure, 3) for figure in figures]
    return [each.version, _day(each), each.tags.get("validation"), *shown, ", ".join(each.aliases)]


def _day(each: PastTraining) -> str | None:
    return None if each.step is None else iso(each.step * DAY)[:10]
