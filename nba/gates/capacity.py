"""Whether there is room left: slots of a day, seats in total.

Whole days are days of the calendar in the time zone of the settings, today the last of them, as people mean them;
other times go back from now, as those of caps do.
"""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from features.times import ALWAYS, DAY
from models.saying.said import Said
from nba.approach_rule import OUTBOUND
from nba.calendar import day_begins, local_day
from nba.gates.refusal import Refusal
from nba.settings.actions import Action, Capacity
from nba.situation import Situation


def capacity(action: Action, at: Situation) -> Refusal | None:
    """Refuse what everybody together was given as often as can be; mandatory actions are done all the same."""
    asked = action.capacity
    if asked is None or action.class_ == "mandatory":
        return None
    most = asked.count if asked.total is None else asked.total
    since, until = window(action, asked, at.as_of, at.catalogue.settings.contact_policy.timezone)
    taken = at.past.around.taken(action.name, since, asked.by) - _own(action, since, at)
    if most is None or taken < most:
        return None
    parts = {
        "most": most,
        "taken": taken,
        "whose": Said(f"room.of_{asked.by}") if asked.by else "",
        "when": Said("room.in_total") if since == ALWAYS else Said("room.since", {"since": since}),
        "again": "" if until is None else Said("room.again", {"from": until}),
    }
    return Refusal(action.name, "capacity", Said("gate.capacity", parts), until)


def room_from(action: Action, at: Situation) -> int | None:
    """Return when there may be room again for an action without any, at the earliest; None where there never will be.

    What was taken leaves a window of hours one by one. When it was taken is not known, only how often from a moment
    on, so the moment is closed in on to a 64th of the window.
    """
    asked = action.capacity
    if asked is None or asked.per_us is None or asked.total is not None:
        return None
    low, step, around = at.as_of - asked.per_us, asked.per_us, at.past.around
    while step > max(asked.per_us // 64, 1):
        step //= 2
        if around.taken(action.name, low + step, asked.by) - _own(action, low + step, at) >= (asked.count or 0):
            low += step
    return max(low + asked.per_us, at.as_of + 1)


def window(action: Action, asked: Capacity, as_of: int, timezone: str) -> tuple[int, int | None]:
    """From when on is counted, and when there may be room again."""
    if asked.total is not None or asked.per_us is None:
        return action.valid.from_ or ALWAYS, None
    if asked.per_us % DAY:
        return as_of - asked.per_us, None
    return _days(as_of, asked.per_us // DAY, timezone)


# The actions of one decision ask about the same days.
@lru_cache(maxsize=64)
def _days(as_of: int, count: int, timezone: str) -> tuple[int, int]:
    """Return when the last ``count`` days of a calendar began, and when today ends."""
    zone = ZoneInfo(timezone)
    today = local_day(as_of, zone)
    return day_begins(today - timedelta(count - 1), zone), day_begins(today + timedelta(1), zone)


def _own(action: Action, since: int, at: Situation) -> int:
    """Count the choice that would be given again, which does not take its own place."""
    held = at.held
    if held is None or held.action != action.name or (held.placement or OUTBOUND) != OUTBOUND:
        return 0
    then = held.activated_at if held.deferred else held.decided_at
    return int(then is not None and since <= then < at.as_of)
