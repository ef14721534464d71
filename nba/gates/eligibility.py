"""What must be true of a contact before an action makes sense for it, and the season of the action."""

from __future__ import annotations

from collections.abc import Sequence

from models.saying.said import Said
from nba import needs
from nba.approach_rule import OUTBOUND
from nba.gates.refusal import Refusal
from nba.occasions import occasions
from nba.settings.actions import Action
from nba.situation import Situation


def eligibility(action: Action, at: Situation) -> Refusal | None:
    """Refuse what is for another place, waits for its occasion or needs what is not so."""
    if at.request.placement not in action.placements:
        parts = {"places": action.placements, "place": at.request.placement}
        return Refusal(action.name, "eligibility", Said("gate.placement", parts))
    if action.when is not None:
        waiting = occasions.waiting(action, action.when, at)
        if waiting is not None:
            told, until = waiting
            return Refusal(action.name, "eligibility", told, until)
    unmet = needs.unmet(action, at) if action.name in at.catalogue.needs else None
    return None if unmet is None else Refusal(action.name, "eligibility", unmet)


def conditional(at: Situation) -> Sequence[tuple[int, Action]]:
    """Return the actions that an occasion, a need or their placements may stand against."""
    catalogue = at.catalogue
    return catalogue.conditional if at.request.placement == OUTBOUND else catalogue.numbered


def season(action: Action, at: Situation) -> Refusal | None:
    """Refuse what has not begun or is over."""
    valid = action.valid
    if valid.from_ is not None and at.as_of < valid.from_:
        return Refusal(action.name, "season", Said("gate.begins", {"at": valid.from_}), valid.from_)
    if valid.to is not None and at.as_of >= valid.to:
        return Refusal(action.name, "season", Said("gate.ended", {"at": valid.to}))
    return None
