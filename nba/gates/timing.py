"""Whether this is an hour and a day for it."""

from __future__ import annotations

from features.times import iso
from nba.gates.refusal import Refusal
from nba.settings.actions import Action
from nba.situation import Situation


def quiet(action: Action, at: Situation) -> Refusal | None:
    """Refuse what would go out in quiet hours."""
    if action.channel not in at.quiet:
        return None
    return _waiting(action, "quiet", f"quiet hours in {at.zone.key}", at)


def calendar(action: Action, at: Situation) -> Refusal | None:
    """Refuse what would go out on a day on which nothing does."""
    return None if at.closed is None else _waiting(action, "calendar", at.closed, at)


def _waiting(action: Action, rule: str, why: str, at: Situation) -> Refusal:
    until = at.opens_at(action.channel)
    then = "and no end is in sight" if until is None else f"may go from {iso(until)}"
    return Refusal(action.name, rule, f"{why}: {then}", until)
