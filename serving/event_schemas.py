"""What systems of others send, as JSON Schema for the OpenAPI documents: their events as they should be.

It is read more leniently than this says: what no schema foresaw is kept, and what cannot be read is put aside.
"""

from __future__ import annotations

from serving.schemas import ANYTHING, MOMENT, MOST_NUMBER, TEXT, TEXT_OR_NULL, Schema, list_of, object_of

_MOST_EVENTS = 2_500
_ID: Schema = {"type": ["string", "integer"], "minLength": 1, "maxLength": 200, "minimum": 0, "maximum": MOST_NUMBER}
_NAME: Schema = {"type": "string", "minLength": 1, "maxLength": 200}
_EVERY: dict[str, Schema] = {
    "userId": _ID,
    "anonymousId": _ID,
    "messageId": _ID,
    "timestamp": MOMENT,
    "originalTimestamp": MOMENT,
    "sentAt": MOMENT,
    "channel": TEXT_OR_NULL,
    "context": ANYTHING,
    "integrations": ANYTHING,
}
_OWN: dict[str, tuple[tuple[str, ...], dict[str, Schema]]] = {
    "track": (("event",), {"event": _NAME, "properties": ANYTHING}),
    "identify": ((), {"traits": ANYTHING}),
    "page": ((), {"name": TEXT, "category": TEXT, "properties": ANYTHING}),
    "screen": ((), {"name": TEXT, "category": TEXT, "properties": ANYTHING}),
    "group": (("groupId",), {"groupId": _ID, "traits": ANYTHING}),
    "alias": (("userId", "previousId"), {"previousId": _ID}),
}


def _event(type_: str, *needed: str, **more: Schema) -> Schema:
    required, own = _OWN[type_]
    found = object_of((*needed, *required), open_=True, **more, **_EVERY, **own)
    # Every event names a user, a browser, or both.
    whom = () if "userId" in required else ("userId", "anonymousId")
    return found | ({"anyOf": [{"required": [name]} for name in whom]} if whom else {})


TRACKED: dict[str, Schema] = {type_: _event(type_) for type_ in _OWN}
"""One call of a Segment or RudderStack library, by its type."""

TRACKED_BATCH = object_of(
    ("batch",),
    batch=list_of({"anyOf": [_event(each, "type", type={"enum": [each]}) for each in _OWN]}, maxItems=_MOST_EVENTS),
    sentAt=MOMENT,
    context=ANYTHING,
    integrations=ANYTHING,
)

_CLOUD_EVENT = object_of(
    ("specversion", "id", "source", "type", "subject"),
    specversion={"enum": ["1.0"]},
    id=_NAME,
    source=_NAME,
    type=_NAME,
    subject=_NAME,
    time=MOMENT,
    datacontenttype={"enum": ["application/json"]},
    data=ANYTHING,
)
CLOUD_EVENTS: Schema = {"anyOf": [_CLOUD_EVENT, list_of(_CLOUD_EVENT, maxItems=_MOST_EVENTS)]}
"""CloudEvents, structured or batched; in binary mode all but ``data`` are headers."""

_WHO = object_of(("id",), id=_ID)
_ENTRIES: dict[str, Schema] = {
    "mautic.page_on_hit": object_of(("hit",), hit=object_of(("lead",), lead=_WHO, dateHit=MOMENT, url=TEXT)),
    "mautic.email_on_open": object_of(("stat",), stat=object_of(("lead",), lead=_WHO, dateRead=MOMENT)),
    "mautic.email_on_send": object_of(("contact",), contact=_WHO, email=ANYTHING),
    "mautic.form_on_submit": object_of(
        ("submission",), submission=object_of(("lead",), lead=_WHO, dateSubmitted=MOMENT, form=ANYTHING)
    ),
    "mautic.lead_channel_subscription_changed": object_of(
        ("contact", "channel", "new_status"), contact=_WHO, channel=TEXT, new_status=TEXT, old_status=TEXT
    ),
    "mautic.lead_post_save_new": object_of(("contact",), contact=_WHO),
    "mautic.lead_post_save_update": object_of(("contact",), contact=_WHO),
}
MAUTIC = object_of((), open_=True, **{name: list_of(entry) for name, entry in _ENTRIES.items()})
"""A body of Mautic's webhook: lists of entries by event."""

_CHANGE = object_of(
    ("subscriptionType", "objectId"),
    subscriptionType={"enum": ["contact.propertyChange", "contact.creation", "contact.merge"]},
    objectId=_ID,
    propertyName=_NAME,
    propertyValue=TEXT_OR_NULL,
    mergedObjectIds=list_of(_ID),
    occurredAt={"type": "integer", "minimum": 0},
    attemptNumber={"type": "integer"},
)
HUBSPOT: Schema = {"anyOf": [list_of(_CHANGE), object_of(("vid",), vid=_ID, properties=ANYTHING)]}
"""A body of HubSpot's webhook: a list of changes, or one contact as a workflow sends it."""

FORM = object_of(
    ("do",),
    open_=False,
    do={"enum": ["yes", "no", "all_no", "rhythm", "topic_yes", "topic_no"]},
    about=_NAME,
    topic=_NAME,
    at_most={"enum": ["any", "1/7d", "1/30d", "1/90d"]},
)
"""What a form of a person's own page sends."""
