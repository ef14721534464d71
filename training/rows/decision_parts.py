"""Which past decisions teach and which are held out to value policies on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from nba.settings.goals import Goal, Snapshots
from training.rows.row_split import quantile

I64 = NDArray[np.int64]
Flags = NDArray[np.bool_]

BY_TIME, BY_CONTACT = "time", "contact"
_SALT = b"held out decisions\0"
_ENOUGH_LEFT = 0.5
"""Of the earlier decisions this part must have ended before the held-out ones begin, or contacts are split."""


@dataclass(frozen=True)
class Parts:
    """Which decisions are held out, and since when (microseconds); by time, or by a hash of the contact."""

    held_out: Flags
    by: str
    first: int

    def before(self, known: Flags, until: I64) -> Flags:
        """Which decisions may teach: known outcomes that ended before the first that is held out."""
        teaching = known & ~self.held_out
        return teaching & (until <= self.first) if self.by == BY_TIME else teaching

    def only(self, which: Flags) -> Parts:
        """Take some rows."""
        return replace(self, held_out=self.held_out[which])


def split(
    decided_at: I64, until: I64, known: Flags, cluster: I64, identities: Sequence[str], goal: Goal | None
) -> Parts:
    """Hold the last decisions out, or where time cannot part them those of some contacts.

    Parameters
    ----------
    until
        End of the longest horizon that a decision is judged by.
    known
        Whether all its outcomes are known; others are never held out.
    cluster, identities
        What is one contact, and a raw key of it.
    goal
        Whose ``snapshots`` say how much is held out, and from when.
    """
    rule = Snapshots() if goal is None else goal.snapshots
    moments = decided_at[known]
    if not len(moments):
        return Parts(np.zeros(len(known), dtype=np.bool_), BY_TIME, 0)
    first = rule.test_from if rule.test_from is not None else quantile(moments, 1.0 - rule.test)
    held_out = known & (decided_at >= first)
    if held_out.any():
        first = int(decided_at[held_out].min())
    earlier = known & ~held_out
    taught = earlier & (until <= first)
    by_time = taught.sum() >= max(1.0, _ENOUGH_LEFT * earlier.sum()) and held_out.any()
    if by_time or rule.test_from is not None:
        return Parts(held_out, BY_TIME, first)
    return Parts(known & (_fractions(cluster, identities) < rule.test), BY_CONTACT, int(moments.min()))


def _fractions(cluster: I64, identities: Sequence[str]) -> NDArray[np.float64]:
    """Hash each contact to [0, 1) by the first of its keys."""
    key: dict[int, str] = {}
    for code, name in zip(cluster.tolist(), identities, strict=True):
        key[code] = min(key.get(code, name), name)
    of = {code: int.from_bytes(sha256(_SALT + name.encode()).digest()[:6]) / 2**48 for code, name in key.items()}
    return np.array([of[code] for code in cluster.tolist()], dtype=np.float64)
