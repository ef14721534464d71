"""Powers of two for what fades by half: quicker than the C library's, and the same bits on every machine."""

from __future__ import annotations

import math

from features.compiled import bits_of_float, float_of_bits, inlined

_C1, _C2, _C3, _C4, _C5, _C6, _C7, _C8, _C9, _C10, _C11 = (math.log(2) ** n / math.factorial(n) for n in range(1, 12))
_ROUNDS = 1.5 * 2.0**52
_LEAST = -1000.0
"""Below this power of two nothing is left that a float32 could show."""


@inlined
def power_of_two(x: float) -> float:
    """Compute 2**x for x up to 1000, to a relative error of 1e-14; 0 for x below -1000.

    The whole part of x becomes the exponent of the float; the rest, between -0.5 and 0.5, goes into the Taylor
    polynomial, summed in pairs so that a processor can work on several at once (Estrin's scheme).
    """
    # A float this large has no places after the point: adding it rounds, and leaves the whole part in the lowest bits.
    rounded = x + _ROUNDS
    t = x - (rounded - _ROUNDS)
    t2 = t * t
    t4 = t2 * t2
    low = (1.0 + _C1 * t) + t2 * (_C2 + _C3 * t)
    middle = (_C4 + _C5 * t) + t2 * (_C6 + _C7 * t)
    high = (_C8 + _C9 * t) + t2 * (_C10 + _C11 * t)
    scaled: float = (low + t4 * (middle + t4 * high)) * float_of_bits((bits_of_float(rounded) + 1023) << 52)
    return scaled if x >= _LEAST else 0.0
