"""A contact's profile: what is believed of it, what it is interested in, and what happened lately."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson

from features.catalogue import PER_TOPIC
from features.feature_set import choose
from features.matrix import History
from features.times import DAY, iso
from features.touchpoints.touchpoints import NONE, TouchpointRules, Touchpoints
from nba.actions import Catalogue
from serving.invented import decide_once

log = logging.getLogger("nba.serving")

NOTICEABLE = 0.005
"""Interest below this has faded."""


def interests(touchpoints: Touchpoints, as_of: int, rules: TouchpointRules, half_life: int) -> dict[str, float]:
    """Fading interest per topic, the strongest first: how many touchpoints of today it is worth."""
    found = interests_over(touchpoints, [as_of], rules, half_life)
    return {topic: round(strength, 3) for topic, (strength,) in found.items() if strength >= NOTICEABLE}


def interests_over(
    touchpoints: Touchpoints, moments: Sequence[int], rules: TouchpointRules, half_life: int
) -> dict[str, list[float]]:
    """Fading interest per topic at each of several rising moments, the strongest at the last of them first."""
    if not len(touchpoints):
        return {}
    features = choose(touchpoints, rules=rules, topic_half_life=half_life, before=moments[-1])
    history = History(touchpoints, features)
    rows = history.matrix(np.zeros(len(moments), dtype=np.intp), np.array(moments))
    column = {name: i for i, name in enumerate(features.columns)}
    found = {topic: rows[:, column[PER_TOPIC[0].named(topic).name]].tolist() for topic in features.topics}
    return dict(sorted(found.items(), key=lambda entry: (-entry[1][-1], entry[0])))


def warm_up(catalogue: Catalogue, now_us: int) -> None:
    """Use once what only requests use, so that whatever is compiled or imported at first use is ready before them."""
    visit = ("", now_us - DAY, "", "visit", None, None, '["a"]', *[None] * 7)
    rules = TouchpointRules()
    interests(Touchpoints.from_rows([visit], rules), now_us, rules, DAY)
    try:
        decide_once(catalogue, now_us)
    except Exception:
        # Nobody asked: whoever does is answered, or told what is wrong, whatever came of this.
        log.warning("no decision could be made for an invented contact", exc_info=True)


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
