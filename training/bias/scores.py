"""Whether a model's predictions are as right, and its grades as open, for every group of a protected trait."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.bias.compared import TOLERATED, ratio
from training.bias.groups import OTHER, UNKNOWN, Groups, groups_of
from training.fit import GoalFit
from training.metrics import Z_95
from training.past import Past

Floats = NDArray[np.float64]

TOP_SHARE = {False: 0.2, True: 0.1}
"""The best-scored part of the test rows that counts as selected, for a goal and for one of absence: the shares that
grade B or better and high risk have."""


def score_bias(fit: GoalFit, past: Past, values: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Compare the groups of each protected trait on a goal's test rows; JSON-able.

    Parameters
    ----------
    values
        By protected trait what it says of everybody, from ``values_now``.

    Returns
    -------
    ``top_share`` and ``selected_from`` (the probability from which a row is selected), ``traits`` with their groups,
    and ``warnings`` in words.
    """
    p, top = fit.predicted, TOP_SHARE[fit.data.goal.is_absence]
    if p is None or not len(p):
        return {"top_share": top, "selected_from": None, "traits": {}, "warnings": []}
    rows = fit.data.rows.only(fit.test)
    selected_from = float(np.quantile(p, 1.0 - top))
    told, warnings = {}, []
    for trait, known in values.items():
        groups = groups_of(trait, known, past.touchpoints.contacts, rows.contact, rows.cluster)
        told[trait] = _told(groups, rows.label.astype(np.float64), p, selected_from, rows.cluster)
        warnings += _warnings(fit.data.goal.name, trait, told[trait], top)
    return {"top_share": top, "selected_from": selected_from, "traits": told, "warnings": warnings}


def _told(groups: Groups, label: Floats, p: Floats, selected_from: float, person: NDArray[np.int64]) -> dict[str, Any]:
    largest, selected = groups.largest, p >= selected_from
    if largest is None:
        return {"compared_with": None, "groups": [], "note": groups.note}
    found = []
    for i, (name, people) in enumerate(zip(groups.names, groups.people, strict=True)):
        own = groups.of == i
        against = None if i == largest else ratio(selected, groups.of, i, largest, person)
        found.append(
            {
                "group": name,
                "people": people,
                "rows": int(own.sum()),
                "base_rate": float(label[own].mean()),
                "mean_prediction": float(p[own].mean()),
                "calibration_difference": float((p[own] - label[own]).mean()),
                "calibration_interval": _interval(p[own] - label[own], person[own]),
                "selection_rate": float(selected[own].mean()),
                "ratio": None if against is None else against.value,
                "ratio_interval": None if against is None else list(against.interval),
                "outside": against is not None and against.is_outside and name not in (OTHER, UNKNOWN),
            }
        )
    return {"compared_with": groups.names[largest], "groups": found, "note": groups.note}


def _interval(difference: Floats, person: NDArray[np.int64]) -> list[float] | None:
    """Two-sided 95 % interval of a mean; rows of one person may depend on each other. None for a single person."""
    _, who = np.unique(person, return_inverse=True)
    n, mean = int(who.max()) + 1, float(difference.mean())
    if n < 2:
        return None
    summed = np.bincount(who, difference - mean, n)
    error = float(np.sqrt(n / (n - 1) * np.sum(summed**2))) / len(difference)
    return [mean - Z_95 * error, mean + Z_95 * error]


def _warnings(goal: str, trait: str, told: Mapping[str, Any], top: float) -> list[str]:
    """Say in words which groups the model takes far more or less often than the largest."""
    of = {group["group"]: group for group in told["groups"]}
    said = []
    for name, group in of.items():
        if not group["outside"]:
            continue
        largest, (low, high) = of[told["compared_with"]], group["ratio_interval"]
        said.append(
            f"bias: among the {top:.0%} with the highest probability of {goal} are {group['selection_rate']:.1%} of "
            f"those whose {trait} is {name!r} and {largest['selection_rate']:.1%} of those with "
            f"{told['compared_with']!r}: {group['ratio']:.2f} times as often ({low:.2f} - {high:.2f}, tolerated "
            f"{TOLERATED[0]:g} - {TOLERATED[1]:g}); it came true for {group['base_rate']:.1%} and "
            f"{largest['base_rate']:.1%}"
        )
    return said


def score_lines(found: Mapping[str, Any]) -> list[str]:
    """Write what ``score_bias`` found as lines of a report, a table per trait."""
    lines = []
    for trait, told in found["traits"].items():
        if not told["groups"]:
            lines.append(f"  by {trait} (protected): {told['note']}")
            continue
        lines.append(
            f"  by {trait} (protected); selected: the {found['top_share']:.0%} that are most likely; ratio: "
            f"to {told['compared_with']!r}" + (f"; {told['note']}" if told["note"] else "")
        )
        heads = f"{'people':>7} {'rows':>7} {'true':>7} {'said':>7} {'too high':>9} {'selected':>9}  ratio"
        lines.append(f"    {'':16} {heads}")
        lines += [_line(group) for group in told["groups"]]
    return lines


def _line(group: Mapping[str, Any]) -> str:
    ratios = ""
    if group["ratio"] is not None:
        low, high = group["ratio_interval"]
        ratios = f"{group['ratio']:.2f} ({low:.2f} - {high:.2f})" + (" !" if group["outside"] else "")
    return (
        f"    {group['group'][:16]:16} {group['people']:>7,} {group['rows']:>7,} {group['base_rate']:>7.1%} "
        f"{group['mean_prediction']:>7.1%} {group['calibration_difference']:>+9.1%} {group['selection_rate']:>9.1%}  "
        f"{ratios}"
    ).rstrip()
