"""What policies would have earned on logged decisions, and what one gains over another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nba.evaluation import Estimate, Floats, dr, estimate, interval, switch, switching_weight, weights

I64 = NDArray[np.int64]
Flags = NDArray[np.bool_]

MOST_UNSUPPORTED = 0.01
"""Part of a policy's choices that the log may never have made a chance for."""


@dataclass(frozen=True)
class Log:
    """Decisions that policies are judged on; n rows, k actions of which column 0 is "do nothing".

    Parameters
    ----------
    actions
        Names of the columns.
    action
        Column of the action that was taken, shape (n,).
    reward
        What came of it, shape (n,).
    logged
        Chance that the action had when it was drawn, above 0, shape (n,).
    expected
        Expected reward under each action, shape (n, k), by a model that has seen none of these rows.
    cluster
        Whose decision it was, shape (n,): what one contact does hangs together.
    impossible
        Actions that are known to have had no chance, shape (n, k).

    Raises
    ------
    ValueError
        Where shapes do not agree.
    """

    actions: Sequence[str]
    action: I64
    reward: Floats
    logged: Floats
    expected: Floats
    cluster: I64
    impossible: Flags | None = None

    def __post_init__(self) -> None:
        n = len(self.action)
        shapes = {"reward": self.reward.shape, "logged": self.logged.shape, "cluster": self.cluster.shape}
        wrong = [f"{name} {shape}" for name, shape in shapes.items() if shape != (n,)]
        if self.expected.shape != (n, len(self.actions)):
            wrong.append(f"expected {self.expected.shape}")
        if wrong:
            raise ValueError(f"{n} decisions among {len(self.actions)} actions, but {', '.join(wrong)}")

    def __len__(self) -> int:
        return len(self.action)


@dataclass(frozen=True)
class Gain:
    """How much more one policy earns a decision than another, with a two-sided 95 % interval.

    Both are None where the log cannot say.
    """

    value: float | None = None
    interval: tuple[float, float] | None = None

    @property
    def is_shown(self) -> bool:
        """Whether the whole interval lies above zero."""
        return self.interval is not None and self.interval[0] > 0.0


def contributions(log: Log, target: Floats) -> Floats:
    """Doubly robust contribution of each decision to a policy's value, shape (n,); their mean is the value.

    The estimator is that of Dudik, Langford and Li (2011, ICML), with outcome estimates for each action of each row.

    Parameters
    ----------
    target
        Chance of each action under the policy, shape (n, k).
    """
    rows = np.arange(len(log))
    weight = weights(log.logged, target[rows, log.action])
    return dr(log.reward, weight, log.expected[rows, log.action], np.sum(target * log.expected, axis=1))


def value_of(log: Log, target: Floats) -> Estimate:
    """Judge one policy; refused where it does what was never done.

    Parameters
    ----------
    target
        Chance of each action under the policy, shape (n, k).
    """
    rows = np.arange(len(log))
    found = estimate(
        log.reward,
        log.logged,
        target[rows, log.action],
        estimates=(log.expected[rows, log.action], np.sum(target * log.expected, axis=1)),
        cluster=log.cluster,
    )
    fault = _unsupported(log, target)
    if fault is None:
        return found
    return replace(found, ips=None, snips=None, dr=None, interval=None, verdict="refused", why=fault)


@dataclass(frozen=True)
class Switched:
    """A policy's value where weights above ``most`` are left to the model, with a two-sided 95 % interval."""

    value: float
    interval: tuple[float, float] | None
    most: float
    left_to_model: float
    """Part of the decisions whose weight is above ``most``."""


def switched(log: Log, target: Floats) -> Switched | None:
    """Judge one policy by the SWITCH estimator; None where ``value_of`` refuses it.

    It stands beside the doubly robust value: where they differ by much, a few large weights carry that one.

    Parameters
    ----------
    target
        Chance of each action under the policy, shape (n, k).
    """
    if value_of(log, target).verdict == "refused":
        return None
    rows = np.arange(len(log))
    weight = weights(log.logged, target[rows, log.action])
    model = log.expected[rows, log.action], np.sum(target * log.expected, axis=1)
    most = switching_weight(log.reward, weight, *model)
    found = switch(log.reward, weight, *model, most)
    return Switched(float(found.mean()), interval(found, log.cluster), most, float(np.mean(weight > most)))


def gain_of(log: Log, target: Floats, other: Floats) -> Gain:
    """Compare two policies on the same decisions, pair by pair, so that what they share cancels.

    Parameters
    ----------
    target, other
        Chances of each action under the two policies, shape (n, k).

    Returns
    -------
    Gain of ``target`` over ``other``; nothing where the log refuses to judge one of them.
    """
    if "refused" in (value_of(log, target).verdict, value_of(log, other).verdict):
        return Gain()
    difference = contributions(log, target) - contributions(log, other)
    return Gain(float(np.mean(difference)), interval(difference, log.cluster))


def _unsupported(log: Log, target: Floats) -> str | None:
    """Say why a policy cannot be judged on this log, if so."""
    taken = np.bincount(log.action, minlength=len(log.actions)) > 0
    never = [log.actions[column] for column in np.flatnonzero((target > 0).any(axis=0) & ~taken).tolist()]
    if never:
        return (
            f"It uses {', '.join(never)}, which was never taken in the {len(log)} decisions: "
            "what comes of it cannot be known; let some exploration take it."
        )
    if log.impossible is None or not len(log):
        return None
    share = float(np.mean(np.sum(target * log.impossible, axis=1)))
    if share <= MOST_UNSUPPORTED:
        return None
    return (
        f"In {share:.0%} of the decisions it does what had no chance of being drawn; "
        "set an epsilon above 0 under [ranking], so that the log can teach."
    )
