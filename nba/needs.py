"""Whether a contact meets the conditions of an action."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from features.times import DAY
from nba.actions import Catalogue
from nba.settings.actions import Action
from nba.situation import Situation

Unmet = str | None


def unmet(action: Action, situation: Situation) -> Unmet:
    """Say which need of an action a contact does not meet first; None where all are met."""
    catalogue = situation.catalogue
    for name in catalogue.needs[catalogue.column[action.name] - 1]:
        check = _CHECKS.get(name)
        found = check(action, situation) if check is not None else None
        if found is not None:
            return found
    return None


def _points(action: Action, at: Situation) -> Unmet:
    least = action.needs.points_from
    if least is None or at.points >= least:
        return None
    return f"needs {least:g} points, has {at.points:g}"


def _propensity(action: Action, at: Situation) -> Unmet:
    least = action.needs.propensity_from
    return None if least is None else _below(least, _wanted_goal(action, at.catalogue), at)


def _churn(action: Action, at: Situation) -> Unmet:
    least = action.needs.churn_from
    return None if least is None else _below(least, at.catalogue.settings.churn_goal, at)


def _wanted_goal(action: Action, catalogue: Catalogue) -> str | None:
    goal = catalogue.settings.goals.get(action.goal or "")
    return goal.name if goal is not None and not goal.is_absence else catalogue.usual_goal


def _below(least: float, goal: str | None, at: Situation) -> Unmet:
    found = at.propensities.get(goal or "")
    if found is None:
        return f"needs a {goal or 'conversion'} propensity of {least:g}, none is known without a model"
    return None if found >= least else f"needs a {goal} propensity of {least:g}, has {found:.3g}"


def _revenue(action: Action, at: Situation) -> Unmet:
    least = action.needs.revenue_from
    if least is None or at.revenue_year >= least:
        return None
    return f"needs a revenue of {least:g} in the last 365 days, has {at.revenue_year:g}"


def _tenure(action: Action, at: Situation) -> Unmet:
    least = action.needs.tenure_from_us
    found = at.known.tenure(at.as_of)
    if least is None or (found >= least and not at.known.is_empty):
        return None
    return f"needs to be known for {least / DAY:g} days, is for {found // DAY}"


def _traits(action: Action, at: Situation) -> Unmet:
    for name, wanted in action.needs.traits.items():
        if not any(_equal(at.known.traits.get(name), each) for each in wanted):
            return f"needs {name} to be {' or '.join(map(_spelt, wanted))}"
    return None


def _missing(action: Action, at: Situation) -> Unmet:
    for name in action.needs.missing:
        # What forbids an action is looked up also for those whose data may not be used to choose.
        if at.past.traits.get(name) is not None:
            return f"is only for contacts without {name}"
    return None


def _seen(action: Action, at: Situation) -> Unmet:
    seen = action.needs.seen
    if not seen or any(kind in at.known.last_seen for kind in seen):
        return None
    return f"needs one of {', '.join(seen)} before"


def _without(action: Action, at: Situation) -> Unmet:
    for kind in action.needs.without:
        if kind in at.past.last_seen:
            return f"is not for contacts with {kind} before"
    return None


def _partner(action: Action, at: Situation) -> Unmet:
    wanted, partner = action.needs.partner, at.past.traits.get("partner")
    if wanted is None or (isinstance(wanted, bool) and wanted == bool(partner)):
        return None
    if isinstance(wanted, bool):
        return "needs a partner" if wanted else "is only for contacts without a partner"
    return None if partner in wanted else f"needs one of the partners {', '.join(wanted)}"


def _segment(action: Action, at: Situation) -> Unmet:
    # Nobody can be told to be in a segment yet; offering the action would ignore its condition.
    return (
        f"needs the segment {' or '.join(action.needs.segment)}, and segments are not built yet"
        if (action.needs.segment)
        else None
    )


_CHECKS: Mapping[str, Callable[[Action, Situation], Unmet]] = {
    "points_from": _points,
    "propensity_from": _propensity,
    "churn_from": _churn,
    "revenue_from": _revenue,
    "tenure_from_us": _tenure,
    "traits": _traits,
    "missing": _missing,
    "seen": _seen,
    "without": _without,
    "segment": _segment,
    "partner": _partner,
}
"""By the name of the condition; ``stage`` is a matter of suitability."""


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
