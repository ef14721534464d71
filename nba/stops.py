"""What two outcomes stop until something is over: an action that was snoozed, a channel with a wrong number.

================ ===================================== ====================================================
kind             stops                                 until
================ ===================================== ====================================================
``snoozed``      its action                            the time in its property ``until``
``wrong_number`` its channel, else that of its action  something was known of the contact (a row of
                                                       ``contacts``) later than the outcome
================ ===================================== ====================================================

They hold without a rule in the settings; pauses, which settings ask for, come beside them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import orjson

from features.frozen import Frozen
from features.times import parse_time
from features.touchpoints.touchpoints import NONE, Touchpoints
from nba.past import Past

SNOOZED = "snoozed"
WRONG_NUMBER = "wrong_number"


@dataclass(frozen=True)
class Stops:
    """What is stopped at one moment; times in microseconds."""

    actions: Mapping[str, int] = field(default_factory=Frozen)
    """Until when each snoozed action stays away; what was said last about an action holds."""
    channels: Mapping[str, int] = field(default_factory=Frozen)
    """When each channel was last found wrong, of those that are wrong still."""

    def __bool__(self) -> bool:
        return bool(self.actions or self.channels)

    @classmethod
    def of(cls, past: Past, channel_of: Mapping[str, str], as_of: int, zone: ZoneInfo) -> Stops:
        """Read them from what happened.

        Parameters
        ----------
        channel_of
            The channel of each action.
        zone
            Of a time ``until`` that names none.
        """
        seen = past.rows
        if SNOOZED not in seen and WRONG_NUMBER not in seen:
            return _NOTHING
        snoozed = _snoozed(past, zone) if SNOOZED in seen else {}
        wrong = _wrong(past, channel_of) if WRONG_NUMBER in seen else {}
        changed = past.traits_changed_at
        return cls(
            {action: until for action, until in snoozed.items() if as_of < until},
            {channel: at for channel, at in wrong.items() if changed is None or changed <= at},
        )


_NOTHING = Stops()


def _snoozed(past: Past, zone: ZoneInfo) -> dict[str, int]:
    t, found = past.touchpoints, {}
    for row in _rows(t, SNOOZED):
        until = _until(t.properties[row], zone)
        if t.action[row] != NONE and until is not None:
            found[t.actions[int(t.action[row])]] = until
    return found


def _wrong(past: Past, channel_of: Mapping[str, str]) -> dict[str, int]:
    t, found = past.touchpoints, {}
    for row in _rows(t, WRONG_NUMBER):
        channel, action = int(t.channel[row]), int(t.action[row])
        name = t.channels[channel] if channel != NONE else None
        if name is None and action != NONE:
            name = channel_of.get(t.actions[action])
        if name is not None:
            found[name] = past.times[row]
    return found


def _rows(t: Touchpoints, kind: str) -> list[int]:
    found: list[int] = (t.kind == t.kinds.index(kind)).nonzero()[0].tolist()
    return found


def _until(properties: str | None, zone: ZoneInfo) -> int | None:
    found = orjson.loads(properties) if properties else None
    try:
        return parse_time(found.get("until"), zone) if isinstance(found, dict) else None
    except ValueError:
        return None
