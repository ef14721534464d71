"""A delivery as JSON has it, so that a journal can keep it."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from features.rows.row_types import ContactRow, LinkRow, RecordRow, TouchpointRow
from serving.intake.delivery import Delivery, Message, Refusal


def told_of(delivery: Delivery) -> dict[str, Any]:
    """Return everything that came, bytes in base 64."""
    return {
        "is_list": delivery.is_list,
        "messages": [_message_told(each) for each in delivery.messages],
        "refused": [
            [each.index, _text(each.raw), _sayable(each.reason), _sayable(each.rule), each.is_object]
            for each in delivery.refused
        ],
        "belongings": [_record_told(row) for row in delivery.belongings],
    }


def delivery_of(told: Mapping[str, Any]) -> Delivery:
    """Return the delivery that was laid out."""
    messages = [_message(each) for each in told["messages"]]
    refused = [Refusal(index, _bytes(raw), *rest) for index, raw, *rest in told["refused"]]
    return Delivery(told["is_list"], messages, refused, [_contact(row) for row in told.get("belongings", ())])


def _message_told(message: Message) -> dict[str, Any]:
    return {
        "index": message.index,
        "raw": _text(message.raw),
        "source": message.source,
        "touchpoint": None if message.touchpoint is None else list(message.touchpoint),
        "message_id": message.message_id,
        "contacts": [_record_told(row) for row in message.contacts],
        "accounts": [_record_told(row) for row in message.accounts],
        "links": [list(row) for row in message.links],
        "left_out": [_sayable(each) for each in message.left_out],
    }


def _message(told: Mapping[str, Any]) -> Message:
    return Message(
        index=told["index"],
        raw=_bytes(told["raw"]),
        source=told["source"],
        touchpoint=None if told["touchpoint"] is None else TouchpointRow._make(told["touchpoint"]),
        message_id=told["message_id"],
        contacts=tuple(map(_contact, told["contacts"])),
        accounts=tuple(RecordRow._make(row) for row in told["accounts"]),
        links=tuple(LinkRow._make(row) for row in told["links"]),
        left_out=tuple(told["left_out"]),
    )


def _record_told(row: RecordRow | ContactRow) -> list[Any]:
    return [row.key, row.known_at, dict(row.body)]


def _contact(told: Sequence[Any]) -> ContactRow:
    return ContactRow._make(told)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text)


def _sayable(text: str) -> str:
    """Spell out what no encoding can hold, as the store would."""
    return text.encode(errors="backslashreplace").decode()
