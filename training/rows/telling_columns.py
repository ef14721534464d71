"""Whether one column tells the outcome: by its values, or by whom it is filled in for."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.feature_set import FeatureSet
from training import metrics

Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]

SUSPICIOUS = 0.95
"""One column alone that orders the rows better than this is likely to have been filled in afterwards."""
FEWEST = 20
"""Positives and negatives below which one column may do so by chance."""
MOST_EXCEPTIONS = 0.05
"""Contacts of the other outcome among those a trait is filled in for, as a share, that may be mistakes of entry."""
CHANCE = 1e-3
"""How likely any of the columns may be filled in for one outcome only by chance."""


@dataclass(frozen=True)
class Leak:
    """A column of the matrix that tells the outcome, what of it is known under which name, and how it shows.

    ``left_out`` columns must not be learnt from. A feature made of touchpoints is not left out: they lay before
    the moment, so that it is honest unless their times are wrong.
    """

    column: str
    shown: str
    why: str
    left_out: bool

    def __str__(self) -> str:
        if self.left_out:
            return f"{self.shown} {self.why}: is it filled in after the fact? It is left out as likely leakage"
        return f"{self.shown} {self.why}: are such touchpoints entered after the fact, with an earlier time?"


def given(features: FeatureSet) -> dict[str, str]:
    """Columns whose values somebody gave, with what to call them."""
    traits = zip(features.trait_features, features.traits, strict=True)
    found = {feature.name: f"trait {trait.name!r}" for feature, trait in traits}
    return found | {f"own_number_{name}": f"property {name!r}" for name in features.numbers}


def tells(values: NDArray[Any], outcomes: Sequence[Flags], *, categorical: bool, columns: int) -> str | None:
    """Say how a given column tells an outcome of contacts; None where it does not.

    Parameters
    ----------
    values
        One of each contact, shape (n,), NaN where missing.
    outcomes
        What came of the contacts, shape (n,) each.
    columns
        How many are looked at together.
    """
    why = _filled_for_one(values, outcomes, categorical, CHANCE / columns)
    for outcome in outcomes if why is None else ():
        why = why or orders(values, outcome, categorical)
    return why


def orders(values: NDArray[Any], outcome: Flags, categorical: bool) -> str | None:
    """Say that a column alone reaches an AUC of .95; None where it does not, or too few rows tell."""
    if min(int(outcome.sum()), int((~outcome).sum())) < FEWEST:
        return None
    found = alone(values.astype(np.float64), outcome, categorical=categorical)
    return f"alone reaches AUC {found:.2f}" if found >= SUSPICIOUS else None


def _filled_for_one(values: NDArray[Any], outcomes: Sequence[Flags], categorical: bool, chance: float) -> str | None:
    for filled, words in _ways_to_say_something(values, categorical):
        for outcome in outcomes:
            for wanted, came in ((outcome, "came"), (~outcome, "did not come")):
                if filled_for(filled, wanted, chance):
                    found, of = int(wanted[filled].sum()), int(filled.sum())
                    return f"{words} only where the outcome {came} ({found:,} of {of:,} contacts)"
    return None


def _ways_to_say_something(values: NDArray[Any], categorical: bool) -> Iterator[tuple[Flags, str]]:
    """Being filled in at all; and for a number, not being 0, which is how systems write "nothing yet"."""
    filled = ~np.isnan(values)
    yield filled, "is filled in"
    if not categorical and (values[filled] == 0).any():
        yield filled & (values != 0), "is other than 0"


def filled_for(filled: Flags, outcome: Flags, chance: float) -> bool:
    """Whether a column is filled in for one outcome only, and by more than chance.

    A rarer outcome may have a few exceptions, as mistakes are made; a more frequent one none, because what is
    filled in for loyal customers only is no leak. The chance is bounded as Chernoff (1952) and Hoeffding (1963)
    do: ``exp(-n KL(k / n || base))`` for k of n, which is ``base ** n`` where there is no exception.

    Parameters
    ----------
    filled, outcome
        Of each contact, shape (n,).
    chance
        The largest chance at which it is believed.

    Examples
    --------
    >>> won = np.arange(1000) % 10 == 0
    >>> filled_for(won & (np.arange(1000) < 200), won, 1e-4), filled_for(np.arange(1000) < 200, won, 1e-4)
    (True, False)
    """
    n, base = int(filled.sum()), float(outcome.mean())
    if n == 0 or base in (0.0, 1.0):
        return False
    share = float(outcome[filled].mean())
    if 1.0 - share > (MOST_EXCEPTIONS if base <= 0.5 else 0.0):
        return False
    apart = share * math.log(share / base)
    if share < 1.0:
        apart += (1.0 - share) * math.log((1.0 - share) / (1.0 - base))
    return share > base and math.exp(-n * apart) < chance


def alone(values: Floats, label: Flags, *, categorical: bool) -> float:
    """Area under the curve of one column, in its better direction; its being missing counts as a value.

    Examples
    --------
    >>> alone(np.array([np.nan, 1.0, np.nan, 2.0]), np.array([False, True, False, True]), categorical=False)
    1.0
    """
    missing = np.isnan(values)
    candidates: list[Any] = [missing.astype(np.float64)] if missing.any() else []
    if categorical:
        candidates.append(_shares(np.where(missing, -1.0, values), label))
    else:
        candidates.append(np.where(missing, -np.inf, values))
        candidates += [np.where(missing, np.inf, values)] if missing.any() else []
    areas = [metrics.auc(label, np.clip(c, -1e300, 1e300)) or 0.5 for c in candidates]
    return max(max(area, 1.0 - area) for area in areas)


def _shares(codes: Floats, label: Flags) -> Floats:
    """Share of positives among the other rows with the same code, so that a rare code tells nothing of itself."""
    _, group = np.unique(codes, return_inverse=True)
    rows, positives = np.bincount(group), np.bincount(group, label)
    own = label.astype(np.float64)
    shares: Floats = (positives[group] - own + label.mean()) / rows[group]
    return shares
