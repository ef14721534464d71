"""The formula of a priority, over columns: one compiled call works out every action of a contact.

``priority = (propensity - without_action) x value x lever x context - cost``, and for a goal that something does not
happen (churn) ``(without_action - propensity) x ...``: there the worth is what is kept. It is known up to
``error x value x lever x context``, where ``error`` is that of the effect.

Every number is rounded as it is printed before it is reckoned with, so that a reader can add up what is printed.
"""

from __future__ import annotations

import math

import numpy as np

from features.compiled import F64, compiled, inlined

CHANCE, CHANCE_WITHOUT, VALUE, LEVER, CONTEXT, COST, ERROR, PRIORITY, SPREAD, KEEPS, GOAL = range(11)
"""Rows of the table that is worked out, a column for each action, "do nothing" first, all of whose are 0.

KEEPS is 1 where success is that the goal's event does not happen. GOAL is 0 where the action has a value of its own,
else the place of its goal's value, counted from 1.
"""

MONEY_DIGITS, CHANCE_DIGITS, ERROR_DIGITS, PRIORITY_DIGITS = 4, 6, 8, 10
"""Digits as printed; money's are those of values and costs."""

_MONEY, _CHANCES = 10.0**MONEY_DIGITS, 10.0**CHANCE_DIGITS
_ERRORS, _PRIORITIES = 10.0**ERROR_DIGITS, 10.0**PRIORITY_DIGITS
_WHOLE = 2.0**53
"""From here on doubles have no digits behind the point."""
_HALVES = 2.0**27 + 1.0
"""Splits a double into two of 26 bits (Dekker, 1971, Numerische Mathematik 18, 224-242)."""


def warm_up() -> None:
    """Work out one table, so that what is compiled at first use is ready before a request needs it."""
    table = np.zeros((GOAL + 1, 1))
    work_out(table, np.zeros(1))
    fill_gaps(table, table, np.zeros(1))


@compiled
def work_out(table: F64, goals: F64) -> bool:
    """Round chances, errors and goals' values, and fill in PRIORITY and SPREAD.

    Parameters
    ----------
    table
        Shape (11, n_actions): a row for each of the names above; what a row of money holds is rounded already.
    goals
        What a success of each goal is worth.

    Returns
    -------
    False, and nothing is changed, where a chance or an error is NaN.
    """
    n = table.shape[1]
    for i in range(n):
        if math.isnan(table[CHANCE, i] + table[CHANCE_WITHOUT, i] + table[ERROR, i]):
            return False
    for i in range(n):
        if table[GOAL, i] > 0.0:
            table[VALUE, i] = rounded(goals[int(table[GOAL, i]) - 1], _MONEY)
        with_, without = rounded(table[CHANCE, i], _CHANCES), rounded(table[CHANCE_WITHOUT, i], _CHANCES)
        error = rounded(table[ERROR, i], _ERRORS)
        gain = without - with_ if table[KEEPS, i] else with_ - without
        value, lever, context = table[VALUE, i], table[LEVER, i], table[CONTEXT, i]
        table[CHANCE, i], table[CHANCE_WITHOUT, i], table[ERROR, i] = with_, without, error
        table[PRIORITY, i] = rounded(gain * value * lever * context - table[COST, i], _PRIORITIES)
        table[SPREAD, i] = error * value * lever * context
    return True


@compiled
def fill_gaps(table: F64, usual: F64, evidence: F64) -> bool:
    """Fill in chances and errors that are NaN, as nobody believes anything, with what is believed at the start.

    An error alone is unknown where there are no decisions: the chance is then as sure as the belief at the start is,
    by the error of a Beta distribution (``Start.error``).

    Parameters
    ----------
    table, usual
        Shape (11, n_actions): what is worked out, and what holds without a model.
    evidence
        How many decisions the start of each action weighs, shape (n_actions,).

    Returns
    -------
    Whether a chance was NaN, so that there are actions of which the model has nothing to say.
    """
    has_silent = False
    for i in range(table.shape[1]):
        if math.isnan(table[CHANCE, i] + table[CHANCE_WITHOUT, i]):
            has_silent = True
            table[CHANCE, i], table[CHANCE_WITHOUT, i] = usual[CHANCE, i], usual[CHANCE_WITHOUT, i]
            table[ERROR, i] = usual[ERROR, i]
        elif math.isnan(table[ERROR, i]):
            p = min(max(table[CHANCE, i], 0.0), 1.0)
            table[ERROR, i] = math.sqrt(p * (1.0 - p) / (evidence[i] + 1.0))
    return has_silent


@inlined
def rounded(x: float, scale: float) -> float:
    """Round to the nearest multiple of ``1 / scale``, a power of ten up to 1e10, as Python's ``round`` does.

    That looks at the number itself and not at its product with the scale, which is rounded too: where the product
    seems to lie in the middle, what was lost of it decides.
    """
    product = x * scale
    if not abs(product) < _WHOLE:
        return x
    whole = np.rint(product)
    if abs(product - whole) == 0.5:
        lost = _lost(x, scale, product)
        if lost != 0.0:
            whole = product + math.copysign(0.5, lost)
    nearest: float = whole / scale
    return nearest


@inlined
def _lost(a: float, b: float, product: float) -> float:
    """Return what is left of ``a x b`` beside its rounded product; exactly."""
    a_high, b_high = a * _HALVES, b * _HALVES
    a_high, b_high = a_high - (a_high - a), b_high - (b_high - b)
    a_low, b_low = a - a_high, b - b_high
    return a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low)
