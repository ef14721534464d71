"""Whether a contact meets the conditions of an action."""

from __future__ import annotations

from nba import conditions
from nba.actions import Catalogue
from nba.conditions import Unmet
from nba.settings.actions import Action
from nba.situation import Situation


def unmet(action: Action, situation: Situation) -> Unmet:
    """Say which need of an action a contact does not meet first; None where all are met."""
    names = situation.catalogue.needs[situation.catalogue.column[action.name] - 1]
    if not names:
        return None
    found = conditions.unmet(action.needs, names, situation, _wanted_goal(action, situation.catalogue))
    if found is None and "segment" in names:
        found = _segment(action, situation)
    if found is None and "partner" in names:
        found = _partner(action, situation)
    return found


def _wanted_goal(action: Action, catalogue: Catalogue) -> str | None:
    goal = catalogue.settings.goals.get(action.goal or "")
    return goal.name if goal is not None and not goal.is_absence else catalogue.usual_goal


def _segment(action: Action, at: Situation) -> Unmet:
    wanted = action.needs.segment
    return f"needs the segment {' or '.join(wanted)}" if not set(wanted) & set(at.segments) else None


def _partner(action: Action, at: Situation) -> Unmet:
    wanted, partner = action.needs.partner, None if at.agreement is None else at.agreement.name
    if wanted is None or (isinstance(wanted, bool) and wanted == bool(partner)):
        return None
    if isinstance(wanted, bool):
        return "needs a partner" if wanted else "is only for contacts without a partner"
    return None if partner in wanted else f"needs one of the partners {', '.join(wanted)}"
