"""Values of a file that are kept although what they are taken for cannot be read in them: dates, and time zones."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from features.rows.schema import Table

ZONE = "timezone"
Readable = Callable[[object], bool]
"""Whether a value holds what its column is taken for."""


@dataclass
class _Found:
    count: int
    example: object
    line: int


class Unread:
    """What cannot be read in one file.

    Parameters
    ----------
    spec
        The table that the file is for; its own columns are judged with the rows.
    dates
        By column, whether a value holds a date.
    """

    def __init__(self, spec: Table, dates: Mapping[str, Readable]) -> None:
        self._spec = spec
        self._dates = {name: can for name, can in dates.items() if name not in spec.names}
        self._found: dict[str, _Found] = {}
        self._zones: dict[str, str] = {}

    def look(self, columns: Mapping[str, Sequence[Any]], lines: Sequence[int], refused: Collection[int]) -> None:
        """Look at some rows, without those that are refused."""
        for name in self._dates.keys() & columns.keys():
            for i, value in enumerate(columns[name]):
                if value not in (None, "") and i not in refused and not self._dates[name](_plain(value)):
                    found = self._found.setdefault(name, _Found(0, _plain(value), lines[i]))
                    found.count += 1
        if ZONE in self._spec.names and ZONE not in columns:
            for name in columns.keys() - self._zones.keys() - set(self._spec.names):
                zone = next((value for value in columns[name] if value not in (None, "")), None)
                if isinstance(zone, str) and "/" in zone and is_zone(zone):
                    self._zones[name] = zone

    def notes(self, file: str) -> list[str]:
        """Return a sentence about each column."""
        dates = [
            f"{file}: {found.count:,} x {name} holds no date that can be read, such as {found.example!r} in line "
            f"{found.line:,}; the rows are kept, and no occasion begins by these; `nba quarantine unread` lists them; "
            "write dates as 2026-12-31"
            for name, found in sorted(self._found.items())
        ]
        zones = [
            f"{file}: column {name!r} holds time zones, such as {zone!r}, and is kept among the {self._spec.extras}: "
            f"quiet hours go by the settings' time zone; `--rename {name}={ZONE}` makes them go by these"
            for name, zone in sorted(self._zones.items())
        ]
        return dates + zones


def is_zone(value: object) -> bool:
    """Whether a value is the name of a time zone.

    Examples
    --------
    >>> is_zone("Europe/Zurich"), is_zone("Mars"), is_zone(7)
    (True, False, False)
    """
    try:
        return isinstance(value, str) and bool(ZoneInfo(value))
    except (KeyError, OSError, ValueError):
        return False


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date | datetime) else value
