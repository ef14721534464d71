"""Whether a contact meets the conditions of an action."""

from __future__ import annotations

from models.saying.said import Said
from nba import conditions
from nba.actions import Catalogue
from nba.conditions import Unmet
from nba.settings.actions import Action
from nba.situation import Situation


def unmet(action: Action, situation: Situation) -> Unmet:
    """Say which need of an action a contact does not meet first; None where all are met."""
    names = situation.catalogue.needs.get(action.name)
    if names is None:
        return None
    goal = wanted_goal(action, situation.catalogue) if "propensity_from" in names else None
    found = conditions.unmet(action.needs, names, situation, goal)
    if found is None and "segment" in names:
        found = _segment(action, situation)
    if found is None and "partner" in names:
        found = unmet_partner(action, situation)
    return found


def wanted_goal(action: Action, catalogue: Catalogue) -> str | None:
    """Name the goal that ``propensity_from`` of an action is about."""
    goal = catalogue.settings.goals.get(action.goal or "")
    return goal.name if goal is not None and not goal.is_absence else catalogue.usual_goal


def _segment(action: Action, at: Situation) -> Unmet:
    wanted = action.needs.segment
    return Said("needs.segment", {"segments": wanted}) if set(wanted).isdisjoint(at.segments) else None


def unmet_partner(action: Action, at: Situation) -> Unmet:
    """Say which partner an action needs and the contact has not, or has and should not; None where that is met."""
    wanted, partner = action.needs.partner, None if at.agreement is None else at.agreement.name
    if wanted is None or (isinstance(wanted, bool) and wanted == bool(partner)):
        return None
    if isinstance(wanted, bool):
        return Said("needs.partner" if wanted else "needs.no_partner")
    return None if partner in wanted else Said("needs.one_partner", {"partners": wanted})
