"""What a contact is interested in: what it looked at itself, fading by half in the settings' time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from nba import consent
from nba.actions import about_same
from nba.past import Past
from nba.settings.contact_policy import OUTCOMES

FADED = 0.125
"""Interest below this has faded away: one look, three half-lives ago."""

SILENT = frozenset({*consent.KINDS, *OUTCOMES})
"""Kinds that are about our own doing and no interest in a topic."""


@dataclass(frozen=True)
class Interests:
    """Interest per topic: each touchpoint of the contact itself counts 1 and fades."""

    by_topic: Mapping[str, float]
    """Every topic that it ever looked at."""

    @classmethod
    def of(cls, known: Past, as_of: int, half_life_us: int, *, now: str | None = None) -> Interests:
        """Sum up ``2 ** (-age / half_life)`` of everything inbound.

        Parameters
        ----------
        known
            Strictly before ``as_of``.
        now
            A topic that the contact looks at in this very moment; counts 1.
        """
        t = known.touchpoints
        found: dict[str, float] = {}
        if len(t):
            counts = t.topic_start[1:] - t.topic_start[:-1]
            speaks = np.array([kind not in SILENT for kind in t.kinds], dtype=np.bool_)[t.kind] & ~t.outbound
            faded = np.exp2((t.occurred_at - as_of) / half_life_us)
            # Topics of each touchpoint lie together in the order of the touchpoints.
            codes = t.topic[int(t.topic_start[0]) : int(t.topic_start[-1])]
            weight = np.bincount(codes, np.repeat(faded * speaks, counts), len(t.topics))
            seen = np.bincount(codes, np.repeat(speaks, counts), len(t.topics))
            found = {t.topics[code]: float(weight[code]) for code in seen.nonzero()[0].tolist()}
        if now is not None:
            found[now] = found.get(now, 0.0) + 1.0
        return cls(found)

    def level(self, topics: Iterable[str]) -> float:
        """Return the interest in what one of these topics is about: that of the topic which it is most interested in.

        Examples
        --------
        >>> Interests({"pumps/industrial": 1.5, "valves": 0.25}).level(["pumps", "valves"])
        1.5
        """
        return max((self._of(topic) for topic in topics), default=0.0)

    def is_new(self, topics: Iterable[str]) -> bool:
        """Whether it never looked at anything about these topics."""
        return not any(about_same(topic, self.by_topic) for topic in topics)

    def _of(self, topic: str) -> float:
        return sum(level for seen, level in self.by_topic.items() if about_same(seen, (topic,)))
