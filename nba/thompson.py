"""The chance of each action that its priority is the largest, where priorities are known up to an error.

Thompson (1933, Biometrika 25, 285-294) chooses each action as often as it may be the best one. Here that chance is
integrated and not drawn, so that what is logged is what the action was drawn with, and nothing possible has none.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from features.compiled import F64, Flags, bits_of_float, compiled, float_of_bits, inlined, streamed

REACH = 7.0
"""Standard deviations beyond which a normal is taken for over: 1.3e-12 of it lie there on each side."""

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)
_WIDTH = 1.6
"""Width of a panel of the integration, in standard deviations of the surest action that is still undecided in it."""
_LEAST = 1e-14
"""Chance that is too small to be looked for."""
_AT_ONCE = 16 * len(_NODES)
"""Nodes that are looked at together: as many as most rows need."""
_SUREST, _TINY = 1e-15, 1e-290
"""A smaller part of a priority, or of the largest, is no error that doubles can count with."""
_PEAK, _HALF_ROOT = 1.0 / math.sqrt(2.0 * math.pi), math.sqrt(0.5)
_LOG2_E, _LN_2, _LN_2_REST, _ROUNDS = (
    1.0 / math.log(2.0),
    6.93147180369123816490e-01,
    1.90821492927058770002e-10,
    1.5 * 2.0**52,
)


def chances_of_being_best(
    priority: NDArray[np.float64], error: NDArray[np.float64], allowed: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Chance of each action that its priority is the largest, for independent normals.

    ``P(i) = integral of the density of i x product of the distributions of all others``, over all that is above 0 and
    above every certain priority; "do nothing" and certain actions have what is left: the chance that all others stay
    below. Of certain actions the best counts; equal ones share its chance, and none is better than "do nothing" at 0.

    Parameters
    ----------
    priority
        Shape (n, n_actions); column 0, "do nothing", counts as a certain 0. What is not finite is not known.
    error
        Standard deviation of each priority, of the same shape; what is not a finite number above 0 is certain.
    allowed
        Of the same shape; column 0 counts as allowed.

    Returns
    -------
    Of the same shape; 0 where not allowed or not known, rows sum to 1. Off by less than 1e-8.

    Examples
    --------
    >>> priority, error = np.array([[0.0, 1.0, 1.0]]), np.array([[0.0, 2.0, 2.0]])
    >>> chances_of_being_best(priority, error, np.ones((1, 3), dtype=bool)).round(4).tolist()
    [[0.0952, 0.4524, 0.4524]]
    """
    chances = np.zeros(priority.shape)
    columns = (np.ascontiguousarray(priority, np.float64), np.ascontiguousarray(error, np.float64))
    _fill(*columns, np.ascontiguousarray(allowed, np.bool_), chances)
    return chances


@compiled
def _fill(priority: F64, error: F64, allowed: Flags, chances: F64) -> None:
    for row in range(len(priority)):
        fill_row(priority[row], error[row], allowed[row], chances[row])


@inlined
def fill_row(priority: F64, error: F64, allowed: Flags, chances: F64) -> None:
    """Fill in the chances of one row, which are zeros; see ``chances_of_being_best``."""
    worth, spread = priority.copy(), error.copy()
    _settle(worth, spread, allowed)
    _fill_settled(worth, spread, chances)


@inlined
def _settle(priority: F64, error: F64, allowed: Flags) -> None:
    """Leave out what does not count by a certain worth below all others, and bring the rest into a small range."""
    largest = 0.0
    for i in range(len(priority)):
        if not math.isfinite(error[i]) or error[i] < _SUREST * abs(priority[i]):
            error[i] = 0.0
        if not allowed[i] or not math.isfinite(priority[i]):
            priority[i], error[i] = -math.inf, 0.0
        if i == 0:
            priority[i], error[i] = 0.0, 0.0
        if priority[i] != -math.inf:
            largest = max(largest, abs(priority[i]), error[i])
    # A power of two changes no digit.
    power = math.frexp(largest)[1]
    for i in range(len(priority)):
        priority[i], error[i] = math.ldexp(priority[i], -power), math.ldexp(error[i], -power)
        if error[i] < _TINY:
            error[i] = 0.0


@inlined
def _fill_settled(priority: F64, error: F64, chances: F64) -> None:
    unsure = np.flatnonzero(error > 0.0)
    mean, spread = priority[unsure], error[unsure]
    floor = 0.0
    for i in range(len(priority)):
        if error[i] == 0.0:
            floor = max(floor, priority[i])
    found = np.zeros(len(unsure))
    _integrate(mean, spread, floor, found)
    left = 1.0
    for k in range(len(unsure)):
        left *= 0.5 * math.erfc((mean[k] - floor) / spread[k] * _HALF_ROOT)
    total = left + found.sum()
    chances[unsure] = found / total
    _share(priority, error, floor, left / total, chances)


