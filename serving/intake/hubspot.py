"""HubSpot's webhooks: what became known of its contacts, and which of them were merged.

A body is a list of changes, or one contact as a workflow sends it. A contact is ``hubspot:<its number>``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from features.rows.cells import RowError
from features.rows.rows import contact_row, link_row
from serving.intake.admission import admit_contact, check_identity
from serving.intake.clock import past_at
from serving.intake.delivery import Delivery, Message, Refusal
from serving.intake.event_touchpoint import Frame, text_id
from serving.intake.strict_json import MalformedBody, Unread, elements, parse, parse_each

SOURCE = "hubspot"
PREFIX = "hubspot:"

_NAMED = {"hubspot_owner_id": "owner", "hs_language": "language", "hs_timezone": "timezone"}


def read_hubspot(raw: bytes, frame: Frame) -> Delivery:
    """Read what a webhook brings; what is not known is kept aside, so that nothing is lost unseen."""
    cut = None
    try:
        found = parse(raw)
    except MalformedBody as error:
        # One change that cannot be read must not cost its neighbours.
        cut = elements(raw)
        if cut is None:
            return Delivery(is_list=False, refused=[Refusal(0, raw, str(error), "is not strict JSON", False)])
        found = parse_each(cut)
    delivery = Delivery(is_list=True)
    for index, change in enumerate(found if isinstance(found, list) else [found]):
        if isinstance(change, Unread):
            delivery.refused.append(Refusal(index, change.raw, str(change.fault), "is not strict JSON", False))
            continue
        told = orjson.dumps(change)
        try:
            delivery.messages.append(_message(change, index, told, frame))
        except RowError as error:
            # The bytes are cut out only once they are needed: most bodies have no fault.
            cut = cut if cut is not None else elements(raw) or [raw]
            delivery.refused.append(Refusal(index, cut[index], str(error), error.rule, isinstance(change, Mapping)))
    return delivery


def _message(change: Any, index: int, told: bytes, frame: Frame) -> Message:
    if not isinstance(change, Mapping):
        raise RowError("change", change, "is not a JSON object")
    if "subscriptionType" not in change and ("vid" in change or "properties" in change):
        return _whole(change, index, told, frame)
    type_ = change.get("subscriptionType")
    reader = _READERS.get(type_) if isinstance(type_, str) else None
    if reader is None:
        raise RowError("subscriptionType", type_, f"is none of {', '.join(_READERS)}")
    return reader(change, index, told, frame)


def _changed(change: Mapping[str, Any], index: int, told: bytes, frame: Frame) -> Message:
    name = change.get("propertyName")
    if not isinstance(name, str):
        raise RowError("propertyName", name, "is not text")
    return _known(change, {name: change.get("propertyValue")}, index, told, frame)


def _created(change: Mapping[str, Any], index: int, told: bytes, frame: Frame) -> Message:
    return _known(change, {}, index, told, frame)


def _merged(change: Mapping[str, Any], index: int, told: bytes, frame: Frame) -> Message:
    kept = _identity(change, "newObjectId", "primaryObjectId", "objectId")
    gone = change.get("mergedObjectIds")
    at = past_at(change, None, frame.now_us, ("occurredAt",))
    links = []
    for other in gone if isinstance(gone, list) else []:
        name = text_id(other, "mergedObjectIds")
        if name is not None and PREFIX + name != kept:
            check_identity(PREFIX + name, "mergedObjectIds")
            raw = {"identity_a": PREFIX + name, "identity_b": kept, "seen_at": at, "how": "confirmed"}
            links.append(link_row(raw, now_us=frame.now_us, zone=None))
    return Message(index, told, SOURCE, message_id=_message_id(change, told), links=tuple(links))


def _whole(contact: Mapping[str, Any], index: int, told: bytes, frame: Frame) -> Message:
    found = contact.get("properties")
    properties = {
        name: each.get("value") if isinstance(each, Mapping) else each
        for name, each in (found.items() if isinstance(found, Mapping) else ())
    }
    return _known(contact, properties, index, told, frame)


def _known(change: Mapping[str, Any], properties: Mapping[str, Any], index: int, told: bytes, frame: Frame) -> Message:
    traits = {_NAMED.get(name, name): value for name, value in properties.items() if value not in (None, "")}
    parts = [str(traits.pop(name)) for name in ("firstname", "lastname") if name in traits]
    # One change tells half a name; only where both came together it is one.
    if len(parts) == 2:
        traits["name"] = " ".join(parts)
    at = past_at(change, None, frame.now_us, ("occurredAt",))
    raw = {**traits, "identity": _identity(change, "objectId", "vid", "id"), "known_at": at}
    row = admit_contact(contact_row(raw, now_us=frame.now_us, zone=None))
    return Message(index, told, SOURCE, message_id=_message_id(change, told), contacts=(row,))


def _identity(change: Mapping[str, Any], *names: str) -> str:
    for name in names:
        found = text_id(change.get(name), name)
        if found is not None:
            check_identity(PREFIX + found, name)
            return PREFIX + found
    raise RowError(names[0], None, "is missing; a change needs whom it is of")


def _message_id(change: Mapping[str, Any], told: bytes) -> str:
    """Return what is the same when a change is sent again: all of it but the number of the attempt."""
    kept = {name: value for name, value in change.items() if name != "attemptNumber"}
    return hashlib.sha256(orjson.dumps(kept, option=orjson.OPT_SORT_KEYS) or told).hexdigest()[:32]


_READERS: Mapping[str, Callable[[Mapping[str, Any], int, bytes, Frame], Message]] = {
    "contact.propertyChange": _changed,
    "contact.creation": _created,
    "contact.merge": _merged,
}
