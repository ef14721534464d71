"""What holds everything else back."""

from __future__ import annotations

from features.times import iso
from nba.gates.refusal import Refusal
from nba.settings.actions import Action
from nba.situation import Situation


def hold(action: Action, at: Situation) -> Refusal | None:
    """Refuse everything while something is open, mandatory actions too, but for what the hold excepts."""
    for found in at.open_cases:
        if action.name not in found.hold.except_:
            case = f" ({found.case})" if found.case else ""
            ends = f"until {found.hold.until}" if found.hold.until else "for good"
            return Refusal(action.name, "hold", f"{found.hold.open}{case} of {iso(found.since)} holds it back {ends}")
    return None
