"""What other settings would have recommended over a while: who gains, who loses, and which rule removed what.

Recommendations are compared at moments of the past, at noon of a working day every week: at each, everybody is looked
at as known strictly before it, once under the settings as they are and once under the others, and the best allowed
action is taken (``training.everybody.whatif_choices``). What happened is taken as it happened: what other settings
would have sent, and what would have come of it, is not made up.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from features.store.store import Store
from features.times import DAY, to_us
from nba.actions import DO_NOTHING, Catalogue
from nba.calendar import LONGEST_REST, local_day, why_closed
from nba.settings import Settings
from nba.settings.contact_policy import ContactPolicy
from training.everybody.everybody import Everybody
from training.everybody.whatif_choices import Choices, choices_at

if TYPE_CHECKING:
    from models.belief import Belief

NOON = time(12)
Advance = Callable[[int], None]
Move = tuple[str, str]
"""The recommendation as things are, and the other."""
Reached = defaultdict[str, set[str]]


@dataclass
class Comparison:
    """Recommendations to everybody at some moments, under the settings in force and under others."""

    moments: Sequence[int]
    contacts: set[str] = field(default_factory=set)
    recommended: tuple[Counter[str], Counter[str]] = field(default_factory=lambda: (Counter(), Counter()))
    """How often each action was best, under either settings; a contact counts once a moment."""
    reached: tuple[Reached, Reached] = field(default_factory=lambda: (Reached(set), Reached(set)))
    """Contacts for whom each action was best at any moment, under either settings."""
    chances: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []))
    """Expected successes of the usual goal at each moment; empty where no model tells them."""
    removed: tuple[Counter[tuple[str, str]], Counter[tuple[str, str]]] = field(
        default_factory=lambda: (Counter(), Counter())
    )
    """How often each action was removed by each rule."""
    moved: dict[str, dict[Move, list[int]]] = field(default_factory=dict)
    """Of each contact whose recommendation is another: the moments at which it is, by move."""
    hidden: set[str] = field(default_factory=set)
    """Contacts whose recommendations their partners keep from the owner."""

    def add(self, moment: int, before: Choices, after: Choices) -> None:
        """Count what would be recommended at a moment under either settings."""
        both = before.action.keys() & after.action.keys()
        self.contacts |= both
        self.hidden |= before.hidden
        for side, found in enumerate((before, after)):
            self.recommended[side].update(found.action[name] for name in both)
            for name in both:
                self.reached[side][found.action[name]].add(name)
            self.removed[side].update(found.removed)
        for name in sorted(both):
            move = before.action[name], after.action[name]
            if move[0] != move[1]:
                self.moved.setdefault(name, {}).setdefault(move, []).append(moment)
        told = both & before.chance.keys() & after.chance.keys()
        if told:
            for side, found in enumerate((before, after)):
                self.chances[side].append(sum(found.chance[name] for name in sorted(told)))


def compare(
    store: Store,
    settings: Settings,
    others: Settings,
    belief: Belief | None,
    moments: Sequence[int],
    *,
    begins: Callable[[int], Advance] = lambda n: lambda done: None,
) -> Comparison:
    """Compare what two settings recommend to everybody at some moments.

    Parameters
    ----------
    begins
        Told of each moment how many contacts are to be looked at, and returns what is told as they are done.
    """
    # Where the work is done says nothing about the outcome, and both shall be cut alike.
    others = replace(others, store=settings.store, scale=settings.scale)
    memory = max(Catalogue.of(each).memory_us for each in (settings, others))
    found = Comparison(moments)
    for moment in moments:
        everybody = Everybody.read(store, settings, moment, memory_us=memory)
        same = settings.touchpoints == others.touchpoints
        again = everybody if same else Everybody.read(store, others, moment, memory_us=memory)
        advance = begins(len(everybody.names) + len(again.names))
        before = choices_at(everybody, settings, belief, advance=advance)
        found.add(moment, before, choices_at(again, others, belief, advance=advance))
    return found


def working_noons(since: int, until: int, every_us: int, policy: ContactPolicy) -> tuple[int, ...]:
    """Return noon of working days in ``[since, until)``, a while apart, by rising time; ``until`` itself where none is.

    Counted back from the last noon; one on a day on which the calendar of the settings lets nothing go out is the noon
    of the last day before on which it does.

    Parameters
    ----------
    every_us
        Microseconds; whole days.

    Examples
    --------
    >>> from features.times import iso, parse_time
    >>> since, until = parse_time("2026-06-01"), parse_time("2026-06-17")
    >>> [iso(at) for at in working_noons(since, until, 7 * DAY, ContactPolicy(timezone="Europe/Zurich"))]
    ['2026-06-02T10:00:00Z', '2026-06-09T10:00:00Z', '2026-06-16T10:00:00Z']
    """
    zone = ZoneInfo(policy.timezone)
    day = local_day(until, zone)
    found: set[int] = set()
    while to_us(datetime.combine(day, NOON, zone)) >= until:
        day -= timedelta(1)
    while to_us(datetime.combine(day, NOON, zone)) >= since:
        open_day = day
        for _ in range(LONGEST_REST):
            if policy.calendar is None or why_closed(policy.calendar, open_day) is None:
                break
            open_day -= timedelta(1)
        found.add(to_us(datetime.combine(open_day, NOON, zone)))
        day -= timedelta(every_us // DAY)
    return tuple(sorted(at for at in found if since <= at)) or (until,)


def report_of(found: Comparison, settings: Settings, others: Settings) -> dict[str, Any]:
    """Return what the comparison says in numbers, without a single contact: the main part of the JSON."""
    channel = {name: each.channel for each_of in (settings, others) for name, each in each_of.actions.items()}
    actions = [DO_NOTHING, *dict.fromkeys([*settings.actions, *others.actions])]
    return {
        "contacts": len(found.contacts),
        "recommendations": sum(found.recommended[0].values()),
        "changed": _changed(found.moved),
        "moves": _moves(found.moved),
        "actions": {name: {"channel": channel.get(name), **_counted(found, [name])} for name in actions},
        "channels": {
            each: _counted(found, [name for name in actions if channel.get(name) == each])
            for each in dict.fromkeys(channel.values())
        },
        "expected": _expected(found, settings),
        "removed": _removed(found.removed, actions[1:]),
    }


def _changed(moved: Mapping[str, Mapping[Move, Sequence[int]]]) -> dict[str, int]:
    """How many contacts get something instead of nothing, nothing instead of something, and something else.

    Each counts once: whose recommendation changes in more than one of these ways is in ``mixed``.
    """
    ways = Counter(_way(moves) for moves in moved.values())
    return {"contacts": len(moved), **{way: ways[way] for way in ("gain", "lose", "get_another", "mixed")}}


def _way(moves: Iterable[Move]) -> str:
    ways = {"gain" if a == DO_NOTHING else "lose" if b == DO_NOTHING else "get_another" for a, b in moves}
    return ways.pop() if len(ways) == 1 else "mixed"


def _moves(moved: Mapping[str, Mapping[Move, Sequence[int]]]) -> list[dict[str, Any]]:
    contacts: Counter[Move] = Counter(move for moves in moved.values() for move in moves)
    times = Counter[Move]()
    for moves in moved.values():
        times.update({move: len(moments) for move, moments in moves.items()})
    ordered = sorted(contacts, key=lambda move: (-contacts[move], move))
    return [{"from": a, "to": b, "contacts": contacts[a, b], "recommendations": times[a, b]} for a, b in ordered]


def _counted(found: Comparison, actions: Sequence[str]) -> dict[str, Any]:
    """How often any of the actions is recommended, and to how many contacts."""
    times = _sides(sum(side[name] for name in actions) for side in found.recommended)
    return {
        **times,
        "contacts": _sides(len(set().union(*(side.get(name, ()) for name in actions))) for side in found.reached),
    }


def _expected(found: Comparison, settings: Settings) -> dict[str, Any] | None:
    goal = Catalogue.of(settings).usual_goal
    if goal is None or not found.chances[0]:
        return None
    means = [sum(side) / len(side) for side in found.chances]
    return {"goal": goal, "before": round(means[0], 4), "after": round(means[1], 4)}


def _removed(
    removed: Sequence[Mapping[tuple[str, str], int]], actions: Iterable[str]
) -> dict[str, dict[str, dict[str, int]]]:
    found: dict[str, dict[str, dict[str, int]]] = {name: {} for name in actions}
    for action, rule in sorted({key for side in removed for key in side}):
        found[action][rule] = _sides(side.get((action, rule), 0) for side in removed)
    return found


def _sides(counts: Iterable[int]) -> dict[str, int]:
    before, after = counts
    return {"before": before, "after": after}
