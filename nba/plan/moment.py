"""When a day's plan is made: its moment, and the day that it is for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from features.times import to_us
from nba.calendar import day_begins, local_day

STARTS = time(8)
"""When a day's work begins."""


@dataclass(frozen=True)
class PlanDay:
    """A day and the moment at which it is planned, in microseconds.

    What can go out between ``as_of`` and ``ends`` is planned; what went out between ``begins`` and ``as_of`` counts as
    done today.
    """

    day: date
    begins: int
    as_of: int
    ends: int

    @classmethod
    def of(cls, day: date | None, timezone: str, now: int) -> PlanDay:
        """Plan for 08:00 of a day in a time zone, or for now where that is later on the same day.

        Parameters
        ----------
        day
            None: today, as the time zone has it.

        Examples
        --------
        >>> from features.times import iso, parse_time
        >>> noon = parse_time("2026-06-17T10:00:00Z")
        >>> iso(PlanDay.of(None, "Europe/Zurich", noon).as_of)
        '2026-06-17T10:00:00Z'
        >>> iso(PlanDay.of(date(2026, 6, 18), "Europe/Zurich", noon).as_of)
        '2026-06-18T06:00:00Z'
        """
        zone = ZoneInfo(timezone)
        today = local_day(now, zone)
        day = today if day is None else day
        starts = to_us(datetime.combine(day, STARTS, zone))
        as_of = max(starts, now) if day == today else starts
        return cls(day, day_begins(day, zone), as_of, day_begins(day + timedelta(1), zone))
