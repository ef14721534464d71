"""Where the kernel keeps its sums: records whose fields are named like the columns of the catalogue."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from features.catalogue import OVERALL, OWN, PER_CHANNEL, PER_KIND, PER_TOPIC, Feature
from features.compiled import I64, inlined, room_for
from features.times import DAY

NEVER = -(2**62)
"""The moment of what has not happened, in microseconds."""

EDGES = np.array([*(days * DAY for days in (1, 3, 7, 30, 60, 90, 180, 350, 365, 380)), 2**62], dtype=np.int64)
"""Where ages are parted; every window ends on one of them."""
TO_1, TO_3, TO_7, TO_30, TO_60, TO_90, TO_180, TO_350, TO_365, TO_380 = range(len(EDGES) - 1)
GROUP = np.array([0, 0, 0, 1, 2, 2, 3, 3, 3, 4], dtype=np.int64)
"""The windows of a kind and of a channel that each part lies in: 7, 30, 90, 365 days, none."""
N_GROUPS = 5
BLOCK = 64
"""How many touchpoints are weighed at once."""


def fields(features: Iterable[Feature]) -> np.dtype[np.void]:
    """Make a record of float32 with a field for each feature, named like it without the ``{}``."""
    return np.dtype([(feature.name.replace("_{}", ""), np.float32) for feature in features])


def _record(whole: Iterable[str], real: Iterable[str]) -> np.dtype[Any]:
    return np.dtype([*((name, np.int64) for name in whole), *((name, np.float64) for name in real)])


KIND, CHANNEL, TOPIC, TOTAL, OWN_ROW = (fields(of) for of in (PER_KIND, PER_CHANNEL, PER_TOPIC, OVERALL, OWN))

PART = _record(
    (), ("inbound", "outbound", "days", "revenue", "margin", "orders", "returned", "returns", "dwell", "answered")
)
"""Sums of the touchpoints of one part of the ages."""
KIND_SO_FAR = _record(("first", "last"), ("count", "faded", "sent", "answered"))

CHANNEL_SO_FAR = _record(("mark", "last"), ("count",))
TOPIC_SO_FAR = _record(("mark", "first", "last"), ("interest", "faded_7d", "faded_90d"))
SO_FAR = _record(
    (
        "base", "first", "first_in", "last_in", "last_out", "last_order", "last_answer", "n_kinds", "n_channels",
        "n_topics",
    ),
    (
        "n_in", "n_out", "n_answered", "n_gaps", "gap_first", "gap_sum", "gap_squares", "gap_max", "gap_recent",
        "gap_recent_weight", "faded_7d", "faded_30d", "faded_90d", "points", "revenue", "revenue_faded",
        "revenue_last", "n_orders", "sold", "dwell", "n_dwell",
    ),
)  # fmt: skip
"""Sums over all touchpoints so far. What fades is kept as worth at ``base``, so that sums need no new moment."""

KIND_WIDTH, CHANNEL_WIDTH, TOPIC_WIDTH = (len(columns.names or ()) for columns in (KIND, CHANNEL, TOPIC))
_N_PARTS, PART_WIDTH = len(EDGES) - 1, len(PART.names or ())
_SO_FAR, _KIND, _CHANNEL, _TOPIC, _PART = (
    of.itemsize for of in (SO_FAR, KIND_SO_FAR, CHANNEL_SO_FAR, TOPIC_SO_FAR, PART)
)
kind_columns, channel_columns, topic_columns, total_columns = map(room_for, (KIND, CHANNEL, TOPIC, TOTAL))
"""Views of a row of the matrix."""
_so_far, _kinds, _channels, _topics, _parts = map(room_for, (SO_FAR, KIND_SO_FAR, CHANNEL_SO_FAR, TOPIC_SO_FAR, PART))
_whole, _real = room_for(np.int64), room_for(np.float64)


@inlined
def memory_for(n_kinds: int, n_channels: int, n_topics: int, kinds: int, channels: int, topics: int) -> I64:
    """Get the memory that all sums need: for slots (``n_*``, the rest included) and for codes."""
    size = _SO_FAR + _N_PARTS * _PART + n_kinds * (_KIND + 8 * N_GROUPS) + n_channels * 8 * N_GROUPS + n_topics * 32
    size += 24 * BLOCK + 8 * kinds + channels * (_CHANNEL + 8) + topics * (_TOPIC + 8)
    return np.zeros(size // 8, dtype=np.int64)


@inlined
def lay_out(
    memory: I64, n_kinds: int, n_channels: int, n_topics: int, kinds: int, channels: int, topics: int
) -> tuple[Any, ...]:
    """Part the memory.

    Returns
    -------
    so_far, kinds, channels, topics
        Sums so far: one, per slot of kinds, per code of channels, per code of topics.
    kind_mark, channels_met, topics_met
        Per code: the contact that last had the kind; room for the codes that a contact has.
    parts, flat_parts
        Sums per part of the ages, as records and as float64.
    flat_counts, kind_counts, channel_counts
        Per slot and group of windows; both together and each.
    topic_sums, topic_lasts
        Per slot: three sums, and the last moment.
    fading
        Weights of a block of touchpoints under each of three fadings.
    """
    at = memory.ctypes.data
    at_kinds = at + _SO_FAR
    at_channels = at_kinds + n_kinds * _KIND
    at_topics = at_channels + channels * _CHANNEL
    at_parts = at_topics + topics * _TOPIC
    at_marks = at_parts + _N_PARTS * _PART
    at_counts = at_marks + 8 * (kinds + channels + topics)
    at_slots = at_counts + 8 * N_GROUPS * (n_kinds + n_channels)
    return (
        _so_far(at, 1),
        _kinds(at_kinds, n_kinds),
        _channels(at_channels, channels),
        _topics(at_topics, topics),
        _whole(at_marks, kinds),
        _whole(at_marks + 8 * kinds, channels),
        _whole(at_marks + 8 * (kinds + channels), topics),
        _parts(at_parts, _N_PARTS),
        _real(at_parts, _N_PARTS * PART_WIDTH),
        _whole(at_counts, N_GROUPS * (n_kinds + n_channels)),
        _whole(at_counts, (n_kinds, N_GROUPS)),
        _whole(at_counts + 8 * N_GROUPS * n_kinds, (n_channels, N_GROUPS)),
        _real(at_slots, (n_topics, 3)),
        _whole(at_slots + 24 * n_topics, n_topics),
        _real(at_slots + 32 * n_topics, (3, BLOCK)),
    )
