"""Filling slots with things to read, one draw after the other, each with its known chance.

A slot is given to a topic that is new to the contact with chance ``fresh``, and such slots are spread evenly over the
answer (systematic sampling: after k slots there are ``k x fresh`` of them, rounded up or down by chance, so that each
slot alone has exactly that chance). Within what is familiar the chance grows with the square of the interest; within
what is new every topic has the same. A part ``epsilon`` of each draw goes evenly to everything that the slot could
have. At most ``1 - plain`` of the slots that are filled are promotional.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nba.draw import pick

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_ROUNDING = 1e-9
"""Shares are decimals: five slots of which 0.6 are plain leave room for two, though 5 x (1 - 0.6) is a little less."""


@dataclass(frozen=True)
class Shelf:
    """What could fill the slots; every array has shape (n,)."""

    interest: Floats
    """How interested the contact is in what each is about, at least 0."""
    is_new: Flags
    """Whether the contact never looked at anything about it."""
    is_live: Flags
    """Whether its interest has not faded away."""
    is_promotional: Flags
    topic: NDArray[np.int64]
    """Code of what each is mainly about."""


@dataclass(frozen=True)
class Shares:
    """The part of new topics, the least part that is not promotional, and the part of exploration."""

    fresh: float
    plain: float
    epsilon: float


class Filling:
    """Slots as they are filled: ask for the chances of the next one, then put something into it."""

    def __init__(self, shelf: Shelf, shares: Shares, slots: int) -> None:
        self._shelf, self._shares = shelf, shares
        self._free = np.ones(len(shelf.interest), dtype=np.bool_)
        self.left = _most(shelf, shares.plain, slots)
        """How many slots are still to be filled."""
        self._promotional = _room(self.left, shares.plain)
        # The share of new topics: how many slots were shared out, how many of them to new topics, and between which
        # bounds the one random number lies that has told so.
        self._shared = self._given = 0
        self._low, self._high = 0.0, 1.0

    def chances(self) -> Floats:
        """Return the chance of each for the next slot, shape (n,), summing to 1; all 0 where no slot is left."""
        out = np.zeros(len(self._free))
        if self.left <= 0:
            return out
        may = self._may()
        for chance, group in self._groups(may):
            if chance > 0.0:
                out[group] += chance * self._within(group)
        return out

    def put(self, column: int) -> None:
        """Fill the next slot."""
        new, other = self._split(self._may())
        if new.any() and other.any():
            self._note(bool(new[column]))
        self._free[column] = False
        self._promotional -= int(self._shelf.is_promotional[column])
        self.left -= 1

    def _may(self) -> Flags:
        return self._free if self._promotional > 0 else self._free & ~self._shelf.is_promotional

    def _groups(self, may: Flags) -> list[tuple[float, Flags]]:
        new, other = self._split(may)
        if not other.any():
            return [(1.0, new)]
        if not new.any():
            return [(1.0, other)]
        chance = self._chance_of_new()
        return [(chance, new), (1.0 - chance, other)]

    def _split(self, may: Flags) -> tuple[Flags, Flags]:
        """Return what a slot for new topics could have, and any other slot."""
        new, live = may & self._shelf.is_new, may & self._shelf.is_live
        # Interest that has faded away is no reason: without any other all topics are alike.
        return new, live if live.any() else may & ~self._shelf.is_new

    def _chance_of_new(self) -> float:
        least = self._given + 1 - (self._shared + 1) * self._shares.fresh
        return min(max((self._high - least) / (self._high - self._low), 0.0), 1.0)

    def _note(self, is_new: bool) -> None:
        least = self._given + 1 - (self._shared + 1) * self._shares.fresh
        if is_new:
            self._low, self._given = max(self._low, least), self._given + 1
        else:
            self._high = min(self._high, least)
        self._shared += 1

    def _within(self, group: Flags) -> Floats:
        shelf, columns = self._shelf, group.nonzero()[0]
        weight = np.where(shelf.is_live, shelf.interest, 0.0)[columns] ** 2
        if not weight.any():
            topics = shelf.topic[columns]
            weight = 1.0 / np.bincount(topics)[topics]
        chances: Floats = (1.0 - self._shares.epsilon) * weight / weight.sum() + self._shares.epsilon / len(columns)
        return chances


def fill(filling: Filling, fractions: Iterable[float]) -> list[tuple[int, float]]:
    """Draw for one slot after the other.

    Parameters
    ----------
    fractions
        A number in [0, 1) for each slot, as many as are wanted.

    Returns
    -------
    What each slot is filled with, and the chance that it had given the slots before.
    """
    found: list[tuple[int, float]] = []
    for fraction in fractions:
        if filling.left <= 0:
            break
        chances = filling.chances()
        column = pick(chances, fraction)
        found.append((column, float(chances[column])))
        filling.put(column)
    return found


def _room(slots: int, plain: float) -> int:
    """How many of so many slots may be promotional."""
    return math.floor(slots * (1.0 - plain) + _ROUNDING)


def _most(shelf: Shelf, plain: float, slots: int) -> int:
    """How many slots can be filled without too many promotional ones."""
    promotional = int(shelf.is_promotional.sum())
    others = len(shelf.is_promotional) - promotional
    return next(
        n for n in range(min(slots, promotional + others), -1, -1) if n <= others + min(_room(n, plain), promotional)
    )
