"""What was logged of the chances of past decisions, as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from features.errors import UserError
from features.rows.row_types import DecisionRow

I64 = NDArray[np.int64]
Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]


def probabilities(chosen: Sequence[DecisionRow]) -> Floats:
    """Return the chance that each action had when it was drawn, shape (n,); NaN where it is not known.

    Raises
    ------
    UserError
        Where a probability is none.
    """
    found = np.array([np.nan if row.probability is None else row.probability for row in chosen], dtype=np.float64)
    wrong = np.flatnonzero(~np.isnan(found) & ~((found > 0) & (found <= 1)))
    if len(wrong):
        row = chosen[int(wrong[0])]
        raise UserError(
            f"decision {row.decision_id!r} has the probability {row.probability}; an action that was drawn had one "
            "above 0 and at most 1: correct it, or leave it out where it is not known"
        )
    return found


def chances(chosen: Sequence[DecisionRow], column: Mapping[str, int], action: I64, probability: Floats) -> Floats:
    """Return the chance of each action, shape (n, k); NaN where it is not known, 0 for what was not allowed.

    Parameters
    ----------
    column
        Of each action by name.
    action, probability
        Column of the action that was taken, and the chance that it had, shape (n,).
    """
    found = np.full((len(chosen), len(column)), np.nan)
    for i, row in enumerate(chosen):
        if row.chances:
            found[i] = 0.0
            for name, chance in row.chances.items():
                if name in column:
                    found[i, column[name]] = chance
    found[np.arange(len(chosen)), action] = probability
    return found


def allowed(chosen: Sequence[DecisionRow], column: Mapping[str, int], action: I64) -> Flags:
    """Mark what was allowed, shape (n, k); the action that was taken and "do nothing" in any case."""
    ever = np.zeros(len(column), dtype=np.bool_)
    ever[action] = True
    found = np.empty((len(chosen), len(column)), dtype=np.bool_)
    for i, row in enumerate(chosen):
        names = row.allowed if row.allowed is not None else row.chances or None
        if names is None:
            found[i] = ever
            continue
        found[i] = False
        found[i, [column[name] for name in names if name in column]] = True
    found[:, 0] = True
    found[np.arange(len(chosen)), action] = True
    return found
