"""One event of a Segment or RudderStack client as what it says: a touchpoint, traits, a link, an account."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import orjson

from features.rows.cells import RowError
from features.rows.row_types import ContactRow, LinkRow
from features.rows.rows import contact_row, link_row, record_row
from features.rows.schema import ACCOUNTS
from serving.intake.admission import admit_contact, check_identity, check_key, sayable, source_of_key
from serving.intake.clock import past_at, sent_at
from serving.intake.delivery import Message
from serving.intake.event_touchpoint import Frame, event_touchpoint, kind_of, text_id

ANONYMOUS = "anonymous:"
"""What stands before an ``anonymousId``, so that a browser is never taken for a person."""

PAGE_KIND = "visit"
"""What a page or a screen is, where ``[touchpoints] kinds`` says nothing else for ``page`` and ``screen``."""

_CHANNELS = {"web": "web", "browser": "web", "mobile": "app", "app": "app", "server": "server"}
_LIBRARIES = (
    ("analytics.js", "web"), ("javascript", "web"), ("android", "app"), ("ios", "app"), ("swift", "app"),
    ("flutter", "app"), ("react-native", "app"),
)  # fmt: skip
_OF_PAGE = ("url", "path", "title", "referrer", "search")
_OF_VISITOR = (("ip", "ip"), ("userAgent", "user_agent"))


def message_of(event: Mapping[str, Any], index: int, frame: Frame, sent: object = None) -> Message:
    """Read one event.

    Parameters
    ----------
    event
        With its ``type``.
    sent
        When the whole call was sent by the client's clock, if it said so.

    Raises
    ------
    RowError
        The field, its value and the rule.
    """
    type_ = event.get("type")
    reader = _READERS.get(type_) if isinstance(type_, str) else None
    if reader is None:
        raise RowError("type", type_, f"is none of {', '.join(_READERS)}")
    source = source_of_key(frame.source)
    return reader(_Event(event, index, frame if source == frame.source else replace(frame, source=source), sent))


class _Event:
    """One event with what all types have in common."""

    def __init__(self, event: Mapping[str, Any], index: int, frame: Frame, sent: object) -> None:
        self.body, self.index, self.frame = event, index, frame
        self.context = _object(event, "context")
        self.user = text_id(event.get("userId"), "userId")
        anonymous = text_id(event.get("anonymousId"), "anonymousId")
        self.visitor = None if anonymous is None else ANONYMOUS + anonymous
        self.at = past_at(event, sent_at(sent, event.get("sentAt")), frame.now_us)
        self.message_id = self._message_id()
        check_identity(self.user, "userId")
        check_identity(self.visitor, "anonymousId")
        check_key(self.message_id, "messageId")

    @property
    def identity(self) -> str:
        found = self.user or self.visitor
        if found is None:
            raise RowError("userId", None, "and anonymousId are missing; every event needs one of them")
        return found

    def raw(self) -> bytes:
        return orjson.dumps(self.body)

    def text(self, name: str) -> str:
        found = text_id(self.body.get(name), name)
        if found is None:
            raise RowError(name, None, f"is missing; {self.body['type']} needs it")
        check_key(found, name)
        return found

    def login(self) -> tuple[LinkRow, ...]:
        """Return the evidence that the visitor is the user: both are named in one event."""
        return () if self.user is None or self.visitor is None else (self.link(self.visitor, self.user, "login"),)

    def link(self, a: str, b: str, how: str) -> LinkRow:
        raw = {"identity_a": a, "identity_b": b, "seen_at": self.at, "how": how}
        return link_row(raw, now_us=self.frame.now_us, zone=None)

    def channel(self) -> str | None:
        said = self.body.get("channel")
        if isinstance(said, str) and said.strip().lower() in _CHANNELS:
            return _CHANNELS[said.strip().lower()]
        library = str(_object(self.context, "library").get("name") or "").lower()
        known = next((channel for mark, channel in _LIBRARIES if mark in library), None)
        return known or ("app" if self.context.get("device") else "server" if library else None)

    def properties(self) -> dict[str, Any]:
        """Return its properties, with what the context says of the page and the campaign."""
        page, found = _object(self.context, "page"), dict(_object(self.body, "properties"))
        for name in _OF_PAGE:
            if found.get(name) in (None, "") and page.get(name) not in (None, ""):
                found[name] = page[name]
        if _object(self.context, "campaign"):
            found.setdefault("campaign", self.context["campaign"])
        if self.frame.rules.visitor_stitching:
            # Network and device are personal data, kept only where the owner wants visitors joined by them.
            for theirs, ours in _OF_VISITOR:
                if self.context.get(theirs):
                    found.setdefault(ours, self.context[theirs])
        return found

    def touchpoint(self, kind: str, properties: Mapping[str, Any], channel: str | None) -> Message:
        row = event_touchpoint(
            self.frame,
            identity=self.identity,
            at=self.at,
            kind=kind,
            message_id=self.message_id,
            properties=properties,
            channel=channel,
            user_agent=self.context.get("userAgent"),
        )
        links = self.login()
        return Message(self.index, self.raw() if links else b"", self.frame.source, row, links=links)

    def told(self, **said: Any) -> Message:
        """Return a message without a touchpoint."""
        return Message(self.index, self.raw(), self.frame.source, message_id=self.message_id, **said)

    def _message_id(self) -> str:
        found = text_id(self.body.get("messageId"), "messageId")
        if found is not None:
            return found
        # Without an id and without a time two equal events are two; with a time of their own they are a repeat.
        has_time = any(self.body.get(name) for name in ("timestamp", "originalTimestamp"))
        digest = hashlib.sha256(orjson.dumps(self.body, option=orjson.OPT_SORT_KEYS))
        digest.update(b"" if has_time else f"{self.frame.now_us} {self.index}".encode())
        return digest.hexdigest()[:32]


def _track(event: _Event) -> Message:
    kind = kind_of(event.text("event"), event.frame.rules)
    return event.touchpoint(kind, event.properties(), event.channel())


def _page(event: _Event) -> Message:
    return _shown(event, "page", "web")


def _screen(event: _Event) -> Message:
    return _shown(event, "screen", "app")


def _shown(event: _Event, type_: str, channel: str) -> Message:
    properties = event.properties()
    for name in ("name", "category"):
        if event.body.get(name) not in (None, ""):
            properties.setdefault(name, event.body[name])
    return event.touchpoint(event.frame.rules.kinds.get(type_, PAGE_KIND), properties, channel)


def _identify(event: _Event) -> Message:
    # RudderStack for Python has the traits in the context only, its browser library too.
    told = {**_object(event.context, "traits"), **_object(event.body, "traits")}
    traits, left_out = sayable(_traits(told), is_public=event.frame.is_public)
    # Who is named without traits is known from now on all the same, by this name.
    rows = _contact(event, traits)
    return event.told(contacts=rows, links=event.login(), left_out=left_out)


def _group(event: _Event) -> Message:
    account = event.text("groupId")
    check_identity(account, "groupId")
    told, left_out = sayable(_flat(_object(event.body, "traits")), is_public=event.frame.is_public)
    raw = {**told, "account": account, "known_at": event.at}
    record = record_row(ACCOUNTS.name, raw, now_us=event.frame.now_us, zone=None)
    rows = _contact(event, {"account": account})
    return event.told(contacts=rows, accounts=(record,), links=event.login(), left_out=left_out)


def _alias(event: _Event) -> Message:
    user, previous = event.user, event.text("previousId")
    if user is None:
        raise RowError("userId", None, "is missing; alias needs it")
    visitor = ANONYMOUS + previous
    check_identity(visitor, "previousId")
    # Nothing says whether the earlier id named a browser or a user, unless it is the event's own visitor; so it is
    # taken for both, and the one of the two that nobody uses joins nothing.
    earlier = [visitor] if visitor == event.visitor else [visitor, previous]
    links = [event.link(name, user, "alias") for name in earlier if previous != user]
    return event.told(links=(*event.login(), *links))


def _contact(event: _Event, traits: Mapping[str, Any]) -> tuple[ContactRow, ...]:
    raw = {**traits, "identity": event.identity, "known_at": event.at}
    return (admit_contact(contact_row(raw, now_us=event.frame.now_us, zone=None)),)


def _traits(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return traits by our names; a person's first and last name are the column ``name``."""
    found = _flat(told)
    parts = [found.pop(name, None) for name in ("firstName", "lastName")]
    whole = " ".join(str(part).strip() for part in parts if part not in (None, ""))
    if whole and found.get("name") in (None, ""):
        found["name"] = whole
    country = found.get("address_country")
    if country and found.get("country") in (None, ""):
        found["country"] = country
    return found


def _flat(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return traits with those of an object in them beside the others, as ``company_name``."""
    found: dict[str, Any] = {}
    for name, value in told.items():
        if isinstance(value, Mapping):
            found |= {f"{name}_{inner}": each for inner, each in value.items()}
        else:
            found[name] = value
    return found


def _object(holder: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = holder.get(name)
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise RowError(name, found, "is not a JSON object")
    return found


_READERS: Mapping[str, Callable[[_Event], Message]] = {
    "track": _track,
    "page": _page,
    "screen": _screen,
    "identify": _identify,
    "group": _group,
    "alias": _alias,
}

TYPES = tuple(_READERS)
"""The types of events."""
