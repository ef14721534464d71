"""What is true of a journey world and no table tells: stages, chances under each action, the worth of policies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from features.times import DAY
from training.world.rules import BEGIN, DO_NOTHING, STAGES, WINDOW_DAYS

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Truth:
    """The truth of n decisions on k actions, and the stages of all contacts; made by ``training.world.world.world``.

    Row i is ``JourneyWorld.decisions[i]``; in columns, "do nothing" is 0 and ``actions[j]`` is j.

    Attributes
    ----------
    actions
        Names, "do nothing" first, shape (k + 1,).
    contact, decided_at, action
        Number of the contact, microseconds, column of the action that was taken, shape (n,).
    chance
        Chance of an order within the window under each action, shape (n, k + 1).
    logged
        Chances with which the log chose, shape (n, k + 1), also where the rows do not tell them.
    match
        Interest of the contact in what each action is about, in [0, 1], shape (n, k); 1 where it has no topic.
    stage
        Code into ``STAGES`` at the decision, shape (n,).
    hidden
        The hidden need, 0 or 1, shape (n,); it steers nothing where the world is not confounded.
    ordered
        Whether an order came within the window, shape (n,); known of windows that end after the world too.
    order_value
        Mean value of an order of the contact, shape (n,).
    """

    actions: tuple[str, ...]
    contact: I64
    decided_at: I64
    action: I64
    chance: F64
    logged: F64
    match: F64
    stage: I64
    hidden: I64
    ordered: NDArray[np.bool_]
    order_value: F64
    costs: F64
    ends_at: int
    changed_contact: I64
    changed_at: I64
    changed_stage: I64
    window_days: int = WINDOW_DAYS
    """Days in which an order counts as the outcome of a decision."""

    def __len__(self) -> int:
        return len(self.contact)

    @property
    def p0(self) -> F64:
        """Chance with "do nothing", shape (n,)."""
        return self.chance[:, 0]

    @property
    def p(self) -> F64:
        """Chance under each action, shape (n, k)."""
        return self.chance[:, 1:]

    @property
    def effect(self) -> F64:
        """What each action changes, shape (n, k)."""
        return self.chance[:, 1:] - self.chance[:, :1]

    @property
    def average_effect(self) -> F64:
        """Mean of ``effect`` over all decisions, shape (k,)."""
        mean: F64 = self.effect.mean(axis=0)
        return mean

    @property
    def naive_difference(self) -> F64:
        """What comparing those who got an action with those who got nothing tends to, shape (k,)."""
        seen = (self.logged * self.chance).sum(axis=0) / self.logged.sum(axis=0)
        difference: F64 = seen[1:] - seen[0]
        return difference

    @property
    def matured(self) -> NDArray[np.bool_]:
        """Whether each decision's window ended within the world, shape (n,)."""
        ended: NDArray[np.bool_] = self.decided_at + self.window_days * DAY <= self.ends_at
        return ended

    def oracle(self) -> F64:
        """Chances of the best policy there is: the action with the highest chance of an order, shape (n, k + 1)."""
        best: F64 = np.eye(len(self.actions))[self.chance.argmax(axis=1)]
        return best

    def uniform(self) -> F64:
        """Chances of choosing evenly, shape (n, k + 1)."""
        return np.full(self.chance.shape, 1.0 / len(self.actions))

    def always(self, action: str = DO_NOTHING) -> F64:
        """Chances of always taking one action, shape (n, k + 1)."""
        return np.tile(np.eye(len(self.actions))[self.actions.index(action)], (len(self), 1))

    def value(self, policy: ArrayLike, which: ArrayLike | None = None) -> float:
        """Share of decisions with an order that a policy would reach.

        Parameters
        ----------
        policy
            Chance of each action at each decision, "do nothing" first, shape (m, k + 1); or the column taken, (m,).
        which
            The m decisions it is meant for, as numbers or flags; all where left out.
        """
        chance = self.chance if which is None else self.chance[np.asarray(which)]
        return float((self._as_chances(policy) * chance).sum(axis=1).mean())

    def worth(self, policy: ArrayLike, which: ArrayLike | None = None) -> float:
        """Mean value of orders less the cost of the actions, per decision; parameters as ``value`` has them."""
        rows = np.arange(len(self)) if which is None else np.arange(len(self))[np.asarray(which)]
        each = self.chance[rows] * self.order_value[rows, None] - self.costs
        return float((self._as_chances(policy) * each).sum(axis=1).mean())

    def rows_of(self, decision_ids: Sequence[str]) -> I64:
        """Numbers of decisions by their ids, shape (m,)."""
        return np.array([int(name[1:]) for name in decision_ids], dtype=np.int64)

    def stage_at(self, contact: ArrayLike, at: ArrayLike) -> I64:
        """Codes into ``STAGES`` of contacts (by number) at moments in microseconds; shape as the two broadcast."""
        who, when = np.broadcast_arrays(np.asarray(contact, dtype=np.int64), np.asarray(at, dtype=np.int64))
        key, stage = self._changes
        day = ((when - BEGIN) // DAY).clip(0, _MOST_DAYS - 1)
        found: I64 = stage[np.searchsorted(key, who * _MOST_DAYS + day, side="right") - 1]
        return found

    def stage_names_at(self, contact: ArrayLike, at: ArrayLike) -> list[str]:
        """Names of ``stage_at``, flat."""
        return [STAGES[code] for code in self.stage_at(contact, at).ravel().tolist()]

    def _as_chances(self, policy: ArrayLike) -> F64:
        given = np.asarray(policy)
        chances: F64 = np.eye(len(self.actions))[given] if given.ndim == 1 else given.astype(np.float64)
        return chances

    @cached_property
    def _changes(self) -> tuple[I64, I64]:
        key = self.changed_contact * _MOST_DAYS + (self.changed_at - BEGIN) // DAY
        order = np.argsort(key, kind="stable")
        return key[order], self.changed_stage[order]


_MOST_DAYS = 1 << 20
