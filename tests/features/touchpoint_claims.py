"""What it means that two sets of touchpoints say the same, whatever codes and memory they use."""

from __future__ import annotations

import math
from typing import Any

from features.touchpoints.touchpoints import Touchpoints


def said(t: Touchpoints) -> list[dict[str, Any]]:
    """Everything that each touchpoint says, with names in the place of codes."""
    contact = t.contact.tolist()
    return [
        {
            "contact": t.contacts[contact[i]],
            "at": int(t.occurred_at[i]),
            "id": t.touchpoint_id[i],
            "kind": _name(t.kinds, t.kind[i]),
            "channel": _name(t.channels, t.channel[i]),
            "outbound": bool(t.outbound[i]),
            "decision": _name(t.decisions, t.decision[i]),
            "action": _name(t.actions, t.action[i]),
            "properties": t.properties[i],
            "topics": [t.topics[code] for code in t.topic[t.topic_start[i] : t.topic_start[i + 1]]],
            "visible": None if t.visible_from is None or t.visible_to is None else (t.visible_from[i], t.visible_to[i]),
            **{name: _number(getattr(t, name)[i]) for name in ("value", "margin", "duration")},
        }
        for i in range(len(t))
    ]


def is_sound(t: Touchpoints) -> None:
    """Check lengths and types of every column."""
    n = len(t)
    assert len(t.start) == len(t.contacts) + 1 and t.start[0] == 0 and t.start[-1] == n
    assert len(t.topic_start) == n + 1 and t.topic_start[0] == 0 and t.topic_start[-1] == len(t.topic)
    assert len(t.touchpoint_id) == len(t.properties) == n
    for name, dtype in [
        ("start", "int64"), ("occurred_at", "int64"), ("kind", "int32"), ("channel", "int32"), ("outbound", "bool"),
        ("value", "float64"), ("margin", "float64"), ("duration", "float64"), ("decision", "int32"),
        ("action", "int32"), ("topic_start", "int64"), ("topic", "int32"),
    ]:  # fmt: skip
        assert getattr(t, name).dtype == dtype, name
        assert name in ("start", "topic_start", "topic") or len(getattr(t, name)) == n, name


def _name(names: list[str], code: int) -> str | None:
    return names[code] if code >= 0 else None


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
