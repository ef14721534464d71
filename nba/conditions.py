"""Conditions that actions and segments alike ask of a contact, and which of them it does not meet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from features.times import DAY
from models.saying.said import Said

if TYPE_CHECKING:
    from nba.settings.conditions import Conditions
    from nba.situation import Situation

Unmet = Said | None
"""What is asked and not so; None where it is so."""


def unmet(asked: Conditions, names: Sequence[str], at: Situation, goal: str | None) -> Unmet:
    """Say which condition a contact does not meet first; None where all are met.

    Parameters
    ----------
    names
        The conditions that are asked, in their order; those not known here are somebody else's.
    goal
        What ``propensity_from`` is about.
    """
    for name in names:
        check = CHECKS.get(name)
        found = check(asked, at, goal) if check is not None else None
        if found is not None:
            return found
    return None


def _points(asked: Conditions, at: Situation, goal: str | None) -> Unmet:
    least = asked.points_from
    if least is None or at.points >= least:
        return None
    return Said("needs.points", {"least": least, "has": at.points})


def _propensity(asked: Conditions, at: Situation, goal: str | None) -> Unmet:
    return None if asked.propensity_from is None else _below(asked.propensity_from, goal, at)


def _churn(asked: Conditions, at: Situation, goal: str | None) -> Unmet:
    return None if asked.churn_from is None else _below(asked.churn_from, at.catalogue.churn_goal, at)


def _below(least: float, goal: str | None, at: Situation) -> Unmet:
    found = at.propensities.get(goal or "")
    if found is None:
        return Said("needs.unknown_propensity", {"goal": goal or "conversion", "least": least})
    if found >= least:
        return None
    return Said("needs.propensity", {"goal": goal, "least": least, "has": float(f"{found:.3g}")})


def _revenue(asked: Conditions, at: Situation, goal: str | None) -> Unmet:
    least = asked.revenue_from
    if least is None or at.revenue_year >= least:
        return None
    return Said("needs.revenue", {"least": least, "days": 365, "has": at.revenue_year})


def _tenure(asked: Conditions, at: Situation, goal: str | None) -> Unmet:
    least, known = asked.tenure_from_us, at.known
    found = known.tenure(at.as_of)
    if least is None or (found >= least and known.times):
        return None
    return Said("needs.tenure", {"least": least / DAY, "has": found // DAY})


def _traits(asked: Conditions, at: Situation, goal: str | None) -> Unmet:
    traits = at.known.traits
    for name, wanted in asked.traits.items():
        found = traits.get(name)
        if not any(_equal(found, each) for each in wanted):
            return Said("needs.trait", {"trait": name, "values": tuple(map(_spelt, wanted))})
    return None


def _missing(asked: Conditions, at: Situation, goal: str | None) -> Unmet:
    for name in asked.missing:
        # What forbids an action is looked up also for those whose data may not be used to choose.
        if at.past.traits.get(name) is not None:
            return Said("needs.missing", {"trait": name})
    return None


def _seen(asked: Conditions, at: Situation, goal: str | None) -> Unmet:
    if not asked.seen or not at.known.rows.keys().isdisjoint(asked.seen):
        return None
    return Said("needs.seen", {"kinds": asked.seen})


def _without(asked: Conditions, at: Situation, goal: str | None) -> Unmet:
    for kind in asked.without:
        if kind in at.past.rows:
            return Said("needs.without", {"kind": kind})
    return None


CHECKS: Mapping[str, Callable[[Conditions, Situation, str | None], Unmet]] = {
    "points_from": _points,
    "propensity_from": _propensity,
    "churn_from": _churn,
    "revenue_from": _revenue,
    "tenure_from_us": _tenure,
    "traits": _traits,
    "missing": _missing,
    "seen": _seen,
    "without": _without,
}
"""By the name of the condition."""


def _equal(found: object, wanted: str | float | bool) -> bool:
    if isinstance(wanted, bool) or isinstance(found, bool):
        return _truth(found) is _truth(wanted) is not None
    if isinstance(wanted, str):
        return str(found) == wanted if found is not None else False
    try:
        return float(found) == wanted if isinstance(found, int | float | str) else False
    except ValueError:
        return False


def _truth(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value.lower()) if isinstance(value, str) else None


def _spelt(value: str | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else value
