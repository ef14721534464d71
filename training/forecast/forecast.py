"""The forecast: what the next horizon will bring, how sure that is, and how forecasts like it did before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.errors import UserError
from features.times import DAY, iso
from models.belief import Belief
from models.judged import judged_fits, judged_stages
from nba.settings import Settings
from nba.settings.goals import Goal
from training.forecast.rows import Outlook, Watcher
from training.forecast.spread import Expected, Trials, columns, expect
from training.forecast.trials import COUNT, MONEY, backtests
from training.past import Past
from training.predictor import Predictor

Floats = NDArray[np.float64]

DIMENSIONS = ("topic", "owner", "partner")
MOST_TRIALS = 12
_MEASURED = ("foreseen", "variance", "came")


@dataclass(frozen=True)
class Sums:
    """Sums of one measure over the contacts of each group: foreseen, their variance, and what came."""

    foreseen: Floats
    variance: Floats
    came: Floats


def forecast(
    past: Past,
    settings: Settings,
    champion: tuple[Path, str] | None,
    horizon: int | None,
    by: Sequence[str] = (),
    *,
    advance: Callable[[int], None] = lambda n: None,
) -> dict[str, Any]:
    """Foresee every goal with calendar rows from where the data end, with its backtests; JSON-able.

    Parameters
    ----------
    champion
        Folder and version of the bundle that serves.
    horizon
        Microseconds; each goal's own when left out.
    by
        Dimensions to split by: topic, owner, partner.
    advance
        Told of goals as they are done.

    Raises
    ------
    UserError
        Where no model is there, or no goal can be foreseen.
    """
    if champion is None:
        raise UserError("no model is installed here to forecast with; `nba train run` makes one")
    folder, version = champion
    belief, judged = Belief.load(folder, version), judged_fits(folder)
    stages = judged_stages(folder)
    goals: dict[str, Any] = {}
    notes: list[str] = []
    for name, goal in settings.need_goals().items():
        why = _not_foreseeable(goal, belief)
        if why is None and isinstance(goal.horizon, int):
            watcher = Watcher(past, settings, goal, horizon or goal.horizon, tuple(by))
            now = Predictor(past, belief.features, belief.bundle.propensities[name], belief.bundle.stages)
            before = Predictor(past, belief.features, judged[name], stages) if name in judged else None
            goals[name] = foresee(watcher, now, before, int(belief.goals[name]["tested_from_us"]))
        else:
            notes.append(f"{name}: {why}")
        advance(1)
    if not goals:
        raise UserError(*notes)
    return {
        "as_of": iso(past.end),
        "as_of_us": past.end,
        "model_version": version,
        "currency": settings.touchpoints.base,
        "goals": goals,
        "notes": notes,
    }


def _not_foreseeable(goal: Goal, belief: Belief) -> str | None:
    if goal.snapshots.after is not None or not isinstance(goal.horizon, int):
        return (
            "its rows are made after a touchpoint (snapshots.after), and how many of those are to come is not known; "
            "only goals with calendar snapshots can be forecast"
        )
    if goal.name not in belief.bundle.propensities:
        return "the model that serves has none for it; see `nba train report`"
    return None


def foresee(watcher: Watcher, now: Predictor, before: Predictor | None, tested_from: int) -> dict[str, Any]:
    """Foresee one goal from where the data end; JSON-able.

    Parameters
    ----------
    now
        The model that serves.
    before, tested_from
        The fit that had seen nothing from ``tested_from`` (microseconds) on, for the backtests; None has none.
    """
    end = watcher.past.end
    present = watcher.look(now, end, known=False)
    moments = trial_moments(end, watcher.horizon, watcher.goal.snapshots.every_us or 28 * DAY, tested_from)
    trials = [] if before is None else [watcher.look(before, moment, known=True) for moment in moments]
    independent = _independent(trials, watcher.horizon)
    report: dict[str, Any] = {
        "horizon_us": watcher.horizon,
        "horizon_days": watcher.horizon / DAY,
        "until": iso(end + watcher.horizon),
        "counts": "lost" if watcher.goal.is_absence else "won",
        "contacts": len(present),
    }
    measures = [COUNT] if watcher.goal.is_absence and watcher.goal.value != "sum" else [COUNT, MONEY]
    totals = {}
    for measure in measures:
        totals[measure] = total = _trials([sums(t, watcher, measure) for t in trials], independent)
        own = sums(present, watcher, measure)
        most = float(len(present)) if measure == COUNT else None
        expected = expect(float(own.foreseen.sum()), float(own.variance.sum()), total, most=most)
        report[measure] = expected.to_json()
        report[measure]["with_new_contacts"] = _with_new(expected, trials, measure).to_json()
    report["by"] = {
        dimension: _split(present, trials, watcher, dimension, totals, independent)
        for dimension in present.groups
        if dimension != "abc"
    }
    report["abc"] = _by_class(present, trials, watcher, totals, independent)
    report["backtests"] = backtests(trials, totals)
    report["notes"] = _notes(watcher, trials)
    return report


def trial_moments(end: int, horizon: int, every: int, first: int) -> list[int]:
    """Moments whose horizon has ended and that the judged fit had not seen, oldest first; at most twelve.

    Examples
    --------
    >>> trial_moments(100, 10, 20, 45)
    [50, 70, 90]
    """
    found = list(range(end - horizon, first - 1, -every))[:MOST_TRIALS]
    return found[::-1]


def sums(outlook: Outlook, watcher: Watcher, measure: str, dimension: str | None = None) -> Sums:
    """Add a measure up over everybody, or by the groups of a dimension; shape (groups,)."""
    if dimension is None:
        code, n = np.zeros(len(outlook), dtype=np.int64), 1
    else:
        code, n = outlook.groups[dimension][0], len(outlook.groups[dimension][1])
    if measure == COUNT:
        foreseen, variance = outlook.chance, outlook.chance * (1.0 - outlook.chance)
        came = outlook.happened
    else:
        # Money comes at a steady rate: twice the time brings twice as much, of the same contacts or of others.
        p, times = outlook.earning, watcher.times
        foreseen = times * p * outlook.worth
        variance = times * p * (outlook.worth_spread**2 + (1.0 - p) * outlook.worth**2)
        came = outlook.earned
    known = np.zeros(len(outlook)) if came is None else came
    foreseen, variance, known = (
        np.bincount(code, weights=values, minlength=n).astype(np.float64) for values in (foreseen, variance, known)
    )
    return Sums(foreseen, variance, known)


def _trials(found: Sequence[Sums], independent: float) -> Trials:
    if not found:
        return Trials(columns([]), columns([]), columns([]), 0.0)
    foreseen, variance, came = (np.array([getattr(each, name) for each in found]) for name in _MEASURED)
    return Trials(foreseen, variance, came, independent)


def _independent(trials: Sequence[Outlook], horizon: int) -> float:
    return 1.0 + (trials[-1].as_of - trials[0].as_of) // horizon if trials else 0.0


def _with_new(expected: Expected, trials: Sequence[Outlook], measure: str) -> Expected:
    """Add what contacts that nobody knew yet brought beside the known ones, on the average of the trials."""
    of_known = sum(float(_came(t, measure).sum()) for t in trials)
    of_new = sum(t.new_happened if measure == COUNT else t.new_earned for t in trials)
    share = 1.0 + (of_new / of_known if of_known > 0 else 0.0)
    interval = expected.interval
    return Expected(share * expected.value, None if interval is None else (share * interval[0], share * interval[1]))


def _came(outlook: Outlook, measure: str) -> Floats:
    found = outlook.happened if measure == COUNT else outlook.earned
    return np.zeros(0) if found is None else found


def _split(
    present: Outlook,
    trials: Sequence[Outlook],
    watcher: Watcher,
    dimension: str,
    totals: Mapping[str, Trials],
    independent: float,
) -> list[dict[str, Any]]:
    """Expect each group; what groups were off by is judged over all of them, for most are small."""
    code, names = present.groups[dimension]
    size = np.bincount(code, minlength=len(names))
    rows: list[dict[str, Any]] = [{"name": name, "contacts": int(n)} for name, n in zip(names, size, strict=True)]
    for measure, total in totals.items():
        own = sums(present, watcher, measure, dimension)
        of_groups = _pooled([sums(t, watcher, measure, dimension) for t in trials], independent)
        for i, row in enumerate(rows):
            most = float(size[i]) if measure == COUNT else None
            found = expect(
                float(own.foreseen[i]), float(own.variance[i]), of_groups, correction=total.correction, most=most
            )
            row[measure] = found.to_json()
    rows = [row for row in rows if row["contacts"]]
    return sorted(rows, key=lambda row: (-row[COUNT]["expected"], row["name"]))


def _pooled(found: Sequence[Sums], independent: float) -> Trials:
    """Every group of every trial as a trial of its own; groups come and go, so they are not told apart."""
    if not found:
        return _trials([], 0.0)
    foreseen, variance, came = (columns(np.concatenate([getattr(each, name) for each in found])) for name in _MEASURED)
    return Trials(foreseen, variance, came, independent)


def _by_class(
    present: Outlook, trials: Sequence[Outlook], watcher: Watcher, totals: Mapping[str, Trials], independent: float
) -> list[dict[str, Any]]:
    """Set the forecast beside what ABC planning expects: what each class brought in the same period before."""
    code, names = present.groups["abc"]
    rows = {row["name"]: row for row in _split(present, trials, watcher, "abc", totals, independent)}
    last_year = np.bincount(code, weights=present.last_year, minlength=len(names))
    naive = np.bincount(code, weights=present.naive, minlength=len(names))
    told = []
    for i in reversed(range(len(names))):
        if names[i] in rows:
            told.append({**rows[names[i]], "last_year": float(last_year[i]), "naive": float(naive[i])})
    return told


def _notes(watcher: Watcher, trials: Sequence[Outlook]) -> list[str]:
    notes = []
    if not trials:
        notes.append(
            "no forecast of this horizon could be tried on the past with a model that had not seen it, so no interval "
            "can be given: wait for a longer history, or choose a shorter horizon"
        )
    if watcher.horizon != watcher.goal.horizon:
        notes.append(
            "the model foresees the goal's own horizon; the chances are scaled to this one as if rates were steady, "
            "and corrected by how that came out in the backtests"
        )
    if not watcher.naive_is_last_year(watcher.past.end):
        notes.append("the records are younger than a year: the naive forecast is the period just before")
    if watcher.goal.among is not None:
        notes.append("only contacts of the goal's `among` are in the sums")
    if not watcher.goal.is_absence:
        notes.append(
            "contacts that nobody knows yet are not in the sums; `with_new_contacts` adds what such contacts brought "
            "in the backtests"
        )
    return notes
