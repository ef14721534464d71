"""Whether this is an hour for it."""

from __future__ import annotations

from features.times import iso
from nba.gates.refusal import Refusal
from nba.settings.actions import Action
from nba.situation import Situation


def quiet(action: Action, at: Situation) -> Refusal | None:
    """Refuse what would go out in quiet hours."""
    until = at.quiet.get(action.channel)
    if until is None:
        return None
    return Refusal(action.name, "quiet", f"quiet hours in {at.zone.key} until {iso(until)}", until)
