"""Why an action is offered, in plain words: from kinds, topics and counts, never from traits."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property

from features.times import DAY
from models.reasons.words import DID, many, one
from nba import consent
from nba.actions import about_same
from nba.past import Past
from nba.settings.actions import Action
from nba.settings.contact_policy import OUTCOMES

MOST_REASONS = 3
_WINDOWS = (7, 30, 90, 365)

_SILENT = frozenset({*consent.KINDS, *OUTCOMES})
"""Kinds that are about our own doing and no reason to do anything."""

Ages = Sequence[int]
"""How long ago touchpoints were, in microseconds, the newest first."""


class Story:
    """What a contact itself did in the year before ``as_of``, gathered once for all actions."""

    def __init__(self, known: Past, as_of: int) -> None:
        self._known = known
        self._as_of = as_of
        self._found: dict[tuple[str, ...], list[tuple[tuple[str, str], Ages]]] = {}

    def reasons(
        self,
        action: Action,
        *,
        points: float,
        by_points: bool,
        misses: Sequence[str] = (),
        occasion: str | None = None,
    ) -> list[str]:
        """Return at most three reasons for an action, the strongest first; at least one.

        Parameters
        ----------
        points
            Total of the points table.
        by_points
            Whether the points table calls for the action.
        misses
            Kinds whose absence the action works against: how long ago the last one was is a reason.
        occasion
            What calls for the action at this time, in plain words; the first reason.
        """
        found = [occasion] if occasion is not None else []
        found += [f"has {points:g} points, and the points table calls for this"] if by_points else []
        found += [
            f"last {one(kind)} {_ago(self._as_of - self._known.last_seen[kind])}"
            for kind in misses
            if kind in self._known.last_seen
        ]
        found += [_said(kind, topic, ages) for (kind, topic), ages in self._about(action.topics)[:2]]
        # No more are shown than that, so that no more have to be put into words.
        found += [_said(kind, None, ages) for kind, ages in list(self._by_kind.items())[:MOST_REASONS]]
        return list(dict.fromkeys(found))[:MOST_REASONS] or [self._otherwise]

    def topic(self, action: Action, of_the_moment: str | None) -> str | None:
        """Return what an action should be about: the topic of the moment, else what interests the contact."""
        if not action.topics:
            return None
        named = [t for t in action.topics if of_the_moment is not None and about_same(of_the_moment, [t])]
        if named:
            return named[0]
        counts: Counter[str] = Counter()
        for (_, about), ages in self._about(action.topics):
            for topic in action.topics:
                if about_same(about, [topic]):
                    counts[topic] += len(ages)
        return counts.most_common(1)[0][0] if counts else action.topics[0]

    def _about(self, topics: tuple[str, ...]) -> list[tuple[tuple[str, str], Ages]]:
        """Kinds that were about these topics, most touchpoints first."""
        if not topics:
            return []
        if topics not in self._found:
            self._found[topics] = self._find(topics)
        return self._found[topics]

    def _find(self, topics: tuple[str, ...]) -> list[tuple[tuple[str, str], Ages]]:
        found = [(key, ages) for key, ages in self._by_topic.items() if about_same(key[1], topics)]
        return sorted(found, key=lambda group: -len(group[1]))

    @cached_property
    def _otherwise(self) -> str:
        """What is said where nothing of the last year is a reason."""
        t, kinds = self._known.touchpoints, self._known.kinds
        if not kinds and not self._known.traits:
            return "chosen without knowing anything of the contact"
        for row in reversed((~t.outbound).nonzero()[0].tolist()):
            if kinds[row] not in _SILENT:
                return f"last {one(kinds[row])} {_ago(self._as_of - self._known.times[row])}"
        return "nothing it did so far speaks for this or against it"

    @cached_property
    def _rows(self) -> list[int]:
        """Rows of the last year, the newest first."""
        t, kinds = self._known.touchpoints, self._known.kinds
        first = int(t.occurred_at.searchsorted(self._as_of - _WINDOWS[-1] * DAY))
        rows = (first + (~t.outbound[first:]).nonzero()[0]).tolist()
        return [row for row in reversed(rows) if kinds[row] not in _SILENT]

    @cached_property
    def _by_kind(self) -> Mapping[str, Ages]:
        """Ages per kind, the kind with the newest touchpoint first."""
        kinds, times, as_of = self._known.kinds, self._known.times, self._as_of
        ages: defaultdict[str, list[int]] = defaultdict(list)
        for row in self._rows:
            ages[kinds[row]].append(as_of - times[row])
        return ages

    @cached_property
    def _by_topic(self) -> Mapping[tuple[str, str], Ages]:
        """Ages per kind and topic."""
        t, kinds, times, as_of = self._known.touchpoints, self._known.kinds, self._known.times, self._as_of
        start, topic, names = t.topic_start.tolist(), t.topic.tolist(), t.topics
        ages: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        for row in self._rows:
            for code in topic[start[row] : start[row + 1]]:
                ages[kinds[row], names[code]].append(as_of - times[row])
        return ages


def _said(kind: str, topic: str | None, ages: Ages) -> str:
    about = f" about {topic}" if topic else ""
    for days in _WINDOWS:
        count = bisect_right(ages, days * DAY)
        if count > 1:
            return f"{count} {many(kind)}{about} in the last {days} days"
        if count == 1 and days == _WINDOWS[0]:
            break
    return f"{DID.get(kind) or one(kind)}{about} {_ago(ages[0])}"


def _ago(age: int) -> str:
    days = age // DAY
    return "in the last 24 hours" if days == 0 else "1 day ago" if days == 1 else f"{days} days ago"
