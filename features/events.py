"""Touchpoints as numbers, packed so that handing them to the kernel costs next to nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

_TYPES: Mapping[str, Any] = {
    "start": np.int64,
    "occurred_at": np.int64,
    "kind": np.int32,
    "channel": np.int32,
    "outbound": np.bool_,
    "value": np.float64,
    "margin": np.float64,
    "duration": np.float64,
    "answers": np.int32,
    "action": np.int32,
    "topic_start": np.int64,
    "topic": np.int32,
    "visible_from": np.int64,
    "visible_to": np.int64,
    "kind_slot": np.int32,
    "kind_means": np.int32,
    "kind_points": np.float64,
    "channel_slot": np.int32,
    "topic_slot": np.int32,
    "topic_above": np.int32,
}
(
    START, OCCURRED_AT, KIND, CHANNEL, OUTBOUND, VALUE, MARGIN, DURATION, ANSWERS, ACTION, TOPIC_START, TOPIC,
    VISIBLE_FROM, VISIBLE_TO, KIND_SLOT, KIND_MEANS, KIND_POINTS, CHANNEL_SLOT, TOPIC_SLOT,
    TOPIC_ABOVE,
) = range(len(_TYPES))  # fmt: skip

MONEY, RETURNED, ATTENTION, ONCE = 1, 2, 4, 8
"""What a kind means, as bits of ``kind_means``."""


class Events:
    """Touchpoints in (contact, time) order as the kernel reads them.

    A column that says nothing (no margin is known, nothing is outbound) has no entries and costs nothing. ``answers``
    is how many rows back the outbound touchpoint lies that an inbound one answers, negative where it was answered
    before, 0 where nothing is answered. ``kind_*``, ``channel_slot`` and ``topic_*`` say something about each code:
    ``*_slot`` its columns in the feature set, ``kind_means`` bits such as ``MONEY``, ``kind_points`` its points,
    ``topic_above`` the next wider topic (-1: none).

    ``deck`` has the address and the length of each column. To hand over 20 arrays one by one costs more than the
    features of a contact; so the kernel is given the deck, and this object keeps its columns alive.
    """

    def __init__(self, **columns: NDArray[Any] | None) -> None:
        self.deck = np.zeros(2 * len(_TYPES), dtype=np.int64)
        self._columns: dict[str, NDArray[Any]] = {}
        deck: list[int] = []
        for name, dtype in _TYPES.items():
            column = columns.get(name)
            if column is None:
                deck += (0, 0)
                continue
            if column.dtype != dtype or not column.flags.c_contiguous:
                column = np.ascontiguousarray(column, dtype=dtype)
            self._columns[name] = column
            deck += (column.__array_interface__["data"][0], len(column))
        self.deck[:] = deck

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return a column, without entries where it says nothing."""
        return self._columns.get(name, np.zeros(0, dtype=_TYPES[name]))
