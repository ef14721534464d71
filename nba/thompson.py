"""The chance of each action that its priority is the largest, where priorities are known up to an error.

Thompson (1933, Biometrika 25, 285-294) chooses each action as often as it may be the best one. Here that chance is
integrated and not drawn, so that what is logged is what the action was drawn with, and nothing possible has none.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from features.compiled import F64, Flags, compiled, inlined

REACH = 7.0
"""Standard deviations beyond which a normal is taken for over: 1.3e-12 of it lie there on each side."""

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)
_WIDTH = 1.6
"""Width of a panel of the integration, in standard deviations of the surest action that is still undecided in it."""
_LEAST = 1e-14
"""Chance that is too small to be looked for."""
_SUREST, _TINY = 1e-15, 1e-290
"""A smaller part of a priority, or of the largest, is no error that doubles can count with."""
_PEAK, _HALF_ROOT = 1.0 / math.sqrt(2.0 * math.pi), math.sqrt(0.5)


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
    _fill(np.array(priority, np.float64), np.array(error, np.float64), np.array(allowed, np.bool_), chances)
    return chances


def warm_up() -> None:
    """Ask once, so that what is compiled at first use is ready before a request needs it."""
    chances_of_being_best(np.zeros((1, 2)), np.ones((1, 2)), np.ones((1, 2), dtype=bool))


@compiled
def _fill(priority: F64, error: F64, allowed: Flags, chances: F64) -> None:
    for row in range(len(priority)):
        _settle(priority[row], error[row], allowed[row])
        _fill_row(priority[row], error[row], chances[row])


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
def _fill_row(priority: F64, error: F64, chances: F64) -> None:
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
    ratio, last = np.empty(len(mean)), 0.0
    for k in range(len(mean)):
        last = max(last, end[k])
    x, has_begun = 0.0, False
    while x < last:
        width = last - x
        for k in range(len(mean)):
            if end[k] > x:
                width = min(width, _WIDTH * spread[k])
        has_begun = has_begun or _all_below(x + width, at, rate, end) > _LEAST
        if has_begun and _add_panel(x, width, at, rate, end, ratio, found) > 1.0 - _LEAST:
            break
        x += width
    for k in range(len(mean)):
        found[k] *= rate[k]


@inlined
def _all_below(x: float, at: F64, rate: F64, end: F64) -> float:
    """Chance that no normal lies above a point."""
    product = 1.0
    for k in range(len(at)):
        if end[k] > x:
            product *= _share_and_ratio(at[k] + x * rate[k])[0]
    return product


@inlined
def _add_panel(x: float, width: float, at: F64, rate: F64, end: F64, ratio: F64, found: F64) -> float:
    """Add what lies in ``[x, x + width)``; returns the chance that no normal lies above its last node."""
    product = 1.0
    for node in range(len(_NODES)):
        point = x + 0.5 * width * (1.0 + _NODES[node])
        product = 1.0
        for k in range(len(at)):
            ratio[k] = 0.0
            if end[k] > point:
                share, ratio[k] = _share_and_ratio(at[k] + point * rate[k])
                product *= share
        scale = _WEIGHTS[node] * 0.5 * width * _PEAK * product
        for k in range(len(at)):
            found[k] += scale * ratio[k]
    return product


@inlined
def _share_and_ratio(z: float) -> tuple[float, float]:
    """Return the standard normal's share below z, and exp(-z^2 / 2) over it, for abs(z) <= 7.

    The rational approximation is number 5666 of Hart (1968, Computer Approximations), good to 15 digits.
    """
    x = abs(z)
    density = math.exp(-0.5 * z * z)
    above = 0.0352624965998911 * x + 0.700383064443688
    above = ((above * x + 6.37396220353165) * x + 33.912866078383) * x + 112.079291497871
    above = (above * x + 221.213596169931) * x + 220.206867912376
    below = 0.0883883476483184 * x + 1.75566716318264
    below = ((below * x + 16.064177579207) * x + 86.7807322029461) * x + 296.564248779674
    below = ((below * x + 637.333633378831) * x + 793.826512519948) * x + 440.413735824752
    part = above / below
    share = density * part
    if z > 0.0:
        return 1.0 - share, density / (1.0 - share)
    return share, 1.0 / part
