"""What the contact allows."""

from __future__ import annotations

from nba.gates.refusal import Refusal
from nba.settings.actions import Action
from nba.situation import Situation


def consent(action: Action, at: Situation) -> Refusal | None:
    """Refuse what goes out on a channel without consent."""
    detail = at.withheld[action.channel]
    return None if detail is None else Refusal(action.name, "consent", detail)


def excluded(action: Action, at: Situation) -> Refusal | None:
    """Refuse what the request itself leaves out."""
    if action.name not in at.request.exclude:
        return None
    return Refusal(action.name, "excluded", "the request excludes it")
