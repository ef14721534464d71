"""What may be done to a contact now, and the one rule that forbids each other action."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from features.times import iso
from features.touchpoints import NONE
from nba import needs
from nba.actions import about_same
from nba.settings.actions import Action
from nba.settings.contact_policy import Pause
from nba.situation import Situation


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an action is not offered: the first gate that removed it."""

    action: str
    rule: str
    detail: str
    until: int | None = None
    """Microseconds: when this rule may remove it no more, where the clock alone tells."""

    def to_json(self) -> dict[str, Any]:
        """Return it as it stands in an answer."""
        return {"action": self.action, "rule": self.rule, "detail": self.detail}


@dataclass(frozen=True)
class Verdict:
    """Which actions are allowed, the refusal of every other one, and how many each gate left."""

    allowed: tuple[bool, ...]
    """Of each column of the catalogue; "do nothing" is always allowed."""
    refusals: tuple[Refusal, ...]
    left: Mapping[str, int]
    """Actions left after each gate, "do nothing" not counted; ``actions`` is how many there were."""

    @property
    def columns(self) -> list[int]:
        """Columns of the allowed actions, "do nothing" first."""
        return [column for column, may in enumerate(self.allowed) if may]


Gate = Callable[[Action, Situation], Refusal | None]


def allowed(situation: Situation) -> Verdict:
    """Send every action through the gates; the first one that removes it gives the reason."""
    catalogue = situation.catalogue
    remaining = list(enumerate(catalogue.actions, start=1))
    refusals: list[Refusal] = []
    left = {"actions": len(remaining)}
    for name, gate, is_closed in GATES:
        if is_closed is None or is_closed(situation):
            found = [(column, action, gate(action, situation)) for column, action in remaining]
            refusals += [refusal for _, _, refusal in found if refusal is not None]
            remaining = [(column, action) for column, action, refusal in found if refusal is None]
        left[name] = len(remaining)
    passed = {0, *(column for column, _ in remaining)}
    refusals.sort(key=lambda refusal: catalogue.column[refusal.action])
    return Verdict(tuple(column in passed for column in range(len(catalogue))), tuple(refusals), left)


def _eligibility(action: Action, at: Situation) -> Refusal | None:
    if at.request.placement not in action.placements:
        detail = f"is for {', '.join(action.placements)}, not for {at.request.placement}"
    elif action.when is not None:
        # Without its occasion it would go to everybody, every day: a birthday card is not for today.
        detail = "waits for its occasion (`when`), and occasions are not built yet"
    else:
        detail = needs.unmet(action, at) or ""
    return Refusal(action.name, "eligibility", detail) if detail else None


def _season(action: Action, at: Situation) -> Refusal | None:
    valid = action.valid
    if valid.from_ is not None and at.as_of < valid.from_:
        return Refusal(action.name, "season", f"begins {iso(valid.from_)}", valid.from_)
    if valid.to is not None and at.as_of >= valid.to:
        return Refusal(action.name, "season", f"ended {iso(valid.to)}")
    return None


def _suitability(action: Action, at: Situation) -> Refusal | None:
    for stages in (action.stages, action.needs.stage):
        if stages and at.stage not in stages and at.rule_stage not in stages:
            detail = f"suits the stages {', '.join(stages)}; the contact is in {at.stage or 'none'}"
            return Refusal(action.name, "suitability", detail)
    return None


def _consent(action: Action, at: Situation) -> Refusal | None:
    detail = at.withheld[action.channel]
    return None if detail is None else Refusal(action.name, "consent", detail)


def _quiet(action: Action, at: Situation) -> Refusal | None:
    until = at.quiet.get(action.channel)
    if until is None:
        return None
    return Refusal(action.name, "quiet", f"quiet hours in {at.zone.key} until {iso(until)}", until)


def _cap(action: Action, at: Situation) -> Refusal | None:
    if action.class_ == "default":
        for full in at.full:
            if full.cap.channel in (None, action.channel):
                detail = f"{full.count} of {full.cap.count} in {full.cap.per}"
                return Refusal(action.name, full.cap.rule, detail, full.until)
    return None


def _paused(action: Action, at: Situation) -> Refusal | None:
    return _stopped(action, at) or _resting(action, at)


def _stopped(action: Action, at: Situation) -> Refusal | None:
    wrong, until = at.stops.channels.get(action.channel), at.stops.actions.get(action.name)
    if wrong is not None:
        detail = f"{action.channel} was found wrong {iso(wrong)}: waits until the contact changes"
        return Refusal(action.name, "paused", detail)
    if until is not None:
        return Refusal(action.name, "paused", f"snoozed until {iso(until)}", until)
    return None


def _resting(action: Action, at: Situation) -> Refusal | None:
    for pause in at.catalogue.settings.contact_policy.pauses:
        if pause.outcome in at.past.last_seen:
            until = _pause_end(pause, _outcomes(pause, action, at))
            if until is not None and at.as_of < until:
                detail = f"{pause.count} x {pause.outcome} for this {pause.scope}: paused until {iso(until)}"
                return Refusal(action.name, "paused", detail, until)
    return None


def _pause_end(pause: Pause, times: list[int]) -> int | None:
    """When the last pause that these outcomes set off ends; None where they never were so many."""
    for last in range(len(times) - 1, pause.count - 2, -1):
        if pause.within_us is None or times[last] - times[last - pause.count + 1] < pause.within_us:
            return times[last] + pause.pause_us
    return None


def _outcomes(pause: Pause, action: Action, at: Situation) -> list[int]:
    """Return the times of the outcomes that touch an action, rising."""
    t = at.past.touchpoints
    rows = (t.kind == t.kinds.index(pause.outcome)).nonzero()[0].tolist()
    return [at.past.times[row] for row in rows if _touches(pause.scope, row, action, at)]


def _touches(scope: str, row: int, action: Action, at: Situation) -> bool:
    t, catalogue = at.past.touchpoints, at.catalogue
    name = t.actions[int(t.action[row])] if t.action[row] != NONE else None
    column = catalogue.column.get(name or "", 0)
    if scope == "action":
        return name == action.name
    if scope == "channel":
        if t.channel[row] != NONE:
            return t.channels[int(t.channel[row])] == action.channel
        return bool(column) and catalogue.action(column).channel == action.channel
    codes = t.topic[t.topic_start[row] : t.topic_start[row + 1]].tolist()
    topics = [t.topics[code] for code in codes] or list(catalogue.action(column).topics if column else ())
    return any(about_same(topic, action.topics) for topic in topics)


def _excluded(action: Action, at: Situation) -> Refusal | None:
    if action.name not in at.request.exclude:
        return None
    return Refusal(action.name, "excluded", "the request excludes it")


def _has_pause(at: Situation) -> bool:
    seen = at.past.last_seen
    return bool(at.stops) or any(pause.outcome in seen for pause in at.catalogue.settings.contact_policy.pauses)


GATES: tuple[tuple[str, Gate, Callable[[Situation], object] | None], ...] = (
    ("eligibility", _eligibility, None),
    ("season", _season, None),
    ("suitability", _suitability, None),
    ("consent", _consent, lambda at: any(at.withheld.values())),
    ("quiet", _quiet, lambda at: at.quiet),
    ("cap", _cap, lambda at: at.full),
    ("paused", _paused, _has_pause),
    ("excluded", _excluded, lambda at: at.request.exclude),
)
"""In the order they are passed: name, gate, and whether it can remove anything now (None: always)."""
