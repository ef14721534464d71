"""What touchpoints themselves were about, as the rows made after them know it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from features.matrix import Own
from features.touchpoints.touchpoints import Touchpoints


def own_of(touchpoints: Touchpoints, own: NDArray[np.int64]) -> Own:
    """Say what each of the touchpoints ``own`` was: its action (else kind), channel, topics and numbers."""
    t = touchpoints
    about: dict[tuple[int, ...], tuple[str, ...]] = {}
    topics = []
    for i in own.tolist():
        codes = tuple(t.topic[t.topic_start[i] : t.topic_start[i + 1]].tolist())
        if codes not in about:
            about[codes] = tuple(t.topics[code] for code in codes)
        topics.append(about[codes])
    types = zip(t.action[own].tolist(), t.kind[own].tolist(), strict=True)
    return Own(
        type=[t.actions[a] if a >= 0 else t.kinds[k] for a, k in types],
        channel=[t.channels[c] if c >= 0 else None for c in t.channel[own].tolist()],
        topics=topics,
        numbers=[_numbers(properties) for properties in own_properties(t, own.tolist())],
    )


def own_properties(touchpoints: Touchpoints, own: Iterable[int]) -> list[dict[str, Any]]:
    """Return the properties of touchpoints, equal ones parsed once."""
    parsed: dict[str, dict[str, Any]] = {}
    found = []
    for i in own:
        text = touchpoints.properties[i] or "{}"
        if text not in parsed:
            parsed[text] = orjson.loads(text)
        found.append(parsed[text])
    return found


def _numbers(properties: Mapping[str, Any]) -> dict[str, float]:
    return {
        name: float(value)
        for name, value in properties.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def last_of(touchpoints: Touchpoints, kind: str | None, as_of: int) -> NDArray[np.int64] | None:
    """Row of the last touchpoint of a kind strictly before ``as_of`` (microseconds), shape (1,); None without one."""
    if kind is None or kind not in touchpoints.kinds:
        return None
    found = np.flatnonzero((touchpoints.kind == touchpoints.kinds.index(kind)) & (touchpoints.occurred_at < as_of))
    return found[-1:].astype(np.int64) if len(found) else None
