"""What a contact did itself in a year, counted by kind in one compiled pass; or by kind and topic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from features.compiled import I32, I64, Flags, compiled_for, inlined
from features.times import DAY
from features.touchpoints.touchpoints import TouchpointRules, Touchpoints

WINDOWS = (7, 30, 90, 365)
"""Days in which is counted, each including the ones before it."""

_LIMITS = tuple(days * DAY for days in WINDOWS)
_LONGEST = _LIMITS[-1]
_CELLS = 3 + len(WINDOWS)
"""Of a group: codes of its kind and its topic, age of the newest, counts."""
_HEAD = 1
"""The moment, and the number of groups in its place."""


class Tally(NamedTuple):
    """How often something was done, and how long ago last, in microseconds."""

    kind: str
    topic: str | None
    age: int
    counts: tuple[int, ...]
    """In each of ``WINDOWS``."""


def by_kind(t: Touchpoints, as_of: int, speaks: Flags, most: int | None = None) -> list[Tally]:
    """Count a contact's own touchpoints of each kind, the kind with the newest one first.

    Parameters
    ----------
    t
        Of one contact, strictly before ``as_of``.
    as_of
        Microseconds; what is more than 365 days older is left out.
    speaks
        Which kinds count, shape (n_kinds,).
    most
        How many kinds are asked for; None: all.
    """
    return _told(t, as_of, speaks, np.zeros(0, np.int32), most)


def by_topic(t: Touchpoints, as_of: int, speaks: Flags, topics: Sequence[int]) -> list[Tally]:
    """Count them by kind and topic, for some topics by their codes; what has the newest one first."""
    if not topics:
        return []
    place = np.full(len(t.topics), -1, np.int32)
    place[topics] = range(len(topics))
    return _told(t, as_of, speaks, place, None)


def warm_up() -> None:
    """Count once, so that what is compiled at first use is ready before a request needs it."""
    nobody = Touchpoints.from_rows((), TouchpointRules())
    by_kind(nobody, 0, np.zeros(0, np.bool_))


def _told(t: Touchpoints, as_of: int, speaks: Flags, place: I32, most: int | None) -> list[Tally]:
    groups = len(t.kinds) * max(len(t.topics) if len(place) else 1, 1)
    out = np.empty(_HEAD + _CELLS * min(groups, len(t) + len(t.topic)), np.int64)
    out[0] = as_of
    _count(out, t.occurred_at, t.kind, t.outbound, t.topic_start, t.topic, speaks, place)
    cells = out[_HEAD : _HEAD + _CELLS * int(out[0])].reshape(-1, _CELLS)[:most].tolist()
    topics = t.topics if len(place) else [None]
    return [Tally(t.kinds[kind], topics[topic], age, tuple(counts)) for kind, topic, age, *counts in cells]


@compiled_for(np.int64, np.int32, np.bool_, np.int64, np.int32, np.bool_, np.int32)
def _count(
    out: I64, occurred_at: I64, kind: I32, outbound: Flags, topic_start: I64, topic: I32, speaks: Flags, place: I32
) -> bool:
    """Fill in the groups by the age of their newest touchpoint, and their number at the front of ``out``."""
    as_of, n = out[0], 0
    width = 1
    for code in range(len(place)):
        width = max(width, place[code] + 1)
    group = np.full(len(speaks) * width, -1)
    for row in range(len(occurred_at) - 1, -1, -1):
        age = as_of - occurred_at[row]
        if age > _LONGEST:
            break
        if outbound[row] or not speaks[kind[row]]:
            continue
        if len(place) == 0:
            n = _note(out, group, kind[row], kind[row], 0, age, n)
        else:
            for i in range(topic_start[row], topic_start[row + 1]):
                if place[topic[i]] >= 0:
                    n = _note(out, group, kind[row] * width + place[topic[i]], kind[row], topic[i], age, n)
    out[0] = n
    return True


@inlined
def _note(out: I64, group: I64, key: int, kind: int, topic: int, age: int, n: int) -> int:
    if group[key] < 0:
        group[key] = n
        at = _HEAD + _CELLS * n
        out[at], out[at + 1], out[at + 2] = kind, topic, age
        for window in range(len(_LIMITS)):
            out[at + 3 + window] = 0
        n += 1
    at = _HEAD + _CELLS * group[key] + 3
    for window in range(len(_LIMITS)):
        if age <= _LIMITS[window]:
            out[at + window] += 1
    return n
