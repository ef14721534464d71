"""How contacts move along the journey: what follows each stage, how long it lasts, and who is stuck in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.feature_set import FeatureSet
from features.times import DAY, iso
from models.stages.stages import StageModel
from training.past import Past
from training.stages.rows import StageRows, behaviour, stage_rows

Ints = NDArray[np.int64]

APART, MOMENTS = 7 * DAY, 53
"""Stages are looked at every week, for a year at most."""
MOST_CONTACTS = 4_000
NOBODY = -1
TOO_LONG = 2.0
"""Who is in a stage for longer than so many times the usual is stuck in it."""
FEWEST = 10
"""Stays that must have ended before anything is called usual."""


@dataclass(frozen=True)
class Stays:
    """Uninterrupted times of contacts in a stage, shape (stays,).

    ``begun`` tells whether its begin was seen, ``next`` the stage that followed, NOBODY for a stay that goes on.
    """

    contact: Ints
    stage: Ints
    days: NDArray[np.float64]
    begun: NDArray[np.bool_]
    next: Ints

    @property
    def lasting(self) -> NDArray[np.bool_]:
        """Which stays go on."""
        flags: NDArray[np.bool_] = self.next == NOBODY
        return flags


def transitions(past: Past, stages: StageModel, features: FeatureSet, seed: int = 0) -> dict[str, Any]:
    """Tell how contacts moved between the stages in the weeks before the data end, for the report.

    Parameters
    ----------
    stages
        Learnt; the same for all weeks, so that only contacts move.
    features
        Of the columns of the stages.
    seed
        Of the draw of contacts, where there are more than are looked at.
    """
    rows = _few(stage_rows(past, past.end, moments=MOMENTS, apart=APART), seed)
    codes = stages.predict(behaviour(past, features, rows, stages.columns))
    table = stage_table(rows, codes)
    found = stays(table, APART / DAY)
    return {
        "every_days": APART / DAY,
        "from": iso(int(rows.moments[0])),
        "to": iso(int(rows.moments[-1])),
        "contacts": len(table),
        "next": _next(found, stages.names),
        **_lengths(found, stages.names),
    }


def _few(rows: StageRows, seed: int) -> StageRows:
    known = np.unique(rows.cluster)
    if len(known) <= MOST_CONTACTS:
        return rows
    drawn = np.random.default_rng(seed).choice(known, MOST_CONTACTS, replace=False)
    return rows.only(np.isin(rows.cluster, drawn))


def stage_table(rows: StageRows, codes: Ints) -> Ints:
    """Lay out the stage of each contact at each moment, shape (contacts, moments); NOBODY where it was not known."""
    who = np.unique(rows.cluster, return_inverse=True)[1]
    table = np.full((int(who.max()) + 1 if len(who) else 0, len(rows.moments)), NOBODY, dtype=np.int64)
    table[who, rows.at] = codes
    return table


def stays(table: Ints, step_days: float) -> Stays:
    """Find how long contacts were in each stage.

    A stage seen at one moment only, with the same one before and after, is no move: at a border between two stages
    contacts come and go.

    Parameters
    ----------
    table
        Stage by contact and moment, shape (n, moments), NOBODY where a contact was not known.
    step_days
        Between two moments. A stay lasts from the moment it is first seen to the one it is first not seen, or to
        the last moment.

    Examples
    --------
    >>> found = stays(np.array([[0, 0, 1, 1, 1, 1]]), 7.0)
    >>> found.stage.tolist(), found.days.tolist(), found.next.tolist()
    ([0, 1], [14.0, 21.0], [1, -1])
    """
    smooth = _smoothed(table)
    n, moments = smooth.shape
    changed = np.ones((n, moments), dtype=np.bool_)
    changed[:, 1:] = smooth[:, 1:] != smooth[:, :-1]
    contact, first = np.nonzero(changed)
    stage = smooth[contact, first]
    same = np.zeros(len(contact), dtype=np.bool_)
    same[:-1] = contact[1:] == contact[:-1]
    end = np.where(same, np.append(first[1:], 0), moments - 1)
    after = np.where(same, np.append(stage[1:], NOBODY), NOBODY)
    before = np.full(len(contact), NOBODY, dtype=np.int64)
    before[1:] = np.where(same[:-1], stage[:-1], NOBODY)
    known = stage != NOBODY
    # Whoever was not known a week before came new, and its stay began then, unless the records begin with it.
    begun = (before != NOBODY) | (first > 0)
    return Stays(*(each[known] for each in (contact, stage, (end - first) * step_days, begun, after)))


def _smoothed(table: Ints) -> Ints:
    smooth = table.copy()
    for i in range(1, table.shape[1] - 1):
        back = (smooth[:, i - 1] == table[:, i + 1]) & (table[:, i] != NOBODY) & (smooth[:, i - 1] != NOBODY)
        smooth[back, i] = smooth[back, i - 1]
    return smooth


def usual_days(days: NDArray[np.float64], ended: NDArray[np.bool_], still: float = 0.5) -> float | None:
    """Median length of stays of which some go on (Kaplan & Meier 1958); None where it is not reached.

    Parameters
    ----------
    days, ended
        Length of each stay, and whether it has ended.
    still
        The share that stays for longer; 0.5: the median.

    Examples
    --------
    >>> usual_days(np.array([7.0, 14.0, 21.0, 21.0]), np.array([True, True, True, False]))
    14.0
    """
    left = 1.0
    for length in np.unique(days[ended]).tolist():
        left *= 1.0 - float((ended & (days == length)).sum()) / float((days >= length).sum())
        if left <= still + 1e-12:
            return float(length)
    return None


def _next(found: Stays, names: Sequence[str]) -> dict[str, dict[str, float]]:
    """Share of those who left a stage by where they went."""
    shares: dict[str, dict[str, float]] = {}
    for i, name in enumerate(names):
        went = found.next[(found.stage == i) & ~found.lasting]
        counted = np.bincount(went, minlength=len(names)).tolist()
        shares[name] = {names[j]: n / len(went) for j, n in enumerate(counted) if n}
    return shares


def _lengths(found: Stays, names: Sequence[str]) -> dict[str, Any]:
    usual: dict[str, float | None] = {}
    stuck: dict[str, dict[str, Any]] = {}
    for i, name in enumerate(names):
        here = found.stage == i
        seen = here & found.begun
        enough = int((seen & ~found.lasting).sum()) >= FEWEST
        usual[name] = usual_days(found.days[seen], ~found.lasting[seen]) if enough else None
        now = found.days[here & found.lasting]
        limit = None if usual[name] is None else TOO_LONG * (usual[name] or 0.0)
        n = None if limit is None else int((now > limit).sum())
        stuck[name] = {
            "longer_than_days": limit,
            "contacts": n,
            "share": None if n is None or not len(now) else n / len(now),
        }
    return {"median_days": usual, "stuck": stuck}


def words(told: dict[str, Any]) -> list[str]:
    """Tell the transitions in a line for each stage, for a person."""
    lines = []
    for name, usual in told["median_days"].items():
        went = sorted(told["next"][name].items(), key=lambda pair: -pair[1])[:2]
        to = ", ".join(f"{100 * share:.0f} % to {other}" for other, share in went)
        days = "too few have left it to tell how long it lasts" if usual is None else f"usually {usual:.0f} days"
        stuck = told["stuck"][name]
        held = "" if not stuck["share"] else f"; {100 * stuck['share']:.0f} % are in it for more than twice that"
        lines.append(f"  {name}: {days}{', then ' + to if to else ''}{held}")
    return lines
