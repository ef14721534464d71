"""The moments that are looked at: evenly apart, and the same ones whenever they are asked for."""

from __future__ import annotations

from features.times import DAY

WEEK = 7 * DAY
USUAL = 26
"""Moments that are looked at where nobody says since when."""
_MONDAY = 4 * DAY
"""The first Monday there is a number for, in UTC."""


def moments(since: int | None, now: int, every: int) -> list[int]:
    """Return the moments in ``[since, now]``, oldest first, in microseconds; weeks begin on Mondays, in UTC.

    Parameters
    ----------
    since
        None: as many as is usual.
    every
        Microseconds between two of them.

    Examples
    --------
    >>> [at // DAY for at in moments(0, 20 * DAY, WEEK)]
    [4, 11, 18]
    >>> len(moments(None, 999 * DAY, WEEK))
    26
    """
    last = _MONDAY + (now - _MONDAY) // every * every
    first = last - (USUAL - 1) * every if since is None else _MONDAY - (_MONDAY - since) // every * every
    return list(range(first, last + 1, every))
