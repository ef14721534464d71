"""Columns that know the outcome: what is filled in after the fact looks like the best feature of all."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training import metrics
from training.dataset import label_rows
from training.goal_rows import GoalRows
from training.past import Past

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
_MOST_ROWS = 20_000
"""Rows that an area under the curve is computed from: its standard error is then below .01."""


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


def find_leaks(data: GoalRows, ever: Flags) -> list[Leak]:
    """Find the columns that tell the labels of the training rows.

    A column does where it alone reaches an AUC of .95, or where it is filled in for contacts of one outcome only.
    Whatever a trait said at a contact's first row is compared with what came of the contact in any row, and
    however late: a column filled in for those who were won is found too where they were won after the horizon.

    Parameters
    ----------
    ever
        Whether the outcome of each row came however late, from ``eventually``.
    """
    train = data.split.train
    if not train.any():
        return []
    given = _given(data)
    at = {name: i for i, name in enumerate(data.features.columns)}
    numbers = [at[name] for name in given]
    first, outcomes = _by_contact(data, ever, numbers)
    drawn = _drawn(train)
    leaks = []
    for place, (name, shown) in enumerate(given.items()):
        is_code = name in data.features.categorical
        why = _filled_for_one(first[:, place], outcomes, CHANCE / len(given))
        why = why or _orders(data.X[drawn, at[name]], data.rows.label[drawn], is_code)
        for outcome in outcomes if why is None else ():
            why = why or _orders(first[:, place], outcome, is_code)
        if why is not None:
            leaks.append(Leak(name, shown, why, left_out=True))
    return leaks + list(_told_by_history(data, given, drawn))


def eventually(data: GoalRows, past: Past) -> Flags:
    """Whether the outcome of each row came until the data end, after its horizon too."""
    open_ended = replace(data.rows, until=np.full(len(data.rows), past.end + 1, dtype=np.int64))
    return label_rows(past.touchpoints, data.features.rules, data.goal, open_ended, past.versions).label


def _given(data: GoalRows) -> dict[str, str]:
    """Columns whose values somebody gave, with what to call them."""
    traits = zip(data.features.trait_features, data.features.traits, strict=True)
    given = {feature.name: f"trait {trait.name!r}" for feature, trait in traits}
    return given | {f"own_number_{name}": f"property {name!r}" for name in data.features.numbers}


def _by_contact(data: GoalRows, ever: Flags, columns: Sequence[int]) -> tuple[NDArray[np.float32], list[Flags]]:
    """Values at each contact's first training row, and what came of the contact: in a horizon, and ever."""
    rows = np.flatnonzero(data.split.train)
    rows = rows[np.argsort(data.rows.as_of[rows], kind="stable")]
    _, first, contact = np.unique(data.rows.cluster[rows], return_index=True, return_inverse=True)
    outcomes = [np.bincount(contact, came[rows].astype(np.float64)) > 0 for came in (data.rows.label, ever)]
    usable = [o for o in outcomes if min(int(o.sum()), int((~o).sum())) >= FEWEST]
    return data.X[np.ix_(rows[first], np.asarray(columns, dtype=np.int64))], usable


def _drawn(train: Flags) -> NDArray[np.int64]:
    rows = np.flatnonzero(train)
    if len(rows) <= _MOST_ROWS:
        return rows
    return np.sort(np.random.default_rng(0).choice(rows, _MOST_ROWS, replace=False))


def _told_by_history(data: GoalRows, given: dict[str, str], drawn: NDArray[np.int64]) -> Iterator[Leak]:
    label = data.rows.label[drawn]
    if min(int(label.sum()), int((~label).sum())) < FEWEST:
        return
    few = drawn[:: max(1, len(drawn) // 4000)]
    near = SUSPICIOUS - 0.03
    for place, feature in enumerate(data.features.features):
        if feature.name in given:
            continue
        is_code = feature.name in data.features.categorical
        if alone(_wide(data.X[few, place]), data.rows.label[few], categorical=is_code) < near:
            continue
        why = _orders(data.X[drawn, place], label, is_code)
        if why is not None:
            yield Leak(feature.name, f"feature {feature.name!r}", why, left_out=False)


def _orders(values: NDArray[Any], outcome: Flags, categorical: bool) -> str | None:
    if min(int(outcome.sum()), int((~outcome).sum())) < FEWEST:
        return None
    found = alone(_wide(values), outcome, categorical=categorical)
    return f"alone reaches AUC {found:.2f}" if found >= SUSPICIOUS else None


def _wide(values: NDArray[Any]) -> Floats:
    return values.astype(np.float64)


def _filled_for_one(values: NDArray[Any], outcomes: Sequence[Flags], chance: float) -> str | None:
    filled = ~np.isnan(values)
    for outcome in outcomes:
        for wanted, words in ((outcome, "came"), (~outcome, "did not come")):
            if filled_for(filled, wanted, chance):
                found, of = int(wanted[filled].sum()), int(filled.sum())
                return f"is filled in only where the outcome {words} ({found:,} of {of:,} contacts)"
    return None


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
