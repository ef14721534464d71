"""When outbound may go: on working days of the contact's own calendar, outside of quiet hours."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from features.times import DAY, to_datetime, to_us
from models.saying.said import Said
from nba.public_holidays import holidays_in
from nba.quiet import is_quiet, quiet_from, quiet_until
from nba.settings.contact_policy import WEEKDAYS, Calendar, ContactPolicy, QuietHours

LONGEST_REST = 4 * 366
"""Days that are looked through for the next one on which outbound may go."""

_MARGIN = 7 * DAY
"""What opens this long before the end of the search would be found from any moment of the day it began on."""
_EPOCH = date(1970, 1, 1).toordinal()
_STRETCH = 366
"""Days that are looked through at once, and their answer kept."""


# One decision asks about the same moments and days again and again, and so do decisions of one day.
@lru_cache(maxsize=4_096)
def local_day(moment: int, zone: ZoneInfo) -> date:
    """Return the day that a calendar in a zone shows."""
    return to_datetime(moment).astimezone(zone).date()


@lru_cache(maxsize=65_536)
def day_begins(day: date, zone: ZoneInfo) -> int:
    """Return the first moment of a day; where clocks skip midnight, the moment at which they do."""
    return to_us(datetime.combine(day, time(), zone))


@lru_cache(maxsize=4_096)
def why_closed(calendar: Calendar, day: date) -> Said | None:
    """Say why nothing goes out on a day; None where it may.

    Examples
    --------
    >>> why_closed(Calendar("CH-ZH", ("mon", "tue")), date(2026, 6, 14)).key
    'rests.weekday'
    """
    ordinal = day.toordinal()
    if WEEKDAYS[day.weekday()] not in calendar.days:
        return Said("rests.weekday", {"day": day, "days": calendar.days})
    if calendar.holidays is not None and ordinal in holidays_in(calendar.holidays, day.year):
        return Said("rests.holiday", {"day": day, "place": calendar.holidays})
    # A freeze is written as days, which begin at the contact's own midnight like all others.
    since_epoch = (ordinal - _EPOCH) * DAY
    for start, end in calendar.freeze:
        if start <= since_epoch < end:
            return Said("rests.freeze", {"day": day, "until": end})
    return None


def opens_at(policy: ContactPolicy, channel: str, as_of: int, zone: ZoneInfo) -> int | None:
    """Return the first moment from ``as_of`` on at which a channel may be used; None where none is in sight."""
    calendar, quiet, last = policy.calendar, policy.quiet, as_of + LONGEST_REST * DAY
    if calendar is not None and why_closed(calendar, today := local_day(as_of, zone)) is not None:
        found = _after_day(calendar, quiet, channel, today, zone)
        if found is not None and found < last - _MARGIN:
            return found
    return _opens(calendar, quiet, channel, as_of, zone, last)


# At all moments of a closed day it is the same.
@lru_cache(maxsize=4_096)
def _after_day(calendar: Calendar, quiet: QuietHours | None, channel: str, closed: date, zone: ZoneInfo) -> int | None:
    begins = day_begins(closed, zone)
    return _opens(calendar, quiet, channel, begins, zone, begins + LONGEST_REST * DAY)


def _opens(
    calendar: Calendar | None, quiet: QuietHours | None, channel: str, as_of: int, zone: ZoneInfo, last: int
) -> int | None:
    """Return the first moment at which a channel may be used, before a last one."""
    moment = as_of
    while moment < last:
        today = local_day(moment, zone)
        if calendar is not None and why_closed(calendar, today) is not None:
            found = _next_day(calendar, today, local_day(last, zone), open_=True)
            if found is None:
                return None
            moment = day_begins(found, zone)
        elif quiet is not None and is_quiet(quiet, channel, moment, zone):
            moment = quiet_until(quiet, channel, moment, zone)
        else:
            return moment
    return None


def closes_at(policy: ContactPolicy, channel: str, as_of: int, zone: ZoneInfo, before: int) -> int | None:
    """Return the first moment after ``as_of`` and ``before`` another from which a channel may not be used, if any."""
    ends = []
    if policy.quiet is not None and channel in (policy.quiet.channels or (channel,)):
        ends.append(quiet_from(policy.quiet, channel, as_of, zone))
    if policy.calendar is not None:
        closed = _next_day(policy.calendar, local_day(as_of, zone), local_day(before, zone), open_=False)
        ends += [] if closed is None else [day_begins(closed, zone)]
    return min((end for end in ends if end < before), default=None)


def _next_day(calendar: Calendar, after: date, last: date, *, open_: bool) -> date | None:
    """Return the first day after a day and up to the last on which outbound may go, or on which it may not."""
    while after < last:
        found = _in_stretch(calendar, after, open_=open_)
        if found is not None:
            return found if found <= last else None
        after += timedelta(min(_STRETCH, (last - after).days))
    return None


@lru_cache(maxsize=4_096)
def _in_stretch(calendar: Calendar, after: date, *, open_: bool) -> date | None:
    for n in range(1, min(_STRETCH, (date.max - after).days) + 1):
        day = after + timedelta(n)
        if (why_closed(calendar, day) is None) is open_:
            return day
    return None
