"""One row of a matrix as phrases look at it: its values by name, and the touchpoints they came from."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from features.feature_set import FeatureSet
from features.times import DAY
from features.topics import is_within
from features.touchpoints.touchpoints import Touchpoints
from models.saying.said import Said

WINDOWS = (7, 30, 90, 365)
_WINDOW = re.compile(r"_(\d+)d$|_(\d+)d_")


@dataclass(frozen=True)
class Telling:
    """A contact at a moment.

    ``values`` are its features by name; ``touchpoints`` those of that contact alone, where they are at hand, and
    ``as_of`` microseconds. ``stage`` is the name of the learnt stage.
    """

    values: Mapping[str, float]
    features: FeatureSet
    as_of: int
    touchpoints: Touchpoints | None = None
    stage: str | None = None

    @property
    def money(self) -> str:
        """Name of the base currency."""
        return self.features.rules.base

    def __getitem__(self, name: str) -> float:
        return self.values.get(name, math.nan)

    def count(self, name: str) -> float:
        """How many there are; 0 where that is not known."""
        value = self[name]
        return 0.0 if math.isnan(value) else value

    def about(self, topic: str) -> Said | None:
        """Say what the contact did most about a topic in the last year; None where nothing is known of it."""
        ages = self._ages(topic)
        for days in WINDOWS:
            n, kind = max(((bisect_right(ages[kind], days * DAY), kind) for kind in ages), default=(0, ""))
            if n > 1:
                return Said("topic.many", {"n": (n, kind), "topic": topic, "days": days})
            if n == 1:
                return Said("topic.did", {"kind": kind, "topic": topic, "since": ages[kind][0] / DAY})
        return None

    def _ages(self, topic: str) -> dict[str, list[int]]:
        """How long ago the contact's own touchpoints about a topic were, by kind, the newest first."""
        found: dict[str, list[int]] = {}
        t = self.touchpoints
        if t is None:
            return found
        wanted = [code for code, name in enumerate(t.topics) if is_within(name, topic)]
        rows = np.unique(self._row_of_topic[np.isin(t.topic, wanted)])
        rows = rows[(t.occurred_at[rows] < self.as_of) & ~t.outbound[rows]]
        for row in rows[::-1].tolist():
            found.setdefault(t.kinds[t.kind[row]], []).append(self.as_of - int(t.occurred_at[row]))
        return found

    @cached_property
    def _row_of_topic(self) -> NDArray[np.int64]:
        t = self.touchpoints
        return np.zeros(0, dtype=np.int64) if t is None else np.repeat(np.arange(len(t)), np.diff(t.topic_start))


def window_of(name: str) -> int | None:
    """Return the days that a feature's name ends in.

    Examples
    --------
    >>> window_of("n_inbound_30d"), window_of("dwell_90d_seconds"), window_of("tenure_days")
    (30, 90, None)
    """
    found = _WINDOW.search(name)
    return None if found is None else int(found[1] or found[2])
