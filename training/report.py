"""The training report: the contract's JSON, and the same as a table to read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from features.times import iso
from training.bias.bias import bias_lines
from training.bias.scores import score_lines
from training.drift.rows import drift_lines
from training.fit import GoalFit
from training.gate import Verdict
from training.partners.lead_drivers import lead_lines
from training.past import Past
from training.stages.report import stage_lines

_SHOWN_DRIVERS = 6


def full_report(
    past: Past,
    fits: list[GoalFit],
    stages: Mapping[str, Any],
    policies: Mapping[str, Any],
    verdict: Verdict,
) -> dict[str, Any]:
    """Write the report of the contract; its bundle is filled in once it is registered."""
    moments = past.recorded.occurred_at
    goals = {fit.data.goal.name: dict(fit.report) for fit in fits}
    for report in goals.values():
        report["warnings"] = [*report["warnings"], *_data_warnings(past)]
    return {
        "bundle": {"version": None, "sha256": None},
        "data": {
            "touchpoints": len(past.recorded),
            "contacts": sum(code >= 0 for code in past.current().values()),
            "from": iso(int(moments.min())),
            "to": iso(int(moments.max())),
            "quarantined": past.quarantined,
        },
        "goals": goals,
        "stages": dict(stages),
        "policies": dict(policies),
        "verdict": verdict.to_json(),
    }


def _data_warnings(past: Past) -> list[str]:
    always = past.recorded_traits.always_known()
    if not always:
        return []
    return [
        f"the traits of {always:,} contacts carry no known_at and are taken as always known; "
        "what was filled in later looks into the future"
    ]


def logged_metrics(report: Mapping[str, Any]) -> dict[str, float]:
    """Every finite number of the report's metrics by a name that MLflow takes."""
    found: dict[str, float] = {}
    for goal, part in report["goals"].items():
        for who, metrics in part["metrics"].items():
            for name, value in metrics.items():
                if isinstance(value, list):
                    found[f"{goal}.{who}.{name}.low"], found[f"{goal}.{who}.{name}.high"] = map(float, value)
                elif isinstance(value, int | float):
                    found[f"{goal}.{who}.{name}"] = float(value)
        for which in ("train", "test"):
            found[f"{goal}.{which}.rows"] = float(part[which]["rows"])
            found[f"{goal}.{which}.positives"] = float(part[which]["positives"])
    if report["stages"]["stability"] is not None:
        found["stages.stability"] = float(report["stages"]["stability"])
    return {name: value for name, value in found.items() if math.isfinite(value)}


def readable(report: Mapping[str, Any]) -> str:
    """Write the report as text: a table per goal, then stages, policy and verdict in sentences."""
    data = report["data"]
    lines = [
        f"{data['touchpoints']:,} touchpoints of {data['contacts']:,} contacts, "
        f"{data['from'][:10]} to {data['to'][:10]}; {data['quarantined']:,} rows in quarantine",
        "",
    ]
    for goal, part in report["goals"].items():
        lines += _goal_lines(goal, part)
    lines += [*stage_lines(report["stages"]), ""]
    # Reports of before there was such a part are still read.
    lines += bias_lines(report["bias"]) if "bias" in report else []
    policies = report["policies"]
    verdict = report["verdict"]
    serves = "serves" if verdict["promote"] else "would serve once promoted, what serves now goes on"
    lines.append(f"policy: {policies['serves']} {serves} - {policies['why']} (evidence: {policies['evidence']})")
    lines.append(("promoted: " if verdict["promote"] else "not promoted: ") + "; ".join(verdict["reasons"]))
    return "\n".join(lines)


def _goal_lines(goal: str, part: Mapping[str, Any]) -> list[str]:
    train, test = part["train"], part["test"]
    lines = [
        f"{goal}: trained on {train['rows']:,} rows ({train['positives']:,} positive), "
        f"tested on {test['rows']:,} later ones ({test['positives']:,} positive)"
    ]
    lines.append(f"  {'':10} {'AUC':>6} {'95 % interval':>15} {'AP':>6} {'Brier':>6} {'ECE':>6} {'lift@10':>8}")
    for who, metrics in part["metrics"].items():
        interval = metrics.get("auc_interval")
        bounds = f"{interval[0]:.3f} - {interval[1]:.3f}" if interval else ""
        cells = [_figure(metrics.get(name)) for name in ("average_precision", "brier", "ece")]
        lift = _figure(metrics.get("lift_at_10"), 2)
        row = f"  {who:10} {_figure(metrics['auc']):>6} {bounds:>15} {' '.join(f'{c:>6}' for c in cells)} {lift:>8}"
        lines.append(row.rstrip())
    lines.append(f"  calibration: {part['calibration']}")
    lines += _driver_lines(part.get("driver_groups", []))
    lines += lead_lines(part["lead_drivers"]) if "lead_drivers" in part else []
    lines += drift_lines(part.get("drift", {}))
    lines += score_lines(part["bias"]) if "bias" in part else []
    lines += [f"  note: {warning}" for warning in part["warnings"]]
    return [*lines, ""]


def _driver_lines(groups: list[Mapping[str, Any]]) -> list[str]:
    """Name what drives a goal most, and which way: "+" raises it, "-" lowers it."""
    sign = {"raises": "+", "lowers": "-", "mixed": "+-"}
    said = []
    for group in groups[:_SHOWN_DRIVERS]:
        way = ", ".join(group["best"]) if group.get("best") else sign.get(group.get("more", ""), "")
        said.append(f"{group['means']} {group['gain']:.0%}" + (f" ({way})" if way else ""))
    return [f"  driven by: {'; '.join(said)}"] if said else []


def _figure(value: float | None, digits: int = 3) -> str:
    return "" if value is None else f"{value:.{digits}f}"
