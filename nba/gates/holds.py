"""What holds everything else back."""

from __future__ import annotations

from models.saying.said import Said
from nba.gates.refusal import Refusal
from nba.settings.actions import Action
from nba.situation import Situation


def hold(action: Action, at: Situation) -> Refusal | None:
    """Refuse everything while something is open, mandatory actions too, but for what the hold excepts."""
    for found in at.open_cases:
        if action.name not in found.hold.except_:
            case = f" ({found.case})" if found.case else ""
            ends = Said("hold.until", {"until": found.hold.until}) if found.hold.until else Said("hold.for_good")
            parts = {"open": found.hold.open, "case": case, "since": found.since, "ends": ends}
            return Refusal(action.name, "hold", Said("gate.hold", parts))
    return None
