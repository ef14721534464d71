"""Keeping the counts that pages show, in child processes: they take a look at everything, and a page must not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from features.times import DAY, MINUTE, SECOND, parse_time
from models.kept import Kept
from models.local import COUNTS
from serving.upkeep import Chore, Upkeep

FIRST = 30.0
BETWEEN = 60.0
_AFTER_FAILURE = 30
_SOONEST = 10 * MINUTE
_PART = 200
"""Counting takes one part in so many of a processor's time, unless that is seldomer than once a day."""


def counting(
    config: str | None, folder: Path, clock: Callable[[], int], first: float = FIRST, between: float = BETWEEN
) -> Upkeep:
    """Return what looks whether what was counted last is old, and has it counted anew; the rest as in ``Upkeep``."""
    kept = Kept(folder / COUNTS)

    def due(now: int, begun: int | None) -> bool:
        return is_due(kept.read(), now)

    count = Chore("evaluate counts", "what pages show could not be counted", due, ("--keep", "--json"))
    points = Chore("points check", "what thresholds are worth is not known", _is_another_day, ("--keep", "--json"))
    return Upkeep(config, clock, (points, count), first, between, _AFTER_FAILURE)


def _is_another_day(now: int, begun: int | None) -> bool:
    return begun is None or now - begun >= DAY


def is_due(counted: dict[str, object] | None, now: int) -> bool:
    """Whether to count anew.

    Parameters
    ----------
    counted
        What was counted last: ``as_of``, and ``took_seconds``.

    Examples
    --------
    >>> told = {"as_of": "2026-11-21T10:00:00Z", "took_seconds": 30.0}
    >>> [is_due(told, parse_time(at)) for at in ("2026-11-21T11:00:00Z", "2026-11-21T12:00:00Z")]
    [False, True]
    >>> is_due(None, 0)
    True
    """
    if counted is None:
        return True
    took = counted.get("took_seconds")
    try:
        pause = int(took * _PART * SECOND) if isinstance(took, int | float) else 0
        as_of = parse_time(counted.get("as_of"))
    except (ValueError, OverflowError):
        # Counts that do not say so much are none.
        return True
    return now - as_of >= min(max(pause, _SOONEST), DAY)
