"""Occasions: what calls for an action; ``when`` of an action."""

from __future__ import annotations

import re
from dataclasses import dataclass

from features.times import DAY
from nba.settings import values
from nba.settings.known import Known
from nba.settings.table import Table

TRIGGERS = ("trait", "asset", "event", "after", "falls", "silent", "burst", "stage_to", "points_pass")
"""The keys that say what the occasion is; exactly one stands in a ``when``."""

LASTS_US = {"silent": 30 * DAY, "burst": 7 * DAY, "stage_to": 30 * DAY, "points_pass": 30 * DAY}
"""For how long an occasion calls for its action where ``within`` is left out."""

WAVERING = ("falls", "burst", "stage_to", "points_pass")
"""Occasions by a value that passes a bound: what went out as long before as one lasts counts as gone out for it."""

ANY_TOPIC = "any topic"
"""What ``burst`` names where it may be about anything."""

YEAR_US = 365 * DAY

_YEARS = re.compile(r"([1-9]\d?)y")


@dataclass(frozen=True)
class Occasion:
    """What calls for an action, and for how long."""

    trigger: str
    """One of ``TRIGGERS``."""
    of: str | float
    """What the trigger names: a trait, an asset's date, a kind, a stage, a factor, a total."""
    within_us: int | None = None
    every_years: int | None = None
    from_us: int | None = None
    to_us: int | None = None
    by: float | None = None

    @property
    def lasts_us(self) -> int:
        """The longest time for which it calls for its action; days of the calendar may be an hour longer."""
        if self.from_us is not None and self.to_us is not None:
            return self.to_us - self.from_us
        within = self.within_us or LASTS_US.get(self.trigger, 0)
        return within + 2 * DAY if self.trigger in ("trait", "asset") else within

    @property
    def memory_us(self) -> int:
        """How far back an action that went out may have used it up."""
        return 2 * self.lasts_us if self.trigger in WAVERING else self.lasts_us


def read_occasion(table: Table, known: Known) -> Occasion | None:
    """Read a ``when``; None where it is beyond reading."""
    parsers: dict[str, values.Parse[str | float]] = {
        "trait": known.trait,
        "asset": known.trait,
        "event": values.choice("starts_at", "ends_at"),
        "after": values.text,
        "falls": values.choice("revenue"),
        "silent": values.number(above=0),
        "burst": values.text,
        "stage_to": values.among("stage", known.stages),
        "points_pass": values.number(above=0),
    }
    found = {key: table.take(key, parsers[key], None) for key in TRIGGERS}
    present = [key for key in TRIGGERS if key in table]
    if len(present) != 1:
        if table.is_sound:
            table.complain("", f"needs exactly one of {', '.join(TRIGGERS)}")
        _read_span(table, "")
        return None
    trigger = present[0]
    span = _read_span(table, trigger)
    of = found[trigger]
    return None if of is None else Occasion(trigger, of, *span)


def _read_span(table: Table, trigger: str) -> tuple[int | None, int | None, int | None, int | None, float | None]:
    within = every = start = end = by = None
    if trigger in ("trait", "asset", "falls", *LASTS_US, ""):
        within = table.take("within", values.positive_duration, None)
    if trigger in ("trait", "asset", ""):
        every = table.take("every", _years, None)
    if trigger in ("event", "after", ""):
        start = table.take("from", values.signed_duration, None)
        end = table.take("to", values.signed_duration, None)
    if trigger in ("falls", ""):
        by = table.take("by", values.number(above=0, at_most=1), None)
    table.close()
    if within is not None and every is not None and within > every * YEAR_US:
        table.complain("within", "is longer than `every`, so that the occasion would never end; write a shorter one")
    _check_span(table, trigger, start, end)
    return within, every, start, end, by


def _check_span(table: Table, trigger: str, start: int | None, end: int | None) -> None:
    needed = {"trait": ("within",), "asset": ("within",), "event": ("from", "to"), "after": ("from", "to")}
    needed["falls"] = ("by", "within")
    for key in needed.get(trigger, ()):
        if key not in table:
            table.complain(key, f"is missing; `{trigger}` needs it")
    if trigger == "after" and ((start or 0) < 0 or (end or 0) < 0):
        table.complain("from", "lies before the touchpoint that it comes after; leave out the minus")
    if start is not None and end is not None and start >= end:
        table.complain("to", "does not lie after `from`; write a later one")


def _years(value: object) -> int:
    match = _YEARS.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f'{values.show(value)} is not a number of years; write one such as "1y"')
    return int(match[1])
