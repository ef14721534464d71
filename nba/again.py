"""When to ask again: the earliest moment at which the clock alone may allow what is not allowed now.

An action is looked at by every gate, not by the first that removes it only: what a complaint holds back until it is
closed does not come back because a cap has room again.
"""

from __future__ import annotations

from nba.contact_policy import GATES, Verdict
from nba.gates.capacity import room_from
from nba.gates.caps import full_until
from nba.gates.refusal import Gate, Refusal
from nba.gates.timing import is_left_to_people
from nba.occasions.occasions import calls
from nba.ripening import Moment, met_from, stage_turns
from nba.settings.actions import Action
from nba.situation import Situation

_HOURS = ("quiet", "calendar")
_RIPENS = ("eligibility", "suitability", "capacity")
"""Rules that may let go by the clock although their refusal does not say when."""


def again_at(situation: Situation, verdict: Verdict, sticky_end: int) -> int | None:
    """Return the earliest time at which the clock alone may change "do nothing"; None where it never will.

    That is where an action may come to be allowed, and the end of the choice where there is another one to be had.
    What would go out on a day or at an hour at which nothing does waits for the next at which it may.

    Parameters
    ----------
    sticky_end
        Until when the choice stays, in microseconds. What drifts with the clock in no known way, such as what a model
        says, is looked at again then.
    """
    as_of, catalogue = situation.as_of, situation.catalogue
    ends = sticky_end if sticky_end > as_of else None
    found = ends if len(verdict.columns) > 1 else None
    for since, refusal in sorted(((_first(each, as_of), each) for each in verdict.refusals), key=lambda pair: pair[0]):
        if found is not None and since >= found:
            break
        if refusal.until is not None or refusal.rule in _RIPENS:
            opens = _free_from(catalogue.action(catalogue.column[refusal.action]), situation, ends)
            if opens is not None and (found is None or opens < found):
                found = opens
    return found


def _first(refusal: Refusal, as_of: int) -> int:
    return as_of if refusal.until is None else refusal.until


def _free_from(action: Action, at: Situation, ends: Moment) -> Moment:
    """Return when every gate may let an action pass at the earliest; None where one never does."""
    moment = at.as_of
    for name, gate, asked in GATES:
        if name in _HOURS or not asked(at):
            continue
        until = _gate_opens(name, gate, action, at, ends)
        if until is None:
            return None
        moment = max(moment, until)
    opens = at.opens_at(action.channel, moment)
    if opens is None or (action.valid.to is not None and opens >= action.valid.to):
        return None
    opens = _within_occasion(action, at, opens)
    if opens is None or not is_left_to_people(action):
        return opens
    # People may be told as soon as the hours begin before the choice would end.
    sticky = at.catalogue.settings.ranking.sticky_us
    return max(moment, opens - sticky + 1, at.as_of + 1) if sticky else max(moment, at.as_of + 1)


def _gate_opens(name: str, gate: Gate, action: Action, at: Situation, ends: Moment) -> Moment:
    refusal = gate(action, at)
    if refusal is None:
        return at.as_of
    if name == "eligibility":
        return _eligible_from(action, at, refusal, ends)
    if name == "suitability":
        return stage_turns(at, ends)
    if name == "cap":
        return full_until(action, at)
    if name == "capacity" and refusal.until is None:
        return room_from(action, at)
    return refusal.until


def _eligible_from(action: Action, at: Situation, refusal: Refusal, ends: Moment) -> Moment:
    if at.request.placement not in action.placements:
        return None
    met = met_from(action, at, ends)
    if action.when is None or calls(action, action.when, at).now is not None:
        return met
    return None if met is None or refusal.until is None else max(met, refusal.until)


def _within_occasion(action: Action, at: Situation, opens: int) -> Moment:
    """Return when an action may go that opens only once its occasion is over: with the next one, if one is known."""
    if action.when is None:
        return opens
    found = calls(action, action.when, at)
    if found.next is None or (found.now is not None and opens < found.now.ends):
        return opens
    return at.opens_at(action.channel, max(opens, found.next.begins))
