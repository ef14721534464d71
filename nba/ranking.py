"""Policies: how one of the allowed actions is chosen, as probabilities; drawing is someone else's job.

Every policy gives shape (n, n_actions), zero where not allowed, rows summing to 1, whatever the order of the
rows. Action 0 is "do nothing": always allowed, worth 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.points_table import Threshold
from nba import odds, takings, tallies, worth
from nba.actions import Catalogue
from nba.odds import Rule
from nba.thompson import chances_of_being_best

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Choices:
    """What policies choose by.

    Parameters
    ----------
    priority
        Shape (n, n_actions); column 0 is 0. NaN is "not known", which greedy never picks.
    allowed
        Of the same shape; column 0 is true.
    points
        Totals of the points table, shape (n,).
    error
        Standard error of each priority, of the shape of ``priority``; None: every priority is certain.

    Raises
    ------
    ValueError
        Where shapes do not agree or "do nothing" is forbidden.
    """

    priority: Floats
    allowed: NDArray[np.bool_]
    points: Floats
    error: Floats | None = None

    def __post_init__(self) -> None:
        shapes = self.priority.shape, self.allowed.shape, self.points.shape
        if len(shapes[0]) != 2 or shapes[0] != shapes[1] or shapes[2] != shapes[0][:1]:
            raise ValueError(
                f"priority, allowed and points have shapes {shapes}; give (n, actions), (n, actions), (n,)"
            )
        if self.error is not None and self.error.shape != shapes[0]:
            raise ValueError(f"error has the shape {self.error.shape}; give that of priority, {shapes[0]}")
        if not all(self.allowed[:, 0].tolist()):
            raise ValueError('"do nothing" (column 0) is forbidden in some row; it is always allowed')


class Policy(Protocol):
    """How one of the allowed actions is chosen."""

    def probabilities(self, choices: Choices) -> Floats:
        """Return the chance of each action, shape (n, n_actions); zero where not allowed, rows sum to 1."""


@dataclass(frozen=True)
class Greedy:
    """The allowed action of the highest priority; "do nothing" where none is above zero."""

    def probabilities(self, choices: Choices) -> Floats:
        """Return 1 for the best; of equals for the first."""
        found = np.zeros(choices.allowed.shape)
        odds.choose_best(np.ascontiguousarray(choices.priority), np.ascontiguousarray(choices.allowed), found)
        return found


@dataclass(frozen=True)
class Thompson:
    """Each allowed action as often as its priority may be the largest: what is not sure yet is tried."""

    def probabilities(self, choices: Choices) -> Floats:
        """Return the chance of each action that it is the best, "do nothing" being worth 0; see ``nba.thompson``."""
        error = np.zeros(choices.priority.shape) if choices.error is None else choices.error
        return chances_of_being_best(choices.priority, error, choices.allowed)


@dataclass(frozen=True)
class Uniform:
    """Any allowed action, each as likely."""

    def probabilities(self, choices: Choices) -> Floats:
        """Return one over the number of allowed actions."""
        return _evenly(choices)


@dataclass(frozen=True)
class Constant:
    """Always the same action, "do nothing" where it is not allowed."""

    column: int

    def probabilities(self, choices: Choices) -> Floats:
        """Return 1 for the action."""
        return _one_hot(np.where(choices.allowed[:, self.column], self.column, 0), choices)


@dataclass(frozen=True)
class Points:
    """The first allowed action that the points table calls for, else "do nothing".

    Parameters
    ----------
    thresholds
        Of the table, in its order, each with the columns of its actions.
    """

    thresholds: tuple[tuple[Threshold, tuple[int, ...]], ...]

    def probabilities(self, choices: Choices) -> Floats:
        """Return 1 for what the table calls for."""
        found = np.zeros(choices.allowed.shape)
        for row, (total, may) in enumerate(zip(choices.points.tolist(), choices.allowed.tolist(), strict=True)):
            found[row, self.called(total, may)] = 1.0
        return found

    def called(self, total: float, allowed: Sequence[bool]) -> int:
        """Return the column that a total calls for."""
        return called_column(self.thresholds, total, allowed)


@dataclass(frozen=True)
class Epsilon:
    """Another policy with a floor of exploration, spread evenly over the allowed actions."""

    of: Policy
    epsilon: float

    def probabilities(self, choices: Choices) -> Floats:
        """Return (1 - epsilon) of the other policy's and epsilon of an even chance."""
        found = self.of.probabilities(choices)
        odds.spread(found, np.ascontiguousarray(choices.allowed), self.epsilon)
        return found


