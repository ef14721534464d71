"""The forecast as text: a table a goal, and sentences for what a number cannot say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

MOST_GROUPS = 12


def readable(report: Mapping[str, Any]) -> str:
    """Write a forecast as ``training.forecast.forecast`` makes it."""
    lines = [f"forecast from {report['as_of'][:10]} (where the data end), model version {report['model_version']}", ""]
    for goal, part in report["goals"].items():
        lines += _goal(goal, part, report["currency"])
    lines += _earlier(report.get("earlier", []))
    lines += [f"note: {note}" for note in report["notes"]]
    return "\n".join(lines).rstrip()


def _goal(goal: str, part: Mapping[str, Any], currency: str) -> list[str]:
    days = f"{part['horizon_days']:g} days"
    lines = [f"{goal}: the next {days}, until {part['until'][:10]}, {part['contacts']:,} contacts"]
    what = {"lost": "contacts lost", "won": "conversions"}[part["counts"]]
    for measure, label in (("conversions", what), ("revenue", f"margin, {currency}")):
        if measure in part:
            shown = f"  {label:22} {_amount(part[measure]['expected']):>12}  {_interval(part[measure]['interval'])}"
            new = part[measure]["with_new_contacts"]["expected"]
            if new > part[measure]["expected"]:
                shown += f"; {_amount(new)} with contacts yet to come"
            lines.append(shown)
    lines += _table("class", part["abc"], part, extra=("last_year", "naive"))
    for dimension, rows in part["by"].items():
        lines += _table(dimension, rows, part)
    lines += _backtests(part["backtests"], part)
    lines += [f"  note: {note}" for note in part["notes"]]
    return [*lines, ""]


def _table(
    name: str, rows: Sequence[Mapping[str, Any]], part: Mapping[str, Any], extra: tuple[str, ...] = ()
) -> list[str]:
    measures = [measure for measure in ("conversions", "revenue") if measure in part]
    heads = {"last_year": "last year", "naive": "ABC expects"}
    words = {"conversions": part["counts"], "revenue": "margin"}
    head = [name, "contacts"]
    for measure in measures:
        head += [words[measure], "90 % interval"]
    head += [heads[column] for column in extra if "revenue" in measures]
    table = [head]
    for row in rows[:MOST_GROUPS]:
        cells = [str(row["name"]), f"{row['contacts']:,}"]
        for measure in measures:
            cells += [_amount(row[measure]["expected"]), _bounds(row[measure]["interval"])]
        cells += [_amount(row[column]) for column in extra if "revenue" in measures]
        table.append(cells)
    widths = [max(len(row[i]) for row in table) for i in range(len(head))]
    lines = [
        "  "
        + "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in table
    ]
    if len(rows) > MOST_GROUPS:
        lines.append(f"  and {len(rows) - MOST_GROUPS:,} more; --json has them all")
    return lines


def _backtests(found: Mapping[str, Any], part: Mapping[str, Any]) -> list[str]:
    if not found["count"]:
        return []
    lines = []
    for measure, label in (("conversions", part["counts"]), ("revenue", "margin")):
        told = found.get(measure)
        if told is None or told["error"] is None:
            continue
        line = f"  backtests, {label}: off by {told['error']:.0%} on average over {found['count']} past moments"
        if told["of"]:
            line += f", inside the interval {told['held']} of {told['of']} times"
        if told.get("naive_error") is not None:
            line += f"; the ABC way is off by {told['naive_error']:.0%}"
        lines.append(line)
    return lines


def _earlier(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    if not rows:
        return []
    lines = ["earlier forecasts whose time has come:"]
    for row in rows:
        told = row["conversions"]
        verdict = {True: "inside", False: "outside", None: "no interval"}[told["held"]]
        lines.append(
            f"  {row['goal']} from {row['as_of'][:10]} until {row['until'][:10]}: expected {_amount(told['expected'])} "
            f"{_interval(told['interval'])}, came {_amount(told['actual'])} ({verdict})"
        )
    return [*lines, ""]


def _amount(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.1f}"


def _bounds(interval: Sequence[float] | None) -> str:
    return "unknown" if interval is None else f"{_amount(interval[0])} - {_amount(interval[1])}"


def _interval(interval: Sequence[float] | None) -> str:
    return "(no interval)" if interval is None else f"(90 % between {_amount(interval[0])} and {_amount(interval[1])})"
