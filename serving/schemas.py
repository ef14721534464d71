"""What goes in and out, as JSON Schema for the OpenAPI documents; flat, so that simple tools can read it."""

from __future__ import annotations

from typing import Any

from features.rows.schema import DIRECTIONS
from serving.feedback import OUTCOMES

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
NUMBER: Schema = {"type": "number"}
NUMBER_OR_NULL: Schema = {"type": ["number", "null"]}
WHOLE: Schema = {"type": "integer"}
FLAG: Schema = {"type": "boolean"}
MOMENT: Schema = {"type": "string", "format": "date-time"}
MOMENT_OR_NULL: Schema = {"type": ["string", "null"], "format": "date-time"}
ANYTHING: Schema = {"type": "object", "additionalProperties": True}


def _object(required: tuple[str, ...] = (), *, open_: bool = True, **properties: Schema) -> Schema:
    found: Schema = {"type": "object", "properties": properties, "additionalProperties": open_}
    return found | {"required": list(required)} if required else found


def _list(item: Schema, **bounds: int) -> Schema:
    return {"type": "array", "items": item, **bounds}


PROBLEM = _object(
    ("type", "title", "status", "detail", "instance", "code", "message", "errors"),
    type=TEXT,
    title=TEXT,
    status=WHOLE,
    detail=TEXT,
    instance=TEXT,
    code=TEXT,
    message=TEXT,
    errors=_list(_object(("place", "message"), place=TEXT, message=TEXT)),
)

REQUEST = _object(
    ("contact",),
    open_=False,
    contact={"type": "string", "minLength": 1, "maxLength": 500},
    placement={"type": "string", "default": "outbound"},
    limit={"type": "integer", "minimum": 1, "maximum": 100, "default": 3},
    exclude=_list(TEXT),
    context=ANYTHING,
    explain={"type": "boolean", "default": False},
    decision_id=TEXT_OR_NULL,
    defer={"type": "boolean", "default": False},
)

_TERMS = _object(
    propensity=NUMBER_OR_NULL,
    without_action=NUMBER_OR_NULL,
    value=NUMBER_OR_NULL,
    lever=NUMBER_OR_NULL,
    context=NUMBER_OR_NULL,
    cost=NUMBER_OR_NULL,
)

_RECOMMENDATION = _object(
    ("rank", "action", "channel", "priority", "terms", "probability", "evidence", "reasons"),
    rank=WHOLE,
    action=TEXT,
    channel=TEXT_OR_NULL,
    executor=TEXT_OR_NULL,
    topic=TEXT_OR_NULL,
    product_id=TEXT_OR_NULL,
    content_id=TEXT_OR_NULL,
    event_id=TEXT_OR_NULL,
    asset_id=TEXT_OR_NULL,
    priority=NUMBER_OR_NULL,
    terms=_TERMS,
    probability=NUMBER_OR_NULL,
    evidence=TEXT,
    not_before=MOMENT_OR_NULL,
    valid_until=MOMENT_OR_NULL,
    reasons=_list(TEXT),
    inform=TEXT_OR_NULL,
)

POINTS = _object(
    ("total", "log"),
    total=NUMBER,
    actions=_list(TEXT),
    log=_list(_object(("part", "kind", "points"), part=TEXT, kind=TEXT, points=NUMBER, count=WHOLE)),
    fit=NUMBER_OR_NULL,
    schemes={"type": "object", "additionalProperties": NUMBER},
)

_WHY: dict[str, Schema] = {"for": _list(TEXT), "against": _list(TEXT)}
_TRENDS: dict[str, Schema] = {"trend": TEXT_OR_NULL, "trend_why": TEXT}
PROPENSITIES: Schema = {
    "type": "object",
    "additionalProperties": _object(
        ("probability",), open_=True, probability=NUMBER, grade=TEXT_OR_NULL, risk=TEXT_OR_NULL, **_TRENDS, **_WHY
    ),
}

