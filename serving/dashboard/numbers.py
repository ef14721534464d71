"""Numbers, money, days and times as a reader of a language writes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from features.times import DAY, HOUR, MINUTE, iso, parse_time, to_datetime

NONE = "–"
"""Stands for what is not known."""
_THIN, _FIXED = "\u202f", "\u00a0"
_MONTHS = {
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "de": ("Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sep.", "Okt.", "Nov.", "Dez."),
}
_WEEKDAYS = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "de": ("Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"),
}


@dataclass(frozen=True)
class Numbers:
    """How figures are written for one reader.

    Parameters
    ----------
    language
        ``en`` or ``de``.
    zone
        In which days begin.
    now
        Microseconds; what "3 days ago" counts from.
    """

    language: str
    zone: ZoneInfo
    now: int

    @property
    def stamp(self) -> str:
        """The present moment as answers write it, to compare theirs with."""
        return iso(self.now)

    def number(self, value: float | None, digits: int = 0) -> str:
        """Write a number with as many digits behind the point.

        Examples
        --------
        >>> [Numbers(language, ZoneInfo("UTC"), 0).number(12345.678, 1) for language in ("en", "de")]
        ['12,345.7', '12.345,7']
        """
        if value is None or value != value:
            return NONE
        found = f"{value:,.{digits}f}"
        if found.startswith("-"):
            # A lone minus of a rounded zero says nothing.
            found = "\u2212" + found[1:] if any(c in "123456789" for c in found) else found[1:]
        return found if self.language == "en" else found.translate(_SWAPPED)

    def short(self, value: float | None) -> str:
        """Write a number with three digits that count at most: 1,234, 12.3, 0.46."""
        if value is None or value != value:
            return NONE
        size = abs(value)
        return self.number(value, 0 if size >= 100 or value == int(value) else 1 if size >= 10 else 2)

    def percent(self, share: float | None, digits: int = 0) -> str:
        """Write a share as a percentage; German has a space before the sign."""
        if share is None or share != share:
            return NONE
        return self.number(share * 100, digits) + ("%" if self.language == "en" else f"{_FIXED}%")

    def day(self, moment: int | str | None) -> str:
        """Write a day: 22 Nov 2026, 22. Nov. 2026; without the year where it is this one."""
        if moment is None:
            return NONE
        at = self._at(moment)
        begin = f"{at.day}." if self.language == "de" else str(at.day)
        year = "" if at.year == self._at(self.now).year else f" {at.year}"
        return f"{begin}{_FIXED}{_MONTHS[self.language][at.month - 1]}{year}"

    def time(self, moment: int | str | None) -> str:
        """Write a time of day with its day: Mon 22 Nov, 10:05."""
        if moment is None:
            return NONE
        at = self._at(moment)
        return f"{_WEEKDAYS[self.language][at.weekday()]} {self.day(moment)}, {at:%H:%M}"

    def ago(self, moment: int | str | None) -> str:
        """Say how long ago something was, or that it is to come."""
        if moment is None:
            return NONE
        passed = self.now - _us(moment)
        if passed < 0:
            return self.time(moment)
        n, one, many = _spelt(passed)
        unit = (one if n == 1 else many)[self.language]
        return f"{n}{_FIXED}{unit} ago" if self.language == "en" else f"vor {n}{_FIXED}{unit}"

    def _at(self, moment: int | str) -> datetime:
        return to_datetime(_us(moment)).astimezone(self.zone)


_SWAPPED = str.maketrans(",.", ".,")
_UNITS = (
    (365 * DAY, {"en": "year", "de": "Jahr"}, {"en": "years", "de": "Jahren"}),
    (30 * DAY, {"en": "month", "de": "Monat"}, {"en": "months", "de": "Monaten"}),
    (7 * DAY, {"en": "week", "de": "Woche"}, {"en": "weeks", "de": "Wochen"}),
    (DAY, {"en": "day", "de": "Tag"}, {"en": "days", "de": "Tagen"}),
    (HOUR, {"en": "hour", "de": "Stunde"}, {"en": "hours", "de": "Stunden"}),
    (MINUTE, {"en": "minute", "de": "Minute"}, {"en": "minutes", "de": "Minuten"}),
)


def _spelt(passed: int) -> tuple[int, dict[str, str], dict[str, str]]:
    for length, one, many in _UNITS:
        # Two weeks are better told in days, two years better in months than by a rounded one.
        if passed >= 2 * length:
            return passed // length, one, many
    return max(passed // MINUTE, 0), _UNITS[-1][1], _UNITS[-1][2]


def _us(moment: int | str) -> int:
    return moment if isinstance(moment, int) else parse_time(moment)


def days_from(now: int, n: int, zone: ZoneInfo) -> str:
    """Return a day some days from now as forms write it: 2026-11-22."""
    return (to_datetime(now).astimezone(zone).date() + timedelta(days=n)).isoformat()
