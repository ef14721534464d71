"""The worth of what came of decisions, as the ranking's priority counts it: value of a success less cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.spans import spans, tally
from nba.actions import Catalogue, cost_of
from nba.past import YEAR
from nba.settings import Settings
from nba.settings.actions import CostByTrait
from nba.settings.goals import Goal
from training.dataset import of_kinds
from training.past import Past
from training.rows.decision_rows import DecisionRows

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Worth:
    """What successes are worth and actions cost, for n decisions and k actions.

    ``of_goal`` is the worth of a success of each goal, shape (n,) each, the same whatever is done: what would have
    happened anyway must not count more because of the action. ``of_action`` is what the ranking takes a success to be
    worth under each action, shape (n, k), and ``cost`` what it costs, shape (n, k).
    """

    of_goal: Mapping[str, Floats]
    of_action: Floats
    cost: Floats

    def only(self, which: NDArray[np.bool_]) -> Worth:
        """Take some rows."""
        of_goal = {goal: worth[which] for goal, worth in self.of_goal.items()}
        return Worth(of_goal, self.of_action[which], self.cost[which])

    def reward(self, rows: DecisionRows) -> Floats:
        """Say what each decision brought: value x success, less cost, shape (n,)."""
        brought = -self.cost[np.arange(len(rows)), rows.action]
        for goal, worth in self.of_goal.items():
            brought = brought + worth * rows.outcomes[goal].success
        return brought

    def expected(self, success: Mapping[str, Floats]) -> Floats:
        """Compute the expected reward under each action, shape (n, k), from chances of success (n, k) per goal."""
        found = -self.cost
        for goal, worth in self.of_goal.items():
            found = found + worth[:, None] * success[goal]
        return found


def worth_of(past: Past, settings: Settings, rows: DecisionRows, success_values: Mapping[str, float]) -> Worth:
    """Worth of each goal that ``rows`` are judged by, and of each action.

    Parameters
    ----------
    success_values
        Mean margin of a success per goal, as learnt; where a goal is missing, the mean over the decisions that were
        not held out.
    """
    catalogue = Catalogue.of(settings)
    goals = {goal: _goal_worth(past, settings, rows, settings.goals[goal], success_values) for goal in rows.goals}
    of_action = np.zeros((len(rows), len(rows.actions)))
    cost = np.zeros((len(rows), len(rows.actions)))
    for column, action in enumerate(catalogue.actions, 1):
        if action.value is not None:
            of_action[:, column] = action.value
        elif action.goal in goals:
            of_action[:, column] = goals[action.goal]
        cost[:, column] = _costs(past, rows, catalogue, column)
    return Worth({goal: _agreed(settings, rows, goal, worth) for goal, worth in goals.items()}, of_action, cost)


def _agreed(settings: Settings, rows: DecisionRows, goal: str, worth: Floats) -> Floats:
    """Worth of a success: what all actions for the goal say, where they say the same, else the goal's own."""
    said = {action.value for action in settings.actions.values() if action.goal == goal}
    value = said.pop() if len(said) == 1 else None
    return worth if value is None else np.full(len(rows), value)


def _goal_worth(
    past: Past, settings: Settings, rows: DecisionRows, goal: Goal, success_values: Mapping[str, float]
) -> Floats:
    if goal.value != "sum":
        return np.full(len(rows), float(goal.value))
    if goal.is_absence:
        return _margin_of_year(past, settings, rows)
    learnt = success_values.get(goal.name)
    # A goal without a single success among its rows has learnt no worth.
    if not learnt:
        found = rows.outcomes[goal.name]
        seen = found.success & found.known & ~rows.held_out
        learnt = float(found.value[seen].mean()) if seen.any() else 0.0
    return np.full(len(rows), float(learnt))


def _margin_of_year(past: Past, settings: Settings, rows: DecisionRows) -> Floats:
    """Margin of revenue less returns in the year before each decision: what is kept where nobody leaves."""
    t, rules = past.touchpoints, settings.touchpoints
    margin = t.margins(rules.margin)
    is_money, is_return = (of_kinds(t, kinds) & ~t.outbound for kinds in (rules.money, rules.returns))
    signed = margin * is_money - np.abs(margin) * is_return
    known = rows.contact < len(t.contacts)
    inside = spans(t.start, t.occurred_at, rows.contact[known], rows.decided_at[known] - YEAR, rows.decided_at[known])
    found = np.zeros(len(rows))
    found[known] = tally(inside, is_money | is_return, weight=signed)[1]
    return found


def _costs(past: Past, rows: DecisionRows, catalogue: Catalogue, column: int) -> Floats:
    action = catalogue.action(column)
    if not isinstance(action.cost, CostByTrait):
        return np.full(len(rows), float(action.cost))
    each = zip(rows.contact.tolist(), rows.decided_at.tolist(), strict=True)
    return np.array([cost_of(action, past.traits.known(rows.contacts[code], at)) for code, at in each])
