"""Where a contact stands by the rules alone: points, stage, stage per topic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from features.times import DAY
from features.topics import ancestors
from models.points import points_summary
from models.stages.rules import StageRules, rule_stage
from nba.past import Past
from nba.settings import Settings

MOST_TOPICS = 12
"""Topics that an answer names at most, those with the most touchpoints."""


@dataclass(frozen=True)
class Standing:
    """What the rules say of a contact."""

    points: Mapping[str, Any]
    """As in an answer: total, actions, log, fit, schemes."""
    stage: str
    stage_by_topic: Mapping[str, str]

    @property
    def total(self) -> float:
        """The points score, the sum of its log."""
        return float(self.points["total"])


def standing(known: Past, settings: Settings, as_of: int) -> Standing:
    """Apply the points table and the stage rules to what happened strictly before ``as_of``."""
    rules = settings.stages.rules
    return Standing(
        points=points_summary(settings.points, known.kinds, known.times, as_of, known.traits),
        stage=rule_stage(rules, _days_since(known.last_seen, as_of)),
        stage_by_topic=_by_topic(known, rules, as_of),
    )


def _days_since(last_seen: Mapping[str, int], as_of: int) -> dict[str, float]:
    return {kind: (as_of - at) / DAY for kind, at in last_seen.items()}


def _by_topic(known: Past, rules: StageRules, as_of: int) -> dict[str, str]:
    """Stage of each topic that the contact touched within the longest of the rules' windows."""
    t = known.touchpoints
    longest = max((rule.within_us for rule in rules.rules), default=0)
    last_seen: dict[str, dict[str, int]] = {}
    counts: dict[str, int] = {}
    first = int(t.occurred_at.searchsorted(as_of - longest))
    start, topics, kinds, times = t.topic_start.tolist(), t.topic.tolist(), known.kinds, known.times
    within = {code: (t.topics[code], *ancestors(t.topics[code])) for code in set(topics)}
    for row in (first + (~t.outbound[first:]).nonzero()[0]).tolist():
        own = topics[start[row] : start[row + 1]]
        # What is about pumps/industrial is about pumps too, and counts once.
        for topic in within[own[0]] if len(own) == 1 else {name for code in own for name in within[code]}:
            if topic in counts:
                counts[topic] += 1
                last_seen[topic][kinds[row]] = times[row]
            else:
                counts[topic] = 1
                last_seen[topic] = {kinds[row]: times[row]}
    strongest = sorted(counts, key=lambda topic: (-counts[topic], topic))[:MOST_TOPICS]
    return {topic: rule_stage(rules, _days_since(last_seen[topic], as_of)) for topic in strongest}
