"""What may be done to a contact now, and the one rule that forbids each other action."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.times import iso
from features.touchpoints import NONE
from nba import needs
from nba.actions import about_same
from nba.quiet import is_quiet, quiet_until
from nba.settings.actions import Action
from nba.settings.contact_policy import Cap, Pause
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

    allowed: NDArray[np.bool_]
    """Shape (n_actions,); "do nothing" is always allowed."""
    refusals: tuple[Refusal, ...]
    left: Mapping[str, int]
    """Actions left after each gate, "do nothing" not counted; ``actions`` is how many there were."""


Gate = Callable[[Action, Situation], Refusal | None]


def allowed(situation: Situation) -> Verdict:
    """Send every action through the gates; the first one that removes it gives the reason."""
    catalogue = situation.catalogue
    remaining = list(enumerate(catalogue.actions, start=1))
    refusals: list[Refusal] = []
    left = {"actions": len(remaining)}
    for name, gate in GATES:
        kept = []
        for column, action in remaining:
            refusal = gate(action, situation)
            if refusal is None:
                kept.append((column, action))
            else:
                refusals.append(refusal)
        remaining = kept
        left[name] = len(remaining)
    mask = np.zeros(len(catalogue), dtype=np.bool_)
    mask[0] = True
    mask[[column for column, _ in remaining]] = True
    refusals.sort(key=lambda refusal: catalogue.column[refusal.action])
    return Verdict(mask, tuple(refusals), left)


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
        if stages and at.stage not in stages:
            detail = f"suits the stages {', '.join(stages)}; the contact is in {at.stage or 'none'}"
            return Refusal(action.name, "suitability", detail)
    return None


def _consent(action: Action, at: Situation) -> Refusal | None:
    asked = at.catalogue.settings.contact_policy.consent
    detail = at.ledger.refusal(asked, action.channel, at.person_type)
    return None if detail is None else Refusal(action.name, "consent", detail)


def _quiet(action: Action, at: Situation) -> Refusal | None:
    quiet = at.catalogue.settings.contact_policy.quiet
    if quiet is None or not at.goes_out or not is_quiet(quiet, action.channel, at.as_of, at.zone):
        return None
    until = quiet_until(quiet, action.channel, at.as_of, at.zone)
    return Refusal(action.name, "quiet", f"quiet hours in {at.zone.key} until {iso(until)}", until)


def _cap(action: Action, at: Situation) -> Refusal | None:
    if action.class_ != "default" or not at.goes_out:
        return None
    for cap in at.catalogue.settings.contact_policy.caps:
        # Caps over an account need the histories of all its contacts, which are not read here yet.
        if not cap.account and cap.channel in (None, action.channel):
            times = [time for time, channel in at.approaches if cap.channel in (None, channel)]
            inside = times[bisect_left(times, at.as_of - cap.per_us) :]
            if len(inside) >= cap.count:
                detail = f"{len(inside)} of {cap.count} in {cap.per}"
                return Refusal(action.name, cap.rule, detail, _free_at(cap, inside))
    return None


def _free_at(cap: Cap, inside: list[int]) -> int | None:
    if cap.count == 0:
        return None
    # The window is half-open: what happened exactly `per` ago still counts.
    return inside[len(inside) - cap.count] + cap.per_us + 1


def _paused(action: Action, at: Situation) -> Refusal | None:
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
    """Times of the outcomes that touch an action, rising."""
    t = at.past.touchpoints
    rows = (t.kind == t.kinds.index(pause.outcome)).nonzero()[0].tolist()
    return [at.past.times[row] for row in rows if _touches(pause.scope, row, action, at)]


def _touches(scope: str, row: int, action: Action, at: Situation) -> bool:
    t, catalogue = at.past.touchpoints, at.catalogue
    name = t.actions[t.action[row]] if t.action[row] != NONE else None
    column = catalogue.column.get(name or "", 0)
    if scope == "action":
        return name == action.name
    if scope == "channel":
        if t.channel[row] != NONE:
            return t.channels[t.channel[row]] == action.channel
        return bool(column) and catalogue.action(column).channel == action.channel
    codes = t.topic[t.topic_start[row] : t.topic_start[row + 1]].tolist()
    topics = [t.topics[code] for code in codes] or list(catalogue.action(column).topics if column else ())
    return any(about_same(topic, action.topics) for topic in topics)


def _excluded(action: Action, at: Situation) -> Refusal | None:
    if action.name not in at.request.exclude:
        return None
    return Refusal(action.name, "excluded", "the request excludes it")


GATES: tuple[tuple[str, Gate], ...] = (
    ("eligibility", _eligibility),
    ("season", _season),
    ("suitability", _suitability),
    ("consent", _consent),
    ("quiet", _quiet),
    ("cap", _cap),
    ("paused", _paused),
    ("excluded", _excluded),
)
"""In the order they are passed."""
