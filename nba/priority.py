"""The worth of an action for a contact now, by one formula, from terms that a reader can add up.

``priority = (propensity - without_action) x value x lever x context - cost``, and for a goal that something
does not happen (churn) ``(without_action - propensity) x ...``: there the worth is what is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nba.actions import about_same, cost_of
from nba.settings.actions import Action, Start
from nba.situation import Situation

if TYPE_CHECKING:
    from models.estimate import Estimate

CONTEXT_MATCH = 1.2
"""Factor of an action about the topic that the request names: the contact looks at it at this moment."""

NO_EVIDENCE = "none"
_CHANCE_DIGITS, _MONEY_DIGITS, _PRIORITY_DIGITS = 6, 4, 10
_USUAL_START = Start()


@dataclass(frozen=True, slots=True)
class Terms:
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

    @property
    def priority(self) -> float:
        """The formula."""
        gain = self.without_action - self.propensity if self.keeps else self.propensity - self.without_action
        return round(gain * self.value * self.lever * self.context - self.cost, _PRIORITY_DIGITS)

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
    catalogue = situation.catalogue
    chances = _chances(catalogue.actions, estimate)
    each = zip(catalogue.actions, chances, catalogue.keeps, catalogue.levers, strict=True)
    for action, (with_, without, evidence), keeps, lever in each:
        if action.value is None and action.goal not in worth:
            worth[action.goal] = _goal_value(action.goal, situation, success_values)
        if with_ is None:
            start = (action.start or _USUAL_START).propensity
            with_, without = (0.0, start) if keeps else (start, 0.0)
        found.append(
            Terms(
                propensity=round(with_, _CHANCE_DIGITS),
                without_action=round(without, _CHANCE_DIGITS),
                value=round(worth[action.goal] if action.value is None else action.value, _MONEY_DIGITS),
                lever=lever,
                context=_context(action, situation),
                cost=round(cost_of(action, situation.known.traits), _MONEY_DIGITS),
                keeps=keeps,
                evidence=evidence,
            )
        )
    return tuple(found)


def _chances(actions: Sequence[Action], estimate: Estimate | None) -> Sequence[tuple[float | None, float, str]]:
    if estimate is None:
        return [(None, 0.0, NO_EVIDENCE)] * len(actions)
    with_, without = estimate.propensity.tolist(), estimate.without_action.tolist()
    # NaN is unequal to itself: a goal that could not be learnt has no estimate.
    return [
        (p, q, evidence) if p == p and q == q else (None, 0.0, NO_EVIDENCE)
        for p, q, evidence in zip(with_, without, estimate.evidence, strict=True)
    ]


def _context(action: Action, situation: Situation) -> float:
    topic = situation.request.topic
    return CONTEXT_MATCH if topic is not None and about_same(topic, action.topics) else 1.0


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
