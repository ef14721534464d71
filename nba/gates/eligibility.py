"""What must be true of a contact before an action makes sense for it, and the season of the action."""

from __future__ import annotations

from features.times import iso
from nba import needs, occasions
from nba.gates.refusal import Refusal
from nba.settings.actions import Action
from nba.situation import Situation


def eligibility(action: Action, at: Situation) -> Refusal | None:
    """Refuse what is for another place, waits for its occasion or needs what is not so."""
    if at.request.placement not in action.placements:
        detail = f"is for {', '.join(action.placements)}, not for {at.request.placement}"
    else:
        waiting = occasions.waiting(action, at)
        if waiting is not None:
            return Refusal(action.name, "eligibility", *waiting)
        detail = needs.unmet(action, at) or ""
    return Refusal(action.name, "eligibility", detail) if detail else None


def season(action: Action, at: Situation) -> Refusal | None:
    """Refuse what has not begun or is over."""
    valid = action.valid
    if valid.from_ is not None and at.as_of < valid.from_:
        return Refusal(action.name, "season", f"begins {iso(valid.from_)}", valid.from_)
    if valid.to is not None and at.as_of >= valid.to:
        return Refusal(action.name, "season", f"ended {iso(valid.to)}")
    return None
