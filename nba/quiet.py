"""Quiet hours in the contact's own time: what its clock shows decides, on the days it is changed too."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from features.times import HOUR, MINUTE, SECOND, to_datetime, to_us
from nba.settings.contact_policy import QuietHours


def is_quiet(quiet: QuietHours, channel: str, as_of: int, zone: ZoneInfo) -> bool:
    """Whether a channel is quiet for a contact at a moment."""
    local = to_datetime(as_of).astimezone(zone)
    shown = local.hour * HOUR + local.minute * MINUTE + local.second * SECOND + local.microsecond
    return quiet.holds(channel, shown)


def quiet_until(quiet: QuietHours, channel: str, as_of: int, zone: ZoneInfo) -> int:
    """Return the next end of the quiet hours: the clock shows it, and it is not quiet."""
    return _next(quiet, quiet.to_us, channel, as_of, zone, quiet_then=False)


def quiet_from(quiet: QuietHours, channel: str, as_of: int, zone: ZoneInfo) -> int:
    """Return the next beginning of the quiet hours."""
    return _next(quiet, quiet.from_us, channel, as_of, zone, quiet_then=True)


def _next(quiet: QuietHours, clock: int, channel: str, as_of: int, zone: ZoneInfo, *, quiet_then: bool) -> int:
    moments, right = _turns(quiet, clock, channel, to_datetime(as_of).astimezone(zone).date(), zone, quiet_then)
    found = bisect_right(right, as_of)
    return right[found] if found < len(right) else moments[bisect_right(moments, as_of)]


# Decisions of one day ask about the same turns again and again.
@lru_cache(maxsize=4_096)
def _turns(
    quiet: QuietHours, clock: int, channel: str, today: date, zone: ZoneInfo, quiet_then: bool
) -> tuple[Sequence[int], Sequence[int]]:
    """Return when the clock shows a time or is changed in these days, and at which of that it is quiet, or is not."""
    shown = time(clock // HOUR, clock % HOUR // MINUTE)
    moments: list[int] = []
    for days in range(4):
        day = today + timedelta(days)
        # A clock that is put back shows an hour twice; one that is put forward may pass the hour as it jumps.
        moments += (to_us(datetime.combine(day, shown, zone).replace(fold=fold)) for fold in (0, 1))
        moments += _changed(day, zone)
    moments.sort()
    right = [moment for moment in moments if is_quiet(quiet, channel, moment, zone) is quiet_then]
    return tuple(moments), tuple(right)


def _changed(day: date, zone: ZoneInfo) -> tuple[int, ...]:
    """Return when the clock is changed on a day, if it is."""
    begins, ends = (datetime.combine(day + timedelta(n), time(), zone) for n in (0, 1))
    if begins.utcoffset() == ends.utcoffset():
        return ()
    low, high = to_us(begins), to_us(ends)
    while high - low > 1:
        middle = (low + high) // 2
        is_before = to_datetime(middle).astimezone(zone).utcoffset() == begins.utcoffset()
        low, high = (middle, high) if is_before else (low, middle)
    return (high,)
