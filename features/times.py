"""Times as whole microseconds since 1970 UTC, and the durations of ``nba.toml``."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY

ALWAYS = -(2**62)
"""Known since before anything: the time of traits that carry none."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNZONED = datetime(1970, 1, 1)
_UNITS = {"ms": SECOND // 1000, "s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY, "w": WEEK}
_DURATION = re.compile(r"(\d+)(ms|s|m|h|d|w)")
_CLOCK = re.compile(r"(\S+?)[Tt ](\d\d)(:?)(\d\d)(?:\3(\d\d)([.,]\d+)?)?([Zz]|[+-][\d:]+)?", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d{1,40}(\.\d{1,40})?")
_LATEST = int((datetime(9999, 1, 1, tzinfo=UTC) - _EPOCH).total_seconds()) * SECOND
_FIRST = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
_LAST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
_EARLIEST = int((datetime(1, 1, 2, tzinfo=UTC) - _EPOCH).total_seconds()) * SECOND


def to_us(moment: datetime) -> int:
    """Microseconds of an aware ``datetime``; a naive one is taken as UTC.

    Examples
    --------
    >>> to_us(datetime(1970, 1, 2, tzinfo=UTC)) == DAY
    True
    """
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(microseconds=1)


def to_datetime(us: int) -> datetime:
    """Aware UTC ``datetime`` of microseconds."""
    return _EPOCH + timedelta(microseconds=us)


def iso(us: int) -> str:
    """ISO 8601 in UTC with ``Z``; fractions only where there are any.

    Examples
    --------
    >>> iso(1_500_000)
    '1970-01-01T00:00:01.500000Z'
    """
    # Without a zone, whose offset would only be written to be taken out again.
    return f"{(_UNZONED + timedelta(microseconds=us)).isoformat()}Z"


def parse_time(value: object, zone: ZoneInfo | None = None) -> int:
    """Microseconds of ISO 8601 text, epoch seconds, milli- or microseconds, or a ``datetime``.

    Parameters
    ----------
    value
        Text, number or ``datetime``. The unit of an epoch number is told by its size.
    zone
        The zone of a time that names none; UTC when left out.

    Raises
    ------
    ValueError
        A sentence that names the value and what would be right.

    Examples
    --------
    >>> parse_time("1970-01-02") == parse_time(86400) == DAY
    True
    """
    if isinstance(value, bool) or value is None or value == "":
        raise ValueError(f"{value!r} is not a time; write ISO 8601 such as 2026-11-21T10:00:00Z")
    if isinstance(value, datetime):
        return _from_datetime(value, zone)
    if isinstance(value, int | float):
        return _from_epoch(value)
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a time; write ISO 8601 such as 2026-11-21T10:00:00Z")
    text = value.strip()
    # Digits alone are an epoch, but for eight of them, which are a date such as 20261121.
    if _NUMBER.fullmatch(text) and len(text) != 8:
        return _from_epoch(float(text) if "." in text else int(text))
    try:
        return _from_datetime(datetime.fromisoformat(text), zone)
    except (ValueError, OverflowError):
        pass
    try:
        return _from_datetime(_written_otherwise(text, zone), zone)
    except (ValueError, OverflowError):
        pass
    raise ValueError(f"{value[:60]!r} is not a time; write ISO 8601 such as 2026-11-21T10:00:00Z")


def _written_otherwise(text: str, zone: ZoneInfo | None) -> datetime:
    """Read what ISO 8601 and RFC 3339 allow and ``datetime`` does not: small letters, 24:00, a leap second."""
    found = _CLOCK.fullmatch(text)
    if found is None:
        raise ValueError(text)
    day, hour, _, minute, second, fraction, offset = found.groups("")
    if hour == "24":
        if (minute + second).strip("0") or fraction.strip(".,0"):
            raise ValueError(text)
        return datetime.fromisoformat(f"{day}T00:00:00{offset.upper()}") + timedelta(days=1)
    if second != "60":
        return datetime.fromisoformat(text.upper())
    moment = datetime.fromisoformat(f"{day}T{hour}:{minute}:59{fraction}{offset.upper()}")
    # Seconds are put in where a day of UTC ends, wherever the clock stands.
    if _from_datetime(moment, zone) % DAY < DAY - SECOND:
        raise ValueError(text)
    return moment + timedelta(seconds=1)


def _from_datetime(moment: datetime, zone: ZoneInfo | None) -> int:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone or UTC)
    us = to_us(moment)
    # A zone can carry the first and the last day of the calendar beyond it.
    if not _FIRST <= us <= _LAST:
        raise ValueError(f"{moment.isoformat()!r} is not a time: it lies beyond the years 1 to 9999")
    return us


def _from_epoch(number: int | float) -> int:
    size = abs(number)
    # Seconds stay below 1e11 until the year 5138, milliseconds below 1e14, so the size tells the unit.
    scale = SECOND if size < 1e11 else SECOND // 1000 if size < 1e14 else 1
    if not size < 2**62:
        raise ValueError(f"{number!r} is not a time: it lies beyond the year 9999")
    us = round(number * scale)
    if not _EARLIEST <= us <= _LATEST:
        raise ValueError(f"{number!r} is not a time: it lies beyond the year 9999")
    return us


def parse_duration(text: object) -> int:
    """Microseconds of a whole number and ms, s, m, h, d or w.

    Raises
    ------
    ValueError
        A sentence that names the value and what would be right.

    Examples
    --------
    >>> parse_duration("30d") == 30 * DAY
    True
    """
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f'{text!r} is not a duration; write a whole number and ms, s, m, h, d or w, such as "30d"')
    us = int(match[1]) * _UNITS[match[2]]
    if us > 200 * 366 * DAY:
        raise ValueError(f"{text!r} is longer than 200 years; durations are at most that")
    return us
