"""What is shown of contacts, accounts and models, as JSON Schema for the OpenAPI documents."""

from __future__ import annotations

from serving.schemas import (
    ANYTHING,
    FLAG,
    MOMENT,
    MOMENT_OR_NULL,
    NUMBER,
    NUMBER_OR_NULL,
    POINTS,
    PROPENSITIES,
    TEXT,
    TEXT_OR_NULL,
    WHOLE,
    Schema,
    list_of,
    object_of,
)

LINK = object_of(
    ("identity_a", "identity_b", "since", "how"),
    identity_a=TEXT,
    identity_b=TEXT,
    since=MOMENT,
    how=TEXT,
    confidence=NUMBER,
)

ACCOUNT = object_of(
    ("account",),
    account=TEXT,
    name=TEXT_OR_NULL,
    parent=TEXT_OR_NULL,
    members={"type": ["integer", "null"]},
    roles={"type": ["array", "null"], "items": TEXT},
    missing_roles={"type": ["array", "null"], "items": TEXT},
)

_HELD: Schema = {
    "type": "object",
    "properties": {"partner": TEXT, "from": MOMENT_OR_NULL, "to": MOMENT_OR_NULL},
    "additionalProperties": True,
    "required": ["partner", "from", "to"],
}
PARTNER = object_of(("partner", "history"), partner=TEXT_OR_NULL, name=TEXT_OR_NULL, history=list_of(_HELD))

CONTACT = object_of(
    ("contact_id", "as_of", "stage", "propensities", "points", "interests", "timeline"),
    contact_id=TEXT,
    as_of=MOMENT,
    identities=list_of(TEXT),
    links=list_of(LINK),
    account={"oneOf": [ACCOUNT, {"type": "null"}]},
    partner={"oneOf": [PARTNER, {"type": "null"}]},
    stage=TEXT_OR_NULL,
    propensities=PROPENSITIES,
    points=POINTS,
    interests={"type": "object", "additionalProperties": NUMBER},
    touchpoints=WHOLE,
    timeline=list_of(ANYTHING),
)

WORK = object_of(
    ("contact_id", "action", "channel", "not_before", "priority", "reasons", "propensity", "last_contact"),
    contact_id=TEXT,
    name=TEXT_OR_NULL,
    account=TEXT_OR_NULL,
    owner=TEXT_OR_NULL,
    phone=TEXT_OR_NULL,
    email=TEXT_OR_NULL,
    crm_url=TEXT_OR_NULL,
    partner=TEXT_OR_NULL,
    stage=TEXT_OR_NULL,
    points=NUMBER,
    action=TEXT,
    channel=TEXT_OR_NULL,
    executor=TEXT_OR_NULL,
    topic=TEXT_OR_NULL,
    not_before=MOMENT_OR_NULL,
    valid_until=MOMENT_OR_NULL,
    priority=NUMBER_OR_NULL,
    evidence=TEXT_OR_NULL,
    reasons=list_of(TEXT),
    propensity={
        **object_of(goal=TEXT, probability=NUMBER_OR_NULL, grade=TEXT_OR_NULL, risk=TEXT_OR_NULL, trend=TEXT_OR_NULL),
        "type": ["object", "null"],
    },
    last_contact={
        **object_of(at=MOMENT, kind=TEXT, channel=TEXT_OR_NULL, direction=TEXT),
        "type": ["object", "null"],
    },
    decision_id=TEXT_OR_NULL,
)
WORKLIST = object_of(
    ("as_of", "scored_at", "contacts", "next_cursor"),
    as_of=MOMENT,
    scored_at=MOMENT_OR_NULL,
    contacts=list_of(WORK),
    next_cursor=TEXT_OR_NULL,
)

_MEMBER = object_of(
    ("contact_id", "role", "touchpoints_90d", "last_touchpoint_at"),
    contact_id=TEXT,
    name=TEXT_OR_NULL,
    role=TEXT_OR_NULL,
    stage_by_rule=TEXT_OR_NULL,
    points=NUMBER_OR_NULL,
    interests=list_of(TEXT),
    touchpoints_90d={"type": ["integer", "null"]},
    last_touchpoint_at=MOMENT_OR_NULL,
    last_touchpoint=TEXT_OR_NULL,
)
BUYING_GROUP = object_of(
    ("account", "as_of", "members", "others", "roles", "missing_roles", "interests", "approaches", "caps"),
    account=TEXT,
    as_of=MOMENT,
    name=TEXT_OR_NULL,
    parent=TEXT_OR_NULL,
    too_large=FLAG,
    stage_by_rule=TEXT_OR_NULL,
    members=list_of(_MEMBER),
    others={"type": ["integer", "null"]},
    roles=list_of(TEXT),
    missing_roles={"type": ["array", "null"], "items": TEXT},
    interests=list_of(object_of(("topic", "strength"), topic=TEXT, strength=NUMBER, contacts=WHOLE)),
    approaches={"type": "object", "additionalProperties": WHOLE},
    caps=list_of(object_of(("per", "count", "left"), channel=TEXT_OR_NULL, per=TEXT, count=WHOLE, left=WHOLE)),
)

MODEL = object_of(
    ("version", "serves"),
    version=TEXT_OR_NULL,
    sha256=TEXT_OR_NULL,
    serves=TEXT,
    since=MOMENT_OR_NULL,
    refused=TEXT_OR_NULL,
    created_at=MOMENT_OR_NULL,
    evidence=TEXT,
    metrics=ANYTHING,
    data={"type": ["object", "null"], "additionalProperties": True},
    policies={"type": ["object", "null"], "additionalProperties": True},
    comparisons={"type": ["object", "null"], "additionalProperties": True},
    standing={"type": ["object", "null"], "additionalProperties": True},
)