DECISION = _object(
    (
        "decision_id", "contact_id", "as_of", "stage", "propensities", "points", "recommendations",
        "do_nothing", "mode", "degraded", "model_version",
    ),
    decision_id=TEXT,
    contact_id=TEXT,
    as_of=MOMENT,
    stage=TEXT_OR_NULL,
    stage_by_rule=TEXT_OR_NULL,
    stage_by_topic={"type": "object", "additionalProperties": TEXT_OR_NULL},
    segments=_list(TEXT),
    propensities=PROPENSITIES,
    points=POINTS,
    recommendations=_list(_RECOMMENDATION),
    do_nothing=FLAG,
    again_at=MOMENT_OR_NULL,
    holdout=FLAG,
    mode={"type": "string", "enum": ["learned", "constant", "points", "default"]},
    degraded=FLAG,
    model_version=TEXT_OR_NULL,
)  # fmt: skip

BATCH = _object(("requests",), open_=False, requests=_list(REQUEST, minItems=1, maxItems=1000))
ANSWERS = _object(("answers",), answers=_list(ANYTHING))
ACTIVATION = _object(("decision_id", "activated_at"), decision_id=TEXT, activated_at=MOMENT)

FEEDBACK = _object(
    ("decision_id", "outcome"),
    open_=False,
    decision_id={"type": "string", "minLength": 1, "maxLength": 500},
    action=TEXT_OR_NULL,
    outcome={"type": "string", "enum": list(OUTCOMES)},
    reason=TEXT_OR_NULL,
    note=TEXT_OR_NULL,
    until=MOMENT_OR_NULL,
    value=NUMBER_OR_NULL,
    occurred_at=MOMENT_OR_NULL,
    feedback_id=TEXT_OR_NULL,
    product_id=TEXT_OR_NULL,
    content_id=TEXT_OR_NULL,
    event_id=TEXT_OR_NULL,
    asset_id=TEXT_OR_NULL,
)

RECEIPT = _object(
    ("success", "feedback_id", "decision_id", "duplicate", "pending"),
    success=FLAG,
    feedback_id=TEXT,
    decision_id=TEXT,
    duplicate=FLAG,
    pending=FLAG,
)

TOUCHPOINT = _object(
    ("identity", "occurred_at", "kind"),
    identity={"type": "string", "minLength": 1},
    occurred_at=MOMENT,
    kind={"type": "string", "minLength": 1},
    touchpoint_id=TEXT_OR_NULL,
    channel=TEXT_OR_NULL,
    direction={"type": ["string", "null"], "enum": [*DIRECTIONS, None]},
    topic=TEXT_OR_NULL,
    value=NUMBER_OR_NULL,
    currency=TEXT_OR_NULL,
    margin=NUMBER_OR_NULL,
    duration=NUMBER_OR_NULL,
    decision_id=TEXT_OR_NULL,
    source=TEXT_OR_NULL,
)
TOUCHPOINTS: Schema = {"oneOf": [TOUCHPOINT, _list(TOUCHPOINT, maxItems=2500)]}

INTAKE = _object(
    ("success", "received", "stored", "duplicate", "quarantined", "errors"),
    success=FLAG,
    received=WHOLE,
    stored=WHOLE,
    duplicate=WHOLE,
    quarantined=WHOLE,
    errors=_list(_object(("index", "message"), index=WHOLE, message=TEXT)),
)

LINK = _object(
    ("identity_a", "identity_b", "since", "how"),
    identity_a=TEXT,
    identity_b=TEXT,
    since=MOMENT,
    how=TEXT,
    confidence=NUMBER,
)

ACCOUNT = _object(
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
PARTNER = _object(("partner", "history"), partner=TEXT_OR_NULL, name=TEXT_OR_NULL, history=_list(_HELD))

CONTACT = _object(
    ("contact_id", "as_of", "stage", "propensities", "points", "interests", "timeline"),
    contact_id=TEXT,
    as_of=MOMENT,
    identities=_list(TEXT),
    links=_list(LINK),
    account={"oneOf": [ACCOUNT, {"type": "null"}]},
    partner={"oneOf": [PARTNER, {"type": "null"}]},
    stage=TEXT_OR_NULL,
    propensities=PROPENSITIES,
    points=POINTS,
    interests={"type": "object", "additionalProperties": NUMBER},
    touchpoints=WHOLE,
    timeline=_list(ANYTHING),
)

MODEL = _object(
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
)

HEALTH = _object(("status",), status=TEXT)
READINESS = _object(("status", "store", "bundle", "sync"), status=TEXT, store=ANYTHING, bundle=ANYTHING, sync=ANYTHING)
INDEX: Schema = {"type": "object", "additionalProperties": {"type": "string"}}
