"""Occasions by events to come, and a while after a touchpoint.

An event calls for an action about it where the contact may be interested: the event has no topics, or the contact
itself had a touchpoint about one of them within three half-lives of interest (``topics.half_life``; 90 days), in
which interest fades to an eighth. An action with topics is for events about these. Where both are known, the event's
language is the contact's. An event with seats calls nobody anew once as many were invited to it, by whichever actions;
who was invited keeps the seat, and may be reminded.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

import orjson

from nba.actions import about_same
from nba.calendar import local_day
from nba.interests import SILENT
from nba.languages import is_spoken
from nba.occurrence import Occurrence, at_event
from nba.settings.actions import Action
from nba.settings.occasions import Occasion
from nba.situation import Situation
from nba.tables.tables import Event

HALF_LIVES = 3


def by_event(when: Occasion, action: Action, at: Situation) -> Iterator[Occurrence]:
    """Windows before or after events, the earliest first."""
    start, end = when.from_us or 0, when.to_us or 0
    moments = ((_moment(event, when), event) for event in at.known.around.tables().events.values())
    found = [(moment, event) for moment, event in moments if moment is not None and moment + end > at.as_of]
    for moment, event in sorted(found, key=lambda each: (each[0], each[1].event_id)):
        begins, ends = moment + start, moment + end
        if not _suits(event, action, at):
            continue
        ends = min(ends, _interested_until(event.topics, at))
        if begins < ends and at.as_of < ends and _has_seat(event, begins, at):
            name, does = event.event_id, "begins" if when.of == "starts_at" else "ends"
            about = f"{_title(event)} {does} on {local_day(moment, at.zone)}"
            yield Occurrence(begins, ends, about, event_id=name, topics=event.topics, of=at_event(name))
            if begins > at.as_of:
                return


def by_touchpoint(when: Occasion, action: Action, at: Situation) -> Iterator[Occurrence]:
    """Windows after touchpoints of a kind, in either direction; those that are open with the newest first."""
    t, kind = at.known.touchpoints, str(when.of)
    if kind not in t.kinds:
        return
    start, end = when.from_us or 0, when.to_us or 0
    rows = (t.kind == t.kinds.index(kind)).nonzero()[0].tolist()
    found = []
    for row in reversed(rows):
        moment = at.known.times[row]
        # What happened at a moment is known just after it.
        begins, ends = max(moment + start, moment + 1), moment + end
        if ends <= at.as_of:
            break
        topics = tuple(t.topics[code] for code in t.topic[t.topic_start[row] : t.topic_start[row + 1]].tolist())
        asset, event = (_named(t.properties[row], name) for name in ("asset_id", "event_id"))
        of = ":".join(["after", kind, *filter(None, (asset, event))])
        found.append(Occurrence(begins, ends, f"{kind} on {local_day(moment, at.zone)}", asset, event, topics, of))
    yield from sorted(found, key=lambda each: max(each.begins, at.as_of + 1))


def pointing_on(found: Occurrence, action: Action, at: Situation) -> Occurrence:
    """Let what follows a touchpoint point to the next event that is similar to it, where there is one.

    Similar is what shares a topic with the touchpoint or the event that it was at.
    """
    events = at.known.around.tables().events
    visited = events.get(found.event_id or "")
    topics = tuple(dict.fromkeys((*found.topics, *(visited.topics if visited else ()))))
    coming = (
        event
        for event in events.values()
        if event.starts_at > at.as_of
        and event is not visited
        and event.topics
        and any(about_same(topic, topics) for topic in event.topics)
        and _suits(event, action, at)
        and event.seats != 0
    )
    following = min(coming, key=lambda event: (event.starts_at, event.event_id), default=None)
    if following is None:
        return replace(found, topics=topics, event_id=None)
    about = f"{found.about}; {_title(following)} on {local_day(following.starts_at, at.zone)} is similar"
    return replace(found, about=about, topics=topics, event_id=following.event_id)


def _named(properties: str | None, name: str) -> str | None:
    """Return the event or device that a touchpoint names in a property."""
    found = orjson.loads(properties) if properties and name in properties else None
    named = found.get(name) if isinstance(found, dict) else None
    return named if isinstance(named, str) and named else None


def _moment(event: Event, when: Occasion) -> int | None:
    return event.starts_at if when.of == "starts_at" else event.ends_at


def _title(event: Event) -> str:
    return f"{event.event_id} ({event.place})" if event.place else event.event_id


def _suits(event: Event, action: Action, at: Situation) -> bool:
    """Whether it is in the contact's language, and what the action is about."""
    if not is_spoken(event.language, at.known.traits.get("language")):
        return False
    return not (event.topics and action.topics) or any(about_same(topic, action.topics) for topic in event.topics)


def _interested_until(topics: Sequence[str], at: Situation) -> int:
    """When interest in topics has faded, unless the contact shows it anew; a moment in the past where it has none."""
    if not topics:
        return 2**62
    t, memory = at.known.touchpoints, HALF_LIVES * at.catalogue.settings.topics.half_life_us
    codes = {code for code, name in enumerate(t.topics) if about_same(name, topics)}
    first = int(t.occurred_at.searchsorted(at.as_of - memory)) if codes else len(t)
    for row in range(len(t) - 1, first - 1, -1):
        touched = t.topic[t.topic_start[row] : t.topic_start[row + 1]].tolist()
        if not t.outbound[row] and not codes.isdisjoint(touched) and at.known.kinds[row] not in SILENT:
            return at.known.times[row] + memory + 1
    return at.as_of


def _has_seat(event: Event, begins: int, at: Situation) -> bool:
    return (
        begins > at.as_of or event.seats is None or not needs_seat(event, at) or len(seated_at(event, at)) < event.seats
    )


def needs_seat(event: Event, at: Situation) -> bool:
    """Whether to call a contact for an event takes a seat: where they are counted, until it begins, and but once."""
    if event.seats is None or at.as_of >= event.starts_at:
        return False
    seated, who = seated_at(event, at), at.past.contact
    return not any(name in seated for name in ((at.request.contact,) if who is None else who.members))


def seated_at(event: Event, at: Situation) -> Collection[str]:
    """Return the identities that were invited to an event by our decisions; each has a seat.

    By any action that events call for, from the first moment on at which one of them calls for this event.
    """
    whens = {action.name: action.when for action in at.catalogue.actions if action.when is not None}
    calling = {name: when for name, when in whens.items() if when.trigger == "event"}
    moments = [
        moment + (when.from_us or 0) for when in calling.values() if (moment := _moment(event, when)) is not None
    ]
    return at.past.around.invited(event.event_id, tuple(calling), min(moments, default=at.as_of))
