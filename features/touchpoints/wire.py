"""Touchpoints of some contacts as bytes, for another process of this package."""

from __future__ import annotations

import pickle
from dataclasses import fields
from typing import Any

import numpy as np

from features.codes import NONE
from features.texts import Texts
from features.touchpoints.order import ranges
from features.touchpoints.touchpoints import Touchpoints


def to_bytes(touchpoints: Touchpoints, *, properties: bool) -> bytes:
    """Columns without the ids, which nothing is computed from.

    Parameters
    ----------
    properties
        Whether they are needed; where nobody looks at them they only take room.
    """
    columns: dict[str, Any] = {field.name: getattr(touchpoints, field.name) for field in fields(touchpoints)}
    n = len(touchpoints)
    del columns["touchpoint_id"]
    texts = columns["properties"]
    columns["properties"] = None
    if properties and n:
        columns["properties"] = _heap(texts if isinstance(texts, Texts) else Texts.of(texts))
    # A store has as many decisions as touchpoints; only those of these contacts go along.
    used, code = np.unique(columns["decision"], return_inverse=True)
    known = used[used != NONE]
    columns["decision"] = (code - (len(used) - len(known))).astype(np.int32)
    columns["decisions"] = [touchpoints.decisions[i] for i in known.tolist()]
    arrays = {name: np.ascontiguousarray(column) for name, column in columns.items() if isinstance(column, np.ndarray)}
    return pickle.dumps(columns | arrays, protocol=5)


def from_bytes(blob: bytes) -> Touchpoints:
    """Touchpoints that ``to_bytes`` of this process's own version wrote; never of bytes from elsewhere."""
    columns = pickle.loads(blob)
    n = len(columns["occurred_at"])
    given = columns["properties"]
    columns["properties"] = Texts.alike(None, n) if given is None else Texts(*given)
    return Touchpoints(touchpoint_id=Texts.alike("", n), **columns)


def _heap(texts: Texts[Any]) -> tuple[bytes, Any, Any]:
    """Only the bytes that these texts lie in: a selection shares those of all."""
    begin, end = np.asarray(texts.begin, dtype=np.int64), np.asarray(texts.end, dtype=np.int64)
    length = np.maximum(end - begin, 0)
    heap = np.frombuffer(texts.heap, dtype=np.uint8)[ranges(begin, length)]
    after = np.cumsum(length)
    first = after - length
    return heap.tobytes(), first, np.where(end < begin, first - 1, after)
