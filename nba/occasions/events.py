"""Occasions by events to come, and a while after a touchpoint.

An event calls for an action about it where the contact may be interested: the event has no topics, or the contact
itself had a touchpoint about one of them within three half-lives of interest (``topics.half_life``; 90 days), in
which interest fades to an eighth. An action with topics is for events about these. Where both are known, the event's
language is the contact's. An event with seats calls nobody anew once as many were invited to it, by whichever actions;
who was invited keeps the seat, and may be reminded.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Sequence
from functools import lru_cache
from operator import itemgetter

import orjson

from models.saying.said import Said
from nba import last_look
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


def warm_up() -> None:
    """Look at nothing once, so that what is compiled at first use is ready before a request needs it."""
    last_look.warm_up()


def by_event(when: Occasion, action: Action, at: Situation) -> Sequence[Occurrence]:
    """Windows before or after events, the earliest first, up to the first that is still to come."""
    start, end, as_of = when.from_us or 0, when.to_us or 0, at.as_of
    tables = at.known.around.tables()
    events = tables.beginnings if when.of == "starts_at" else tables.endings
    faded: dict[Sequence[str], int] = {}
    found: list[Occurrence] = []
    for moment, event in events[bisect_right(events, as_of - end, key=_moment_of) :]:
        if not _suits(event, action, at):
            continue
        if event.topics not in faded:
            faded[event.topics] = _interested_until(event.topics, at)
        begins, ends = moment + start, min(moment + end, faded[event.topics])
        if begins < ends and as_of < ends and _has_seat(event, begins, at):
            name, key = event.event_id, "occasion.begins" if when.of == "starts_at" else "occasion.ends"
            said = Said(key, {"event": _title(event), "day": local_day(moment, at.zone)})
            found.append(Occurrence(begins, ends, said, event_id=name, topics=event.topics, of=at_event(name)))
            if begins > as_of:
                break
    return found


def by_touchpoint(when: Occasion, action: Action, at: Situation) -> Sequence[Occurrence]:
    """Windows after touchpoints of a kind, in either direction; those that are open with the newest first."""
    t, kind = at.known.touchpoints, str(when.of)
    start, end = when.from_us or 0, when.to_us or 0
    found: list[Occurrence] = []
    for row in reversed(at.known.rows.get(kind, ())):
        moment = at.known.times[row]
        # What happened at a moment is known just after it.
        begins, ends = max(moment + start, moment + 1), moment + end
        if ends <= at.as_of:
            break
        topics = tuple([t.topics[code] for code in t.topic[t.topic_start[row] : t.topic_start[row + 1]].tolist()])
        properties = t.properties[row]
        asset, event = _named(properties, "asset_id"), _named(properties, "event_id")
        of = ":".join(["after", kind, *filter(None, (asset, event))])
        said = Said("occasion.after", {"kind": kind, "day": local_day(moment, at.zone)})
        found.append(Occurrence(begins, ends, said, asset, event, topics, of))
    found.sort(key=lambda each: max(each.begins, at.as_of + 1))
    return found


def pointing_on(found: Occurrence, action: Action, at: Situation) -> Occurrence:
    """Let what follows a touchpoint point to the next event that is similar to it, where there is one.

    Similar is what shares a topic with the touchpoint or the event that it was at.
    """
    tables = at.known.around.tables()
    visited = tables.events.get(found.event_id or "")
    topics = tuple(dict.fromkeys((*found.topics, *(visited.topics if visited else ()))))
    following = _following(visited, topics, action, at)
    if following is None:
        return found._replace(topics=topics, event_id=None)
    parts = {"first": found.said, "event": _title(following), "day": local_day(following.starts_at, at.zone)}
    return found._replace(said=Said("occasion.similar", parts), topics=topics, event_id=following.event_id)


def _following(visited: Event | None, topics: tuple[str, ...], action: Action, at: Situation) -> Event | None:
    """Return the next event that shares a topic and has seats at all."""
    events = at.known.around.tables().beginnings
    for _, event in events[bisect_right(events, at.as_of, key=_moment_of) :]:
        if event is not visited and event.seats != 0 and _share(event.topics, topics) and _suits(event, action, at):
            return event
    return None


def _named(properties: str | None, name: str) -> str | None:
    """Return the event or device that a touchpoint names in a property."""
    found = orjson.loads(properties) if properties and name in properties else None
    named = found.get(name) if isinstance(found, dict) else None
    return named if isinstance(named, str) and named else None


_moment_of = itemgetter(0)


def _moment(event: Event, when: Occasion) -> int | None:
    return event.starts_at if when.of == "starts_at" else event.ends_at


def _title(event: Event) -> str:
    return f"{event.event_id} ({event.place})" if event.place else event.event_id


def _suits(event: Event, action: Action, at: Situation) -> bool:
    """Whether it is in the contact's language, and what the action is about."""
    if event.language is not None and not is_spoken(event.language, at.known.traits.get("language")):
        return False
    return not (event.topics and action.topics) or _share(event.topics, action.topics)


# Every contact's events and actions are about the same topics.
@lru_cache(maxsize=16_384)
def _share(topics: tuple[str, ...], others: tuple[str, ...]) -> bool:
    return any([about_same(topic, others) for topic in topics])


_is_about = lru_cache(maxsize=16_384)(about_same)


def _interested_until(topics: Sequence[str], at: Situation) -> int:
    """When interest in topics has faded, unless the contact shows it anew; a moment in the past where it has none."""
    if not topics:
        return 2**62
    known, memory = at.known, HALF_LIVES * at.catalogue.settings.topics.half_life_us
    t = known.touchpoints
    about = [_is_about(name, topics) for name in t.topics]
    if any(about):
        row = last_look.last_look(t, about, [kind in SILENT for kind in t.kinds], len(t))
        if row >= 0 and known.times[row] >= at.as_of - memory:
            return known.times[row] + memory + 1
    return at.as_of


def _has_seat(event: Event, begins: int, at: Situation) -> bool:
    if begins > at.as_of or event.seats is None or at.as_of >= event.starts_at:
        return True
    seated = seated_at(event, at)
    return len(seated) < event.seats or _sits(seated, at)


def needs_seat(event: Event, at: Situation) -> bool:
    """Whether to call a contact for an event takes a seat: where they are counted, until it begins, and but once."""
    return event.seats is not None and at.as_of < event.starts_at and not _sits(seated_at(event, at), at)


def _sits(seated: Collection[str], at: Situation) -> bool:
    who = at.past.contact
    return any([name in seated for name in ((at.request.contact,) if who is None else who.members)])


def seated_at(event: Event, at: Situation) -> Collection[str]:
    """Return the identities that were invited to an event by our decisions; each has a seat.

    By any action that events call for, from the first moment on at which one of them calls for this event.
    """
    names, whens = at.catalogue.called_by_events
    moments = [moment + (when.from_us or 0) for when in whens if (moment := _moment(event, when)) is not None]
    return at.past.around.invited(event.event_id, names, min(moments, default=at.as_of))
