"""The worth of an action for a contact now, by one formula (``nba.worth``), from terms that a reader can add up."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, overload

import numpy as np

from nba.actions import NO_EVIDENCE, Catalogue, about_same, cost_of
from nba.once import once
from nba.settings.actions import Action
from nba.situation import Situation
from nba.worth import CHANCE, CHANCE_WITHOUT, CONTEXT, COST, ERROR, KEEPS, MONEY_DIGITS, fill_gaps, work_out

if TYPE_CHECKING:
    from features.compiled import F64
    from models.estimate import Estimate
    from nba.settings.goals import Goal

CONTEXT_MATCH = 1.2
"""Factor of an action about the topic that the request names: the contact looks at it at this moment."""


class Terms(NamedTuple):
    """A priority and what it is made of, rounded as printed, so that the printed numbers add up."""

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
    priority: float = 0.0
    spread: float = 0.0
    """Standard error of the priority."""

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

    def logged(self) -> dict[str, float]:
        """Return the terms as the log keeps them."""
        propensity, without_action, value, lever, context, cost, _, _, error, priority, _ = self
        return {
            "propensity": propensity,
            "without_action": without_action,
            "value": value,
            "lever": lever,
            "context": context,
            "cost": cost,
            "error": error,
            "priority": priority,
        }


# As `Terms(...)`, without a call of Python for each of the actions.
_made = partial(tuple.__new__, Terms)


class Worths(Sequence[Terms]):
    """What every action is worth: its terms, in the catalogue's order without "do nothing".

    Parameters
    ----------
    table
        Worked out by ``nba.worth``; policies choose by it.
    keeps, evidence
        Of each action, for its terms, which are made when they are first looked at.
    """

    def __init__(self, table: F64, keeps: Sequence[bool], evidence: Sequence[str]) -> None:
        self.table, self._keeps, self._evidence = table, keeps, evidence

    @once
    def _terms(self) -> tuple[Terms, ...]:
        *six, error, priority, spread = self.table[:KEEPS, 1:].tolist()
        return tuple(map(_made, zip(*six, self._keeps, self._evidence, error, priority, spread, strict=True)))

    def at(self, places: Sequence[int]) -> list[Terms]:
        """Return the terms of the actions at some places, as by their numbers, without making those of the others."""
        *six, error, priority, spread = self.table[:KEEPS, [place + 1 for place in places]].tolist()
        keeps, evidence = [self._keeps[place] for place in places], [self._evidence[place] for place in places]
        return list(map(_made, zip(*six, keeps, evidence, error, priority, spread, strict=True)))

    def __len__(self) -> int:
        return len(self._keeps)

    @overload
    def __getitem__(self, at: int) -> Terms: ...

    @overload
    def __getitem__(self, at: slice) -> tuple[Terms, ...]: ...

    def __getitem__(self, at: int | slice) -> Terms | tuple[Terms, ...]:
        return self._terms[at]

    def __iter__(self) -> Iterator[Terms]:
        return iter(self._terms)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Worths) and self._terms == other._terms

    def __hash__(self) -> int:
        return hash(self._terms)


def terms_of(situation: Situation, estimate: Estimate | None, success_values: Mapping[str, float]) -> Worths:
    """Work out the terms of every action; "do nothing" has none and is worth 0.

    Parameters
    ----------
    estimate
        One entry per action; None without a model. What it lacks is taken from the action's ``start``.
    success_values
        Mean margin of a success per goal, as learnt.
    """
    catalogue, topic = situation.catalogue, situation.request.topic
    table = catalogue.worth.copy()
    goals = [
        each if isinstance(each, float) else _success_value(each, situation, success_values)
        for each in catalogue.goal_values
    ]
    for column, action in catalogue.cost_by_trait:
        table[COST, column] = round(cost_of(action, situation.known.traits), MONEY_DIGITS)
    if topic is not None:
        table[CONTEXT, 1:] = [_context(topic, action) for action in catalogue.actions]
    evidence = catalogue.unproven if estimate is None else _believe(estimate, table)
    values = np.array(goals, dtype=np.float64)
    if not work_out(table, values):
        evidence = _fill_gaps(table, evidence, catalogue)
        work_out(table, values)
    return Worths(table, catalogue.keeps, evidence)


def _believe(estimate: Estimate, table: F64) -> Sequence[str]:
    """Take over what the model says of each action; returns its evidence."""
    table[CHANCE, 1:], table[CHANCE_WITHOUT, 1:] = estimate.propensity, estimate.without_action
    table[ERROR, 1:] = math.nan if estimate.effect_error is None else estimate.effect_error
    return estimate.evidence


def _fill_gaps(table: F64, evidence: Sequence[str], catalogue: Catalogue) -> Sequence[str]:
    """Fill in what the model has nothing to say of with what the action's ``start`` does; returns the evidence."""
    silent = np.isnan(table[CHANCE, 1:] + table[CHANCE_WITHOUT, 1:])
    if not fill_gaps(table, catalogue.worth, catalogue.start_evidence):
        return evidence
    return [NO_EVIDENCE if is_ else each for is_, each in zip(silent.tolist(), evidence, strict=True)]


def _context(topic: str, action: Action) -> float:
    return CONTEXT_MATCH if about_same(topic, action.topics) else 1.0


def _success_value(goal: Goal, situation: Situation, success_values: Mapping[str, float]) -> float:
    """Worth of a success that is a sum: the learnt mean margin, for an absence the contact's margin of a year."""
    if goal.absence_of:
        return situation.margin_year
    learnt = success_values.get(goal.name)
    if learnt is not None:
        return float(learnt)
    # Before anything is learnt the contact's own successes are all there is to go by.
    return situation.known.mean_margin(goal.kinds, situation.catalogue.settings.touchpoints)
