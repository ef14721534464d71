"""Where a contact stands by the rules alone: points, stage, stage per topic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models.points import points_summary
from models.stages.applied import apply_rules
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
    found, table = apply_rules(settings.stages.rules, known.touchpoints, as_of, MOST_TOPICS), settings.points
    kinds, times = (known.kinds, known.times) if table.ever_fades else ([], [])
    return Standing(
        points=points_summary(table, kinds, times, as_of, known.traits, counts=found.counts),
        stage=found.stage,
        stage_by_topic=found.by_topic,
    )
