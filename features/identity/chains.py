"""Who took over from whom: chains of visitors, as links with a confidence and as splits where a link fell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import orjson

from features.identity.link_rules import STITCHED
from features.rows.row_types import LinkRow, SplitRow

BY = "nba identities stitch"
"""Who says so, in links and splits that stitching made."""

LEVELS = (0.7, 0.8, 0.9, 0.95, 0.99)
"""A link is told anew each time that its confidence first reaches one of these."""


@dataclass
class Joint:
    """One place where a visitor took over from another, as it stands now."""

    older: str
    newer: str
    confidence: float
    spots: set[int]


@dataclass
class Chains:
    """Every visitor takes over from one other at most, and one other at most from them.

    ``links`` and ``splits`` are what has been told so far.
    """

    links: list[LinkRow] = field(default_factory=list)
    splits: list[SplitRow] = field(default_factory=list)
    _before: dict[str, Joint] = field(default_factory=dict)
    _after: dict[str, Joint] = field(default_factory=dict)
    _of_spot: dict[int, dict[str, Joint]] = field(default_factory=dict)

    def before(self, newer: str) -> Joint | None:
        """Return how a visitor took over from another, if so."""
        return self._before.get(newer)

    def after(self, older: str) -> Joint | None:
        """Return how another took over from a visitor, if so."""
        return self._after.get(older)

    def chain(self, visitor: str) -> list[str]:
        """All who hang together with a visitor, the oldest first."""
        found = [visitor]
        while (joint := self._before.get(found[-1])) is not None:
            found.append(joint.older)
        found.reverse()
        while (joint := self._after.get(found[-1])) is not None:
            found.append(joint.newer)
        return found

    def join(
        self, older: str, newer: str, at: int, confidence: float, spots: list[int], told: Mapping[str, object]
    ) -> None:
        """Link two, or tell that their link has become surer; at the same level nothing is told again."""
        joint = self._before.get(newer)
        reached = 0.0 if joint is None else joint.confidence
        if joint is None:
            joint = self._before[newer] = self._after[older] = Joint(older, newer, 0.0, set())
        for spot in spots:
            joint.spots.add(spot)
            self._of_spot.setdefault(spot, {})[newer] = joint
        joint.confidence = max(reached, confidence)
        if any(reached < level <= confidence for level in LEVELS):
            text = orjson.dumps({"by": BY, **told}, option=orjson.OPT_SORT_KEYS).decode()
            self.links.append(LinkRow(older, newer, at, STITCHED, round(confidence, 4), text))

    def part(self, joint: Joint, at: int, reason: str) -> None:
        """End a link for good."""
        del self._before[joint.newer], self._after[joint.older]
        for spot in joint.spots:
            del self._of_spot[spot][joint.newer]
        self.splits.append(SplitRow(joint.older, joint.newer, at, reason, BY))

    def joints(self, visitor: str) -> list[Joint]:
        """Return the links of a visitor to either side."""
        found = (self._before.get(visitor), self._after.get(visitor))
        return [joint for joint in found if joint is not None]

    def close(self, spot: int, at: int, reason: str) -> None:
        """Let a spot be evidence no more: links that have no other end."""
        for _, joint in sorted(self._of_spot.pop(spot, {}).items()):
            joint.spots.discard(spot)
            if not joint.spots:
                self.part(joint, at, reason)

    def ways(self, visitor: str) -> Iterator[tuple[str, list[Joint]]]:
        """Walk away from a visitor, first to the older, then to the newer: everybody met, and the links up to there."""
        way: list[Joint] = []
        here = self._before.get(visitor)
        while here is not None:
            way.append(here)
            yield here.older, list(way)
            here = self._before.get(here.older)
        way = []
        here = self._after.get(visitor)
        while here is not None:
            way.append(here)
            yield here.newer, list(way)
            here = self._after.get(here.newer)
