"""Occasions: what calls for an action for a while, once; ``when`` of an action.

Each form finds its own windows of time. What went out for an action since a window began has used it up, unless it
was for another event or device. What chooses is looked up in ``known``, so that who objects to profiling has no
occasions; what went out is looked up in ``past``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from features.times import iso
from features.touchpoints.touchpoints import NONE
from nba.approach_rule import OUTBOUND
from nba.calendar import day_begins, local_day
from nba.occasions.dates import by_asset, by_trait
from nba.occasions.events import by_event, by_touchpoint, pointing_on
from nba.occasions.habits import by_burst, by_points, by_silence
from nba.occasions.revenue import by_fall
from nba.occasions.stages import by_stage
from nba.occurrence import OCCASION, Calls, Occurrence
from nba.settings.actions import Action
from nba.settings.occasions import Occasion
from nba.situation import Situation

if TYPE_CHECKING:
    from features.rows.row_types import DecisionRow

__all__ = ["OCCASION", "Calls", "Occurrence", "calls", "occurrence"]

Finder = Callable[[Occasion, Action, Situation], Iterable[Occurrence]]

_FINDERS: Mapping[str, Finder] = {
    "trait": by_trait,
    "asset": by_asset,
    "event": by_event,
    "after": by_touchpoint,
    "falls": by_fall,
    "silent": by_silence,
    "burst": by_burst,
    "stage_to": by_stage,
    "points_pass": by_points,
}
_LACKING = {
    "trait": "{} has no date that is still to come",
    "asset": "no device has a date {} that is still to come",
    "event": "no event to come suits the contact",
    "after": "no {} lies the right time back",
    "falls": "{} has not fallen",
    "silent": "nothing is usual yet to measure a silence against",
    "burst": "no burst of interest in {}",
    "stage_to": "no change to the stage {}",
    "points_pass": "{:g} points were not passed lately",
}


def occurrence(action: Action, at: Situation) -> Occurrence | None:
    """Return the occasion that calls for an action now; None without one, and where the action has none."""
    return None if action.when is None else calls(action, action.when, at).now


def calls(action: Action, when: Occasion, at: Situation) -> Calls:
    """Find the occasions of an action: the one that calls for it now, or what there is instead."""
    if action.name not in at.calls:
        at.calls[action.name] = _calls(action, when, at)
    return at.calls[action.name]


def _calls(action: Action, when: Occasion, at: Situation) -> Calls:
    found = list(_FINDERS[when.trigger](when, action, at))
    gone = tuple(_gone_out(action, at)) if found else ()
    unused = [each for each in found if not any(sent.uses(each) for sent in gone)]
    following = min((each for each in unused if each.begins > at.as_of), key=lambda each: each.begins, default=None)
    free = [each for each in unused if each.is_open(at.as_of)]
    if not free:
        return Calls(next=following, used=next((each for each in found if each.is_open(at.as_of)), None))
    kept = None if at.held is None or at.held.action != action.name else _occasion_of(at.held)
    now = next((each for each in free if each.of == kept), free[0])
    return Calls(now=pointing_on(now, action, at) if when.trigger == "after" else now, next=following)


def waiting(action: Action, when: Occasion, at: Situation) -> tuple[Waiting, int | None] | None:
    """Return what an action waits for, and until when if the clock alone tells; None where nothing keeps it waiting."""
    found = calls(action, when, at)
    if found.now is not None:
        return None
    return Waiting(when, found, at.zone), None if found.next is None else found.next.begins


@dataclass(frozen=True, slots=True)
class Waiting:
    """Says what an action waits for when it is called."""

    when: Occasion
    found: Calls
    zone: ZoneInfo

    def __call__(self) -> str:
        """Put it in words."""
        used, following = self.found.used, self.found.next
        if used is not None:
            return f"went out already for this occasion: {used.about}"
        if following is None:
            return f"waits for its occasion: {_LACKING[self.when.trigger].format(self.when.of)}"
        day = local_day(following.begins, self.zone)
        begins = day.isoformat() if day_begins(day, self.zone) == following.begins else iso(following.begins)
        return f"waits for its occasion: {following.about}, from {begins} on"


class Gone(NamedTuple):
    """An action that went out: when it was chosen, and for which occasion if that is known."""

    at: int
    of: str | None

    def uses(self, found: Occurrence) -> bool:
        """Whether this uses an occasion up."""
        since = found.begins if found.used_from is None else found.used_from
        return self.at >= since and self.of in (None, found.of)


def _gone_out(action: Action, at: Situation) -> Iterator[Gone]:
    """Find out when an action went out: by our decisions that were carried out, and by whoever's touchpoints."""
    sent = dict(_sent(action, at))
    for row in at.past.decisions:
        if row.action != action.name or row is at.held:
            continue
        done_at = row.carried_out_at
        is_done = row.chances is not None and done_at is not None and done_at < at.as_of
        if sent.pop(row.decision_id, None) is not None or (is_done and (row.placement or OUTBOUND) == OUTBOUND):
            yield Gone(row.decided_at, _occasion_of(row))
    yield from (Gone(moment, None) for moment in sent.values())


def _sent(action: Action, at: Situation) -> Iterator[tuple[str, int]]:
    """Time of each outbound touchpoint that carries the action, by its decision."""
    t = at.past.touchpoints
    if action.name in t.actions:
        for row in ((t.action == t.actions.index(action.name)) & t.outbound).nonzero()[0].tolist():
            code = int(t.decision[row])
            yield t.decisions[code] if code != NONE else f" {row}", at.past.times[row]


def _occasion_of(row: DecisionRow) -> str | None:
    # What others loaded may have a column of this name that means something else.
    found = (row.properties or {}).get(OCCASION) if row.chances is not None else None
    return found if isinstance(found, str) else None