@inlined
def _share(priority: F64, error: F64, floor: float, left: float, chances: F64) -> None:
    """Give what is left to the best of what is certain."""
    equals = 0
    for i in range(1, len(priority)):
        equals += error[i] == 0.0 and priority[i] == floor
    if floor == 0.0:
        chances[0] = left
        return
    for i in range(1, len(priority)):
        if error[i] == 0.0 and priority[i] == floor:
            chances[i] = left / equals


@inlined
def _integrate(mean: F64, spread: F64, floor: float, found: F64) -> None:
    """Add to ``found`` the chance of each normal that it is the largest and above ``floor``.

    Below the highest of the points ``mean - 7 spread`` the largest of all cannot lie, so every normal that is still
    undecided at a point above it is at most 14 of its deviations away: panels can widen with the distance.
    """
    start = floor
    for k in range(len(mean)):
        start = max(start, mean[k] - REACH * spread[k])
    # Counted from the start, for the sake of digits where priorities are large and errors small.
    rate = 1.0 / spread
    at, end = (start - mean) * rate, (mean - start) + REACH * spread
    last = 0.0
    for k in range(len(mean)):
        last = max(last, end[k])
    points, weight, below = np.empty(_AT_ONCE), np.empty(_AT_ONCE), np.empty(_AT_ONCE)
    ratio = np.empty((len(mean), _AT_ONCE))
    x, all_below = 0.0, 0.0
    while x < last and all_below <= 1.0 - _LEAST:
        x, n = _lay_panels(x, last, spread, end, points, weight)
        below[:n] = 1.0
        for k in range(len(mean)):
            reached = n
            while reached > 0 and points[reached - 1] >= end[k]:
                reached -= 1
            _look(at[k], rate[k], points[:reached], below, ratio[k])
            ratio[k, reached:n] = 0.0
        for p in range(n):
            weight[p] *= below[p]
        for k in range(len(mean)):
            for p in range(n):
                found[k] += weight[p] * ratio[k, p]
        all_below = below[n - 1]
    for k in range(len(mean)):
        found[k] *= rate[k]


@inlined
def _lay_panels(x: float, last: float, spread: F64, end: F64, points: F64, weight: F64) -> tuple[float, int]:
    """Lay panels from ``x`` to ``last`` or until there is no more room; returns how far, and how many nodes."""
    n = 0
    while x < last and n < len(points):
        width = last - x
        for k in range(len(spread)):
            if end[k] > x:
                width = min(width, _WIDTH * spread[k])
        for node in range(len(_NODES)):
            points[n] = x + 0.5 * width * (1.0 + _NODES[node])
            weight[n] = _WEIGHTS[node] * 0.5 * width * _PEAK
            n += 1
        x += width
    return x, n


@streamed
def _look(at: float, rate: float, points: F64, below: F64, ratio: F64) -> None:
    """Multiply ``below`` by a normal's share below each point; ``ratio`` becomes its exp(-z^2 / 2) over that share."""
    for p in range(len(points)):
        z = at + points[p] * rate
        density = _exp(-0.5 * z * z)
        share = _share_below(z, density)
        below[p] *= share
        ratio[p] = density / share


@streamed
def _share_below(z: float, density: float) -> float:
    """Return the standard normal's share below z, for abs(z) <= 7; ``density`` is exp(-z^2 / 2).

    The rational approximation is number 5666 of Hart (1968, Computer Approximations); the share is off by less than
    1e-14.
    """
    x = abs(z)
    above = 0.0352624965998911 * x + 0.700383064443688
    above = ((above * x + 6.37396220353165) * x + 33.912866078383) * x + 112.079291497871
    above = (above * x + 221.213596169931) * x + 220.206867912376
    under = 0.0883883476483184 * x + 1.75566716318264
    under = ((under * x + 16.064177579207) * x + 86.7807322029461) * x + 296.564248779674
    under = ((under * x + 637.333633378831) * x + 793.826512519948) * x + 440.413735824752
    share = density * above / under
    return 1.0 - share if z > 0.0 else share


@streamed
def _exp(x: float) -> float:
    """Return e^x to 15 digits, for abs(x) <= 700.

    The library's would be called for one number at a time. ``x = n ln 2 + r`` with abs(r) <= ln 2 / 2, of which the
    Taylor polynomial of degree 11 is off by less than 1e-14 (Muller, Elementary Functions, 3rd edition, chapter 11);
    adding 1.5 x 2^52 rounds to a whole n and leaves it in the lowest bits.
    """
    shifted = x * _LOG2_E + _ROUNDS
    n = shifted - _ROUNDS
    r = (x - n * _LN_2) - n * _LN_2_REST
    r2 = r * r
    r4 = r2 * r2
    low = (1.0 + r) + (1 / 2 + r * (1 / 6)) * r2
    middle = (1 / 24 + r * (1 / 120)) + (1 / 720 + r * (1 / 5040)) * r2
    high = (1 / 40320 + r * (1 / 362880)) + (1 / 3628800 + r * (1 / 39916800)) * r2
    power: float = float_of_bits((bits_of_float(shifted) + 1023) << 52)
    return (low + (middle + high * r4) * r4) * power
