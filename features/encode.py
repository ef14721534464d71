"""Touchpoints and a feature set -> the numbers that the kernel reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.answers import link_answers
from features.events import ATTENTION, MONEY, ONCE, RETURNED, Events
from features.feature_set import FeatureSet
from features.sorting import in_parts
from features.times import DAY
from features.touchpoints import NONE, Touchpoints

ANSWER_WITHIN = 14 * DAY
"""How long after an outbound touchpoint an inbound one on the same channel is taken as its answer."""


def encode(t: Touchpoints, features: FeatureSet, topics: Sequence[str], above: Sequence[int]) -> Events:
    """Make touchpoints ready for the kernel.

    Parameters
    ----------
    topics, above
        Of ``wider_topics``.
    """
    kinds = [_kind(name, features) for name in t.kinds]
    is_outbound = _told(t.outbound, False)
    if is_outbound is not None and not is_outbound.any():
        is_outbound = None
    columns: dict[str, NDArray[Any] | None] = {
        "start": t.start,
        "occurred_at": t.occurred_at,
        "kind": t.kind,
        "channel": _told(t.channel, NONE),
        "outbound": is_outbound,
        "value": _told(t.value, np.nan),
        "margin": _told(t.margin, np.nan),
        "duration": _told(t.duration, np.nan),
        "action": _told(t.action, NONE),
        "topic_start": t.topic_start if len(t.topic) else None,
        "topic": t.topic,
        "visible_from": t.visible_from,
        "visible_to": t.visible_to,
        "kind_slot": np.array([slot for slot, _, _ in kinds], dtype=np.int32),
        "kind_means": np.array([means for _, means, _ in kinds], dtype=np.int32),
        "kind_points": np.array([points for _, _, points in kinds], dtype=np.float64),
        "channel_slot": _slots(t.channels, features.channels),
        "topic_slot": _slots(topics, features.topics),
        "topic_above": np.array(above, dtype=np.int32),
    }
    events = Events(**columns)
    if is_outbound is None:
        return events
    return Events(**columns, answers=_answers(t, events))


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


def _kind(name: str, features: FeatureSet) -> tuple[int, int, float]:
    known = features.kinds_met.get(name)
    if known is None:
        rules, points = features.rules, features.points
        means = MONEY * (name in rules.money) | RETURNED * (name in rules.returns)
        means |= ATTENTION * (name in rules.attention) | ONCE * (name in points.once)
        slot = features.kinds.index(name) if name in features.kinds else len(features.kinds)
        known = features.kinds_met[name] = (slot, means, points.kinds.get(name, 0.0))
    return known


def _slots(names: Sequence[str], slots: Sequence[str]) -> NDArray[np.int32]:
    """Find the slot of each name; what has none falls into the rest, the last slot."""
    of = {name: i for i, name in enumerate(slots)}
    rest = len(slots)
    return np.array([of.get(name, rest) for name in names], dtype=np.int32)


def _told(column: NDArray[Any], absent: Any) -> NDArray[Any] | None:
    """Return the column, None where it is one absent value over and over in the memory of one."""
    if column.strides == (0,) and len(column) and (column[0] == absent or column[0] != column[0]):
        return None
    return column


def _answers(t: Touchpoints, events: Events) -> NDArray[np.int32]:
    answers = np.zeros(len(t), dtype=np.int32)
    answered = np.zeros(len(t), dtype=np.bool_)
    decision = _told(t.decision, NONE)
    if decision is None or decision.dtype != np.int32 or not decision.flags.c_contiguous:
        decision = np.ascontiguousarray(() if decision is None else decision, dtype=np.int32)

    def link(low: int, high: int) -> None:
        link_answers(
            events.deck, decision, len(t.channels), len(t.decisions), ANSWER_WITHIN, low, high, answered, answers
        )

    in_parts(link, len(t.contacts), work=len(t))
    return answers
