"""The tracking interface of Segment and RudderStack: a body becomes events, each good or bad by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from features.rows.cells import RowError
from serving.intake.delivery import Delivery, Refusal
from serving.intake.event_touchpoint import Frame
from serving.intake.strict_json import MalformedBody, cut_out, elements, parse
from serving.intake.tracking_events import message_of
from serving.problems import Problem

MOST_EVENTS = 2_500
"""How many events one call may bring."""

MOST_BYTES_OF_EVENT = 32 * 1024
"""How large one event may be."""

_BATCH = "batch"
_SHARED = ("context", "integrations")


def read_event(raw: bytes, type_: str, frame: Frame, sent: str | None = None) -> Delivery:
    """Read the body of an address that takes one event.

    Parameters
    ----------
    type_
        What the address stands for; it wins over what the event says.
    sent
        The header ``SentAt`` of browsers.
    """
    delivery = Delivery(is_list=False)
    try:
        event = parse(raw)
    except MalformedBody as error:
        delivery.refused.append(Refusal(0, raw, str(error), "is not strict JSON", False))
        return delivery
    _judge(delivery, {**event, "type": type_} if isinstance(event, dict) else event, 0, raw, frame, sent)
    return delivery


def read_batch(raw: bytes, frame: Frame) -> Delivery:
    """Read a batch: the bad events are refused, the others are not.

    Raises
    ------
    Problem
        413 for more than ``MOST_EVENTS``.
    """
    try:
        envelope, events, cut = _opened(raw)
    except (MalformedBody, RowError) as error:
        rule = error.rule if isinstance(error, RowError) else "is not strict JSON"
        return Delivery(is_list=False, refused=[Refusal(0, raw, str(error), rule, False)])
    if len(events) > MOST_EVENTS:
        raise Problem(413, "too-many-events", f"{len(events):,} events in one call; send at most {MOST_EVENTS:,}")
    shared = {name: envelope[name] for name in _SHARED if isinstance(envelope.get(name), Mapping)}
    delivery = Delivery(is_list=True)
    for index, event in enumerate(events):
        known = _merged(event, shared) if shared and isinstance(event, dict) else event
        refused = len(delivery.refused)
        _judge(delivery, known, index, None, frame, envelope.get("sentAt"))
        if len(delivery.refused) > refused:
            # The bytes are cut out only once they are needed: most bodies have no fault.
            cut = cut if cut is not None else _cut(raw)
            delivery.refused[-1] = _with_bytes(delivery.refused[-1], cut, event)
    return delivery


def _opened(raw: bytes) -> tuple[Mapping[str, Any], list[Any], list[bytes] | None]:
    """Return what is around the events, the events, and their bytes where they had to be cut out."""
    try:
        found = parse(raw)
    except MalformedBody:
        apart = cut_out(raw, _BATCH)
        cut = None if apart is None else elements(apart[1])
        if apart is None or cut is None:
            raise
        found = parse(apart[0])
        found[_BATCH] = [_parsed(each) for each in cut]
        return found, found[_BATCH], cut
    events = found.get(_BATCH) if isinstance(found, dict) else None
    if not isinstance(events, list):
        raise RowError("batch", None, 'is not a list of events; send {"batch": [{"type": "track", ...}]}')
    return found, events, None


def _parsed(raw: bytes) -> Any:
    try:
        return parse(raw)
    except MalformedBody as fault:
        return fault


def _cut(raw: bytes) -> list[bytes]:
    apart = cut_out(raw, _BATCH)
    return (elements(apart[1]) if apart is not None else None) or []


def _with_bytes(refusal: Refusal, cut: list[bytes], event: Any) -> Refusal:
    raw = cut[refusal.index] if refusal.index < len(cut) else orjson.dumps(event)
    return Refusal(refusal.index, raw, refusal.reason, refusal.rule, refusal.is_object)


def _merged(event: dict[str, Any], shared: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return an event with what the batch says of all of them; its own word wins."""
    found = dict(event)
    for name, more in shared.items():
        own = event.get(name)
        if own is None or isinstance(own, Mapping):
            found[name] = {**more, **(own or {})}
    return found


def _judge(delivery: Delivery, event: Any, index: int, raw: bytes | None, frame: Frame, sent: object) -> None:
    try:
        if isinstance(event, MalformedBody):
            raise event
        if not isinstance(event, Mapping):
            raise RowError("event", event, "is not a JSON object")
        _bound(event, raw)
        delivery.messages.append(message_of(event, index, frame, sent))
    except (MalformedBody, RowError) as error:
        rule = error.rule if isinstance(error, RowError) else "is not strict JSON"
        delivery.refused.append(Refusal(index, raw or b"", str(error), rule, isinstance(event, Mapping)))


def _bound(event: Mapping[str, Any], raw: bytes | None) -> None:
    if len(raw if raw is not None else orjson.dumps(event)) > MOST_BYTES_OF_EVENT:
        raise RowError("event", None, f"is larger than {MOST_BYTES_OF_EVENT:,} bytes; leave out what is not needed")
