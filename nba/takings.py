"""What a contact's own orders and returns brought, found in one compiled pass over its touchpoints."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from features.compiled import F64, I32, I64, Flags, bits_of_float, compiled_for
from features.touchpoints.touchpoints import TouchpointRules, Touchpoints


class Takings(NamedTuple):
    """Times (rising, microseconds) and amounts of orders and returns, both of shape (n,); a return's are below 0."""

    times: I64
    amounts: F64

    def since(self, moment: int) -> float:
        """Add up what came at a moment or later."""
        return math.fsum(self.amounts[int(self.times.searchsorted(moment)) :].tolist())


_NONE = Takings(np.zeros(0, dtype=np.int64), np.zeros(0))


def takings_of(t: Touchpoints, rules: TouchpointRules, margin: float | None = None) -> Takings:
    """Return what one contact's own orders and returns brought; what is not known or 0 is left out.

    Parameters
    ----------
    margin
        The share of a value that is margin where the touchpoint does not say it; None: revenue is asked for.
    """
    n, kinds = len(t), t.kinds
    signs = [0.0] * (2 * len(kinds))
    for first, wanted in ((0, rules.money), (len(kinds), rules.returns)):
        for kind in wanted:
            if kind in kinds:
                signs[first + kinds.index(kind)] = 1.0
    if not any(signs):
        return _NONE
    out, share = np.empty(1 + 2 * n, dtype=np.int64), np.array([math.nan if margin is None else margin])
    _take(out, t.occurred_at, t.kind, t.outbound, t.value, t.margin, np.array(signs), share)
    found = 1 + int(out[0])
    return Takings(out[1:found], out[1 + n : found + n].view(np.float64))


def warm_up() -> None:
    """Look at nothing once, so that what is compiled at first use is ready before a request needs it."""
    out, codes, flags, none = np.zeros(1, dtype=np.int64), np.zeros(0, np.int32), np.zeros(0, np.bool_), np.zeros(0)
    _take(out, out[:0], codes, flags, none, none, none, np.zeros(1))


@compiled_for(np.int64, np.int32, np.bool_, *[np.float64] * 4)
def _take(
    out: I64, occurred_at: I64, kind: I32, outbound: Flags, value: F64, margin: F64, signs: F64, share: F64
) -> bool:
    """Fill ``out``: how many were found, the time of each, and from ``1 + n`` on the bits of each amount."""
    n, n_kinds, count = len(occurred_at), len(signs) // 2, 0
    for row in range(n):
        gives, takes = signs[kind[row]], signs[n_kinds + kind[row]]
        if outbound[row] or (gives == 0.0 and takes == 0.0):
            continue
        amount = value[row]
        if not math.isnan(share[0]):
            amount = value[row] * share[0] if math.isnan(margin[row]) else margin[row]
        # Systems write a return as 20 or as -20; either way it takes 20 away.
        brought = amount * gives - abs(amount) * takes
        if not math.isnan(amount) and brought != 0.0:
            out[1 + count], out[1 + n + count] = occurred_at[row], bits_of_float(brought)
            count += 1
    out[0] = count
    return True
