"""What the contact allows."""

from __future__ import annotations

from models.saying.said import Said
from nba.gates.refusal import Refusal
from nba.settings.actions import Action
from nba.situation import Situation
from nba.wishes import Wish


def consent(action: Action, at: Situation) -> Refusal | None:
    """Refuse what goes out on a channel without consent."""
    detail = at.withheld[action.channel]
    return None if detail is None else Refusal(action.name, "consent", detail)


def preference(action: Action, at: Situation) -> Refusal | None:
    """Refuse what the contact does not wish, or not so often; only a default action waits for its rhythm."""
    for wish in at.wishes:
        if wish.forbids(action):
            return Refusal(action.name, "preference", Said("gate.unwished", {"about": _about(wish)}))
        if at.goes_out and action.class_ == "default":
            until = wish.room_from(action, at.approaches, at.as_of)
            if until is not None:
                parts = {"about": _about(wish), "most": wish.spelt, "from": until}
                return Refusal(action.name, "preference", Said("gate.too_often", parts), until)
    return None


def _about(wish: Wish) -> Said:
    if wish.channel and wish.topic:
        return Said("wish.both", {"channel": wish.channel, "topic": wish.topic})
    named = wish.channel or wish.topic
    return Said("wish.anything") if named is None else Said("wish.one", {"what": named})


def excluded(action: Action, at: Situation) -> Refusal | None:
    """Refuse what the request itself leaves out."""
    if action.name not in at.request.exclude:
        return None
    return Refusal(action.name, "excluded", Said("gate.excluded"))
