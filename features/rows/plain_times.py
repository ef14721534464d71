"""Whole columns of times in the usual form of ISO 8601, read at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.times import DAY, HOUR, MINUTE, SECOND

_DATE, _CLOCK = 10, 19
_FRACTIONS = {0: 0, 4: 1000, 7: 1}
"""Characters of a fraction with its point, to the microseconds of its last digit."""
_DIGITS = (0, 1, 2, 3, 5, 6, 8, 9)
_CLOCK_DIGITS = (11, 12, 14, 15, 17, 18)
_DASH, _COLON, _POINT = ord("-"), ord(":"), ord(".")
# The first and the last years of the calendar are near the bounds that a time has to keep.
_FIRST_YEAR, _LAST_YEAR = 2, 9997


def plain_times(values: Sequence[Any], *, zoned: bool) -> tuple[NDArray[np.int64], NDArray[np.bool_]] | None:
    """Microseconds of texts like ``2026-11-21T10:00:00Z``, all of one length.

    Parameters
    ----------
    values
        A column; a date alone, a space for the T, milli- or microseconds are understood too.
    zoned
        Whether times that name no zone are of another one than UTC.

    Returns
    -------
    tuple of ndarray of shape (n,), or None
        The microseconds and where they hold; None where nothing can be said about the column.

    Examples
    --------
    >>> us, holds = plain_times(["1970-01-01 00:00:01", "1970-02-30 00:00:01"], zoned=False)
    >>> int(us[0]), holds.tolist()
    (1000000, [True, False])
    """
    try:
        joined = "".join(values)
    except TypeError:
        return None
    if not joined.isascii() or not values or len(set(map(len, values))) != 1:
        return None
    text = np.frombuffer(joined.encode(), dtype=np.uint8).reshape(len(values), -1)
    has_zone = joined.endswith("Z")
    width = text.shape[1] - has_zone
    if (
        (zoned and not has_zone)
        or (width != _DATE and width - _CLOCK not in _FRACTIONS)
        or (width == _DATE and has_zone)
    ):
        return None
    us, holds = _dates(text)
    if width > _DATE:
        clock, is_clock = _clocks(text, width - _CLOCK)
        us, holds = us + clock, holds & is_clock
    if has_zone:
        holds &= text[:, -1] == ord("Z")
    return us, holds


def _dates(text: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    digits = text[:, _DIGITS] - np.uint8(ord("0"))
    number = digits.astype(np.int64)
    year = number[:, :4] @ np.array([1000, 100, 10, 1])
    month, day = number[:, 4:6] @ np.array([10, 1]), number[:, 6:] @ np.array([10, 1])
    holds = (digits <= 9).all(axis=1) & (text[:, 4] == _DASH) & (text[:, 7] == _DASH)
    holds &= (year >= _FIRST_YEAR) & (year <= _LAST_YEAR) & (month >= 1) & (month <= 12) & (day >= 1)
    months = np.where(holds, (year - 1970) * 12 + month - 1, 0)
    first = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    length = (months + 1).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) - first
    return (first + day - 1) * DAY, holds & (day <= length)


def _clocks(text: NDArray[np.uint8], fraction: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    places = (*_CLOCK_DIGITS, *range(_CLOCK + 1, _CLOCK + fraction))
    digits = text[:, places] - np.uint8(ord("0"))
    number = digits.astype(np.int64)
    hour, minute, second = (number[:, at : at + 2] @ np.array([10, 1]) for at in (0, 2, 4))
    us = hour * HOUR + minute * MINUTE + second * SECOND
    between = text[:, 10]
    holds = (digits <= 9).all(axis=1) & ((between == ord("T")) | (between == ord(" ")))
    holds &= (text[:, 13] == _COLON) & (text[:, 16] == _COLON) & (hour < 24) & (minute < 60) & (second < 60)
    if fraction:
        us = us + number[:, 6:] @ (10 ** np.arange(fraction - 2, -1, -1)) * _FRACTIONS[fraction]
        holds &= text[:, _CLOCK] == _POINT
    return us, holds
