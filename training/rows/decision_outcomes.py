"""What came of past decisions, for one goal, as a training row's label is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from features.own_rows import own_properties
from features.spans import spans, tally
from features.touchpoints.touchpoints import TouchpointRules, Touchpoints
from nba.settings.goals import Goal, Until
from training.dataset import of_kinds, time_of
from training.past import Past

if TYPE_CHECKING:
    from features.rows.row_types import DecisionRow

I64 = NDArray[np.int64]
Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]

_NO_DECISION = -2
"""A code that no touchpoint's decision has: nothing can be linked to such a row."""


@dataclass(frozen=True)
class Outcome:
    """What happened in ``[decided_at, until)`` of each decision; arrays of shape (n,).

    ``label`` is the goal's own, so that it is true of an absence where nothing happened; ``value`` the margin in the
    horizon. Both say nothing where ``known`` is false: the horizon ended after the data, or has no end.
    """

    goal: Goal
    label: Flags
    value: Floats
    until: I64
    known: Flags

    @property
    def success(self) -> Flags:
        """What is wanted: that the goal happens, or that an absence does not."""
        return ~self.label if self.goal.is_absence else self.label

    def only(self, which: Flags) -> Outcome:
        """Take some rows."""
        columns = ("label", "value", "until", "known")
        return replace(self, **{name: getattr(self, name)[which] for name in columns})


def outcome_of(
    past: Past,
    goal: Goal,
    rules: TouchpointRules,
    decisions: Sequence[DecisionRow],
    contact: I64,
    decided_at: I64,
) -> Outcome:
    """Look at what happened to each decision's contact in the goal's horizon.

    Parameters
    ----------
    contact
        Codes of ``past.touchpoints``; one beyond them had no touchpoint.
    decided_at
        Microseconds, shape (n,).
    """
    until, ends = _until(past.recorded, goal, decisions, decided_at)
    known = ends & (until <= past.end)
    wanted = _decision_codes(past.recorded, decisions) if goal.linked else None
    row = np.flatnonzero(known & (contact < len(past.touchpoints.contacts)))
    identity = contact[row]
    if past.versions is not None:
        # What the service would see at the end of the horizon of whoever was decided about.
        again, identity = past.versions.seen_at(contact[row], until[row])
        row = row[again]
    each = None if wanted is None else wanted[row]
    count, value = _happened(past.recorded, goal, rules, identity, (decided_at[row], until[row]), each)
    happened = np.bincount(row, weights=count, minlength=len(decisions)) > 0
    brought = np.bincount(row, weights=value, minlength=len(decisions)).astype(np.float64)
    return Outcome(goal, ~happened if goal.is_absence else happened, brought, until, known)


def _happened(
    recorded: Touchpoints, goal: Goal, rules: TouchpointRules, identity: I64, span: tuple[I64, I64], wanted: I64 | None
) -> tuple[I64, Floats]:
    """Count what decides the label, and add up the margin, in ``[from, until)`` of each identity."""
    inside = spans(recorded.start, recorded.occurred_at, identity, *span)
    count, _, _ = tally(inside, of_kinds(recorded, goal.watched), link=recorded.decision, wanted=wanted)
    _, value, _ = tally(
        inside, of_kinds(recorded, rules.money) & ~recorded.outbound, weight=recorded.margins(rules.margin)
    )
    return count, value


def _decision_codes(recorded: Touchpoints, decisions: Sequence[DecisionRow]) -> I64:
    code = {name: i for i, name in enumerate(recorded.decisions)}
    return np.array([code.get(row.decision_id, _NO_DECISION) for row in decisions], dtype=np.int64)


def _until(recorded: Touchpoints, goal: Goal, decisions: Sequence[DecisionRow], decided_at: I64) -> tuple[I64, Flags]:
    """When each horizon ends, and whether it does, after the decision."""
    if not isinstance(goal.horizon, Until):
        return decided_at + goal.horizon, np.ones(len(decisions), dtype=np.bool_)
    name, own = goal.horizon.property, _own_touchpoints(recorded, decisions)
    found = [row for row in own if row >= 0]
    told = dict(zip(found, own_properties(recorded, found), strict=True))
    until, ends = decided_at.copy(), np.zeros(len(decisions), dtype=np.bool_)
    for i, row in enumerate(decisions):
        try:
            until[i] = time_of((row.properties or {}).get(name, told.get(own[i], {}).get(name)))
        except ValueError:
            continue
        ends[i] = until[i] > decided_at[i]
    return until, ends


def _own_touchpoints(recorded: Touchpoints, decisions: Sequence[DecisionRow]) -> list[int]:
    """Row of the outbound touchpoint that carried each decision out, -1 where none is on record."""
    sent = np.flatnonzero(recorded.outbound & (recorded.decision >= 0))[::-1]
    first = dict(zip(recorded.decision[sent].tolist(), sent.tolist(), strict=True))
    return [first.get(code, -1) for code in _decision_codes(recorded, decisions).tolist()]
