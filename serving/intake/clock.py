"""When an event happened, by the clock of this machine.

Clients' clocks are wrong, but a client reads the same one when an event happens and when it sends it. So what lies
between the two is right, and ``timestamp = received_at - (sent_at - original_timestamp)``, as Segment and RudderStack
publish it. Without the time of sending the client's own time stands; without any the event happens on arrival.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from features.rows.cells import TO_COME, RowError
from features.times import DAY, parse_time, to_datetime, to_us

_TOLD = ("timestamp", "originalTimestamp")


def sent_at(*told: object) -> int | None:
    """Return when something was sent by the client's clock, in microseconds: the first of these that is a time."""
    for each in told:
        if each is None or each == "":
            continue
        try:
            return parse_time(each)
        except (ValueError, OverflowError):
            continue
    return None


def past_at(event: Mapping[str, object], sent: int | None, received: int, names: Sequence[str] = _TOLD) -> datetime:
    """Return when an event happened; see ``occurred_at``.

    Raises
    ------
    RowError
        Where what is said to be a time is none, or lies more than a day ahead: by the name and as the text that the
        client sent, which a row has no more.
    """
    found = occurred_at(event, sent, received, names)
    name = _told(event, names)
    if name is not None and to_us(found) > received + DAY:
        raise RowError(name, event[name], TO_COME)
    return found


def occurred_at(event: Mapping[str, object], sent: int | None, received: int, names: Sequence[str] = _TOLD) -> datetime:
    """Return when an event happened.

    Parameters
    ----------
    event
        With the client's time under the first of ``names`` that says anything.
    sent, received
        Microseconds: by the client's clock, where it said so, and by ours.

    Raises
    ------
    RowError
        Where what is said to be a time is none.

    Examples
    --------
    >>> told = {"timestamp": "2026-11-20T10:00:00Z"}
    >>> an_hour_fast = sent_at("2026-11-20T10:00:05Z"), sent_at("2026-11-20T09:00:05Z")
    >>> occurred_at(told, *an_hour_fast).isoformat()
    '2026-11-20T09:00:00+00:00'
    """
    name = _told(event, names)
    if name is None:
        return to_datetime(received)
    try:
        original = parse_time(event[name])
        return to_datetime(original if sent is None else received - (sent - original))
    except (ValueError, OverflowError) as error:
        raise RowError(name, event[name], "is not a time; write ISO 8601 such as 2026-11-21T10:00:00Z") from error


def _told(event: Mapping[str, object], names: Sequence[str]) -> str | None:
    return next((name for name in names if event.get(name) not in (None, "")), None)
