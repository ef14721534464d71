"""Contacts by how likely they are to leave and by what they brought: whom it is worth to keep."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from features.spans import spans, tally
from features.times import DAY
from nba.settings import Settings
from training.baselines import abc_classes
from training.dataset import of_kinds
from training.past import Past

if TYPE_CHECKING:
    from models.belief import Belief

YEAR = 365 * DAY
RISKS = ("low", "medium", "high")
WORTHS = ("none", "small", "middle", "large")
"""By last year's revenue: without any, and the classes C, B and A."""


def churn_goal(belief: Belief | None) -> str | None:
    """Name the first goal that is one to be avoided; None where the model has none."""
    goals = {} if belief is None else belief.goals
    return next((name for name, told in goals.items() if told["is_absence"]), None)


def matrix(
    past: Past, settings: Settings, belief: Belief | None, names: Sequence[str], chance: Sequence[float | None]
) -> dict[str, Any] | None:
    """Count contacts by risk and worth; None where no model tells a risk.

    Parameters
    ----------
    names, chance
        Contacts that may be seen whole, and their chance of leaving; None: not known.

    Returns
    -------
    dict
        ``goal``, ``currency``, ``worth_from``: from which revenue on a worth has its name, and ``cells``: of every
        ``risk`` and ``worth`` the ``contacts`` and their ``revenue`` of the last year, in base currency.
    """
    goal = churn_goal(belief)
    if belief is None or goal is None:
        return None
    scored = [(name, p) for name, p in zip(names, chance, strict=True) if p is not None]
    risk = np.array([RISKS.index(belief.grade(goal, p)) for _, p in scored], dtype=np.int64)
    revenue = revenues(past, settings, [name for name, _ in scored])
    worth = np.where(revenue > 0, abc_classes(revenue, revenue), 0).astype(np.int64)
    cell, size = risk * len(WORTHS) + worth, len(RISKS) * len(WORTHS)
    count = np.bincount(cell, minlength=size).tolist()
    money = np.bincount(cell, weights=revenue, minlength=size).tolist()
    return {
        "goal": goal,
        "currency": settings.touchpoints.base,
        "worth_from": {
            name: float(revenue[worth == code].min())
            for code, name in enumerate(WORTHS)
            if code and (worth == code).any()
        },
        "cells": [
            {"risk": a, "worth": b, "contacts": count[i * len(WORTHS) + j], "revenue": money[i * len(WORTHS) + j]}
            for i, a in enumerate(RISKS)
            for j, b in enumerate(WORTHS)
        ],
    }


def revenues(past: Past, settings: Settings, names: Sequence[str]) -> NDArray[np.float64]:
    """Add up what each contact brought in the year before, in base currency, shape (n,)."""
    t, place = past.touchpoints, past.current()
    codes = np.array([place.get(name, -1) for name in names], dtype=np.int64)
    own, found = codes >= 0, np.zeros(len(codes))
    year = spans(t.start, t.occurred_at, codes[own], past.now - YEAR, past.now)
    money = of_kinds(t, settings.touchpoints.money) & ~t.outbound
    found[own] = tally(year, money, weight=np.nan_to_num(t.value))[1]
    return np.maximum(found, 0.0)
