"""What the thresholds of the points table are worth: who passes now, and what came of those who passed before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.store.read_view import read_view
from features.store.store import Store
from features.times import DAY, iso
from models.points_table import PointsTable
from nba.settings.goals import Goal
from training.dataset import Rows
from training.drift.kind_counts import kind_counts
from training.past import Past

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

NAME = "thresholds"
"""Under which the figures are kept in the store."""
LATELY = 90 * DAY
"""How far before the newest moment whose outcome is known a contact's own newest one may lie."""
STEP = 5
_LADDER = (0.25, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98)
_Z_95 = 1.959964
Bound = tuple[float | None, float | None]


def check_thresholds(
    store: Store, past: Past | None, goal: Goal, rows: Rows | None, table: PointsTable, version: int
) -> dict[str, Any]:
    """Count who passes each threshold, what the model says of them, and what came of those who passed before.

    Parameters
    ----------
    past, rows
        What happened, and its rows for the goal; None where nothing did.
    version
        Of what is published over the settings; 0: nothing.

    Returns
    -------
    dict
        ``thresholds`` by the table's, and ``ladder``: as if a threshold were put at each of some totals. In each
        ``now``: contacts of ``v_next_best_action`` whose points lie between the bounds, and their mean chance by
        ``v_propensities``, None where no model tells; and ``before``: contacts whose total lay there at the newest
        moment of theirs whose outcome is known by now, and how many of them reached the goal, with Wilson's interval
        of 95 %.
    """
    points, chance, scored = _scored(store, goal.name)
    total, reached, moments = _before(past, rows, table)

    def both(bound: Bound) -> dict[str, Any]:
        here, there = _within(points, bound), _within(total, bound)
        told = chance[here & ~np.isnan(chance)]
        return {
            "from": bound[0],
            "below": bound[1],
            "now": {"contacts": int(here.sum()), "chance": round(float(told.mean()), 4) if len(told) else None},
            "before": _rate(reached[there]),
        }

    bounds = [(each.from_, each.below) for each in table.thresholds]
    return {
        "goal": goal.name,
        "within_days": goal.horizon / DAY if isinstance(goal.horizon, int) else None,
        "version": version,
        "scored_at": scored,
        "looked_at": None if moments is None else [iso(moments[0]), iso(moments[1])],
        "everybody": both((None, None)),
        "thresholds": [
            {**both(bound), "actions": list(each.actions)} for bound, each in zip(bounds, table.thresholds, strict=True)
        ],
        "ladder": [both((low, None)) for low in _ladder(points if len(points) else total)],
    }


def _scored(store: Store, goal: str) -> tuple[Floats, Floats, str | None]:
    """Points and chance of everybody whom the owner's side sees, as scored last, and when that was."""
    found = [row for row in read_view(store, "v_next_best_action") if row["points"] is not None]
    chances: Mapping[str, float] = {
        row["contact_id"]: row["probability"] for row in read_view(store, "v_propensities") if row["goal"] == goal
    }
    points = np.array([row["points"] for row in found], dtype=np.float64)
    told = np.array([chances.get(row["contact_id"], np.nan) for row in found], dtype=np.float64)
    return points, told, iso(max(row["scored_us"] for row in found)) if found else None


def _before(past: Past | None, rows: Rows | None, table: PointsTable) -> tuple[Floats, Flags, tuple[int, int] | None]:
    """Total of each contact at its newest moment whose outcome is known, and whether it then reached the goal."""
    if past is None or rows is None or not len(rows):
        return np.zeros(0), np.zeros(0, dtype=np.bool_), None
    order = np.lexsort((-rows.as_of, rows.cluster))
    first = np.ones(len(order), dtype=np.bool_)
    first[1:] = rows.cluster[order][1:] != rows.cluster[order][:-1]
    newest = np.zeros(len(rows), dtype=np.bool_)
    newest[order[first]] = True
    rows = rows.only(newest & (rows.as_of > rows.as_of.max() - LATELY))
    kinds = tuple(table.kinds)
    counts = kind_counts(past.touchpoints, rows, kinds, table.once, table.half_life_us)
    total: Floats = counts @ np.array([table.kinds[kind] for kind in kinds], dtype=np.float64)
    return total, rows.label, (int(rows.as_of.min()), int(rows.as_of.max()))


def _within(total: Floats, bound: Bound) -> Flags:
    low, high = bound
    inside: Flags = (total >= (-np.inf if low is None else low)) & (total < (np.inf if high is None else high))
    return inside


def _rate(reached: Flags) -> dict[str, Any]:
    """Share that reached the goal, with Wilson's interval: it stays within 0 and 1 however few there are."""
    n, k = len(reached), int(reached.sum())
    if not n:
        return {"contacts": 0, "reached": 0, "share": None, "interval": None}
    share, z2 = k / n, _Z_95**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z_95 / (1 + z2 / n) * float(np.sqrt(share * (1 - share) / n + z2 / (4 * n * n)))
    bounds = [round(max(centre - half, 0.0), 4), round(min(centre + half, 1.0), 4)]
    return {"contacts": n, "reached": k, "share": round(share, 4), "interval": bounds}


def _ladder(total: Floats) -> Sequence[float]:
    """Totals worth trying as a threshold, in steps of 5."""
    if not len(total):
        return ()
    found = STEP * np.round(np.quantile(total, _LADDER) / STEP)
    return sorted({float(each) for each in found if each > 0})
