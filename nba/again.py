"""When to ask again: the earliest moment at which the clock alone may allow what is not allowed now.

An action is looked at by every gate, not by the first that removes it only: what a complaint holds back until it is
closed does not come back because a cap has room again. The gates before that one have let it pass already.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

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
_PLACES = {name: place for place, (name, _, _) in enumerate(GATES)}
_ASKED = [(place, *gate) for place, gate in enumerate(GATES) if gate[0] not in _HOURS]

Binding = Sequence[tuple[int, str, Gate, Collection[int]]]
"""Place, name and test of the gates that may remove anything now, and the columns of the actions that each may."""


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
    as_of = situation.as_of
    ends = sticky_end if sticky_end > as_of else None
    found = ends if len(verdict.columns) > 1 else None
    binding: Binding | None = None
    for refusal in verdict.refusals:
        if refusal.until is None and refusal.rule not in _RIPENS:
            continue
        if found is None or ((refusal.until is None or refusal.until < found) and _may_open(refusal, situation, found)):
            if binding is None:
                binding = _binding(situation)
            opens = _free_from(refusal, binding, situation, ends, found)
            if opens is not None and (found is None or opens < found):
                found = opens
    return found


def _may_open(refusal: Refusal, at: Situation, before: int) -> bool:
    """Whether an action may go before a moment, whatever else may open: by its channel's days and hours."""
    action = at.catalogue.action(at.catalogue.column[refusal.action])
    if is_left_to_people(action):
        return True
    opens = at.opens_at(action.channel)
    return opens is not None and opens < before


def _binding(at: Situation) -> Binding:
    return [(place, name, gate, dict(may)) for place, name, gate, asked in _ASKED if (may := asked(at))]


def _free_from(refusal: Refusal, binding: Binding, at: Situation, ends: Moment, before: Moment) -> Moment:
    """Return when every gate may let an action pass at the earliest; None where one never does, or not ``before``."""
    column = at.catalogue.column[refusal.action]
    action, moment = at.catalogue.action(column), at.as_of
    # What a rule is about may follow its gate's name: "cap:email/7d".
    first = _PLACES[refusal.rule.partition(":")[0]]
    for place, name, gate, columns in binding:
        if place < first or column not in columns:
            continue
        until = _gate_opens(name, refusal if place == first else gate(action, at), action, at, ends)
        if until is None or (before is not None and until >= before):
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


def _gate_opens(name: str, refusal: Refusal | None, action: Action, at: Situation, ends: Moment) -> Moment:
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
    called_from: Moment = at.as_of
    if action.when is not None and calls(action, action.when, at).now is None:
        called_from = refusal.until
    met = None if called_from is None else met_from(action, at, ends)
    return None if met is None or called_from is None else max(met, called_from)


def _within_occasion(action: Action, at: Situation, opens: int) -> Moment:
    """Return when an action may go that opens only once its occasion is over: with the next one, if one is known."""
    if action.when is None:
        return opens
    found = calls(action, action.when, at)
    if found.next is None or (found.now is not None and opens < found.now.ends):
        return opens
    return at.opens_at(action.channel, max(opens, found.next.begins))
