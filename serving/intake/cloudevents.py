"""CloudEvents 1.0 over HTTP in its three modes: binary (in headers), structured (one object), batched (a list)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import orjson

from features.rows.cells import RowError
from serving.intake.admission import check_identity, check_source
from serving.intake.clock import past_at
from serving.intake.delivery import Delivery, Message, Refusal
from serving.intake.event_touchpoint import Frame, event_touchpoint, kind_of, text_id
from serving.intake.strict_json import MalformedBody, elements, parse
from serving.intake.tracking import MOST_BYTES_OF_EVENT, MOST_EVENTS
from serving.intake.tracking_events import ANONYMOUS
from serving.problems import Problem

_CE = "ce-"
_REQUIRED = ("specversion", "id", "source", "type")
_KNOWN = frozenset({*_REQUIRED, "subject", "time", "datacontenttype", "dataschema", "data", "data_base64"})
_SUBJECT = re.compile(r"(?:contacts?|users?|customers?)/")
_VERSION = re.compile(r"\.v\d+$")
_IDENTITY = ("identity", "contact", "contact_id", "contactId", "userId", "user_id")


def read_events(raw: bytes, headers: Mapping[str, str], frame: Frame) -> Delivery:
    """Read a call's events; which mode it is in, its form tells.

    Parameters
    ----------
    headers
        By names in small letters; those that begin with ``ce-`` make it binary.

    Raises
    ------
    Problem
        413 for more than ``MOST_EVENTS``.
    """
    if f"{_CE}id" in headers or f"{_CE}specversion" in headers:
        delivery = Delivery(is_list=False)
        _judge(delivery, _Binary(raw, headers), 0, raw, frame)
        return delivery
    try:
        found = parse(raw)
    except MalformedBody as error:
        cut = elements(raw)
        if cut is None:
            return Delivery(is_list=False, refused=[Refusal(0, raw, str(error), "is not strict JSON", False)])
        return _read_list(cut, cut, frame)
    if isinstance(found, list):
        return _read_list(found, None, frame, raw)
    delivery = Delivery(is_list=False)
    _judge(delivery, found, 0, raw, frame)
    return delivery


def _read_list(found: list[Any], cut: list[bytes] | None, frame: Frame, body: bytes = b"") -> Delivery:
    if len(found) > MOST_EVENTS:
        raise Problem(413, "too-many-events", f"{len(found):,} events in one call; send at most {MOST_EVENTS:,}")
    delivery = Delivery(is_list=True)
    for index, event in enumerate(found):
        refused = len(delivery.refused)
        _judge(delivery, event, index, None if cut is None else cut[index], frame)
        if cut is None and len(delivery.refused) > refused:
            cut = elements(body) or []
            last = delivery.refused[-1]
            raw = cut[index] if index < len(cut) else orjson.dumps(event)
            delivery.refused[-1] = Refusal(index, raw, last.reason, last.rule, last.is_object)
    return delivery


class _Binary:
    """An event whose attributes are headers."""

    def __init__(self, raw: bytes, headers: Mapping[str, str]) -> None:
        self.raw, self.headers = raw, headers

    def structured(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            name.removeprefix(_CE): _unescaped(value) for name, value in self.headers.items() if name.startswith(_CE)
        }
        return found | {"data": parse(self.raw)} if self.raw.strip() else found


def _unescaped(value: str) -> str:
    # Headers come as Latin-1; the binding writes everything beyond ASCII as %XX.
    return unquote(value.strip().strip('"'))


def _judge(delivery: Delivery, event: Any, index: int, raw: bytes | None, frame: Frame) -> None:
    is_object = isinstance(event, Mapping)
    try:
        if len(raw if raw is not None else orjson.dumps(event)) > MOST_BYTES_OF_EVENT:
            raise RowError("event", None, f"is larger than {MOST_BYTES_OF_EVENT:,} bytes; leave out what is not needed")
        if isinstance(event, bytes):
            event, is_object = parse(event), True
        if isinstance(event, _Binary):
            event = event.structured()
        delivery.messages.append(_message(event, index, frame))
    except (MalformedBody, RowError) as error:
        rule = error.rule if isinstance(error, RowError) else "is not strict JSON"
        readable = is_object and not isinstance(error, MalformedBody)
        delivery.refused.append(Refusal(index, raw or b"", str(error), rule, readable))


def _message(event: Any, index: int, frame: Frame) -> Message:
    if not isinstance(event, Mapping):
        raise RowError("event", event, 'is not a JSON object; send one such as {"specversion": "1.0", ...}')
    missing = [name for name in _REQUIRED if not (isinstance(event.get(name), str) and event[name].strip())]
    if missing:
        raise RowError(missing[0], event.get(missing[0]), "is missing; every CloudEvent has it as text")
    if event["specversion"] != "1.0":
        raise RowError("specversion", event["specversion"], "is not known here; send 1.0")
    source = event["source"].strip()
    check_source(source)
    data = _data(event)
    row = event_touchpoint(
        frame,
        identity=_identity(event, data),
        at=past_at(event, None, frame.now_us, ("time",)),
        kind=kind_of(_event_name(event["type"], frame), frame.rules),
        message_id=event["id"].strip(),
        source=source,
        properties={**{name: value for name, value in event.items() if name not in _KNOWN}, **data},
        channel=None,
    )
    return Message(index, b"", row.source, row)


def _event_name(type_: str, frame: Frame) -> str:
    """Return the part of a type that names what happened.

    ``com.acme.email.opened`` begins with a domain in reverse, as the specification proposes.
    """
    if type_ in frame.rules.kinds:
        return type_
    plain = _VERSION.sub("", type_.strip())
    parts = plain.split(".")
    return ".".join(parts[2:]) if len(parts) > 2 else plain


def _identity(event: Mapping[str, Any], data: dict[str, Any]) -> str:
    for name in _IDENTITY:
        found = text_id(data.get(name), name)
        if found is not None:
            del data[name]
            return found
    visitor = text_id(data.get("anonymousId"), "anonymousId")
    if visitor is not None:
        del data["anonymousId"]
        return ANONYMOUS + visitor
    subject = text_id(event.get("subject"), "subject")
    if subject is None:
        raise RowError("subject", None, "is missing, and data names no userId; a touchpoint needs whom it is of")
    found = _SUBJECT.sub("", subject, count=1) if _SUBJECT.match(subject) else subject
    check_identity(found, "subject")
    return found


def _data(event: Mapping[str, Any]) -> dict[str, Any]:
    found = event.get("data")
    if found is None and event.get("data_base64") is not None:
        try:
            found = parse(base64.b64decode(str(event["data_base64"]), validate=True))
        except (binascii.Error, ValueError, MalformedBody) as error:
            raise RowError("data_base64", None, "is not JSON in base64") from error
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise RowError("data", found, "is not a JSON object")
    return dict(found)
