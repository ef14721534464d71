"""A contact's profile: what is believed of it, what it is interested in, and what happened lately."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson

from features.catalogue import PER_TOPIC
from features.feature_set import choose
from features.matrix import History
from features.times import DAY, iso
from features.touchpoints.touchpoints import NONE, TouchpointRules, Touchpoints

NOTICEABLE = 0.005
"""Interest below this has faded."""


def interests(touchpoints: Touchpoints, as_of: int, rules: TouchpointRules, half_life: int) -> dict[str, float]:
    """Fading interest per topic, the strongest first: how many touchpoints of today it is worth."""
    if not len(touchpoints):
        return {}
    features = choose(touchpoints, rules=rules, topic_half_life=half_life, before=as_of)
    row = History(touchpoints, features).matrix(np.array([0]), np.array([as_of]))[0]
    column = {name: i for i, name in enumerate(features.columns)}
    found = {topic: float(row[column[PER_TOPIC[0].named(topic).name]]) for topic in features.topics}
    strongest = sorted(found.items(), key=lambda entry: (-entry[1], entry[0]))
    return {topic: round(strength, 3) for topic, strength in strongest if strength >= NOTICEABLE}


def warm_up(now_us: int) -> None:
    """Use the kernel once, so that what is compiled at first use is ready before a request needs it."""
    visit = ("", now_us - DAY, "", "visit", None, None, '["a"]', *[None] * 7)
    rules = TouchpointRules()
    interests(Touchpoints.from_rows([visit], rules), now_us, rules, DAY)


def timeline(touchpoints: Touchpoints, limit: int) -> list[dict[str, Any]]:
    """List the latest touchpoints, the newest first."""
    rows = range(len(touchpoints) - 1, max(len(touchpoints) - 1 - limit, -1), -1)
    return [_entry(touchpoints, row) for row in rows]


def _entry(t: Touchpoints, row: int) -> dict[str, Any]:
    topics = t.topic[t.topic_start[row] : t.topic_start[row + 1]].tolist()
    properties = t.properties[row]
    return {
        "touchpoint_id": t.touchpoint_id[row],
        "occurred_at": iso(int(t.occurred_at[row])),
        "kind": t.kinds[t.kind[row]],
        "channel": _name(t.channels, int(t.channel[row])),
        "direction": "outbound" if t.outbound[row] else "inbound",
        "topics": [t.topics[code] for code in topics],
        "value": None if np.isnan(t.value[row]) else float(t.value[row]),
        "decision_id": _name(t.decisions, int(t.decision[row])),
        "action": _name(t.actions, int(t.action[row])),
        "properties": orjson.loads(properties) if properties else {},
    }


def _name(names: list[str], code: int) -> str | None:
    return None if code == NONE else names[code]
