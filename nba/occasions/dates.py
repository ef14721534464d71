"""Occasions by dates: in a trait, or of each device, once or every year.

A date counts as the whole day in the contact's own time zone: the window begins at midnight, as many days of the
calendar before as ``within`` has, and ends with the day. A time of day in the value makes it that moment: the window
is the time ``within`` before it, by the clock of physics.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import count
from typing import NamedTuple
from zoneinfo import ZoneInfo

from features.times import DAY, parse_time, to_datetime, to_us
from models.saying.said import Said
from nba.calendar import day_begins, local_day
from nba.occurrence import Occurrence
from nba.settings.actions import Action
from nba.settings.occasions import Occasion
from nba.situation import Situation

_DIGITS = re.compile(r"[+-]?(\d+)(\.\d+)?", re.ASCII)
_LONGEST = 40
"""Characters of the longest text that may be a date."""
_FIRST_YEAR, _LAST_YEAR = 1000, 9000
_APART = timedelta(days=2)
"""Of two days this far apart the earlier one begins earlier in every zone and form."""


class Due(NamedTuple):
    """A date; ``moment`` in microseconds where it has a time of day."""

    day: date
    moment: int | None = None


def by_trait(when: Occasion, action: Action, at: Situation) -> Sequence[Occurrence]:
    """Windows of a trait's date, the earliest first, up to the first that is still to come."""
    value = at.known.traits.get(str(when.of))
    return () if value is None else _windows(when, [("", value)], at)


def by_asset(when: Occasion, action: Action, at: Situation) -> Sequence[Occurrence]:
    """Windows of this date of each device, the earliest first, up to the first that is still to come."""
    name, assets = str(when.of), at.known.around.assets()
    return _windows(when, [(each.asset_id, each.more.get(name)) for each in assets], at) if assets else ()


def due_in(value: object, zone: ZoneInfo) -> Due | None:
    """Read the date in a value; None where it holds none.

    Dates and times in ISO 8601, times without a zone in ``zone``; eight digits as ``20261201``; longer numbers as
    seconds, milli- or microseconds since 1970. Midnight sharp is a date: databases write dates so.

    Examples
    --------
    >>> due_in("2026-12-01T00:00:00Z", ZoneInfo("America/New_York")).day.isoformat()
    '2026-12-01'
    >>> due_in("soon", ZoneInfo("UTC")), due_in(1980, ZoneInfo("UTC"))
    (None, None)
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # A column with gaps makes 20261201 into 20261201.0.
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = str(value).strip() if isinstance(value, str) or abs(value) < 10**20 else ""
    return _read(text, zone) if len(text) <= _LONGEST else None


@lru_cache(maxsize=100_000)
def _read(text: str, zone: ZoneInfo) -> Due | None:
    try:
        digits = _DIGITS.fullmatch(text)
        if digits and len(digits[1]) != 8:
            # A short number is an age, a year or a count.
            return _of_moment(parse_time(text), zone) if len(digits[1]) > 8 else None
        found = datetime.fromisoformat(text)
        if not _FIRST_YEAR <= found.year <= _LAST_YEAR:
            return None
        if found.time() == time():
            return Due(found.date())
        return _of_moment(to_us(found if found.tzinfo else found.replace(tzinfo=zone)), zone)
    except (ValueError, OverflowError):
        return None


def _of_moment(moment: int, zone: ZoneInfo) -> Due | None:
    named = to_datetime(moment)
    if not _FIRST_YEAR <= named.year <= _LAST_YEAR:
        return None
    return Due(named.date()) if moment % DAY == 0 else Due(local_day(moment, zone), moment)


def _windows(when: Occasion, values: Iterable[tuple[str, object]], at: Situation) -> Sequence[Occurrence]:
    zone, as_of, within = at.zone, at.as_of, when.within_us or 0
    dues = [(asset, due) for asset, value in values if value is not None and (due := due_in(value, zone)) is not None]
    if when.every_years is not None:
        return [each for asset, due in dues for each in _yearly(when, asset, due, at)]
    found: list[Occurrence] = []
    future: date | None = None
    if len(dues) > 1:
        dues.sort(key=lambda each: (each[1].day, each[1].moment or 0, each[0]))
    for asset, due in dues:
        if future is not None and due.day > future + _APART:
            break
        each = _dated(str(when.of), asset, due, within, zone)
        if each.ends > as_of:
            found.append(each)
            future = future or (due.day if each.begins > as_of else None)
    return found


def _window(due: Due, within: int, zone: ZoneInfo) -> tuple[int, int]:
    if due.moment is not None:
        return due.moment - within, due.moment
    days, rest = divmod(within, DAY)
    return day_begins(due.day - timedelta(days), zone) - rest, day_begins(due.day + timedelta(1), zone)


def _yearly(when: Occasion, asset: str, due: Due, at: Situation) -> Iterator[Occurrence]:
    """Windows of the date itself, as long as it lies ahead, and of its every n-th return."""
    years, this_year = when.every_years or 1, local_day(at.as_of, at.zone).year
    for turn in count(max(0, (this_year - due.day.year) // years)):
        if due.day.year + turn * years > _LAST_YEAR:
            return
        each = _returning(str(when.of), asset, due.day, turn * years, when.within_us or 0, at.zone)
        if each.ends > at.as_of:
            yield each
        if each.begins > at.as_of:
            return


# Decisions of one contact, and those about dates that many share, ask about the same windows again and again.
@lru_cache(maxsize=65_536)
def _dated(of: str, asset: str, due: Due, within: int, zone: ZoneInfo) -> Occurrence:
    begins, ends = _window(due, within, zone)
    return _occurrence(of, asset, begins, ends, "occasion.is", due.day)


@lru_cache(maxsize=65_536)
def _returning(of: str, asset: str, day: date, years: int, within: int, zone: ZoneInfo) -> Occurrence:
    """Return the window of a day's return after some years."""
    returned = anniversary(day, day.year + years)
    begins, ends = _window(Due(returned), within, zone)
    if not years:
        # Nobody is congratulated on the day on which something begins.
        return _occurrence(of, asset, begins, day_begins(returned, zone), "occasion.is", returned)
    return _occurrence(of, asset, begins, ends, "occasion.returns", returned)


def anniversary(day: date, year: int) -> date:
    """Return a day's return in a year; 29 February is 28 February where there is none.

    Examples
    --------
    >>> anniversary(date(2024, 2, 29), 2026).isoformat(), anniversary(date(2024, 2, 29), 2028).isoformat()
    ('2026-02-28', '2028-02-29')
    """
    try:
        return day.replace(year=year)
    except ValueError:
        return date(year, 2, 28)


def _occurrence(of: str, asset: str, begins: int, ends: int, key: str, day: date) -> Occurrence:
    parts = {"what": of, "day": day}
    if asset:
        said = Said(f"{key}_of", {**parts, "asset": asset})
        return Occurrence(begins, ends, said, asset_id=asset, of=f"asset:{asset}")
    return Occurrence(begins, ends, Said(key, parts), of=f"trait:{of}")
