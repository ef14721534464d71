"""What holds everything else back: a complaint that is open, a word that hands are to be kept off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter

import orjson

from nba.past import Past
from nba.settings.contact_policy import Hold

CASE = "case_id"
"""The property that says which of several complaints a touchpoint opens or closes."""


@dataclass(frozen=True)
class OpenCase:
    """A hold that is open since a time, in microseconds."""

    hold: Hold
    since: int
    case: str | None = None


def open_cases(past: Past, holds: Sequence[Hold]) -> tuple[OpenCase, ...]:
    """Return the holds that are open.

    A closing touchpoint with a case closes that case; one without closes all. What was opened without a case waits for
    one without. At the same instant a case is opened first and then closed.
    """
    found = [_open(past, hold) for hold in holds if hold.open in past.rows]
    return tuple([case for case in found if case is not None])


def _open(past: Past, hold: Hold) -> OpenCase | None:
    if hold.until is None:
        return OpenCase(hold, past.last_seen[hold.open])
    cases: dict[str | None, int] = {}
    for at, is_closing, case in _said(past, hold.open, hold.until):
        if not is_closing:
            cases.setdefault(case, at)
        elif case is None:
            cases.clear()
        else:
            cases.pop(case, None)
    return min([OpenCase(hold, at, case) for case, at in cases.items()], key=lambda found: found.since, default=None)


def _said(past: Past, opens: str, closes: str) -> Sequence[tuple[int, bool, str | None]]:
    """Return what was opened and closed by rising time, and by which case."""
    times, properties, found = past.times, past.touchpoints.properties, []
    for kind in {opens: False, closes: True}:
        found += [(times[row], kind == closes, _case(properties[row])) for row in past.rows.get(kind, ())]
    found.sort(key=itemgetter(0, 1))
    return found


def _case(properties: str | None) -> str | None:
    found = orjson.loads(properties) if properties else None
    case = found.get(CASE) if isinstance(found, dict) else None
    return str(case) if case not in (None, "") else None
