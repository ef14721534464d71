"""Touchpoints and a feature set -> the numbers that the kernel reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.feature_set import FeatureSet
from features.kernel.answers import link_answers
from features.kernel.events import ATTENTION, MONEY, ONCE, RETURNED, Events
from features.sorting import in_parts
from features.times import DAY
from features.touchpoints.touchpoints import NONE, Touchpoints

ANSWER_WITHIN = 14 * DAY
"""How long after an outbound touchpoint an inbound one on the same channel is taken as its answer."""
_MOST_NAMED = 64
_MOST_KINDS = 1024


class TopicCodes(NamedTuple):
    """What each code of a list of topics means under a feature set; see ``Events``. ``names`` has the wider ones."""

    slot: NDArray[np.int32]
    above: NDArray[np.int32]
    names: tuple[str, ...]


_NO_DECISION = np.zeros(0, dtype=np.int32)


def encode(t: Touchpoints, features: FeatureSet) -> Events:
    """Make touchpoints ready for the kernel."""
    topics = topic_codes(t.topics, features)
    events = Events(
        (
            t.start, t.occurred_at, t.kind, t.channel, t.outbound, t.value, t.margin, t.duration, t.action,
            t.topic_start, t.topic, t.visible_from, t.visible_to, *_kind_codes(t.kinds, features),
            _channel_slots(t.channels, features), topics.slot, topics.above,
        )
    )  # fmt: skip
    if events.has_outbound:
        events.answer(_answers(t, events))
    return events


def topic_codes(names: Sequence[str], features: FeatureSet) -> TopicCodes:
    """Say what the codes of topics mean, out of what the feature set has seen before where it can."""
    key, known = tuple(names), features.topic_codes
    found: TopicCodes | None = known.get(key)
    if found is None:
        if len(known) >= _MOST_NAMED:
            known.clear()
        listed, above = wider_topics(names)
        slot = _slots(listed, features.topics)
        found = known[key] = TopicCodes(slot, np.array(above, dtype=np.int32), tuple(listed))
    return found


def wider_topics(names: Sequence[str]) -> tuple[Sequence[str], list[int]]:
    """Topics with all that lie above them, and the code of the next wider one of each (-1: none).

    Examples
    --------
    >>> wider_topics(["pumps/industrial", "saws"])
    (['pumps/industrial', 'saws', 'pumps'], [2, -1, -1])
    """
    if not any("/" in name for name in names):
        return names, [NONE] * len(names)
    listed = list(names)
    of = {name: i for i, name in enumerate(listed)}
    above: list[int] = []
    for name in listed:
        wider = name.rpartition("/")[0]
        if wider and wider not in of:
            of[wider] = len(listed)
            listed.append(wider)
        above.append(of[wider] if wider else NONE)
    return listed, above


def _channel_slots(names: Sequence[str], features: FeatureSet) -> NDArray[np.int32]:
    key, known = tuple(names), features.channel_slots
    found: NDArray[np.int32] | None = known.get(key)
    if found is None:
        if len(known) >= _MOST_NAMED:
            known.clear()
        found = known[key] = _slots(names, features.channels)
    return found


def _kind_codes(
    names: Sequence[str], features: FeatureSet
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
    """Slot, meaning and points of each kind; nearly every contact has met them in an order of its own."""
    known = features.kind_codes
    found = [known.get(name) or _new_kind(name, features) for name in names]
    slot, means, points = zip(*found, strict=True) if found else ((), (), ())
    return np.array(slot, dtype=np.int32), np.array(means, dtype=np.int32), np.array(points, dtype=np.float64)


def _new_kind(name: str, features: FeatureSet) -> tuple[int, int, float]:
    if len(features.kind_codes) >= _MOST_KINDS:
        features.kind_codes.clear()
    known = features.kind_codes[name] = _find_kind(name, features)
    return known


def _find_kind(name: str, features: FeatureSet) -> tuple[int, int, float]:
    rules, points = features.rules, features.points
    means = MONEY * (name in rules.money) | RETURNED * (name in rules.returns)
    means |= ATTENTION * (name in rules.attention) | ONCE * (name in points.once)
    slot = features.kinds.index(name) if name in features.kinds else len(features.kinds)
    return slot, means, points.kinds.get(name, 0.0)


def _slots(names: Sequence[str], slots: Sequence[str]) -> NDArray[np.int32]:
    """Find the slot of each name; what has none falls into the rest, the last slot."""
    of = {name: i for i, name in enumerate(slots)}
    rest = len(slots)
    return np.array([of.get(name, rest) for name in names], dtype=np.int32)


def _answers(t: Touchpoints, events: Events) -> NDArray[np.int32]:
    answers = np.zeros(len(t), dtype=np.int32)
    answered = np.zeros(len(t), dtype=np.bool_)
    decision = _NO_DECISION
    if not (t.decision.strides == (0,) and t.decision[0] == NONE):
        # Read-only and writable memory are two types for the compiler; one is compiled for both.
        decision = np.require(t.decision, np.int32, ["C", "W"])

    def link(low: int, high: int) -> None:
        link_answers(
            events.deck, decision, len(t.channels), len(t.decisions), ANSWER_WITHIN, low, high, answered, answers
        )

    in_parts(link, len(t.contacts), work=len(t))
    return answers
