"""Why a model says what it says of one contact: its contributions, added up by meaning, in plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from models.estimate import Reason
from models.reasons import phrases, phrases_around
from models.reasons.meanings import Column, Meaning
from models.reasons.phrases import Phrase
from models.reasons.telling import Telling
from models.saying.said import Said

LEAST = 0.01
"""Log-odds below which what columns add together is no reason: a hundredth of the odds."""

_PHRASES: Mapping[str, Phrase] = {
    "kind": phrases.of_kind,
    "channel": phrases.of_channel,
    "topic": phrases.of_topic,
    "activity": phrases.activity,
    "recency": phrases.recency,
    "tenure": phrases.tenure,
    "rhythm": phrases.rhythm,
    "trend": phrases.trend,
    "season": phrases.season,
    "variety": phrases.variety,
    "interests": phrases.interests,
    "money": phrases.purchases,
    "returns": phrases.returns,
    "attention": phrases.attention,
    "answers": phrases.answers,
    "approaches": phrases.approaches,
    "points": phrases.points,
    "trait": phrases_around.trait,
    "property": phrases_around.given,
    "stage": phrases_around.stage,
}
"""By meaning; what is about the account or the action is said by ``phrases_around.around``."""


def reasons(contributions: NDArray[np.float64], columns: Sequence[Column], told: Telling) -> tuple[Reason, ...]:
    """Add up a row's contributions by meaning, and put each meaning into words; the strongest first.

    The words are those of the column that contributed most in the direction of the sum, so that they tell what the
    model looked at; where it has none (a fading sum, a spread) those of the next one of that meaning.

    Parameters
    ----------
    contributions
        What each column adds to the log-odds, shape (F,).
    columns
        From ``columns_of``, of the feature set that the row was made with.
    told
        The row.

    Returns
    -------
    Every meaning that adds at least ``LEAST`` and can be said, those for and those against the goal.
    """
    of: dict[Meaning, list[int]] = {}
    for i, column in enumerate(columns):
        of.setdefault(column.means, []).append(i)
    found: list[Reason] = []
    for meaning, members in of.items():
        total = float(contributions[members].sum())
        if abs(total) < LEAST:
            continue
        said = _said([columns[i] for i in members], contributions[members] * np.sign(total), told)
        if said is not None:
            found.append(Reason(said, total, str(meaning), meaning.of if meaning.what == "trait" else None))
    found.sort(key=lambda reason: (-abs(reason.contribution), reason.text))
    return _once(found)


def by_meaning(shares: Mapping[str, float], columns: Sequence[Column]) -> list[tuple[Meaning, float, list[str]]]:
    """Add up shares of columns by meaning, with the columns that have one; the largest first."""
    sums: dict[Meaning, float] = {}
    names: dict[Meaning, list[str]] = {}
    for column in columns:
        share = shares.get(column.name, 0.0)
        if share > 0.0:
            sums[column.means] = sums.get(column.means, 0.0) + share
            names.setdefault(column.means, []).append(column.name)
    order = sorted(sums, key=lambda meaning: (-sums[meaning], str(meaning)))
    return [(m, sums[m], sorted(names[m], key=lambda name: (-shares[name], name))) for m in order]


def _said(columns: Sequence[Column], towards: NDArray[np.float64], told: Telling) -> Said | None:
    for i in np.argsort(-towards, kind="stable").tolist():
        said = _PHRASES.get(columns[i].means.what, phrases_around.around)(columns[i], told)
        if said is not None:
            return said
    return None


def _once(found: Sequence[Reason]) -> tuple[Reason, ...]:
    """Leave out what was said before: two meanings may come to the same words."""
    seen: dict[str, Reason] = {}
    for reason in found:
        seen.setdefault(reason.text, reason)
    return tuple(seen.values())
