"""An event's properties as a touchpoint: what has a column of its own goes there, the rest stays a property."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from features.rows.cells import RowError
from features.rows.event_names import snake_case
from features.rows.row_types import TouchpointRow
from features.rows.rows import touchpoint_row
from features.rows.schema import DIRECTIONS
from features.touchpoints.touchpoints import TouchpointRules
from nba.consent import word_of
from serving.intake.admission import admit
from serving.intake.machines import by_machine, is_of_mail, machine_behind

MONEY = ("revenue", "total", "value")
"""Properties that say what an event is worth; the first that is there counts."""

_MAIL = ("email_", "newsletter_")
_DECISION = ("decision_id", "decisionId")


@dataclass(frozen=True)
class Frame:
    """What holds for all events of a call; ``now_us`` is when it came, ``source`` whose it is."""

    now_us: int
    rules: TouchpointRules
    source: str
    is_public: bool = False


def kind_of(event: str, rules: TouchpointRules) -> str:
    """Return the kind that an event's name stands for: what ``[touchpoints] kinds`` says, else its name.

    Examples
    --------
    >>> kind_of("Product Added", TouchpointRules())
    'product_added'
    >>> kind_of("Email Opened", TouchpointRules(kinds={"email_opened": "newsletter_open"}))
    'newsletter_open'
    """
    name = snake_case(event)
    return rules.kinds.get(name, name)


def event_touchpoint(
    frame: Frame,
    *,
    identity: str,
    at: datetime,
    kind: str,
    message_id: str,
    properties: Mapping[str, Any],
    channel: str | None,
    source: str | None = None,
    user_agent: object = None,
) -> TouchpointRow:
    """Make a touchpoint of an event.

    Parameters
    ----------
    channel
        Where it came in by, where its properties do not say.
    source
        In place of the frame's.
    user_agent
        Of whoever opened a mail.

    Raises
    ------
    RowError
        The property, its value and the rule.
    """
    rest = dict(properties)
    raw: dict[str, Any] = {
        "identity": identity,
        "occurred_at": at,
        "kind": kind,
        "touchpoint_id": message_id,
        "channel": _channel(kind, rest, channel),
        "source": frame.source if source is None else source,
        **_columns(rest),
        "properties": rest,
    }
    row = admit(touchpoint_row(raw, now_us=frame.now_us, zone=None, rules=frame.rules), is_public=frame.is_public)
    if not is_of_mail(kind) or frame.rules.is_outbound(kind, row.direction):
        return row
    machine = machine_behind(properties, user_agent or properties.get("user_agent") or properties.get("userAgent"))
    return row if machine is None else by_machine(row, machine)


def _columns(rest: dict[str, Any]) -> dict[str, Any]:
    """Take what has a column of its own out of the properties; what does not fit its column stays where it is."""
    found: dict[str, Any] = {}
    money = next((name for name in MONEY if rest.get(name) not in (None, "")), None)
    # Revenue is a number in every published list of events; other words are used for many things.
    if money == "revenue" or (money is not None and _number(rest[money]) is not None):
        found["value"] = rest.pop(money)
        if isinstance(rest.get("currency"), str):
            found["currency"] = str(rest.pop("currency")).strip().upper()
    for name in ("margin", "duration"):
        number = _number(rest.get(name))
        if number is not None and (name == "margin" or number >= 0):
            found[name] = rest.pop(name)
    if isinstance(rest.get("topic"), str):
        found["topic"] = rest.pop("topic")
    topics = rest.get("topics")
    if isinstance(topics, list) and all(isinstance(topic, str) for topic in topics):
        found["topics"] = rest.pop("topics")
    if rest.get("direction") in DIRECTIONS:
        found["direction"] = rest.pop("direction")
    for name in _DECISION:
        if isinstance(rest.get(name), str) and "decision_id" not in found:
            found["decision_id"] = rest.pop(name)
    return found


def _channel(kind: str, rest: dict[str, Any], channel: str | None) -> str | None:
    said = rest.get("channel")
    # Of consent the property tells what it is about; where it came in by would be taken for that.
    if word_of(kind) is not None:
        return None
    if isinstance(said, str) and said.strip():
        return str(rest.pop("channel"))
    return "email" if kind.startswith(_MAIL) else channel


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def text_id(value: object, name: str) -> str | None:
    """Return an id as text; None where there is none.

    Raises
    ------
    RowError
        For what is neither text nor a whole number.

    Examples
    --------
    >>> text_id(42, "userId"), text_id(" u-1 ", "userId"), text_id("", "userId"), text_id(None, "userId")
    ('42', 'u-1', None, None)
    """
    if value is None:
        return None
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise RowError(name, value, "is neither text nor a whole number")
