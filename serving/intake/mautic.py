"""Mautic's webhooks: opens, clicks, page hits, forms, and what is known of its contacts.

A body is an object of lists by event (``{"mautic.email_on_open": [{...}]}``). A contact is ``mautic:<its number>``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import orjson

from features.rows.cells import RowError
from features.rows.rows import contact_row
from serving.intake.admission import admit_contact
from serving.intake.clock import past_at
from serving.intake.delivery import Delivery, Message, Refusal
from serving.intake.event_touchpoint import Frame, event_touchpoint, text_id
from serving.intake.strict_json import MalformedBody, Unread, cut_out, elements, parse, parse_each

SOURCE = "mautic"
PREFIX = "mautic:"

_NAMED = {"firstname": "", "lastname": "", "preferred_locale": "language", "mobile": "phone"}
_WITHDRAWN = frozenset({"unsubscribed", "bounced", "manual"})


def read_mautic(raw: bytes, frame: Frame) -> Delivery:
    """Read what a webhook brings; what is not known is kept aside, so that nothing is lost unseen."""
    try:
        found = parse(raw)
    except MalformedBody as error:
        found = _read_apart(raw)
        if found is None:
            return Delivery(is_list=False, refused=[Refusal(0, raw, str(error), "is not strict JSON", False)])
    delivery = Delivery(is_list=True)
    if not isinstance(found, dict):
        refusal = Refusal(0, raw, "body is not a JSON object of events", "body is not a JSON object of events", False)
        return Delivery(is_list=False, refused=[refusal])
    for name, entries in found.items():
        if name.startswith("mautic."):
            for entry in entries if isinstance(entries, list) else [entries]:
                _judge(delivery, name, entry, frame)
    return delivery


def _read_apart(raw: bytes) -> dict[str, Any] | None:
    """Read each entry by itself, so that only those are refused which are at fault; None where that cannot be done."""
    lists: dict[str, list[Any]] = {}
    for name in _READERS:
        apart = cut_out(raw, name)
        cut = None if apart is None else elements(apart[1])
        if apart is not None and cut is not None:
            raw, lists[name] = apart[0], parse_each(cut)
    try:
        found = parse(raw)
    except MalformedBody:
        return None
    return {**found, **lists} if isinstance(found, dict) else None


def _judge(delivery: Delivery, name: str, entry: Any, frame: Frame) -> None:
    index = delivery.received
    if isinstance(entry, Unread):
        delivery.refused.append(Refusal(index, entry.raw, str(entry.fault), "is not strict JSON", False))
        return
    raw = orjson.dumps({name: entry})
    try:
        reader = _READERS.get(name)
        if reader is None:
            raise RowError("event", name, f"is none of {', '.join(_READERS)}")
        if not isinstance(entry, Mapping):
            raise RowError(name, entry, "is not a JSON object")
        delivery.messages.append(reader(_Entry(name, entry, index, raw, frame)))
    except RowError as error:
        delivery.refused.append(Refusal(index, raw, str(error), error.rule, True))


class _Entry:
    """One entry with what all have in common."""

    def __init__(self, name: str, body: Mapping[str, Any], index: int, raw: bytes, frame: Frame) -> None:
        self.body, self.index, self.raw, self.frame = body, index, raw, frame
        # Mautic sends an entry again with the time it had, so equal bytes are the same event.
        self.message_id = hashlib.sha256(orjson.dumps([name, body], option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]

    def part(self, name: str) -> Mapping[str, Any]:
        return _object(self.body, name)

    def at(self, *told: object) -> datetime:
        return past_at(
            {"timestamp": next((one for one in (*told, self.body.get("timestamp")) if one), None)},
            None,
            self.frame.now_us,
        )

    def identity(self, holder: Mapping[str, Any]) -> str:
        contact = holder.get("contact") or holder.get("lead")
        found = text_id(contact.get("id"), "contact.id") if isinstance(contact, Mapping) else None
        if found is None:
            raise RowError("contact", None, "is missing; an entry needs whom it is of")
        return PREFIX + found

    def touchpoint(
        self, holder: Mapping[str, Any], kind: str, at: datetime, properties: Mapping[str, Any], **more: Any
    ) -> Message:
        kept = {key: value for key, value in properties.items() if value not in (None, "", [], {})}
        row = event_touchpoint(
            self.frame,
            identity=self.identity(holder),
            at=at,
            kind=self.frame.rules.kinds.get(kind, kind),
            message_id=self.message_id,
            properties=kept,
            **{"channel": None, **more},
        )
        return Message(self.index, self.raw, SOURCE, row)


def _opened(entry: _Entry) -> Message:
    stat = entry.part("stat")
    mail = _object(stat, "email") or entry.part("email")
    properties = {"email_id": mail.get("id"), "name": mail.get("name"), "subject": mail.get("subject")}
    details = stat.get("openDetails")
    last = details[-1] if isinstance(details, list) and details else {}
    agent = last.get("useragent") if isinstance(last, Mapping) else None
    return entry.touchpoint(stat, "email_opened", entry.at(stat.get("dateRead")), properties, user_agent=agent)


def _sent(entry: _Entry) -> Message:
    mail = entry.part("email")
    properties = {"email_id": mail.get("id"), "name": mail.get("name"), "subject": mail.get("subject")}
    return entry.touchpoint(entry.body, "email_sent", entry.at(), {**properties, "direction": "outbound"})


def _hit(entry: _Entry) -> Message:
    hit = entry.part("hit")
    page = _object(hit, "page")
    properties = {
        "url": hit.get("url"),
        "referrer": hit.get("referer"),
        "title": hit.get("urlTitle") or page.get("title"),
    }
    return entry.touchpoint(hit, "visit", entry.at(hit.get("dateHit")), properties, channel="web")


def _submitted(entry: _Entry) -> Message:
    submission = entry.part("submission")
    form = _object(submission, "form")
    properties = {"form_id": form.get("id"), "name": form.get("name"), "referrer": submission.get("referer")}
    at = entry.at(submission.get("dateSubmitted"))
    return entry.touchpoint(submission, "form_submitted", at, properties, channel="web")


def _subscribed(entry: _Entry) -> Message:
    status = entry.body.get("new_status")
    is_over = isinstance(status, str) and status in _WITHDRAWN
    kind = "unsubscribed" if is_over else "subscription_changed"
    properties = {"channel": entry.body.get("channel"), "status": status, "before": entry.body.get("old_status")}
    return entry.touchpoint(entry.body, kind, entry.at(), properties)


def _saved(entry: _Entry) -> Message:
    contact = entry.part("contact") or entry.part("lead")
    fields = contact.get("fields")
    told: dict[str, Any] = {}
    for group in fields.values() if isinstance(fields, Mapping) else ():
        if isinstance(group, Mapping):
            told |= {name: each.get("value") for name, each in group.items() if isinstance(each, Mapping)}
    traits = {_NAMED.get(name, name): value for name, value in told.items() if _NAMED.get(name, name)}
    whole = " ".join(str(told[name]) for name in ("firstname", "lastname") if told.get(name))
    if whole:
        traits["name"] = whole
    if traits.get("timezone") in (None, ""):
        traits.pop("timezone", None)
    raw = {**traits, "identity": entry.identity(entry.body), "known_at": entry.at()}
    row = admit_contact(contact_row(raw, now_us=entry.frame.now_us, zone=None))
    return Message(entry.index, entry.raw, SOURCE, message_id=entry.message_id, contacts=(row,))


def _object(holder: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = holder.get(name)
    return found if isinstance(found, Mapping) else {}


_READERS: Mapping[str, Callable[[_Entry], Message]] = {
    "mautic.email_on_open": _opened,
    "mautic.email_on_send": _sent,
    "mautic.page_on_hit": _hit,
    "mautic.form_on_submit": _submitted,
    "mautic.lead_channel_subscription_changed": _subscribed,
    "mautic.lead_post_save_new": _saved,
    "mautic.lead_post_save_update": _saved,
}
