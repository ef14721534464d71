"""Touchpoints as numbers, packed so that handing them to the kernel costs next to nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.compiled import F64, I32, I64, Flags, compiled_for, inlined

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

    Parameters
    ----------
    columns
        Every column but ``answers``, in their order; None where there is none.
    """

    def __init__(self, columns: Sequence[NDArray[Any] | None]) -> None:
        given = (*columns[:ANSWERS], None, *columns[ANSWERS:])
        self.deck = np.zeros(2 * len(_TYPES), dtype=np.int64)
        self._columns = [none if column is None else column for column, none in zip(given, _NONE, strict=True)]
        try:
            is_dealt = _deal(self.deck, *self._columns)
        except TypeError:
            self._columns = [column.astype(none.dtype) for column, none in zip(self._columns, _NONE, strict=True)]
            is_dealt = _deal(self.deck, *self._columns)
        if not is_dealt:
            lengths = self.deck[1::2].tolist()
            self._columns = [
                np.ascontiguousarray(column) if length else column
                for column, length in zip(self._columns, lengths, strict=True)
            ]
            _deal(self.deck, *self._columns)

    @property
    def has_outbound(self) -> bool:
        """Whether anything is outbound."""
        return bool(self.deck[2 * OUTBOUND + 1])

    def answer(self, answers: NDArray[np.int32]) -> None:
        """Set the column ``answers``, contiguous."""
        self._columns[ANSWERS] = answers
        self.deck[2 * ANSWERS], self.deck[2 * ANSWERS + 1] = answers.ctypes.data, len(answers)

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return a column, without entries where it says nothing."""
        place = _PLACES[name]
        return self._columns[place][: self.deck[2 * place + 1]]


_NONE = tuple(np.zeros(0, dtype=dtype) for dtype in _TYPES.values())
_PLACES = {name: place for place, name in enumerate(_TYPES)}


@inlined
def _put(deck: I64, place: int, column: Any) -> bool:
    deck[2 * place], deck[2 * place + 1] = column.ctypes.data, len(column)
    return len(column) < 2 or column.strides[0] == column.itemsize


@inlined
def _put_told(deck: I64, place: int, column: Any, absent: Any) -> bool:
    """Put a column; one absent value over and over in the memory of one is a column without entries."""
    fits = _put(deck, place, column)
    if len(column) and column.strides[0] == 0 and (column[0] == absent or column[0] != column[0]):
        deck[2 * place + 1] = 0
        return True
    return fits


@compiled_for(*_TYPES.values())
def _deal(
    deck: I64, start: I64, occurred_at: I64, kind: I32, channel: I32, outbound: Flags, value: F64, margin: F64,
    duration: F64, answers: I32, action: I32, topic_start: I64, topic: I32, visible_from: I64, visible_to: I64,
    kind_slot: I32, kind_means: I32, kind_points: F64, channel_slot: I32, topic_slot: I32, topic_above: I32,
) -> bool:  # fmt: skip
    """Write down where the columns are; whether all of them are contiguous."""
    fits = _put(deck, START, start) & _put(deck, OCCURRED_AT, occurred_at) & _put(deck, KIND, kind)
    fits &= _put_told(deck, CHANNEL, channel, -1) & _put_told(deck, ACTION, action, -1)
    fits &= _put_told(deck, VALUE, value, np.nan) & _put_told(deck, MARGIN, margin, np.nan)
    fits &= _put_told(deck, DURATION, duration, np.nan) & _put_told(deck, OUTBOUND, outbound, False)
    fits &= _put(deck, ANSWERS, answers) & _put(deck, TOPIC_START, topic_start) & _put(deck, TOPIC, topic)
    fits &= _put(deck, VISIBLE_FROM, visible_from) & _put(deck, VISIBLE_TO, visible_to)
    fits &= _put(deck, KIND_SLOT, kind_slot) & _put(deck, KIND_MEANS, kind_means)
    fits &= _put(deck, KIND_POINTS, kind_points) & _put(deck, CHANNEL_SLOT, channel_slot)
    fits &= _put(deck, TOPIC_SLOT, topic_slot) & _put(deck, TOPIC_ABOVE, topic_above)
    if not len(topic):
        deck[2 * TOPIC_START + 1] = 0
    any_outbound = False
    for i in range(deck[2 * OUTBOUND + 1]):
        if outbound[i]:
            any_outbound = True
            break
    if not any_outbound:
        deck[2 * OUTBOUND + 1] = 0
    return fits
