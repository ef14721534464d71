"""What may stand behind a key: each function turns a TOML value into ours or raises a sentence about it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, date, datetime, time
from difflib import get_close_matches
from typing import TypeVar
from zoneinfo import ZoneInfo

from features.times import DAY, HOUR, MINUTE, parse_duration, parse_time

T = TypeVar("T")
Parse = Callable[[object], T]

_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}")
_HOUR = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


def show(value: object) -> str:
    """Spell a value nearly as TOML does, cut to 60 characters.

    Examples
    --------
    >>> show(["order", True])
    '["order", true]'
    """
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, TypeError, RecursionError):
        text = f"a {type(value).__name__}"
    return text if len(text) <= 60 else text[:57] + "..."


def text(value: object) -> str:
    """Text that is not blank and has no control characters; at most 500 characters."""
    if not isinstance(value, str):
        raise ValueError(f'{show(value)} is not text; write it in quotes, such as "order"')
    if not value.strip() or value != value.strip() or not value.isprintable() or len(value) > 500:
        raise ValueError(
            f"{show(value)} is not a name; write text without blanks around it or control characters in it"
        )
    return value


def file_name(value: object) -> str:
    """Text that can also be a part of a column's and a file's name."""
    if not isinstance(value, str) or not _FILE_NAME.fullmatch(value):
        raise ValueError(f"{show(value)} is not a name that can be used here; write letters, digits, _ and -")
    return value


def texts(value: object) -> tuple[str, ...]:
    """List of different texts."""
    return _different(listed(text)(value), value)


def some_texts(value: object) -> tuple[str, ...]:
    """List of at least one text, all different."""
    return _some(texts(value))


def text_or_texts(value: object) -> tuple[str, ...]:
    """One text, or a list of at least one."""
    return (text(value),) if isinstance(value, str) else some_texts(value)


def listed(parse: Parse[T]) -> Parse[tuple[T, ...]]:
    """Parse a list, each item by ``parse``."""

    def parse_list(value: object) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise ValueError(f"{show(value)} is not a list; write [{show(value)}]")
        return tuple(parse(item) for item in value)

    return parse_list


def some_of(what: str, allowed: Collection[str]) -> Parse[tuple[str, ...]]:
    """Parse a list of at least one of the names that are defined, all different."""

    def parse(value: object) -> tuple[str, ...]:
        return _some(_different(listed(among(what, allowed))(value), value))

    return parse


def among(what: str, allowed: Collection[str]) -> Parse[str]:
    """Parse a reference to a thing that is defined elsewhere in the file."""

    def parse(value: object) -> str:
        if isinstance(value, str) and value in allowed:
            return value
        if not allowed:
            raise ValueError(f"{show(value)} is not the name of any {what}: none is defined")
        raise ValueError(f"{show(value)} is not the name of any {what}; {_offer(value, allowed)}")

    return parse


def choice(*allowed: str) -> Parse[str]:
    """Parse one of a few fixed words."""

    def parse(value: object) -> str:
        if isinstance(value, str) and value in allowed:
            return value
        raise ValueError(f"{show(value)} is not allowed; {_offer(value, allowed)}")

    return parse


def _offer(value: object, allowed: Iterable[str]) -> str:
    names = sorted(allowed) if not isinstance(allowed, tuple) else list(allowed)
    near = get_close_matches(value, names, n=1) if isinstance(value, str) else []
    listing = ", ".join(show(name) for name in names[:12]) + (" ..." if len(names) > 12 else "")
    return f"write {listing}" + (f"; did you mean {show(near[0])}?" if near else "")


def _different(items: tuple[str, ...], value: object) -> tuple[str, ...]:
    if len(set(items)) < len(items):
        raise ValueError(f"{show(value)} names something twice; name it once")
    return items


def _some(items: tuple[str, ...]) -> tuple[str, ...]:
    if not items:
        raise ValueError("[] is empty; name at least one, or leave the key out")
    return items


def flag(value: object) -> bool:
    """Return true or false."""
    if not isinstance(value, bool):
        raise ValueError(f"{show(value)} is not allowed; write true or false")
    return value


def number(
    *,
    at_least: float = -math.inf,
    above: float = -math.inf,
    at_most: float = math.inf,
    under: float = math.inf,
) -> Parse[float]:
    """Parse a finite number within bounds."""
    low = f"at least {at_least:g}" if at_least > -math.inf else f"above {above:g}" if above > -math.inf else ""
    high = f"at most {at_most:g}" if at_most < math.inf else f"below {under:g}" if under < math.inf else ""
    bounds = " and ".join(bound for bound in (low, high) if bound)

    def parse(value: object) -> float:
        found = _finite(value)
        if found is None:
            raise ValueError(f"{show(value)} is not a number; write one {bounds or 'such as 10'}")
        if not (at_least <= found <= at_most and above < found < under):
            raise ValueError(f"{show(value)} is out of bounds; write a number {bounds}")
        return found

    return parse


def _finite(value: object) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def whole(low: int, high: int) -> Parse[int]:
    """Parse a whole number within bounds, both included."""

    def parse(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(f"{show(value)} is not allowed; write a whole number from {low} to {high}")
        return value

    return parse


def duration(value: object) -> int:
    """Microseconds of a duration, 0 included."""
    if not isinstance(value, str) or len(value) > 20:
        raise ValueError(
            f'{show(value)} is not a duration; write a whole number and ms, s, m, h, d or w, such as "30d"'
        )
    return parse_duration(value)


def positive_duration(value: object) -> int:
    """Microseconds of a duration longer than nothing."""
    us = duration(value)
    if us == 0:
        raise ValueError(f'{show(value)} is no time at all; write a duration such as "30d"')
    return us


def signed_duration(value: object) -> int:
    """Microseconds of a duration that may lie before (a minus) or after."""
    if isinstance(value, str) and value.startswith("-"):
        return -duration(value[1:])
    return duration(value)


def half_life(value: object) -> int | None:
    """Microseconds in which something fades by half; None for "never"."""
    if value == "never":
        return None
    if not isinstance(value, str):
        raise ValueError(f'{show(value)} is not a half-life; write a duration such as "90d", or "never"')
    return positive_duration(value)


def moment(value: object) -> int:
    """Microseconds of a day or a time, in UTC where it names no zone."""
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    if not isinstance(value, str | datetime):
        raise ValueError(f'{show(value)} is not a day; write it as "2026-07-01"')
    try:
        if isinstance(value, str) and value.strip().isdigit():
            raise ValueError
        return parse_time(value)
    except (ValueError, OverflowError):
        raise ValueError(f'{show(value)} is not a day or a time; write it as "2026-07-01"') from None


def day_time(value: object) -> int:
    """Microseconds since midnight of a time of day."""
    if isinstance(value, time) and value.tzinfo is None:
        value = f"{value:%H:%M}"
    match = _HOUR.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f'{show(value)} is not a time of day; write hours and minutes, such as "20:00"')
    return int(match[1]) * HOUR + int(match[2]) * MINUTE


def days(value: object) -> tuple[int, int]:
    """Half-open microseconds ``[start, end)`` of a day or of "day/day", whose last day counts too."""
    first, _, last = text(value).partition("/")
    start, end = moment(first), moment(last or first) + DAY
    if end <= start or start % DAY or end % DAY:
        raise ValueError(f'{show(value)} is not a stretch of days; write it as "2026-12-24/2027-01-03"')
    return start, end


def zone(value: object) -> str:
    """Parse the name of a time zone."""
    try:
        return ZoneInfo(text(value)).key
    except (ValueError, OSError, KeyError):
        raise ValueError(f'{show(value)} is not a time zone; write one such as "Europe/Zurich"') from None
