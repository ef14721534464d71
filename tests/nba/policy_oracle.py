"""The contact policy read once more, from a plain list of what happened, without any of the code it is to judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

HOUR = 3_600_000_000
DAY = 24 * HOUR
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
IN_ZURICH = [
    date(2026, m, d) for m, d in ((1, 1), (4, 3), (4, 6), (5, 1), (5, 14), (5, 25), (8, 1), (12, 25), (12, 26))
]
"""Public holidays of CH-ZH as the canton prints them."""

ACTIONS: Mapping[str, Mapping[str, Any]] = {
    "mail": {"channel": "email", "topics": ["pumps"], "placements": ["outbound", "infocenter"]},
    "other_mail": {"channel": "email", "topics": ["valves"]},
    "call": {"channel": "phone", "value": 100.0, "capacity": {"per": "1d", "count": 2, "by": "owner"}},
    "offer": {"channel": "phone", "unless_owned": "contract", "value": 80.0},
    "letter": {"channel": "letter", "valid": {"from": "2026-04-10", "to": "2026-06-01"}},
    "seat": {"channel": "letter", "capacity": {"total": 3}},
    "receipt": {"channel": "email", "class": "transactional"},
    "recall": {"channel": "letter", "class": "mandatory", "needs": {"traits": {"recalled": True}}},
    "dealer": {"channel": "visit", "executor": "partner"},
}


@dataclass(frozen=True)
class Fact:
    """Something that happened with the contact; its time in microseconds."""

    at: int
    kind: str
    channel: str | None = None
    outbound: bool = False
    action: str | None = None
    decision: str | None = None
    topics: tuple[str, ...] = ()
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Chosen:
    """A choice that was logged, of this contact or of another one with an owner."""

    name: str
    at: int
    action: str
    owner: str = "ann"
    placement: str = "outbound"
    deferred: bool = False
    activated: int | None = None

    def counts_from(self) -> int | None:
        """When it went out, as far as anybody knows."""
        return self.activated if self.deferred else self.at


@dataclass
class World:
    """Everything there is to know, and the owner's rules as they would stand in the file."""

    rules: Mapping[str, Any]
    sticky: int
    mode: str
    facts: list[Fact] = field(default_factory=list)
    mine: list[Chosen] = field(default_factory=list)
    others: list[Chosen] = field(default_factory=list)
    colleagues: list[tuple[int, str]] = field(default_factory=list)
    devices: list[str] = field(default_factory=list)
    traits: dict[str, Any] = field(default_factory=dict)
    traits_changed: int | None = None

    def broken(self, action: str, now: int, placement: str, exclude: Sequence[str], again: str | None) -> set[str]:
        """Return every rule that would be broken by an action now; ``again`` is a choice that is given once more."""
        found = {
            "eligibility": self._misplaced(action, placement),
            "owned": self._owned(action, now),
            "season": action == "letter" and not date(2026, 4, 10) <= _day(now, ZoneInfo("UTC")) < date(2026, 6, 1),
            "consent": not self._consents(ACTIONS[action]["channel"]),
            "preference": self._unwished(action, now, placement, again),
            "partner": self._is_dealers(action, now),
            "hold": self._held(action),
            "quiet": placement == "outbound" and self._quiet(ACTIONS[action]["channel"], now),
            "calendar": placement == "outbound" and self._closed(now),
            "cap": placement == "outbound" and self._capped(action, now, again),
            "paused": self._paused(action, now),
            "capacity": self._full(action, now, again),
            "excluded": action in exclude,
        }
        return {rule for rule, is_broken in found.items() if is_broken}

    def is_an_hour_for(self, action: str, moment: int) -> bool:
        """Whether an action may be carried out at a moment, as far as clock and calendar go."""
        return not self._quiet(ACTIONS[action]["channel"], moment) and not self._closed(moment)

    def _misplaced(self, action: str, placement: str) -> bool:
        if placement not in ACTIONS[action].get("placements", ["outbound"]):
            return True
        # Nothing of somebody who objects to profiling is used to choose, so nothing that needs a trait is for them.
        objects = any(f.kind == "objection" and not (f.properties.get("channel") or f.channel) for f in self.facts)
        return action == "recall" and (objects or self.traits.get("recalled") is not True)

    def _consents(self, channel: str) -> bool:
        asked = self.rules["consent"].get(channel, "opt_out")
        if isinstance(asked, dict):
            asked = asked["business" if self.traits.get("person_type") == "business" else "consumer"]
        said: set[str] = set()
        ever_withdrawn = False
        for fact in sorted(self.facts, key=lambda fact: (fact.at, fact.kind in _AGAINST)):
            about = fact.properties.get("channel") or fact.channel or ACTIONS.get(fact.action or "", {}).get("channel")
            if fact.kind in _AGAINST and about in (None, channel):
                said, ever_withdrawn = set(), True
            elif fact.kind in _FOR and about == channel and (fact.kind in _WORDS or fact.properties.get("ground")):
                said.add(fact.kind)
        if asked == "opt_out":
            return not ever_withdrawn or bool(said & _WORDS)
        if asked == "double_opt_in":
            return "consent_confirmed" in said
        return bool(said & _WORDS) or (asked == "presumed" and not ever_withdrawn and "consent_presumed" in said)

    def _unwished(self, action: str, now: int, placement: str, again: str | None) -> bool:
        last: dict[tuple[Any, Any], str] = {}
        for fact in self.facts:
            if fact.kind == "preference":
                about = fact.properties.get("channel"), fact.properties.get("topic")
                last[about] = fact.properties.get("at_most", "never")
        for (channel, topic), at_most in last.items():
            fits = lambda where, topics, c=channel, t=topic: c in (None, where) and (t is None or t in topics)  # noqa: E731
            if at_most == "any" or not fits(ACTIONS[action]["channel"], ACTIONS[action].get("topics", ())):
                continue
            if at_most == "never":
                return True
            count, days = at_most.removesuffix("d").split("/")
            times = [at for at, where, topics in self._approaches(again) if fits(where, topics)]
            is_due = sum(at >= now - int(days) * DAY for at in times) >= int(count)
            if is_due and placement == "outbound" and "class" not in ACTIONS[action]:
                return True
        return False

    def _is_dealers(self, action: str, now: int) -> bool:
        if not self.traits.get("partner") or ACTIONS[action].get("executor") == "partner":
            return False
        if self.mode != "partner_first":
            return self.mode == "partner_only"
        offers = [(at, 0) for c in self.mine if c.action == "dealer" and (at := c.counts_from()) is not None]
        refusals = [(fact.at, 2) for fact in self.facts if fact.kind == "lead_declined"]
        since = min((at for at, _ in [*offers, *refusals]), default=now)
        acts = [(f.at, 1) for f in self.facts if f.outbound and f.action == "dealer" and f.at >= since]
        opens: int | None = None
        for at, what in sorted([*offers, *acts, *refusals]):
            if what == 2:
                opens = at
            elif opens is None or what == 1 or at >= opens:
                opens = at + 7 * DAY
        return opens is None or now < opens

    def _held(self, action: str) -> bool:
        cases: set[Any] = set()
        for fact in sorted(self.facts, key=lambda fact: (fact.at, fact.kind == "complaint_closed")):
            case = fact.properties.get("case_id")
            if fact.kind == "complaint":
                cases.add(case)
            elif fact.kind == "complaint_closed":
                cases = cases - {case} if case else set()
        is_off = any(fact.kind == "hands_off" for fact in self.facts)
        return (self.rules["complaints_hold"] and bool(cases) and action != "receipt") or is_off

    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.traits.get("timezone") or "Europe/Zurich")

    def _quiet(self, channel: str, now: int) -> bool:
        quiet, channels = self.rules["quiet"], self.rules["quiet_channels"]
        if quiet is None or (channels and channel not in channels):
            return False
        hour, start, end = _clock(now, self._zone()).hour, quiet["from"], quiet["to"]
        return bool(start <= hour < end if start < end else hour >= start or hour < end)

    def _closed(self, now: int) -> bool:
        calendar, today = self.rules["calendar"], _day(now, self._zone())
        if calendar is None:
            return False
        first, last = calendar["freeze"]
        is_holiday = calendar["holidays"] and today in IN_ZURICH
        return today.weekday() not in calendar["days"] or is_holiday or first <= today <= last

    def _approaches(self, again: str | None) -> list[tuple[int, str | None, Sequence[str]]]:
        sent = [fact for fact in self.facts if fact.outbound]
        reported = {fact.decision for fact in sent}
        found: list[tuple[int, str | None, Sequence[str]]] = []
        for fact in sent:
            plan = ACTIONS.get(fact.action or "", {})
            if plan.get("class") != "transactional":
                found.append((fact.at, fact.channel or plan.get("channel"), fact.topics or plan.get("topics", ())))
        for choice in self.mine:
            at, plan = choice.counts_from(), ACTIONS.get(choice.action, {})
            if at is None or not plan or choice.name == again or choice.name in reported:
                continue
            if choice.placement == "outbound" and plan.get("class") != "transactional":
                found.append((at, plan["channel"], plan.get("topics", ())))
        return found

    def _capped(self, action: str, now: int, again: str | None) -> bool:
        if "class" in ACTIONS[action]:
            return False
        own = [(at, channel) for at, channel, _ in self._approaches(again)]
        for cap in self.rules["caps"]:
            if cap.get("account") and not self.traits.get("account"):
                continue
            if cap.get("channel") not in (None, ACTIONS[action]["channel"]):
                continue
            seen = [*own, *self.colleagues] if cap.get("account") else own
            near = [at for at, where in seen if at >= now - cap["days"] * DAY and cap.get("channel") in (None, where)]
            if len(near) >= cap["count"]:
                return True
        return False

    def _paused(self, action: str, now: int) -> bool:
        snoozes = [fact for fact in self.facts if fact.kind == "snoozed" and fact.action == action]
        if snoozes and now < _moment(snoozes[-1].properties["until"]):
            return True
        channel = ACTIONS[action]["channel"]
        wrong = [fact.at for fact in self.facts if fact.kind == "wrong_number" and fact.channel == channel]
        if wrong and (self.traits_changed is None or self.traits_changed <= max(wrong)):
            return True
        for pause in self.rules["pauses"]:
            times = sorted(
                fact.at
                for fact in self.facts
                if fact.kind == pause["outcome"] and _touches(pause["scope"], fact, action)
            )
            for first, last in zip(times, times[pause["count"] - 1 :], strict=False):
                if last - first < pause["within"] * DAY and now < last + pause["pause"] * DAY:
                    return True
        return False

    def _full(self, action: str, now: int, again: str | None) -> bool:
        if action not in ("call", "seat"):
            return False
        zurich = ZoneInfo("Europe/Zurich")
        taken = [
            choice
            for choice in [*self.mine, *self.others]
            if choice.action == action and choice.placement == "outbound" and choice.name != again
            and (at := choice.counts_from()) is not None
            and (action == "seat" or (_day(at, zurich) == _day(now, zurich) and choice.owner == "ann"))
        ]  # fmt: skip
        return len(taken) >= (3 if action == "seat" else 2)

    def _owned(self, action: str, now: int) -> bool:
        if action == "offer":
            deals = [
                f for f in self.facts if f.kind in ("order", "return") and f.properties.get("product_id") == "contract"
            ]
            is_bought = bool(deals) and deals[-1].kind == "order"
            if is_bought or "contract" in self.devices or self.traits.get("contract") is True:
                return True
        done = [
            (n, fact)
            for n, fact in enumerate(self.facts)
            if fact.decision and fact.action == action and fact.at > now - self.sticky
            and (fact.outbound or fact.kind in ("accepted", "converted", "done"))
        ]  # fmt: skip
        if not done:
            return False
        n, last = done[-1]
        return all(fact.outbound or fact.decision == last.decision for fact in self.facts[n + 1 :])


_AGAINST = ("consent_withdrawn", "unsubscribed", "objection")
_WORDS = {"consent_given", "consent_confirmed"}
_FOR = {*_WORDS, "consent_presumed"}


def _touches(scope: str, fact: Fact, action: str) -> bool:
    if scope == "action":
        return fact.action == action
    plan = ACTIONS.get(fact.action or "", {})
    if scope == "channel":
        return bool((fact.channel or plan.get("channel")) == ACTIONS[action]["channel"])
    return bool({*(fact.topics or plan.get("topics", ()))} & {*ACTIONS[action].get("topics", ())})


def _clock(moment: int, zone: ZoneInfo) -> datetime:
    return (EPOCH + timedelta(microseconds=moment)).astimezone(zone)


def _day(moment: int, zone: ZoneInfo) -> date:
    return _clock(moment, zone).date()


def _moment(text: str) -> int:
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)
