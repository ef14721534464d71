"""What happened to a contact, on a page: touchpoints over channels and devices, decisions, outcomes, stages."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from features.lake.history import contact_touchpoints
from features.rows.row_types import DecisionRow, OutcomeRow
from features.times import DAY, parse_time
from models.stages.applied import apply_rules
from nba.actions import DO_NOTHING
from serving.dashboard.visit import Visit
from serving.portrait import Portrait
from serving.profile import NOTICEABLE, interests_over

_MOST_DECISIONS = 100
_STAGE_DAYS, _INTEREST_WEEKS = 180, 13
_MOST_INTERESTS = 5
_NOTES = ("text", "note", "title", "page", "url", "subject", "query")
"""Properties of a touchpoint that say in words what it was."""


class Spell(NamedTuple):
    """A stage and when it was begun; microseconds."""

    stage: str
    begun: int


def events(visit: Visit, found: Portrait) -> list[dict[str, Any]]:
    """Return what is shown of the past, the newest first: touchpoints, and among them decisions with their outcomes."""
    entries = found.profile.get("timeline") or []
    devices = _devices(visit, found, entries)
    shown = [_touchpoint(each, devices) for each in entries]
    if found.sight.shows("timeline") and found.sight.shows("recommendations"):
        is_whole = len(entries) == found.profile.get("touchpoints")
        since = None if is_whole or not entries else parse_time(entries[-1]["occurred_at"])
        done = {each["decision_id"] for each in entries if each["decision_id"] is not None}
        shown += _decisions(visit, found, since, done)
    return sorted(shown, key=lambda each: each["at"], reverse=True)


def _touchpoint(entry: Mapping[str, Any], devices: Mapping[str, str]) -> dict[str, Any]:
    told = entry["properties"]
    return {
        **entry,
        "is": "out" if entry["direction"] == "outbound" else "in",
        "at": parse_time(entry["occurred_at"]),
        "device": devices.get(entry["touchpoint_id"]),
        "note": next((str(told[name]) for name in _NOTES if told.get(name)), None),
    }


def _devices(visit: Visit, found: Portrait, entries: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return under which other identity than the best known these touchpoints came, such as a browser's."""
    contact = found.past.contact
    members = () if contact is None else contact.members
    if contact is None or len(members) < 2 or not found.sight.shows("identities"):
        return {}
    wanted = {each["touchpoint_id"] for each in entries}
    service = visit.service
    return {
        name: member
        for member in members
        if member != contact.contact_id
        for name in contact_touchpoints(service.store, member, visit.now, service.settings.touchpoints).touchpoint_id
        if name in wanted
    }


def _decisions(visit: Visit, found: Portrait, since: int | None, done: Collection[str]) -> Iterator[dict[str, Any]]:
    taken = [row for row in found.past.decisions if row.action != DO_NOTHING and row.carried_out_at is not None]
    for row in taken[-_MOST_DECISIONS:]:
        at = row.carried_out_at
        if at is not None and at < visit.now and (since is None or at >= since):
            outcomes = [_outcome(each) for each in visit.service.store.outcomes_of(row.decision_id)]
            is_done = row.decision_id in done
            yield {"is": "decision", "at": at, **_decided(row, visit), "is_done": is_done, "outcomes": outcomes}


def _decided(row: DecisionRow, visit: Visit) -> dict[str, Any]:
    action = visit.service.settings.actions.get(row.action)
    return {
        "decision_id": row.decision_id,
        "action": row.action,
        "channel": None if action is None else action.channel,
        "probability": row.probability,
        "mode": row.mode,
        "topics": list(row.topics or ()),
    }


def _outcome(row: OutcomeRow) -> dict[str, Any]:
    return {
        "outcome": row.outcome, "at": row.occurred_at, "reason": row.reason, "note": row.note, "until": row.until,
        "value": row.value,
    }  # fmt: skip


def stages_by_rule(visit: Visit, found: Portrait) -> list[Spell]:
    """Return the stages of the last months by the rules, looked at day by day, the newest first."""
    if not _is_told(found, "stage_by_rule"):
        return []
    past, rules = found.past, visit.service.settings.stages.rules
    first = max(visit.now - _STAGE_DAYS * DAY, past.times[0])
    moments = sorted({first + 1, *range(visit.now, first, -DAY)})
    return _spells((at, apply_rules(rules, past.touchpoints, at, 0).stage) for at in moments)


def stages_by_model(found: Portrait) -> list[Spell]:
    """Return the stages that a model gave when it decided or scored, the newest first."""
    if not _is_told(found, "stage"):
        return []
    told = [(row.decided_at, stage) for row in found.past.decisions if (stage := _stage_in(row)) is not None]
    scored = found.past.scored
    if scored is not None and scored.stage is not None:
        told.append((scored.as_of, scored.stage))
    now = found.profile.get("stage")
    if now is not None:
        told.append((parse_time(found.profile["as_of"]), str(now)))
    return _spells(sorted(told))


def why_stage(visit: Visit, found: Portrait) -> list[tuple[str, int]]:
    """Return the kinds, each with its last time, that the stage by the rules rests on; empty: on nothing seen."""
    now, past = found.profile.get("stage_by_rule"), found.past
    if not _is_told(found, "stage_by_rule"):
        return []
    for rule in visit.service.settings.stages.rules.rules:
        if rule.name == now:
            last = [(kind, past.last_seen[kind]) for kind in rule.seen if kind in past.last_seen]
            return sorted((each for each in last if each[1] >= visit.now - rule.within_us), key=lambda each: -each[1])
    return []


def fading(visit: Visit, found: Portrait) -> tuple[list[int], dict[str, list[float]]]:
    """Return how the strongest interests came and faded, week by week until now.

    Returns
    -------
    moments, strengths
        The last is what the profile says.
    """
    names = list(found.profile.get("interests") or {})[:_MOST_INTERESTS]
    moments = [visit.now - week * 7 * DAY for week in range(_INTEREST_WEEKS - 1, -1, -1)]
    if not names:
        return moments, {}
    settings = visit.service.settings
    over = interests_over(found.past.touchpoints, moments, settings.touchpoints, settings.topics.half_life_us)
    return moments, {name: [0.0 if x < NOTICEABLE else round(x, 3) for x in over[name]] for name in names}


def _is_told(found: Portrait, part: str) -> bool:
    return found.profile.get("mode") != "default" and found.sight.shows(part) and not found.past.is_empty


def _stage_in(row: DecisionRow) -> str | None:
    if row.answer is None or row.chances is None:
        return None
    try:
        stage = orjson.loads(row.answer).get("stage")
    except (orjson.JSONDecodeError, AttributeError):
        return None
    return stage if isinstance(stage, str) else None


def _spells(told: Iterable[tuple[int, str]]) -> list[Spell]:
    found: list[Spell] = []
    for at, stage in told:
        if not found or found[-1].stage != stage:
            found.append(Spell(stage, at))
    return found[::-1]
