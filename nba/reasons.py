"""Why an action is offered, in plain words: from kinds, topics and counts, never from traits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cached_property, lru_cache

import numpy as np

from features.compiled import Flags
from features.times import DAY
from models.saying.said import Said
from models.saying.tongues import EN, say
from nba import consent
from nba.actions import about_same
from nba.past import Past
from nba.settings.actions import Action
from nba.settings.contact_policy import OUTCOMES
from nba.tallies import WINDOWS, Tally, by_kind, by_topic

MOST_REASONS = 3

_SILENT = frozenset({*consent.KINDS, *OUTCOMES})
"""Kinds that are about our own doing and no reason to do anything."""


class Story:
    """What a contact itself did in the year before ``as_of``, gathered once for all actions, told in a language."""

    def __init__(self, known: Past, as_of: int, language: str = EN) -> None:
        self._known = known
        self._language = language
        self._as_of = as_of
        self._found: dict[tuple[str, ...], list[Tally]] = {}

    def reasons(
        self,
        action: Action,
        *,
        points: float,
        by_points: bool,
        misses: Sequence[str] = (),
        occasion: Said | str | None = None,
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
            What calls for the action at this time; the first reason.
        """
        found = [say(occasion, self._language)] if occasion is not None else []
        found += [say(Said("because.points", {"points": points}), self._language)] if by_points else []
        found += [self._last(kind, self._known.last_seen[kind]) for kind in misses if kind in self._known.last_seen]
        found += [_said(tally, self._language) for tally in self._about(action.topics)[:2]]
        found += self._lately
        return list(dict.fromkeys(found))[:MOST_REASONS] or [self._otherwise]

    def topic(self, action: Action, of_the_moment: str | None) -> str | None:
        """Return what an action should be about: the topic of the moment, else what interests the contact."""
        if not action.topics:
            return None
        named = [t for t in action.topics if of_the_moment is not None and about_same(of_the_moment, [t])]
        if named or len(action.topics) == 1:
            return named[0] if named else action.topics[0]
        counts: Counter[str] = Counter()
        for tally in self._about(action.topics):
            for topic in action.topics:
                if _is_about(tally.topic or "", (topic,)):
                    counts[topic] += tally.counts[-1]
        return counts.most_common(1)[0][0] if counts else action.topics[0]

    def _about(self, topics: tuple[str, ...]) -> list[Tally]:
        """Return what was done about these topics in a year, the most frequent first."""
        if not topics:
            return []
        if topics not in self._found:
            t = self._known.touchpoints
            codes = [code for code, name in enumerate(t.topics) if _is_about(name, topics)]
            found = by_topic(t, self._as_of, self._speaks, codes)
            self._found[topics] = sorted(found, key=lambda tally: -tally.counts[-1])
        return self._found[topics]

    @cached_property
    def _speaks(self) -> Flags:
        return np.array([kind not in _SILENT for kind in self._known.touchpoints.kinds], dtype=np.bool_)

    @cached_property
    def _lately(self) -> list[str]:
        """What was done last, each kind once; no more than are shown."""
        found = by_kind(self._known.touchpoints, self._as_of, self._speaks, MOST_REASONS)
        return [_said(tally, self._language) for tally in found]

    @cached_property
    def _otherwise(self) -> str:
        """What is said where nothing of the last year is a reason."""
        t, kinds = self._known.touchpoints, self._known.kinds
        if not kinds and not self._known.traits:
            return say(Said("because.stranger"), self._language)
        for row in reversed((~t.outbound).nonzero()[0].tolist()):
            if kinds[row] not in _SILENT:
                return self._last(kinds[row], self._known.times[row])
        return say(Said("because.nothing"), self._language)

    def _last(self, kind: str, moment: int) -> str:
        return say(Said("because.last", {"kind": kind, "days": (self._as_of - moment) // DAY}), self._language)


# The same topics are asked about in one decision after the other.
@lru_cache(maxsize=16_384)
def _is_about(topic: str, topics: tuple[str, ...]) -> bool:
    return about_same(topic, topics)


def _said(tally: Tally, language: str) -> str:
    # What was done once this week is told by its day, however often it was done before.
    if tally.counts[0] != 1:
        for days, count in zip(WINDOWS, tally.counts, strict=True):
            if count > 1:
                return _often(language, tally.kind, tally.topic, count, days)
    return _once(language, tally.kind, tally.topic, tally.age // DAY)


# Contacts do alike things, so that most of it was put into words before.
@lru_cache(maxsize=16_384)
def _often(language: str, kind: str, topic: str | None, count: int, days: int) -> str:
    parts = {"n": (count, kind), "days": days, **({"topic": topic} if topic else {})}
    return say(Said("because.many_about" if topic else "because.many", parts), language)


@lru_cache(maxsize=16_384)
def _once(language: str, kind: str, topic: str | None, days: int) -> str:
    parts = {"kind": kind, "days": days, **({"topic": topic} if topic else {})}
    return say(Said("because.did_about" if topic else "because.did", parts), language)
