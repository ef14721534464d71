"""The best worklist of all where a day is small enough to be solved as integers, by HiGHS."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csr_array

from nba.plan.plan import Day, Worklist, broken, planned

MOST = 1_000
"""Candidates up to which a day is solved as integers; beyond it prices alone leave next to no gap."""
_NODES = 100
"""Branches that are looked at before the best found so far is taken; a limit of time could not be replayed."""
_SURE = 1e-9


def best_worklist(day: Day) -> Worklist:
    """Plan a day, as integers where it is small and prices leave a gap.

    Returns
    -------
    A worklist that keeps to every limit; the same for the same day.
    """
    found = planned(day)
    worth = np.flatnonzero(day.priority > 0)
    if found.gap <= _SURE or len(worth) > MOST:
        return found
    A, room = _limits(day, worth)
    solved = milp(
        -day.priority[worth],
        integrality=np.ones(len(worth)),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(A, -np.inf, room),
        options={"mip_rel_gap": 0.0, "node_limit": _NODES},
    )
    least = found.bound if solved.mip_dual_bound is None else min(found.bound, -float(solved.mip_dual_bound))
    if solved.x is not None:
        chosen = np.zeros(len(day.priority), dtype=np.bool_)
        chosen[worth[solved.x > 0.5]] = True
        value = float(day.priority[chosen].sum())
        # A solver keeps to limits within a tolerance; a worklist keeps to them.
        if value > found.value and not broken(day, chosen):
            found = replace(found, chosen=chosen, value=value)
    return replace(found, bound=max(least, found.value))


def _limits(day: Day, worth: NDArray[np.int64]) -> tuple[csr_array, NDArray[np.float64]]:
    """Lay out all limits as one matrix, each scaled so that a solver's tolerance is small against every use."""
    rows, columns, entries, rooms = [], [], [], []
    begin = 0
    for each in day.limits:
        row = each.row[worth].astype(np.int64)
        at = np.flatnonzero(row >= 0)
        use = np.ones(len(at)) if each.use is None else each.use[worth][at].astype(np.float64)
        scale = max(1.0, float(use.mean())) if len(use) else 1.0
        rows.append(row[at] + begin)
        columns.append(at)
        entries.append(use / scale)
        rooms.append(np.maximum(each.room, 0) / scale)
        begin += len(each.room)
    if not begin:
        return csr_array((0, len(worth))), np.zeros(0)
    where = (np.concatenate(rows), np.concatenate(columns))
    return csr_array((np.concatenate(entries), where), shape=(begin, len(worth))), np.concatenate(rooms)


def relaxed_bound(day: Day) -> float:
    """Return the largest sum of priorities where parts of candidates could be chosen: no worklist exceeds it."""
    worth = np.flatnonzero(day.priority > 0)
    A, room = _limits(day, worth)
    solved = linprog(-day.priority[worth], A_ub=A, b_ub=room, bounds=(0, 1), method="highs")
    return -float(solved.fun)
