"""What rests for a while: snoozed, refused too often, or on a channel that was found wrong."""

from __future__ import annotations

from features.touchpoints.touchpoints import NONE
from models.saying.said import Said
from nba.actions import about_same
from nba.gates.refusal import Refusal
from nba.settings.actions import Action
from nba.settings.contact_policy import Pause
from nba.situation import Situation


def paused(action: Action, at: Situation) -> Refusal | None:
    """Refuse what rests."""
    return _stopped(action, at) or _resting(action, at)


def _stopped(action: Action, at: Situation) -> Refusal | None:
    wrong, until = at.stops.channels.get(action.channel), at.stops.actions.get(action.name)
    if wrong is not None:
        return Refusal(action.name, "paused", Said("gate.wrong", {"channel": action.channel, "at": wrong}))
    if until is not None:
        return Refusal(action.name, "paused", Said("gate.snoozed", {"until": until}), until)
    return None


def _resting(action: Action, at: Situation) -> Refusal | None:
    for pause in at.pauses:
        until = _pause_end(pause, _outcomes(pause, action, at))
        if until is not None and at.as_of < until:
            parts = {"n": pause.count, "outcome": pause.outcome, "until": until}
            return Refusal(action.name, "paused", Said(f"gate.paused_{pause.scope}", parts), until)
    return None


def _pause_end(pause: Pause, times: list[int]) -> int | None:
    """When the last pause that these outcomes set off ends; None where they never were so many."""
    for last in range(len(times) - 1, pause.count - 2, -1):
        if pause.within_us is None or times[last] - times[last - pause.count + 1] < pause.within_us:
            return times[last] + pause.pause_us
    return None


def _outcomes(pause: Pause, action: Action, at: Situation) -> list[int]:
    """Return the times of the outcomes that touch an action, rising."""
    rows = at.past.rows[pause.outcome]
    return [at.past.times[row] for row in rows if _touches(pause.scope, row, action, at)]


def _touches(scope: str, row: int, action: Action, at: Situation) -> bool:
    t, catalogue = at.past.touchpoints, at.catalogue
    name = t.actions[int(t.action[row])] if t.action[row] != NONE else None
    column = catalogue.column.get(name or "", 0)
    if scope == "action":
        return name == action.name
    if scope == "channel":
        if t.channel[row] != NONE:
            return t.channels[int(t.channel[row])] == action.channel
        return bool(column) and catalogue.action(column).channel == action.channel
    codes = t.topic[t.topic_start[row] : t.topic_start[row + 1]].tolist()
    topics = [t.topics[code] for code in codes] or list(catalogue.action(column).topics if column else ())
    return any(about_same(topic, action.topics) for topic in topics)


def has_pause(at: Situation) -> bool:
    """Whether anything may rest."""
    return bool(at.stops or at.pauses)
