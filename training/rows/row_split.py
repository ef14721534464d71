"""Which training rows train and which test: a cut in time, with a gap of a horizon before it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nba.settings.goals import Goal
from training.dataset import I64, Flags, Rows


@dataclass(frozen=True)
class Split:
    """Which rows train and which test; a row whose horizon reaches into the test does neither."""

    train: Flags
    test: Flags


def split_rows(rows: Rows, goal: Goal) -> Split:
    """Take the newest part as the test, and for training the rows that end before it begins."""
    snapshots = goal.snapshots
    if not len(rows):
        none = np.zeros(0, dtype=np.bool_)
        return Split(none, none)
    if snapshots.test_from is not None:
        first = snapshots.test_from
    elif snapshots.after is not None:
        first = quantile(rows.as_of, 1.0 - snapshots.test)
    else:
        moments = np.unique(rows.as_of)
        first = int(moments[-max(1, round(snapshots.test * len(moments)))])
    test = rows.as_of >= first
    begins = int(rows.as_of[test].min()) if test.any() else first
    return Split(train=~test & (rows.until <= begins), test=test)


def quantile(moments: I64, share: float) -> int:
    """Find the earliest of ``moments`` at or past their quantile."""
    # Counted in whole rows: interpolated microseconds are rounded, and the row at the quantile might miss it.
    at = int(np.ceil(share * (len(moments) - 1) - 1e-9))
    return int(np.sort(moments)[max(0, at)])
