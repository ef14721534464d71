"""Whether every group of a protected trait is recommended the same, by the decisions that were made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from training.bias.compared import TOLERATED, ratio
from training.bias.groups import OTHER, UNKNOWN, Groups, groups_of
from training.rows.decision_rows import DecisionRows

SHOWN = 6
"""Actions named in a line of text; the JSON has all."""


def choice_bias(rows: DecisionRows, values: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Compare how often each action was chosen for the groups of each protected trait; JSON-able.

    Parameters
    ----------
    rows
        Decisions that were chosen among actions, whatever has come of them.
    values
        By protected trait what it says of everybody, from ``values_now``.

    Returns
    -------
    ``traits`` with their groups and the share of each action in each, and ``warnings`` in words.
    """
    told: dict[str, Any] = {}
    warnings: list[str] = []
    for trait, known in values.items() if len(rows) else ():
        groups = groups_of(trait, known, rows.contacts, rows.contact, rows.cluster)
        if groups.largest is None:
            told[trait] = {"groups": [], "note": groups.note}
            continue
        told[trait] = _told(rows, groups)
        warnings += _warnings(rows, trait, groups, groups.largest)
    return {"traits": told, "warnings": warnings}


def _told(rows: DecisionRows, groups: Groups) -> dict[str, Any]:
    found = []
    for i, (name, people) in enumerate(zip(groups.names, groups.people, strict=True)):
        taken = rows.action[groups.of == i]
        counts = np.bincount(taken, minlength=len(rows.actions)) / len(taken)
        shares = {action: share for action, share in zip(rows.actions, counts.tolist(), strict=True) if share}
        found.append({"group": name, "people": people, "decisions": len(taken), "shares": shares})
    return {"groups": found, "note": groups.note}


def _warnings(rows: DecisionRows, trait: str, groups: Groups, largest: int) -> list[str]:
    """Say in words which actions some groups get far more or less often than the largest."""
    said = []
    for i, name in enumerate(groups.names):
        if i == largest or name in (OTHER, UNKNOWN):
            continue
        for code, action in enumerate(rows.actions):
            taken = rows.action == code
            found = ratio(taken, groups.of, i, largest, rows.cluster)
            if found is not None and found.is_outside:
                own, other = (float(taken[groups.of == g].mean()) for g in (i, largest))
                said.append(
                    f"bias: {action!r} was chosen for {own:.1%} of those whose {trait} is {name!r} and {other:.1%} of "
                    f"those with {groups.names[largest]!r}: {found.value:.2f} times as often ({found.interval[0]:.2f} "
                    f"- {found.interval[1]:.2f}, tolerated {TOLERATED[0]:g} - {TOLERATED[1]:g})"
                )
    return said


def choice_lines(found: Mapping[str, Any]) -> list[str]:
    """Write what ``choice_bias`` found as lines of a report: what each group was recommended."""
    lines = []
    for trait, told in found["traits"].items():
        if not told["groups"]:
            lines.append(f"what was recommended, by {trait} (protected): {told['note']}")
            continue
        lines.append(f"what was recommended, by {trait} (protected)" + (f"; {told['note']}" if told["note"] else ""))
        for group in told["groups"]:
            most = sorted(group["shares"].items(), key=lambda item: (-item[1], item[0]))[:SHOWN]
            shares = ", ".join(f"{action} {share:.0%}" for action, share in most)
            lines.append(f"  {group['group']}, {group['people']:,} people, {group['decisions']:,} decisions: {shares}")
    return [*lines, *(f"  note: {warning}" for warning in found["warnings"])]
