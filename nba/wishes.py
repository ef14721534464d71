"""What a contact itself wishes: less of a channel or a topic, or none of it.

A wish is a touchpoint of kind ``preference``. It is about its property ``channel``, else its column ``channel`` where
actions go out on that, and about its property ``topic``, else its topics; without either it is about everything.
The property ``at_most`` says how much is wanted: ``"1/30d"`` (one approach in any 30 days), ``"never"`` (also without
``at_most``), or ``"any"``, which takes an earlier wish back. What was said last about a channel and topic holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import orjson

from features.times import parse_duration
from features.touchpoints.touchpoints import NONE, Touchpoints
from nba.actions import about_same
from nba.approach_rule import Approach
from nba.past import Past
from nba.settings.actions import Action

PREFERENCE = "preference"
NEVER, ANY = "never", "any"

_RHYTHM = re.compile(r"(\d{1,6})/(\w{1,20})")

About = tuple[str | None, str | None]
"""A channel and a topic; None: any."""


@dataclass(frozen=True)
class Wish:
    """At most ``count`` approaches in any ``per_us``; none at all where that is None."""

    spelt: str
    channel: str | None = None
    topic: str | None = None
    count: int = 0
    per_us: int | None = None

    def is_about(self, channel: str | None, topics: Iterable[str]) -> bool:
        """Whether it is about something on a channel and with topics."""
        return self.channel in (None, channel) and (self.topic is None or about_same(self.topic, topics))

    def forbids(self, action: Action) -> bool:
        """Whether an action is not wanted at all."""
        return self.per_us is None and self.is_about(action.channel, action.topics)

    def room_from(self, action: Action, approaches: Iterable[Approach], as_of: int) -> int | None:
        """Say from when on there is room for an action; None where there is room now.

        Parameters
        ----------
        approaches
            By rising time.
        """
        if self.per_us is None or not self.is_about(action.channel, action.topics):
            return None
        times = [a.at for a in approaches if a.at >= as_of - self.per_us and self.is_about(a.channel, a.topics)]
        return times[len(times) - self.count] + self.per_us + 1 if len(times) >= self.count else None


def wishes(past: Past, channels: Sequence[str]) -> tuple[Wish, ...]:
    """Return the wishes that hold, in the order in which they were first spoken of.

    Parameters
    ----------
    channels
        Those that actions go out on.
    """
    if PREFERENCE not in past.rows:
        return ()
    t = past.touchpoints
    said: dict[About, Wish | None] = {}
    for row in (t.kind == t.kinds.index(PREFERENCE)).nonzero()[0].tolist():
        properties = t.properties[row]
        found = orjson.loads(properties) if properties else {}
        told = found if isinstance(found, dict) else {}
        for about in _about(told, t, row, channels):
            said[about] = _wish(told.get("at_most"), *about)
    return tuple(wish for wish in said.values() if wish is not None)


def _about(told: dict[str, object], t: Touchpoints, row: int, channels: Sequence[str]) -> list[About]:
    channel, code = _name(told.get("channel")), int(t.channel[row])
    if channel is None and code != NONE and t.channels[code] in channels:
        # A wish that came in by a web form is not about the web.
        channel = t.channels[code]
    topic = _name(told.get("topic"))
    topics = [t.topics[each] for each in t.topic[t.topic_start[row] : t.topic_start[row + 1]].tolist()]
    return [(channel, each) for each in ([topic] if topic is not None else topics or [None])]


def _wish(at_most: object, channel: str | None, topic: str | None) -> Wish | None:
    if at_most == ANY:
        return None
    match = _RHYTHM.fullmatch(at_most) if isinstance(at_most, str) else None
    try:
        per_us = parse_duration(match[2]) if match else 0
    except ValueError:
        per_us = 0
    # What cannot be read is a wish all the same, and the safe reading of it is the strictest.
    if match is None or not per_us or int(match[1]) == 0:
        return Wish(NEVER, channel, topic)
    return Wish(match[0], channel, topic, int(match[1]), per_us)


def _name(value: object) -> str | None:
    return value.strip() if isinstance(value, str) and value.strip() else None
