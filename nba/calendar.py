"""When outbound may go: on working days of the contact's own calendar, outside of quiet hours."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice
from zoneinfo import ZoneInfo

from features.times import DAY, iso, to_datetime, to_us
from nba.public_holidays import holidays_in
from nba.quiet import is_quiet, quiet_from, quiet_until
from nba.settings.contact_policy import WEEKDAYS, Calendar, ContactPolicy

LONGEST_REST = 4 * 366
"""Days that are looked through for the next one on which outbound may go."""

_EPOCH = date(1970, 1, 1).toordinal()


# One decision asks about the same moments and days again and again, and so do decisions of one day.
@lru_cache(maxsize=4_096)
def local_day(moment: int, zone: ZoneInfo) -> date:
    """Return the day that a calendar in a zone shows."""
    return to_datetime(moment).astimezone(zone).date()


@lru_cache(maxsize=65_536)
def day_begins(day: date, zone: ZoneInfo) -> int:
    """Return the first moment of a day; where clocks skip midnight, the moment at which they do."""
    return to_us(datetime.combine(day, time(), zone))


def why_closed(calendar: Calendar, day: date) -> str | None:
    """Say why nothing goes out on a day; None where it may.

    Examples
    --------
    >>> why_closed(Calendar("CH-ZH", ("mon", "tue")), date(2026, 6, 14))
    'sun 2026-06-14 is not among mon, tue'
    """
    name, ordinal = WEEKDAYS[day.weekday()], day.toordinal()
    if name not in calendar.days:
        return f"{name} {day} is not among {', '.join(calendar.days)}"
    if calendar.holidays is not None and ordinal in holidays_in(calendar.holidays, day.year):
        return f"{name} {day} is a public holiday in {calendar.holidays}"
    # A freeze is written as days, which begin at the contact's own midnight like all others.
    since_epoch = (ordinal - _EPOCH) * DAY
    for start, end in calendar.freeze:
        if start <= since_epoch < end:
            return f"{name} {day} lies in the freeze until {iso(end)[:10]}"
    return None


def opens_at(policy: ContactPolicy, channel: str, as_of: int, zone: ZoneInfo) -> int | None:
    """Return the first moment from ``as_of`` on at which a channel may be used; None where none is in sight."""
    moment, last = as_of, as_of + LONGEST_REST * DAY
    while moment < last:
        today = local_day(moment, zone)
        if policy.calendar is not None and why_closed(policy.calendar, today) is not None:
            found = next(_days(policy.calendar, today, local_day(last, zone), open_=True), None)
            if found is None:
                return None
            moment = day_begins(found, zone)
        elif policy.quiet is not None and is_quiet(policy.quiet, channel, moment, zone):
            moment = quiet_until(policy.quiet, channel, moment, zone)
        else:
            return moment
    return None


def closes_at(policy: ContactPolicy, channel: str, as_of: int, zone: ZoneInfo, before: int) -> int | None:
    """Return the first moment after ``as_of`` and ``before`` another from which a channel may not be used, if any."""
    ends = []
    if policy.quiet is not None and channel in (policy.quiet.channels or (channel,)):
        ends.append(quiet_from(policy.quiet, channel, as_of, zone))
    if policy.calendar is not None:
        days = _days(policy.calendar, local_day(as_of, zone), local_day(before, zone), open_=False)
        ends += [day_begins(day, zone) for day in islice(days, 1)]
    return min((end for end in ends if end < before), default=None)


def _days(calendar: Calendar, after: date, last: date, *, open_: bool) -> Iterator[date]:
    """Days after a day and up to the last on which outbound may go, or on which it may not."""
    for n in range(1, (last - after).days + 1):
        day = after + timedelta(n)
        if (why_closed(calendar, day) is None) is open_:
            yield day
