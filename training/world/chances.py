"""What an order's chance is under each action, and with what chances the journey world's log chose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.world.rules import BASE, HIDDEN_PULL, HIDDEN_SHIFT, HIGHEST, LOWEST, PRODUCTS, Lever

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]

_MIXED = 0.4
"""The part of the log's policy that is uniform over all actions, so that every action is seen everywhere."""


@dataclass(frozen=True)
class Chances:
    """Chances of a world's actions; made by ``Chances.of``.

    ``change`` is the change of the chance under each action by stage, shape (stages, actions), ``topic`` the product
    that an action is about, -1 for none.
    """

    change: F64
    topic: I64
    confounded: bool

    @classmethod
    def of(cls, levers: tuple[Lever, ...], *, confounded: bool, no_effects: bool) -> Chances:
        """Chances under these actions, "do nothing" aside."""
        change = np.array([lever.change for lever in levers], dtype=np.float64).T
        products = [lever.topic if lever.topic is not None and lever.topic < len(PRODUCTS) else -1 for lever in levers]
        return cls(change * (not no_effects), np.array(products, dtype=np.int64), confounded)

    def without(self, stage: I64, shift: F64, hidden: F64) -> F64:
        """Chance of an order within the window with "do nothing", shape (n,); ``hidden`` needs are 0 or 1."""
        odds = BASE[stage] + shift + (HIDDEN_SHIFT * (2 * hidden - 1) if self.confounded else 0.0)
        return (1.0 / (1.0 + np.exp(-odds))).clip(LOWEST, HIGHEST)

    def match(self, interest: F64) -> F64:
        """How well each action fits the interests, shape (n, actions), in [0, 1]; 1 for one without a product."""
        found = interest[:, np.maximum(self.topic, 0)]
        return np.where(self.topic >= 0, found, 1.0)

    def under(self, without: F64, stage: I64, match: F64) -> F64:
        """Chance under each action, shape (n, actions)."""
        change = self.change[stage]
        # What is welcome to the interested annoys the others.
        fits = np.where((self.topic >= 0) & (change > 0.0), (4.0 * match - 1.0) / 3.0, 1.0)
        changed: F64 = (without[:, None] + change * fits).clip(LOWEST, HIGHEST)
        # An action that changes nothing leaves the chance as it is, to the last bit.
        return np.where(change == 0.0, without[:, None], changed)

    def logged(self, seen: F64, wishes: F64, hidden: F64) -> F64:
        """Chance of each action in the log, "do nothing" first, shape (n, 1 + actions), rows sum to 1.

        Parameters
        ----------
        seen
            Faded touchpoints by product, shape (n, products).
        wishes
            The log's wish for actions without a product, from what was seen, shape (n,).
        hidden
            The hidden need, which only a confounded log looks at, shape (n,).
        """
        about = 0.6 * np.log1p(seen)[:, np.maximum(self.topic, 0)]
        score = np.where(self.topic >= 0, about, 0.5 * np.log1p(wishes)[:, None])
        if self.confounded:
            score = score + HIDDEN_PULL * (2 * hidden[:, None] - 1)
        weight = np.exp(np.concatenate([np.zeros((len(seen), 1)), score], axis=1))
        soft = weight / weight.sum(axis=1, keepdims=True)
        found: F64 = (1.0 - _MIXED) * soft + _MIXED / soft.shape[1]
        return found
