"""Whether this is an hour and a day for it.

What software sends goes out as soon as it is chosen, so it is refused until it may. People are told beforehand what to
do when they begin to work: what they carry out is offered with the moment from which they may (``not_before``), unless
the offer would be over by then.
"""

from __future__ import annotations

from models.saying.said import Said
from nba.gates.refusal import Refusal
from nba.occasions.occasions import occurrence
from nba.settings.actions import Action
from nba.situation import Situation

_BY_PEOPLE = ("sales", "partner")


def quiet(action: Action, at: Situation) -> Refusal | None:
    """Refuse what would go out in quiet hours."""
    return _waiting(action, "quiet", at) if action.channel in at.quiet else None


def calendar(action: Action, at: Situation) -> Refusal | None:
    """Refuse what would go out on a day on which nothing does."""
    return None if at.closed is None else _waiting(action, "calendar", at)


def is_left_to_people(action: Action) -> bool:
    """Whether people carry an action out, who can be told of it before its time."""
    return action.executor in _BY_PEOPLE


def not_before(action: Action, at: Situation) -> int:
    """Return the first moment at which an allowed action may be carried out."""
    if action.channel not in at.quiet and at.closed is None:
        return at.as_of
    opens = at.opens_at(action.channel)
    return at.as_of if opens is None else opens


def ends_at(action: Action, at: Situation, sticky_end: int) -> int | None:
    """Return when an offer ends: with the choice, the action's season or its occasion; None: never.

    Parameters
    ----------
    sticky_end
        Until when the choice stays, in microseconds.
    """
    ends = [sticky_end] if sticky_end > at.as_of else []
    if action.valid.to is not None:
        ends.append(action.valid.to)
    calling = occurrence(action, at)
    if calling is not None:
        ends.append(calling.ends)
    return min(ends, default=None)


def _waiting(action: Action, rule: str, at: Situation) -> Refusal | None:
    rest = at.rests.get((action.channel, rule))
    if rest is None:
        rest = at.rests[action.channel, rule] = _rest(action.channel, rule, at)
    told, opens = rest
    until = opens
    if opens is not None and action.executor in _BY_PEOPLE:
        sticky_us = at.catalogue.settings.ranking.sticky_us
        ends = ends_at(action, at, (at.as_of if at.held is None else at.held.decided_at) + sticky_us)
        if ends is None or opens < ends:
            return None
        # A choice that is made later lasts longer.
        until = max(at.as_of + 1, opens - sticky_us + 1)
    return Refusal(action.name, rule, told, until)


def _rest(channel: str, rule: str, at: Situation) -> tuple[Said, int | None]:
    """Say that a channel rests, and until when: the same of all its actions."""
    why = at.closed if rule == "calendar" else Said("rests.quiet", {"zone": at.zone.key})
    opens = at.opens_at(channel)
    if opens is None:
        return Said("gate.rests_for_good", {"why": why}), None
    return Said("gate.rests", {"why": why, "opens": opens}), opens
