"""What the trees of several models say of one row: compiled."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.compiled import F32, F64, I64, compiled, lowest_bit
from models.forest.model_text import NAN, ZERO

U32 = NDArray[np.uint32]
Bits = NDArray[Any]

_NONE = np.float32(1e-35)
"""What LightGBM takes for zero."""
_LARGEST_CODE = 2.0**31


@compiled
def fill_scores(
    row: F32, runs: U32, threshold: F32, tree: U32, closes: Bits, missing_tree: U32, missing_closes: Bits, choices: U32,
    choice_closes: Bits, words: U32, leaves: F64, ends: I64, slope: F64, out: F64,
) -> None:  # fmt: skip
    """Fill in each model's raw score, ``out[0]``, and its probability, ``out[1]``; see ``Layout`` for the others.

    Parameters
    ----------
    row
        Shape (1, columns).
    out
        Shape (2, models).
    """
    closed = np.zeros(len(leaves), closes.dtype)
    for r in range(len(runs)):
        value, missing = row[0, runs[r, 0]], runs[r, 1]
        if abs(value) <= _NONE or (value != value and missing != NAN):
            value = np.float32(0.0)
        if (value != value) or (missing == ZERO and value == 0.0):
            for i in range(runs[r, 4], runs[r, 5]):
                closed[missing_tree[i]] |= missing_closes[i]
            continue
        for i in range(runs[r, 2], runs[r, 3]):
            if value <= threshold[i]:
                break
            closed[tree[i]] |= closes[i]
    for c in range(len(choices)):
        value, is_in = row[0, choices[c, 0]], False
        # LightGBM cuts fractions off; NaN is in no range.
        if -1.0 < value < _LARGEST_CODE:
            code = np.uint32(value) if value > 0.0 else np.uint32(0)
            is_in = (code >> 5) < choices[c, 3] and (words[choices[c, 2] + (code >> 5)] >> (code & 31)) & 1 != 0
        if not is_in:
            closed[choices[c, 1]] |= choice_closes[c]
    first = 0
    for model in range(len(ends)):
        # One after the other, as LightGBM adds them: another order would give other last bits.
        score = 0.0
        for t in range(first, ends[model]):
            score += leaves[t, lowest_bit(~np.uint64(closed[t]))]
        first = ends[model]
        out[0, model] = score
        out[1, model] = 1.0 / (1.0 + math.exp(-slope[model] * score))
