"""How often is enough."""

from __future__ import annotations

from models.saying.said import Said
from nba.gates.refusal import Refusal
from nba.settings.actions import Action
from nba.situation import Situation


def cap(action: Action, at: Situation) -> Refusal | None:
    """Refuse what would be one too many; mandatory and transactional actions do not count."""
    if action.class_ == "default":
        for full in at.full:
            if full.cap.channel in (None, action.channel):
                parts = {"n": full.count, "most": full.cap.count, "per": full.cap.per}
                return Refusal(action.name, full.cap.rule, Said("gate.cap", parts), full.until)
    return None


def full_until(action: Action, at: Situation) -> int | None:
    """Return when every cap that an action counts in has room; None where one never has."""
    ends = [full.until for full in at.full if full.cap.channel in (None, action.channel)]
    known = [end for end in ends if end is not None]
    return max(known, default=at.as_of) if len(known) == len(ends) else None
