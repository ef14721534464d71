"""What the decisions that were served brought, beside the holdout and beside other ways of choosing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.times import DAY
from nba.actions import Catalogue
from nba.evaluation import student_975
from nba.ranking import Choices, Greedy, Policy, Uniform, points_policy
from nba.settings import Settings
from nba.valuation import Gain, Log, gain_of
from training.past import Past
from training.policy.worth import worth_of
from training.retrain import choose_features
from training.rows.decision_rows import DecisionRows, decision_rows

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

WINDOW = 90 * DAY
"""How far back decisions are compared: long enough for an interval, short enough to be about what serves."""

FEWEST = 50
"""Decisions, or contacts on either side of a holdout, below which nothing is compared."""


@dataclass(frozen=True)
class Served:
    """Our own decisions with what was believed when they were made; n decisions, k actions."""

    settings: Settings
    rows: DecisionRows
    points: Floats
    reward: Floats
    terms: Mapping[str, Floats]
    """Of each action as it was logged, shape (n, k); NaN where it was not allowed."""

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def chances(self) -> Floats:
        """Chance that each action had, shape (n, k)."""
        return np.nan_to_num(self.rows.chances)

    @property
    def log(self) -> Log:
        """The decisions with their worth as the reward, and with it expected as it was believed at the time.

        No outcome was known then, so that these estimates have seen none of these rows.
        """
        rows = self.rows
        return Log(
            rows.actions, rows.action, self.reward, rows.probability, self._expected(), rows.cluster,
            self.chances == 0.0,
        )  # fmt: skip

    def targets(self) -> dict[str, Floats]:
        """Chance of each action under what is compared with, shape (n, k) each."""
        priority, cost, lever = (self.terms[name] for name in ("priority", "cost", "lever"))
        propensity = np.where(self._keeps, 1.0 - self.terms["propensity"], self.terms["propensity"])
        policies: dict[str, tuple[Policy, Floats]] = {
            "points": (points_policy(Catalogue.of(self.settings)), priority),
            "random": (Uniform(), priority),
            "propensity_only": (Greedy(), propensity),
            # Where a lever took everything away, nobody knows what stood before it.
            "without_levers": (Greedy(), (priority + cost) / np.where(lever > 0.0, lever, np.nan) - cost),
        }
        found = {}
        for name, (policy, worth) in policies.items():
            worth[:, 0] = 0.0
            found[name] = policy.probabilities(Choices(worth, self._allowed, self.points))
        return found

    @property
    def _allowed(self) -> Flags:
        allowed = (self.chances > 0.0) & self.rows.servable
        allowed[:, 0] = True
        return allowed

    @property
    def _keeps(self) -> Flags:
        absences = {name for name, goal in self.settings.goals.items() if goal.is_absence}
        return np.array([goal in absences for goal in self._goals], dtype=np.bool_)

    @property
    def _goals(self) -> list[str | None]:
        """Return the goal of each action."""
        actions = self.settings.actions
        return [actions[name].goal if name in actions else None for name in self.rows.actions]

    def _expected(self) -> Floats:
        cost = np.nan_to_num(self.terms["cost"])
        found = -cost
        for goal in self.rows.goals:
            found = found + self._worth(goal)[:, None] * self._success(goal)
        return found

    def _worth(self, goal: str) -> Floats:
        """Return the worth of a success as it entered the reward, shape (n,)."""
        return self.terms[f"worth:{goal}"][:, 0]

    def _success(self, goal: str) -> Floats:
        """Return the chance of success under each action, shape (n, k)."""
        mine = np.array([each == goal for each in self._goals], dtype=np.bool_)
        without = np.where(mine, self.terms["without_action"], np.nan)
        known = ~np.isnan(without).all(axis=1)
        usual = np.full(len(self), float(self.rows.outcomes[goal].label.mean()))
        usual[known] = np.nanmean(without[known], axis=1)
        under = self.terms["propensity"]
        chance = np.where(mine & ~np.isnan(under), under, usual[:, None])
        return 1.0 - chance if self.settings.goals[goal].is_absence else chance


def served(past: Past, settings: Settings) -> Served:
    """Gather our own decisions of the last 90 days whose outcomes are known."""
    rows = decision_rows(past, settings)
    ours = np.array([bool(row.chances) and row.terms is not None for row in rows.made], dtype=np.bool_)
    recent = rows.decided_at >= past.end - WINDOW
    which = ours & recent & rows.complete & ~np.isnan(rows.probability)
    worth = worth_of(past, settings, rows, {}).only(which)
    features = choose_features(past, settings, past.end)
    rows = rows.only(which)
    points = rows.matrix(past, features)[:, features.columns.index("points")].astype(np.float64)
    terms = _terms(rows)
    terms |= {f"worth:{goal}": each[:, None] for goal, each in worth.of_goal.items()}
    return Served(settings, rows, points, worth.reward(rows), terms)


def _terms(rows: DecisionRows) -> dict[str, Floats]:
    column = {name: i for i, name in enumerate(rows.actions)}
    names = ("propensity", "without_action", "priority", "lever", "cost")
    found = {name: np.full((len(rows), len(column)), np.nan) for name in names}
    for i, row in enumerate(rows.made):
        for action, terms in (row.terms or {}).items():
            for name in names:
                found[name][i, column[action]] = terms[name]
    found["priority"][:, 0] = found["cost"][:, 0] = 0.0
    return found


def compare(decisions: Served) -> dict[str, Any]:
    """Say what was served brought, and how much more than each thing it is compared with.

    Returns
    -------
    ``decisions``, ``value`` (mean worth of a decision), ``holdout`` (see ``holdout_lift``), and ``over``: for each
    policy the gain of what was served, with a two-sided 95 % interval; null where the log cannot say.
    """
    if len(decisions) < FEWEST:
        why = f"{len(decisions)} decisions of the last 90 days have a known outcome; {FEWEST} are needed to compare"
        return {"decisions": len(decisions), "value": None, "holdout": None, "over": {}, "why": why}
    log, chances = decisions.log, decisions.chances
    over = {name: _gain(gain_of(log, chances, target)) for name, target in decisions.targets().items()}
    return {
        "decisions": len(decisions),
        "value": float(decisions.reward.mean()),
        "holdout": holdout_lift(decisions),
        "over": over,
        "why": "",
    }


def holdout_lift(decisions: Served) -> dict[str, Any]:
    """Compare who was not held out with who was: mean worth of a decision, and Welch's interval over clusters.

    Who is held out is settled by a hash, so that the difference is what the policy brings over points.
    """
    held = np.array([row.holdout for row in decisions.rows.made], dtype=np.bool_)
    sides = [_by_cluster(decisions.reward[side], decisions.rows.cluster[side]) for side in (~held, held)]
    found: dict[str, Any] = {"held_out": int(held.sum()), "value": None, "interval": None}
    if min(len(size) for _, size in sides) < FEWEST:
        return found
    (policy, policy_error, f1), (points, points_error, f2) = (_ratio(total, size) for total, size in sides)
    error = float(np.hypot(policy_error, points_error))
    if error == 0.0:
        return found | {"value": policy - points, "interval": [policy - points] * 2}
    freedom = error**4 / (policy_error**4 / f1 + points_error**4 / f2)
    width = student_975(max(1, int(freedom))) * error
    return found | {"value": policy - points, "interval": [policy - points - width, policy - points + width]}


def _by_cluster(reward: Floats, cluster: NDArray[np.int64]) -> tuple[Floats, Floats]:
    _, place = np.unique(cluster, return_inverse=True)
    total: Floats = np.bincount(place, weights=reward).astype(np.float64)
    return total, np.bincount(place).astype(np.float64)


def _ratio(total: Floats, size: Floats) -> tuple[float, float, int]:
    """Return the mean of decisions in clusters, its standard error (a ratio of means), and the degrees of freedom."""
    mean = float(total.sum() / size.sum())
    n = len(size)
    error = float(np.sqrt(n / (n - 1) * np.sum((total - mean * size) ** 2)) / size.sum())
    return mean, error, n - 1


def _gain(found: Gain) -> dict[str, Any]:
    return {"value": found.value, "interval": None if found.interval is None else list(found.interval)}
