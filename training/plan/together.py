"""What a plan's report may add up with contacts whose recommendations are kept from its viewer.

Nothing is told of fewer than ``nba.partners.visibility.FEWEST`` such contacts together, and no two figures may be
subtracted from each other so that fewer are left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from features.compiled import I64, Flags
from nba.partners.visibility import counted
from training.plan.planned_day import PlannedDay
from training.plan.pool import SHOWN
from training.plan.rows import is_shown


@dataclass(frozen=True)
class Together:
    """A day that was planned for everybody, as far as it may be summed up for one viewer."""

    planned: PlannedDay

    @cached_property
    def unseen(self) -> Flags:
        """Which candidates are of contacts whose recommendations are not shown."""
        kept = [contact for contact, sight in self.planned.gathered.sight.items() if not sight.shows(SHOWN)]
        return np.isin(self.planned.pool.contact, kept)

    @cached_property
    def not_listed(self) -> Flags:
        """Which candidates are done without a row that the viewer sees."""
        found = np.zeros(len(self.planned.done), dtype=np.bool_)
        found[[at for at in np.flatnonzero(self.planned.done).tolist() if not is_shown(self.planned, at)]] = True
        return found

    def are_enough(self, candidates: Flags) -> bool:
        """Whether a sum may have the unseen ones of these candidates in it."""
        contacts = len(np.unique(self.planned.pool.contact[candidates & self.unseen]))
        return contacts == 0 or counted(contacts) is not None

    @property
    def may_total(self) -> bool:
        """Whether what is done may be added up over everybody."""
        return self.are_enough(self.planned.done) and self.are_enough(self.not_listed)

    def count(self) -> int | None:
        """How many actions are done without a row; None where that would tell of single contacts."""
        return int(self.not_listed.sum()) if self.may_total else None

    def may_tell(self, before: int, candidates: Flags) -> bool:
        """Whether it may be told how much was used before by a partner whose contacts these candidates are of."""
        return before == 0 or counted(before) is not None or not (candidates & self.unseen).any()

    def told(self, rows: Sequence[I64]) -> list[Flags]:
        """Say of which limits the use, the room and the worth of one more may be told.

        Parameters
        ----------
        rows
            Of each family of limits: which limit each candidate of the pool uses; -1: none.
        """
        found = [self._told(row) for row in rows]
        for row, told in zip(rows, found, strict=True):
            # What the told limits leave of the total must not be of a few either.
            rest = self.not_listed & ~_of(row, told)
            if not (self.may_total and self.are_enough(rest)):
                told &= ~self._has_unseen(row, len(told))
        return found

    def _told(self, row: I64) -> Flags:
        n = int(row.max(initial=-1)) + 1
        return self._enough_each(row, n, self.unseen) & self._enough_each(row, n, self.unseen & self.planned.done)

    def _enough_each(self, row: I64, n: int, among: Flags) -> Flags:
        at = np.flatnonzero(among & (row >= 0))
        pairs = np.unique(np.stack([row[at], self.planned.pool.contact[at]]), axis=1)
        contacts = np.bincount(pairs[0], minlength=n)
        return np.array([each == 0 or counted(each) is not None for each in contacts.tolist()], dtype=np.bool_)

    def _has_unseen(self, row: I64, n: int) -> Flags:
        at = np.flatnonzero(self.unseen & (row >= 0))
        return np.bincount(row[at], minlength=n) > 0


def _of(row: I64, limits: Flags) -> Flags:
    """Which candidates use one of these limits."""
    found = np.zeros(len(row), dtype=np.bool_)
    at = np.flatnonzero(row >= 0)
    found[at] = limits[row[at]]
    return found
