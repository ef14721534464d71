"""Policies on held-out decisions: points, each constant action, uniform and the learned one, valued doubly robustly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nba.actions import Catalogue
from nba.evaluation import Estimate
from nba.ranking import Choices, Constant, Greedy, Policy, Uniform, points_policy
from nba.settings import Settings
from nba.valuation import Gain, Log, Switched, gain_of, switched, value_of
from training.policy.worth import Worth
from training.rows.decision_rows import DecisionRows

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Matrix = NDArray[np.float32]

LEARNED, POINTS, UNIFORM = "learned", "points", "uniform"
_MOSTLY_KNOWN = 0.5
"""Where at least this part of the held-out decisions has its chance on record, policies are valued on those alone."""

Believed = Callable[[Matrix], tuple[Floats, Floats]]
"""From features (n, F): the chance of a goal's label without any action (n,), and what each action changes (n, k)."""


@dataclass(frozen=True)
class Chances:
    """What is believed of one goal, for n decisions and k actions; ``effect`` is NaN where an action is not known."""

    without: Floats
    effect: Floats
    keeps: bool
    """Whether success is that the goal's label is false."""

    @property
    def success(self) -> Floats:
        """Chance of success under each action, shape (n, k)."""
        effect = np.nan_to_num(self.effect)
        effect[:, 0] = 0.0
        label = np.clip(self.without[:, None] + effect, 0.0, 1.0)
        return 1.0 - label if self.keeps else label

    @property
    def gain(self) -> Floats:
        """What each action adds to the chance of success, shape (n, k)."""
        return -self.effect if self.keeps else self.effect


@dataclass(frozen=True)
class Bench:
    """Decisions on which policies are judged, with everything that these choose by."""

    settings: Settings
    rows: DecisionRows
    worth: Worth
    points: Floats
    chances: Mapping[str, Chances]
    """What a model that has seen none of these rows believes, for each goal of ``rows.goals``."""
    logged: Floats
    """Chance of the action that was taken, as logged or estimated, shape (n,)."""

    @property
    def evidence(self) -> str:
        """How strong these decisions are as evidence."""
        return self.rows.evidence

    @cached_property
    def log(self) -> Log:
        """The decisions with their worth as the reward."""
        success = {goal: found.success for goal, found in self.chances.items()}
        return self._log(self.worth.reward(self.rows), self.worth.expected(success))

    @cached_property
    def successes(self) -> Log:
        """The decisions with the first goal's success as the reward."""
        goal = self.rows.goals[0]
        return self._log(self.rows.outcomes[goal].success.astype(np.float64), self.chances[goal].success)

    def _log(self, reward: Floats, expected: Floats) -> Log:
        rows = self.rows
        return Log(rows.actions, rows.action, reward, self.logged, expected, rows.cluster, rows.chances == 0.0)

    @cached_property
    def targets(self) -> Mapping[str, Floats]:
        """Chance of each action under each policy by its name, shape (n, k); the simple ones, then the learned."""
        catalogue = Catalogue.of(self.settings)
        policies: dict[str, Policy] = {POINTS: points_policy(catalogue), UNIFORM: Uniform()}
        policies |= {f"constant:{name}": Constant(column) for column, name in enumerate(catalogue.names)}
        rows, known = self.rows, self._priority(catalogue)
        # What was never taken is not kept from a simple policy that would do it, but makes it impossible to judge.
        new = rows.servable & (rows.taken == 0) & ~rows.told[:, None]
        simple = Choices(known, (rows.allowed | new) & rows.servable, self.points)
        found = {name: policy.probabilities(simple) for name, policy in policies.items()}
        learned = Choices(known, rows.allowed & rows.servable, self.points)
        return found | {LEARNED: Greedy().probabilities(learned)}

    def _priority(self, catalogue: Catalogue) -> Floats:
        """Priority of each action as the ranking counts it, NaN where nothing is known of its effect."""
        priority = np.full((len(self.rows), len(self.rows.actions)), np.nan)
        priority[:, 0] = 0.0
        for column, (action, lever) in enumerate(zip(catalogue.actions, catalogue.levers, strict=True), 1):
            believed = self.chances.get(action.goal or "")
            if believed is not None:
                gain = believed.gain[:, column]
                priority[:, column] = gain * self.worth.of_action[:, column] * lever - self.worth.cost[:, column]
        return priority

    def simple(self) -> list[str]:
        """Names of the policies that need no model."""
        return [name for name in self.targets if name != LEARNED]

    def value(self, policy: str) -> Estimate:
        """Judge one policy."""
        return self.values[policy]

    @cached_property
    def values(self) -> Mapping[str, Estimate]:
        """Every policy judged."""
        return {name: value_of(self.log, target) for name, target in self.targets.items()}

    def gain(self, policy: str, over: str) -> Gain:
        """Compare two policies."""
        return gain_of(self.log, self.targets[policy], self.targets[over])

    def to_json(self) -> dict[str, Any]:
        """Write every policy's value as in the report."""
        return {
            name: _estimate(self._cautious(found), self._rate(name)) | _switch(switched(self.log, self.targets[name]))
            for name, found in self.values.items()
        }

    def _cautious(self, found: Estimate) -> Estimate:
        """Warn of estimates that rest on guessed chances."""
        if self.evidence != "observational" or found.verdict == "refused":
            return found
        why = "The chances were not logged and are estimated: what else decided who was chosen is taken for an effect."
        return replace(found, verdict="weak", why=f"{why} {found.why}")

    def _rate(self, name: str) -> float | None:
        return None if self.values[name].verdict == "refused" else value_of(self.successes, self.targets[name]).dr


def _estimate(found: Estimate, rate: float | None) -> dict[str, Any]:
    """Write an estimate as `nba evaluate log` does, with its value and the plain rate of success."""
    plain = asdict(found) | {"interval": None if found.interval is None else list(found.interval)}
    return {"value": found.dr, "success_rate": rate} | plain


def _switch(found: Switched | None) -> dict[str, Any]:
    """Write the value that leaves large weights to the model; its ``most`` is null where none is too large."""
    if found is None:
        return {"switch": None}
    bounds = None if found.interval is None else list(found.interval)
    most = found.most if np.isfinite(found.most) else None
    return {"switch": {"value": found.value, "interval": bounds, "most": most, "left_to_model": found.left_to_model}}


def judged_on(rows: DecisionRows, which: Flags) -> Flags:
    """Of some rows those to value policies on: where most chances are on record, only those that have theirs."""
    known = ~np.isnan(rows.probability)
    return which & known if which.any() and known[which].mean() >= _MOSTLY_KNOWN else which


def mean_chances(rows: DecisionRows, goal: str, which: Flags) -> Believed:
    """Believe of everybody what was seen on average: the label's share under each action among ``which``.

    What holds where rows are too few for a model; an action that was never taken stays unknown.
    """
    seen = rows.only(which)
    k = len(rows.actions)
    n = np.bincount(seen.action, minlength=k)
    label = np.bincount(seen.action, weights=seen.outcomes[goal].label, minlength=k)
    overall = float(label.sum() / max(1, n.sum()))
    share = np.where(n > 0, label / np.maximum(n, 1), np.nan)
    without = overall if np.isnan(share[0]) else float(share[0])

    def believed(X: Matrix) -> tuple[Floats, Floats]:
        return np.full(len(X), without), np.tile(share - without, (len(X), 1))

    return believed
