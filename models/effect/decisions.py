"""Past decisions as arrays to learn effects from, and what they are good for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from features.errors import UserError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FEWEST = 40
"""Decisions of an action, and with nothing done, from which on its effect is estimated."""


class NotEnoughDecisions(UserError):
    """Too few decisions to tell what any action changes."""


@dataclass(frozen=True)
class Given:
    """The decisions as arrays of the right shapes."""

    X: NDArray[Any]
    action: Ints
    y: Floats
    probability: Floats
    chances: Floats
    allowed: NDArray[np.bool_]
    cluster: Ints


def given_decisions(
    X: ArrayLike,
    action: ArrayLike,
    y: ArrayLike,
    k: int,
    probability: ArrayLike | None,
    chances: ArrayLike | None,
    allowed: ArrayLike | None,
    cluster: ArrayLike | None,
) -> Given:
    """Check the arguments of ``Effects.fit`` and fill in those left out, for ``k`` actions with "do nothing".

    Raises
    ------
    ValueError
        Where shapes do not fit.
    """
    taken, truth = np.asarray(action, dtype=np.int64), np.asarray(y, dtype=np.float64)
    n = len(truth)
    ever = np.bincount(taken, minlength=k) > 0
    given = Given(
        X=np.asarray(X),
        action=taken,
        y=truth,
        probability=np.full(n, np.nan) if probability is None else np.asarray(probability, dtype=np.float64),
        chances=np.full((n, k), np.nan) if chances is None else np.asarray(chances, dtype=np.float64),
        allowed=np.tile(ever, (n, 1)) if allowed is None else np.asarray(allowed, dtype=np.bool_),
        cluster=np.arange(n, dtype=np.int64) if cluster is None else np.asarray(cluster, dtype=np.int64),
    )
    wanted = {"action": (n,), "probability": (n,), "chances": (n, k), "allowed": (n, k), "cluster": (n,)}
    for name, shape in wanted.items():
        if getattr(given, name).shape != shape:
            raise ValueError(f"{name} has shape {getattr(given, name).shape}; for these {n} decisions it is {shape}")
    if given.X.ndim != 2 or len(given.X) != n:
        raise ValueError(f"the matrix has shape {given.X.shape}; for {n} decisions it is ({n}, columns)")
    return given


def learnable(given: Given, actions: Sequence[str]) -> list[int]:
    """Return the actions with enough decisions to compare with enough where nothing was done."""
    counts = [int(((given.action == a) & given.allowed[:, 0]).sum()) for a in range(len(actions))]
    if counts[0] < FEWEST:
        raise NotEnoughDecisions(
            f"nothing was done in {counts[0]:,} of {len(given.y):,} decisions; to tell what an action changes, leave "
            f'{FEWEST} contacts or more alone (ranking.epsilon does), and log it as a decision for "{actions[0]}"'
        )
    found = [a for a in range(1, len(actions)) if counts[a] >= FEWEST]
    if not found:
        raise NotEnoughDecisions(
            f"no action was taken {FEWEST} times among {len(given.y):,} decisions; its effect cannot be told yet"
        )
    return found


def evidence_of_action(action: Ints, probability: Floats, a: int) -> str:
    """How strong the ground of an action's effect is: randomised where no chance depends on the contact."""
    pairs = [probability[action == which] for which in (0, a)]
    if any(np.isnan(chances).any() for chances in pairs):
        return "observational"
    return "randomised" if all(np.ptp(chances) < 1e-6 for chances in pairs) else "logged"
