"""Who leaves: contacts of whom nothing has been heard for long, and customers who did not come again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.spans import spans, tally
from features.times import ALWAYS, DAY
from features.touchpoints.touchpoints import BY_MACHINE
from nba.settings import Settings
from training.dataset import label_rows, of_kinds, rows_at
from training.past import Past
from training.pipeline.people import People, Present

Ints = NDArray[np.int64]

SILENCE = 90 * DAY
"""Who has done nothing for so long has left."""


def silent(
    people: People, present: Present, codes: Ints, moment: int, every: int, names: Sequence[str]
) -> dict[str, dict[str, int]]:
    """Count by stage who has done nothing for three months, and whom that is new of since the moment before.

    Who never did anything is counted from when it was first heard of.

    Parameters
    ----------
    codes
        Stage of each contact at ``moment``.
    every
        Microseconds since the moment before.
    """
    last = _last_heard(people, present, moment)
    left = last < moment - SILENCE
    fell = left & (last >= moment - SILENCE - every)
    n, of_left, of_fell = len(names), codes[left], codes[fell]
    return {
        name: {"silent": all_, "fell_silent": new}
        for name, all_, new in zip(
            names, np.bincount(of_left, minlength=n).tolist(), np.bincount(of_fell, minlength=n).tolist(), strict=True
        )
    }


def _last_heard(people: People, present: Present, moment: int) -> Ints:
    t, own = people.past.touchpoints, present.contact >= 0
    last = np.empty(len(present), dtype=np.int64)
    last[own] = people.first[present.contact[own]]
    last[~own] = people.lone[present.who[~own] - people.size]
    theirs = ~t.outbound & ~of_kinds(t, (BY_MACHINE,))
    _, _, row = tally(spans(t.start, t.occurred_at, present.contact[own], ALWAYS, moment), theirs)
    last[own] = np.where(row >= 0, t.occurred_at[np.maximum(row, 0)], last[own])
    return last


def lost(past: Past, people: People, settings: Settings, moment: int) -> dict[str, dict[str, Any]]:
    """Count for each goal of absence who were customers a horizon ago, and who of them has not come again since.

    Goals whose rows are made after a touchpoint are not among them.
    """
    found: dict[str, dict[str, Any]] = {}
    for name, goal in settings.goals.items():
        if not goal.is_absence or goal.snapshots.after is not None or not isinstance(goal.horizon, int):
            continue
        rows = rows_at(past.touchpoints, goal, moment - goal.horizon, past.versions)
        rows = rows.only(people.first[rows.contact] < moment)
        labelled = label_rows(past.touchpoints, settings.touchpoints, goal, rows, past.versions)
        n = int(labelled.label.sum())
        found[name] = {"customers": len(labelled), "lost": n, "days": goal.horizon / DAY}
    return found
