"""Classes by last year's revenue against the chances of the coming time: what ranking by revenue misses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.rows.row_types import FigureRow, ScoreRow
from nba.settings import Settings
from training.baselines import abc_classes
from training.past import Past
from training.pipeline.matrix import revenues
from training.scoring import partial_sights

if TYPE_CHECKING:
    from models.belief import Belief

CLASSES, MISSED = "classes", "missed"
"""The names of these figures; the second one names contacts and there is only one of it, which the next replaces."""
ABC = "abc"
"""Under this name a score keeps its contact's class."""
NAMES = ("A", "B", "C", "none")
"""The classes, as the forecast has them, and those who brought nothing in the year before."""
BANDS = 10
MOST_NAMED = 50
_OUT_OF_MIND = 2
"""From this class on nobody is looked at by whoever plans by revenue."""

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Classed:
    """Everybody's class, and what was counted by it.

    Attributes
    ----------
    classes
        By contact, of those whom the owner's side may see whole.
    figures
        None at all where no model gives the chance of a goal that is worth reaching.
    """

    classes: Mapping[str, str]
    figures: tuple[FigureRow, ...]

    def marked(self, row: ScoreRow) -> ScoreRow:
        """Return a score with the class of its contact."""
        found = self.classes.get(row.contact_id)
        return row if found is None else row._replace(body={**row.body, ABC: found})


def goal_of(settings: Settings) -> str | None:
    """Name the goal whose chances are looked at: conversion, else the first one that is not to be avoided."""
    wanted = [name for name, goal in settings.goals.items() if not goal.is_absence]
    return "conversion" if "conversion" in wanted else next(iter(wanted), None)


def classed(scores: pa.Table, past: Past, settings: Settings, belief: Belief | None) -> Classed:
    """Sort everybody whom the owner's side may see whole into classes by revenue, and these by chance.

    Parameters
    ----------
    scores
        Of everybody, as ``score_table`` makes them.
    """
    everybody = scores.column("contact_id").to_pylist()
    whole = np.ones(len(everybody), dtype=np.bool_)
    whole[list(partial_sights(everybody, past, settings))] = False
    names = [name for name, is_seen in zip(everybody, whole, strict=True) if is_seen]
    revenue = revenues(past, settings, names)
    codes = codes_of(revenue)
    by_contact = {name: NAMES[code] for name, code in zip(names, codes.tolist(), strict=True)}
    goal = goal_of(settings)
    chance = np.full(len(names), np.nan)
    if belief is not None and goal is not None:
        told = scores.column(f"p_{goal}").filter(pa.array(whole)).to_pylist()
        chance = np.array([np.nan if p is None else p for p in told], dtype=np.float64)
    known = ~np.isnan(chance)
    if belief is None or goal is None or not known.any():
        return Classed(by_contact, ())
    horizon = settings.goals[goal].horizon
    body = {
        "model_version": belief.version,
        "goal": goal,
        "horizon_us": horizon if isinstance(horizon, int) else None,
        "currency": settings.touchpoints.base,
        "contacts": int(known.sum()),
        "unknown": int((~known).sum()),
        **counted(chance[known], revenue[known], codes[known]),
    }
    first = _first(names, chance, codes, body["missed"]["from"])
    named = FigureRow(MISSED, 0, {"as_of": past.now, "contacts": first})
    return Classed(by_contact, (FigureRow(CLASSES, past.now, body), named))


def codes_of(revenue: Floats) -> Codes:
    """Return each contact's class as a place in ``NAMES``, shape (n,).

    Examples
    --------
    >>> codes_of(np.array([80.0, 15.0, 5.0, 0.0])).tolist()
    [0, 1, 2, 3]
    """
    return np.where(revenue > 0, 3 - abc_classes(revenue, revenue), 3).astype(np.int64)


def bands_of(chance: Floats) -> tuple[Codes, list[float]]:
    """Return each contact's tenth by falling chance, and the lowest chance of each; equal chances are in one.

    Examples
    --------
    >>> codes, lowest = bands_of(np.array([0.9, 0.1, 0.1, 0.5]))
    >>> codes.tolist(), lowest[0], lowest[-1]
    ([0, 5, 5, 2], 0.9, 0.1)
    """
    falling = np.sort(chance)[::-1]
    lowest = [float(falling[-(-len(falling) * band // BANDS) - 1]) for band in range(1, BANDS + 1)]
    # The first band whose lowest chance a contact reaches.
    codes = np.searchsorted(-np.array(lowest), -chance, side="left")
    return codes.astype(np.int64), lowest


def counted(chance: Floats, revenue: Floats, codes: Codes) -> dict[str, Any]:
    """Count contacts and add up their chances by class, by tenth, and by both.

    Parameters
    ----------
    chance, revenue, codes
        Of each contact, shape (n,); codes are places in ``NAMES``.

    Returns
    -------
    dict
        ``classes`` with their ``revenue`` and from which one on they are what they are, ``bands``, ``cells`` of shape
        (bands, classes), ``as_many``: what those with the highest chances would bring if they were as many as class
        A, and ``missed``: who is in the first tenth, and in none of the classes that revenue puts first.
    """
    band, lowest = bands_of(chance)
    width = len(NAMES)
    cell = band * width + codes
    n = np.bincount(cell, minlength=BANDS * width).reshape(BANDS, width)
    expected = np.bincount(cell, weights=chance, minlength=BANDS * width).reshape(BANDS, width)
    classes = [
        {
            "class": name,
            "contacts": int(n[:, code].sum()),
            "expected": float(expected[:, code].sum()),
            "revenue": float(revenue[codes == code].sum()),
            "from": float(revenue[codes == code].min()) if n[:, code].any() else None,
        }
        for code, name in enumerate(NAMES)
    ]
    bands = [
        {"from": lowest[i], "contacts": int(n[i].sum()), "expected": float(expected[i].sum())} for i in range(BANDS)
    ]
    of_a = int(n[:, 0].sum())
    return {
        "expected": float(chance.sum()),
        "revenue": float(revenue.sum()),
        "classes": classes,
        "bands": bands,
        "cells": [
            [{"contacts": int(n[i, j]), "expected": float(expected[i, j])} for j in range(width)] for i in range(BANDS)
        ],
        "as_many": {"contacts": of_a, "expected": float(np.sort(chance)[::-1][:of_a].sum())},
        "missed": {
            "from": lowest[0],
            "contacts": int(n[0, _OUT_OF_MIND:].sum()),
            "expected": float(expected[0, _OUT_OF_MIND:].sum()),
        },
    }


def _first(names: list[str], chance: Floats, codes: Codes, least: float) -> list[str]:
    """Name those whom revenue misses with the highest chances, the highest first."""
    found = np.flatnonzero((codes >= _OUT_OF_MIND) & (np.nan_to_num(chance, nan=-1.0) >= least)).tolist()
    return [names[i] for i in sorted(found, key=lambda i: (-chance[i], names[i]))[:MOST_NAMED]]
