"""A contact whose clock can be moved: what was known of it, and what was allowed, at any moment."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from features.rows.row_types import DecisionRow, ScoreRow
from features.times import SECOND, parse_time
from features.touchpoints.touchpoints import TouchpointRules, Touchpoints
from nba.actions import Catalogue
from nba.consent import Ledger
from nba.contact_policy import allowed
from nba.draw import Draw
from nba.engine import decide
from nba.occasions.occasions import occurrence
from nba.past import Past
from nba.request import Request
from nba.settings import parse_settings
from nba.situation import Situation
from nba.tables.surroundings import Alone
from nba.tables.tables import Asset, Event, Tables
from nba.weighing import weigh

CONTACT = "crm:1"
ACTION = "act"
QUIET_RANKING = "[ranking]\nepsilon = 0.0\nholdout = 0.0\nsticky = '0d'\n"
POINTS = "[points]\nkinds = { visit = 5, download = 100 }\nthresholds = [{ from = 0, actions = ['act'] }]\n"


def us(moment: str | int) -> int:
    return moment if isinstance(moment, int) else parse_time(moment)


def toml(when: str, more: str = "", *, action: str = "") -> str:
    """Settings in which the points table calls for the one action whenever it is allowed."""
    return f"[actions.{ACTION}]\nchannel = 'email'\nwhen = {{ {when} }}\n{action}\n{POINTS}{QUIET_RANKING}{more}"


@cache
def catalogue(text: str) -> Catalogue:
    return Catalogue.of(parse_settings(text))


def touch(
    at: str | int,
    kind: str = "visit",
    *,
    topics: Sequence[str] = (),
    value: float | None = None,
    direction: str | None = None,
    decision_id: str | None = None,
    action: str | None = None,
    **properties: Any,
) -> tuple[Any, ...]:
    """A touchpoint as the store reads it."""
    about = json.dumps(list(topics)) if topics else None
    more = json.dumps(properties) if properties else None
    return (CONTACT, us(at), "", kind, None, direction, about, value, None, None, None, decision_id, action, more)


def decided(at: str | int, occasion: str | None = None, *, action: str = ACTION, **more: Any) -> DecisionRow:
    """A decision of ours for the action."""
    kept = {"occasion": occasion} if occasion else None
    chances = {"do_nothing": 0.5, action: 0.5}
    return DecisionRow(f"d{us(at)}", CONTACT, us(at), action, 0.5, chances=chances, properties=kept, **more)


@dataclass(frozen=True)
class Around(Alone):
    """Tables and devices in memory."""

    events: Sequence[Event] = ()
    devices: Sequence[Asset] = ()
    taken_at: Sequence[int] = ()
    seats_at: Sequence[tuple[str, int, str, str]] = ()
    """Event, time, action and identity of each invitation."""

    def tables(self) -> Tables:
        return Tables(events={event.event_id: event for event in self.events})

    def assets(self) -> Sequence[Asset]:
        return self.devices

    def taken(self, action: str, since: int, by: str | None) -> int:
        return sum(at >= since for at in self.taken_at)

    def invited(self, event_id: str, actions: Collection[str], since: int) -> Collection[str]:
        return {who for of, at, action, who in self.seats_at if of == event_id and at >= since and action in actions}


@dataclass(frozen=True)
class World:
    """Everything that ever happens with a contact; each moment sees what lies before it."""

    settings: str
    rows: Sequence[tuple[Any, ...]] = ()
    traits: Mapping[str, Any] = field(default_factory=dict)
    around: Around = Around()
    decisions: Sequence[DecisionRow] = ()
    scored: ScoreRow | None = None

    def past(self, as_of: int) -> Past:
        known = [row for row in self.rows if row[1] < as_of]
        named = sorted(((*row[:2], f"t{i:04}", *row[3:]) for i, row in enumerate(known)), key=lambda row: row[:3])
        memory = catalogue(self.settings).memory_us
        return Past(
            Touchpoints.from_rows(named, TouchpointRules()),
            self.traits,
            tuple(row for row in self.decisions if as_of - memory <= row.decided_at < as_of),
            around=self.around,
            scored=self.scored,
        )

    def situation(self, as_of: str | int, **facts: Any) -> Situation:
        found = weigh(Request(CONTACT), self.past(us(as_of)), None, catalogue(self.settings), us(as_of))
        return replace(found.judged.situation, **facts) if facts else found.judged.situation

    def now(self, as_of: str | int, **facts: Any) -> Any:
        """The occasion that calls for the action, an ``Occurrence``; None without one."""
        return occurrence(catalogue(self.settings).action(1), self.situation(as_of, **facts))

    def refusal(self, as_of: str | int, action: str = ACTION, **asked: Any) -> Any:
        """Why the action is not allowed, a ``Refusal``; None where it is."""
        request = Request.from_json({"contact": CONTACT, **asked})
        found = weigh(request, self.past(us(as_of)), None, catalogue(self.settings), us(as_of))
        return next((each for each in found.judged.verdict.refusals if each.action == action), None)

    def answer(self, as_of: str | int, **asked: Any) -> Any:
        """The answer, a ``Decision``."""
        request = Request.from_json({"contact": CONTACT, **asked})
        return decide(
            request, self.past(us(as_of)), None, catalogue(self.settings), us(as_of), Draw(b"a secret of tests")
        )

    def until(self, as_of: str | int) -> "World":
        """What is known at a moment, and nothing after it."""
        return replace(
            self,
            rows=[row for row in self.rows if row[1] < us(as_of)],
            decisions=[row for row in self.decisions if row.decided_at < us(as_of)],
        )

    def windows(self, start: str | int, end: str | int, step: int) -> list[tuple[int, int]]:
        """When the action is allowed, half-open, found by looking every ``step`` and closing in on each change."""
        found: list[int] = []
        for low, high in _steps(us(start), us(end), step):
            if self._is_allowed(low) != self._is_allowed(high):
                found.append(self._change(low, high))
        if self._is_allowed(us(start)):
            found.insert(0, us(start))
        if len(found) % 2:
            found.append(us(end))
        return list(zip(found[::2], found[1::2], strict=True))

    def _change(self, low: int, high: int) -> int:
        before = self._is_allowed(low)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._is_allowed(middle) == before else (low, middle)
        return high

    def _is_allowed(self, as_of: int) -> bool:
        past, found = self.past(as_of), catalogue(self.settings)
        ledger = Ledger(past.touchpoints, as_of, found.channel_of)
        return allowed(Situation(found, Request(CONTACT), past, past, as_of, ledger)).allowed[1]


def _steps(start: int, end: int, step: int) -> Iterator[tuple[int, int]]:
    for low in range(start, end, step):
        yield low, min(low + step, end)


def every(start: str, days: float, count: int, kind: str = "visit", **more: Any) -> list[tuple[Any, ...]]:
    """Touchpoints at equal distances."""
    return [touch(us(start) + int(i * days * 86_400) * SECOND, kind, **more) for i in range(count)]
