"""How forecasts would have done at past moments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from features.times import iso
from training.forecast.rows import Outlook
from training.forecast.spread import Trials, expect

COUNT, MONEY = "conversions", "revenue"
"""What is foreseen: how many, and how much."""


def backtests(trials: Sequence[Outlook], totals: Mapping[str, Trials]) -> dict[str, Any]:
    """Say how forecasts would have done at past moments, each judged by the others; JSON-able.

    Parameters
    ----------
    trials
        What was foreseen at each moment, with what came.
    totals
        By measure, the sums of the same moments.
    """
    rows: list[dict[str, Any]] = []
    for i, trial in enumerate(trials):
        row: dict[str, Any] = {"as_of": iso(trial.as_of), "contacts": len(trial)}
        for measure, total in totals.items():
            others = total.without(i)
            found = expect(float(total.foreseen[i, 0]), float(total.variance[i, 0]), others)
            actual = float(total.came[i, 0])
            held = None if found.interval is None else found.interval[0] <= actual <= found.interval[1]
            row[measure] = {**found.to_json(), "actual": actual, "held": held}
        if MONEY in row:
            row[MONEY]["naive"] = float(trial.naive.sum())
        rows.append(row)
    independent = max((total.independent for total in totals.values()), default=0.0)
    report: dict[str, Any] = {"count": len(trials), "independent": independent, "rows": rows}
    for measure in totals:
        judged = [row[measure] for row in rows]
        actual = sum(abs(each["actual"]) for each in judged)
        answers = [each["held"] for each in judged if each["held"] is not None]
        told: dict[str, Any] = {"error": _off(judged, "expected", actual), "held": sum(answers), "of": len(answers)}
        if measure == MONEY:
            told["naive_error"] = _off(judged, "naive", actual)
        report[measure] = told
    return report


def _off(judged: Sequence[Mapping[str, Any]], name: str, actual: float) -> float | None:
    """Sum of absolute errors over the sum of what came."""
    return sum(abs(each[name] - each["actual"]) for each in judged) / actual if actual > 0 else None
