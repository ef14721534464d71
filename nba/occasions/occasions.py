"""Occasions: what calls for an action for a while, once; ``when`` of an action.

Each form finds its own windows of time. What went out for an action since a window began has used it up, unless it
was for another event or device. What chooses is looked up in ``known``, so that who objects to profiling has no
occasions; what went out is looked up in ``past``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from features.touchpoints.touchpoints import NONE
from models.saying.said import Said
from nba.approach_rule import OUTBOUND
from nba.calendar import day_begins, local_day
from nba.occasions import events, habits, revenue, stages
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
"""Finds the windows of one kind of occasion that are not over."""

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

_NOTHING = Calls()


def warm_up() -> None:
    """Let every kind of occasion get ready what is compiled at first use, before a request needs it."""
    for kind in (events, habits, revenue, stages):
        kind.warm_up()


def occurrence(action: Action, at: Situation) -> Occurrence | None:
    """Return the occasion that calls for an action now; None without one, and where the action has none."""
    return None if action.when is None else calls(action, action.when, at).now


def calls(action: Action, when: Occasion, at: Situation) -> Calls:
    """Find the occasions of an action: the one that calls for it now, or what there is instead."""
    found = at.calls.get(action.name)
    if found is None:
        windows = _FINDERS[when.trigger](when, action, at)
        found = at.calls[action.name] = _calls(windows, action, when, at) if windows else _NOTHING
    return found


def _calls(found: Iterable[Occurrence], action: Action, when: Occasion, at: Situation) -> Calls:
    past, as_of = at.past, at.as_of
    gone = _gone_out(action, at) if past.decisions or action.name in past.touchpoints.actions else ()
    free: list[Occurrence] = []
    following = used = None
    for each in found:
        if gone and any([sent.uses(each) for sent in gone]):
            used = each if used is None and each.is_open(as_of) else used
        elif each.begins > as_of:
            following = each if following is None or each.begins < following.begins else following
        elif as_of < each.ends:
            free.append(each)
    if not free:
        return Calls(None, following, used) if following or used else _NOTHING
    kept = None if at.held is None or at.held.action != action.name else _occasion_of(at.held)
    now = free[0] if kept is None else next((each for each in free if each.of == kept), free[0])
    return Calls(pointing_on(now, action, at) if when.trigger == "after" else now, following)


def waiting(action: Action, when: Occasion, at: Situation) -> tuple[Waiting, int | None] | None:
    """Return what an action waits for, and until when if the clock alone tells; None where nothing keeps it waiting."""
    found = calls(action, when, at)
    if found.now is not None:
        return None
    return Waiting(when, found, at.zone), None if found.next is None else found.next.begins


class Waiting(NamedTuple):
    """Says what an action waits for when it is called."""

    when: Occasion
    found: Calls
    zone: ZoneInfo

    def __call__(self) -> Said:
        """Find out."""
        used, following, of = self.found.used, self.found.next, self.when.of
        if used is not None:
            return Said("waits.used", {"occasion": used.said})
        if following is None:
            return Said(f"waits.{self.when.trigger}", {"points": of} if isinstance(of, int | float) else {"of": of})
        day = local_day(following.begins, self.zone)
        if day_begins(day, self.zone) == following.begins:
            return Said("waits.from_day", {"occasion": following.said, "day": day})
        return Said("waits.from", {"occasion": following.said, "from": following.begins})


class Gone(NamedTuple):
    """An action that went out: when it was chosen, and for which occasion if that is known."""

    at: int
    of: str | None

    def uses(self, found: Occurrence) -> bool:
        """Whether this uses an occasion up."""
        since = found.begins if found.used_from is None else found.used_from
        return self.at >= since and self.of in (None, found.of)


def _gone_out(action: Action, at: Situation) -> Sequence[Gone]:
    """Find out when an action went out: by our decisions that were carried out, and by whoever's touchpoints."""
    sent, decisions = _sent(action, at), at.past.decisions
    if decisions:
        decisions = [row for row in decisions if row.action == action.name and row is not at.held]
    if not decisions and not sent:
        return ()
    found = []
    for row in decisions:
        done_at = row.carried_out_at
        is_done = row.chances is not None and done_at is not None and done_at < at.as_of
        if sent.pop(row.decision_id, None) is not None or (is_done and (row.placement or OUTBOUND) == OUTBOUND):
            found.append(Gone(row.decided_at, _occasion_of(row)))
    return [*found, *(Gone(moment, None) for moment in sent.values())]


def _sent(action: Action, at: Situation) -> dict[str, int]:
    """Time of each outbound touchpoint that carries the action, by its decision."""
    t = at.past.touchpoints
    if action.name not in t.actions:
        return {}
    rows = ((t.action == t.actions.index(action.name)) & t.outbound).nonzero()[0].tolist()
    codes = t.decision[rows].tolist()
    return {
        t.decisions[code] if code != NONE else f" {row}": at.past.times[row]
        for row, code in zip(rows, codes, strict=True)
    }


def _occasion_of(row: DecisionRow) -> str | None:
    # What others loaded may have a column of this name that means something else.
    found = (row.properties or {}).get(OCCASION) if row.chances is not None else None
    return found if isinstance(found, str) else None
