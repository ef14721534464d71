"""What the contact allows."""

from __future__ import annotations

from features.times import iso
from nba.gates.refusal import Refusal
from nba.settings.actions import Action
from nba.situation import Situation


def consent(action: Action, at: Situation) -> Refusal | None:
    """Refuse what goes out on a channel without consent."""
    detail = at.withheld[action.channel]
    return None if detail is None else Refusal(action.name, "consent", detail)


def preference(action: Action, at: Situation) -> Refusal | None:
    """Refuse what the contact does not wish, or not so often; only a default action waits for its rhythm."""
    for wish in at.wishes:
        about = " about ".join(each for each in (wish.channel, wish.topic) if each) or "anything"
        if wish.forbids(action):
            return Refusal(action.name, "preference", f"the contact wishes nothing by {about}")
        if at.goes_out and action.class_ == "default":
            until = wish.room_from(action, at.approaches, at.as_of)
            if until is not None:
                detail = f"the contact wishes {about} at most {wish.spelt}, again from {iso(until)}"
                return Refusal(action.name, "preference", detail, until)
    return None


def excluded(action: Action, at: Situation) -> Refusal | None:
    """Refuse what the request itself leaves out."""
    if action.name not in at.request.exclude:
        return None
    return Refusal(action.name, "excluded", "the request excludes it")
