"""The worth of an action for a contact now, by one formula, from terms that a reader can add up.

``priority = (propensity - without_action) x value x lever x context - cost``, and for a goal that something
does not happen (churn) ``(without_action - propensity) x ...``: there the worth is what is kept. It is known up to
``error x value x lever x context``, where ``error`` is that of the effect.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from nba.actions import MONEY_DIGITS, NO_EVIDENCE, Believed, Catalogue, about_same, cost_of, start_of
from nba.settings.actions import Action
from nba.situation import Situation

if TYPE_CHECKING:
    from models.estimate import Estimate

CONTEXT_MATCH = 1.2
"""Factor of an action about the topic that the request names: the contact looks at it at this moment."""

_CHANCE_DIGITS, _ERROR_DIGITS, _PRIORITY_DIGITS = 6, 8, 10


class Terms(NamedTuple):
    """What a priority is made of, rounded as printed, so that the printed numbers add up."""

    propensity: float
    without_action: float
    value: float
    lever: float
    context: float
    cost: float
    keeps: bool = False
    """Whether success is that the goal's event does not happen."""
    evidence: str = NO_EVIDENCE
    error: float = 0.0
    """Standard error of the effect, of which more decisions would take away all."""

    @property
    def priority(self) -> float:
        """The formula."""
        return self.with_error[0]

    @property
    def with_error(self) -> tuple[float, float]:
        """The priority and its standard error."""
        with_, without, value, lever, context, cost, keeps, _, error = self
        gain = without - with_ if keeps else with_ - without
        return round(gain * value * lever * context - cost, _PRIORITY_DIGITS), error * value * lever * context

    def to_json(self) -> dict[str, float]:
        """Return the terms as they stand in an answer."""
        return {
            "propensity": self.propensity,
            "without_action": self.without_action,
            "value": self.value,
            "lever": self.lever,
            "context": self.context,
            "cost": self.cost,
        }


def terms_of(situation: Situation, estimate: Estimate | None, success_values: Mapping[str, float]) -> tuple[Terms, ...]:
    """Terms of every action, in the catalogue's order without "do nothing", which is worth 0.

    Parameters
    ----------
    estimate
        One entry per action; None without a model. What it lacks is taken from the action's ``start``.
    success_values
        Mean margin of a success per goal, as learnt.
    """
    worth: dict[str | None, float] = {}
    found = []
    catalogue, topic = situation.catalogue, situation.request.topic
    believed = catalogue.starts if estimate is None else _believed(catalogue, estimate)
    each = zip(catalogue.actions, believed, catalogue.keeps, catalogue.fixed, strict=True)
    for action, (with_, without, error, evidence), keeps, (value, lever, cost) in each:
        if value is None:
            if action.goal not in worth:
                worth[action.goal] = round(_goal_value(action.goal, situation, success_values), MONEY_DIGITS)
            value = worth[action.goal]
        if cost is None:
            cost = round(cost_of(action, situation.known.traits), MONEY_DIGITS)
        context = 1.0 if topic is None else _context(topic, action)
        with_, without, error = (
            round(with_, _CHANCE_DIGITS),
            round(without, _CHANCE_DIGITS),
            round(error, _ERROR_DIGITS),
        )
        found.append(Terms(with_, without, value, lever, context, cost, keeps, evidence, error))
    return tuple(found)


def _believed(catalogue: Catalogue, estimate: Estimate) -> Sequence[Believed]:
    """Return what the model says of each action; where it has nothing to say, what the action's ``start`` does."""
    with_, without = estimate.propensity.tolist(), estimate.without_action.tolist()
    error = [math.nan] * len(with_) if estimate.effect_error is None else estimate.effect_error.tolist()
    found = []
    for i, (p, q, e) in enumerate(zip(with_, without, error, strict=True)):
        # NaN is unequal to itself: a goal that could not be learnt has no estimate.
        if p != p or q != q:
            found.append(catalogue.starts[i])
        else:
            # Without decisions nobody knows how sure a model is: as sure as the belief at the start.
            unsure = e if e == e else start_of(catalogue.actions[i]).error(p)
            found.append((p, q, unsure, estimate.evidence[i]))
    return found


def _context(topic: str, action: Action) -> float:
    return CONTEXT_MATCH if about_same(topic, action.topics) else 1.0


def _goal_value(name: str | None, situation: Situation, success_values: Mapping[str, float]) -> float:
    """Worth of a success; "sum" is the learnt mean margin, for an absence the contact's margin of a year."""
    settings = situation.catalogue.settings
    goal = settings.goals.get(name or "")
    if goal is None:
        return 1.0
    if goal.value != "sum":
        return float(goal.value)
    if goal.is_absence:
        return situation.known.margin(settings.touchpoints, situation.as_of)
    learnt = success_values.get(goal.name)
    if learnt is not None:
        return float(learnt)
    # Before anything is learnt the contact's own successes are all there is to go by.
    return situation.known.mean_margin(goal.kinds, settings.touchpoints)