@dataclass(frozen=True)
class Holdout:
    """The mixture a decision is logged with: ``share`` of the points baseline, the rest of the policy.

    Who is held out is settled by a hash of the account (else contact) and the quarter, which is as good as
    a coin tossed before the draw: over that coin, an action's chance is this mixture for every contact, held
    out or not. A held-out contact's action is then drawn from ``points``, all others' from ``policy``.
    """

    points: Policy
    policy: Policy
    share: float

    def probabilities(self, choices: Choices) -> Floats:
        """Return share x points + (1 - share) x policy."""
        return self.share * self.points.probabilities(choices) + (1.0 - self.share) * self.policy.probabilities(choices)


def called_column(
    thresholds: Sequence[tuple[Threshold, tuple[int, ...]]], total: float, allowed: Sequence[bool]
) -> int:
    """Return the first allowed column that a points table calls for at a total, else that of "do nothing"."""
    for threshold, columns in thresholds:
        if threshold.holds(total):
            for column in columns:
                if allowed[column]:
                    return column
    return 0


def points_policy(catalogue: Catalogue) -> Points:
    """Return the baseline of the points table."""
    return Points(catalogue.thresholds)


def rule_of(policy: Policy) -> Rule:
    """Return a policy as ``nba.odds`` draws by it for one contact.

    Raises
    ------
    TypeError
        Where it is a mixture; "the points table called" is settled before the draw, and one floor is enough.
    """
    match policy:
        case Greedy():
            return Rule(odds.BEST)
        case Thompson():
            return Rule(odds.PROBABLE)
        case Uniform():
            return Rule(odds.EVEN)
        case Constant(column):
            return Rule(odds.FIXED, column)
        case Points():
            return Rule(odds.CALLED)
        case Epsilon(of, epsilon) if not isinstance(of, Epsilon):
            return rule_of(of)._replace(epsilon=float(epsilon))
    raise TypeError(f"{policy} is a mixture; one contact is drawn by a policy with one floor of exploration at most")


def settled(catalogue: Catalogue, serves: str) -> str:
    """Say which policy serves under these settings.

    Parameters
    ----------
    serves
        What a bundle's gate lets serve: ``learned``, ``points``, ``uniform`` or ``constant:<action>``.

    Returns
    -------
    The same, or ``points`` where the settings ask for that or have lost the constant's action since then.
    """
    kind, _, action = serves.partition(":")
    if catalogue.settings.ranking.policy == "points":
        return "points"
    is_known = kind in ("learned", "uniform") or (kind == "constant" and action in catalogue.column)
    return serves if is_known else "points"


def serving_policy(catalogue: Catalogue, serves: str) -> Policy:
    """Return the policy of a name that ``settled`` gave.

    The simple ones are mixed with epsilon so that the log can teach. A constant action does nothing where it is not
    allowed, because it was valued so.
    """
    ranking = catalogue.settings.ranking
    if serves == "learned":
        if ranking.policy == "greedy":
            return Greedy()
        return Epsilon(Thompson() if ranking.policy == "thompson" else Greedy(), ranking.epsilon)
    if serves == "uniform":
        return Uniform()
    if serves.startswith("constant:"):
        return Epsilon(Constant(catalogue.column[serves.partition(":")[2]]), ranking.epsilon)
    return Epsilon(points_policy(catalogue), ranking.epsilon)


def warm_up() -> None:
    """Choose once, so that what is compiled at first use is ready before a request needs it."""
    worth.warm_up()
    odds.warm_up()
    tallies.warm_up()
    takings.warm_up()
    choices = Choices(np.zeros((1, 2)), np.ones((1, 2), dtype=bool), np.zeros(1), np.ones((1, 2)))
    for policy in (Greedy(), Thompson()):
        Epsilon(policy, 0.5).probabilities(choices)


def _one_hot(column: NDArray[np.int64], choices: Choices) -> Floats:
    out = np.zeros(choices.allowed.shape)
    out[np.arange(len(out)), column] = 1.0
    return out


def _evenly(choices: Choices) -> Floats:
    return np.asarray(choices.allowed / choices.allowed.sum(axis=1, keepdims=True))
