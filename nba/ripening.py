"""When the clock alone may bring about what an action needs: tenure, a stage by rule, a return that is forgotten.

What a model says drifts with the clock in no known way, and so do points where some are below 0 and fade. They are
looked at again at a moment that the caller gives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from nba import conditions
from nba.needs import unmet_partner, wanted_goal
from nba.past import YEAR
from nba.settings.actions import Action
from nba.settings.conditions import Conditions
from nba.situation import Situation

Moment = int | None
"""Microseconds; None: the clock alone never brings it about."""


def met_from(action: Action, at: Situation, drifts_until: Moment) -> Moment:
    """Return the earliest moment at which an action's needs may all be met, ``as_of`` where they are.

    Parameters
    ----------
    drifts_until
        When to look again at what drifts; None: never.
    """
    names = at.catalogue.needs.get(action.name)
    if names is None:
        return at.as_of
    ends = list(_ends(action.needs, names, at, wanted_goal(action, at.catalogue), drifts_until))
    wanted = action.needs.segment
    if wanted and not set(wanted) & set(at.segments):
        ends.append(_in_one_of(wanted, at, drifts_until))
    if unmet_partner(action, at) is not None:
        ends.append(_agreement_turns(at))
    return _all(ends, at.as_of)


def stage_turns(at: Situation, drifts_until: Moment) -> Moment:
    """Return the earliest moment at which the contact may come to be in another stage."""
    if at.model_version is not None:
        return drifts_until
    seen = at.known.last_seen
    ends = (
        seen[kind] + rule.within_us + 1
        for rule in at.catalogue.settings.stages.rules.rules
        for kind in rule.seen
        if kind in seen
    )
    return min((end for end in ends if end > at.as_of), default=None)


def _ends(
    asked: Conditions, names: Iterable[str], at: Situation, goal: str | None, drifts_until: Moment
) -> Iterable[Moment]:
    """Yield for each of these conditions that is not met when it may be; those not known here are somebody else's."""
    for name in names:
        check = conditions.CHECKS.get(name)
        if check is not None and check(asked, at, goal) is not None:
            ends = _ENDS.get(name)
            yield None if ends is None else ends(asked, at, drifts_until)


def _in_one_of(wanted: Iterable[str], at: Situation, drifts_until: Moment) -> Moment:
    if at.known is not at.past:
        return None
    found = []
    for name in wanted:
        segment = at.catalogue.settings.segments[name]
        ends = list(_ends(segment, conditions.CHECKS, at, at.catalogue.usual_goal, drifts_until))
        if segment.stages and at.stage not in segment.stages and at.rule_stage not in segment.stages:
            ends.append(stage_turns(at, drifts_until))
        # Where nothing else is missing it is the interest, which only fades.
        found.append(_all(ends, at.as_of) if ends else None)
    return min((each for each in found if each is not None), default=None)


def _all(ends: Iterable[Moment], as_of: int) -> Moment:
    """Return when all of several may be so at the earliest; None where one never is."""
    latest = as_of
    for end in ends:
        if end is None:
            return None
        latest = max(latest, end)
    return latest


def _tenure(asked: Conditions, at: Situation, drifts_until: Moment) -> Moment:
    return None if at.known.is_empty else at.known.times[0] + (asked.tenure_from_us or 0)


def _revenue(asked: Conditions, at: Situation, drifts_until: Moment) -> Moment:
    """Return when the next return lies more than a year back."""
    times, amounts = at.known.takings(at.catalogue.settings.touchpoints)
    ends = (times[amounts < 0] + YEAR + 1).tolist()
    return min((end for end in ends if end > at.as_of), default=None)


def _points(asked: Conditions, at: Situation, drifts_until: Moment) -> Moment:
    table = at.catalogue.settings.points
    return drifts_until if table.half_life_us is not None and min(table.kinds.values(), default=0) < 0 else None


def _model(asked: Conditions, at: Situation, drifts_until: Moment) -> Moment:
    return drifts_until if at.model_version is not None else None


def _agreement_turns(at: Situation) -> Moment:
    """Return when the agreement with the contact's partner next begins or ends."""
    name = at.past.traits.get("partner")
    partner = at.past.around.tables().partners.get(str(name)) if name else None
    ends = () if partner is None else (partner.agreement_from, partner.agreement_to)
    return min((end for end in ends if end is not None and end > at.as_of), default=None)


_ENDS: Mapping[str, Callable[[Conditions, Situation, Moment], Moment]] = {
    "points_from": _points,
    "propensity_from": _model,
    "churn_from": _model,
    "revenue_from": _revenue,
    "tenure_from_us": _tenure,
}
"""By the name of the condition; the clock alone changes no other."""
