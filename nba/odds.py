"""The chances that a policy gives the actions of a contact, compiled: for rows of contacts, and for one with its draw.

What serves asks for one contact at a time, so that one call does everything from the table of worths to the column
that is drawn. Rows and one contact have the parts in common.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from features.compiled import F64, Flags, compiled, inlined
from nba.thompson import fill_row
from nba.worth import GOAL, PRIORITY, SPREAD

BEST, PROBABLE, EVEN, FIXED, CALLED = range(5)
"""Ways to choose: the best, each as often as it may be the best, any, one column, what the points table calls for."""


class Rule(NamedTuple):
    """A policy as compiled code reads it."""

    way: int
    column: int = 0
    """Of the action that is always chosen; for FIXED."""
    epsilon: float = 0.0
    """The share that is spread evenly over what is allowed."""


def draw_one(
    rule: Rule, table: F64, allowed: Sequence[bool], called: int, share: float, fraction: float
) -> tuple[int, list[float]]:
    """Draw one of a contact's actions.

    Parameters
    ----------
    table
        Of ``nba.worth``, shape (11, n_actions).
    allowed
        Of each column; the first is true.
    called
        The column that the points table calls for.
    share
        The part of all contacts that gets what the points table calls for instead of what is drawn.
    fraction
        The chance that decides, in [0, 1).

    Returns
    -------
    The column that the policy draws, and the chance of each column over contacts held out and others.
    """
    chances = np.empty(len(allowed))
    may = np.frombuffer(bytes(allowed), np.bool_)
    return _draw(*rule, table, may, called, share, fraction, chances), chances.tolist()


def warm_up() -> None:
    """Draw once, so that what is compiled at first use is ready before a request needs it."""
    draw_one(Rule(BEST), np.zeros((GOAL + 1, 2)), (True, True), 0, 0.0, 0.0)


@compiled
def _draw(
    way: int,
    column: int,
    epsilon: float,
    table: F64,
    allowed: Flags,
    called: int,
    share: float,
    fraction: float,
    logged: F64,
) -> int:
    priority, error = table[PRIORITY], table[SPREAD]
    chances = np.zeros(len(logged))
    if way == BEST:
        chances[_best(priority, allowed)] = 1.0
    elif way == PROBABLE:
        fill_row(priority, error, allowed, chances)
    elif way == EVEN:
        _spread(chances, allowed, 1.0)
    elif way == FIXED:
        chances[column if allowed[column] else 0] = 1.0
    else:
        chances[called] = 1.0
    _spread(chances, allowed, epsilon)
    for i in range(len(logged)):
        logged[i] = share * (i == called) + (1.0 - share) * chances[i]
    return _picked(chances, fraction)


@compiled
def choose_best(priority: F64, allowed: Flags, chances: F64) -> None:
    """Give all chance of each row to the first of the best that are allowed, to column 0 where none is above 0."""
    for row in range(len(priority)):
        chances[row, _best(priority[row], allowed[row])] = 1.0


@compiled
def spread(chances: F64, allowed: Flags, epsilon: float) -> None:
    """Leave ``1 - epsilon`` of each row's chances and share out the rest evenly over what is allowed."""
    for row in range(len(chances)):
        _spread(chances[row], allowed[row], epsilon)


@inlined
def _best(priority: F64, allowed: Flags) -> int:
    best, column = 0.0, 0
    for i in range(1, len(priority)):
        if allowed[i] and priority[i] > best:
            best, column = priority[i], i
    return column


@inlined
def _spread(chances: F64, allowed: Flags, epsilon: float) -> None:
    each = epsilon / allowed.sum()
    for i in range(len(chances)):
        chances[i] *= 1.0 - epsilon
        if allowed[i]:
            chances[i] += each


@inlined
def _picked(chances: F64, fraction: float) -> int:
    """Return the column that a number falls on, as ``nba.draw.pick`` does."""
    reached, last = 0.0, 0
    for column in range(len(chances)):
        if chances[column] > 0.0:
            reached += chances[column]
            last = column
            if fraction < reached:
                break
    return last
