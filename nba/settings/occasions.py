"""Occasions: what calls for an action; ``when`` of an action."""

from __future__ import annotations

import re
from dataclasses import dataclass

from nba.settings import values
from nba.settings.known import Known
from nba.settings.table import Table

TRIGGERS = ("trait", "asset", "event", "after", "falls", "silent", "burst", "stage_to", "points_pass")
"""The keys that say what the occasion is; exactly one stands in a ``when``."""

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


def read_occasion(table: Table, known: Known) -> Occasion | None:
    """Read a ``when``; None where it is beyond reading."""
    parsers: dict[str, values.Parse[str | float]] = {
        "trait": values.text,
        "asset": values.text,
        "event": values.text,
        "after": values.text,
        "falls": values.choice("revenue"),
        "silent": values.number(above=0),
        "burst": values.text,
        "stage_to": values.among("stage", known.stages),
        "points_pass": values.number(),
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
    if trigger in ("trait", "asset", "falls", ""):
        within = table.take("within", values.positive_duration, None)
    if trigger in ("trait", "asset", ""):
        every = table.take("every", _years, None)
    if trigger in ("event", "after", ""):
        start = table.take("from", values.signed_duration, None)
        end = table.take("to", values.signed_duration, None)
    if trigger in ("falls", ""):
        by = table.take("by", values.number(above=0, at_most=1), None)
    table.close()
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
