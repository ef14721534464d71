"""Units of time as people say them, by the names that languages look them up by."""

from __future__ import annotations

import math

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def in_units(days: float) -> tuple[int, str] | None:
    """Return how many days, weeks, months or years that is; None: less than a day.

    Examples
    --------
    >>> in_units(0.4), in_units(1.2), in_units(13), in_units(45), in_units(200), in_units(1000)
    (None, (1, 'day'), (13, 'day'), (6, 'week'), (7, 'month'), (3, 'year'))
    """
    if days < 1.0:
        return None
    if days < 14.0:
        return math.floor(days), "day"
    if days < 63.0:
        return round(days / 7.0), "week"
    if days < 730.0:
        return round(days / 30.44), "month"
    return round(days / 365.25), "year"
