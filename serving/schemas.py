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
# Some character that is no blank, and none that is a control character.
_NAME_PATTERN = r"^[^\x00-\x1f]*[^\s\x00-\x1f\x85][^\x00-\x1f]*$"
NAME: Schema = {"type": "string", "minLength": 1, "maxLength": 500, "pattern": _NAME_PATTERN}
NAME_OR_NULL: Schema = {**NAME, "type": ["string", "null"]}
LEAST_NUMBER, MOST_NUMBER = -(2**53), 2**53
_PLAIN: Schema = {
    "type": ["string", "number", "boolean", "null"],
    "maxLength": 500,
    "minimum": LEAST_NUMBER,
    "maximum": MOST_NUMBER,
}


def object_of(required: tuple[str, ...] = (), *, open_: bool = True, **properties: Schema) -> Schema:
    """Describe an object; ``open_`` says whether it may have other properties, too."""
    found: Schema = {"type": "object", "properties": properties, "additionalProperties": open_}
    return found | {"required": list(required)} if required else found


def list_of(item: Schema, **bounds: int) -> Schema:
    """Describe a list; ``bounds`` are minItems and maxItems."""
    return {"type": "array", "items": item, **bounds}


PROBLEM = object_of(
    ("type", "title", "status", "detail", "instance", "code", "message", "errors"),
    type=TEXT,
    title=TEXT,
    status=WHOLE,
    detail=TEXT,
    instance=TEXT,
    code=TEXT,
    message=TEXT,
    errors=list_of(object_of(("place", "message"), place=TEXT, message=TEXT)),
)

REQUEST = object_of(
    ("contact",),
    open_=False,
    contact=NAME,
    placement={**NAME, "default": "outbound"},
    limit={"type": "integer", "minimum": 1, "maximum": 100, "default": 3},
    exclude=list_of(NAME, maxItems=1000),
    context={
        "type": "object",
        "properties": {"topic": NAME_OR_NULL},
        "propertyNames": {"maxLength": 100},
        "additionalProperties": {"anyOf": [_PLAIN, list_of(_PLAIN, maxItems=50)]},
        "maxProperties": 50,
    },
    explain={"type": "boolean", "default": False},
    decision_id=NAME_OR_NULL,
    defer={"type": "boolean", "default": False},
)

_TERMS = object_of(
    propensity=NUMBER_OR_NULL,
    without_action=NUMBER_OR_NULL,
    value=NUMBER_OR_NULL,
    lever=NUMBER_OR_NULL,
    context=NUMBER_OR_NULL,
    cost=NUMBER_OR_NULL,
)

_RECOMMENDATION = object_of(
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
    reasons=list_of(TEXT),
    inform=TEXT_OR_NULL,
)

POINTS = object_of(
    ("total", "log"),
    total=NUMBER,
    actions=list_of(TEXT),
    log=list_of(object_of(("part", "kind", "points"), part=TEXT, kind=TEXT, points=NUMBER, count=WHOLE)),
    fit=NUMBER_OR_NULL,
    schemes={"type": "object", "additionalProperties": NUMBER},
)

_WHY: dict[str, Schema] = {"for": list_of(TEXT), "against": list_of(TEXT)}
_TRENDS: dict[str, Schema] = {"trend": TEXT_OR_NULL, "trend_why": TEXT}
PROPENSITIES: Schema = {
    "type": "object",
    "additionalProperties": object_of(
        ("probability",), open_=True, probability=NUMBER, grade=TEXT_OR_NULL, risk=TEXT_OR_NULL, **_TRENDS, **_WHY
    ),
}

DECISION = object_of(
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
    segments=list_of(TEXT),
    propensities=PROPENSITIES,
    points=POINTS,
    recommendations=list_of(_RECOMMENDATION),
    do_nothing=FLAG,
    again_at=MOMENT_OR_NULL,
    holdout=FLAG,
    mode={"type": "string", "enum": ["learned", "constant", "points", "default"]},
    degraded=FLAG,
    model_version=TEXT_OR_NULL,
)  # fmt: skip

# What is no request gets its problem in its place, so that a list may hold anything.
_REQUESTS = list_of({"anyOf": [REQUEST, {}]}, minItems=1, maxItems=1000)
BATCH: Schema = {"anyOf": [object_of(("requests",), open_=False, requests=_REQUESTS), _REQUESTS]}
ANSWERS = object_of(("answers",), answers=list_of(ANYTHING))
ACTIVATION = object_of(("decision_id", "activated_at"), decision_id=TEXT, activated_at=MOMENT)

FEEDBACK = object_of(
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

RECEIPT = object_of(
    ("success", "feedback_id", "decision_id", "duplicate", "pending"),
    success=FLAG,
    feedback_id=TEXT,
    decision_id=TEXT,
    duplicate=FLAG,
    pending=FLAG,
)

TOUCHPOINT = object_of(
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
TOUCHPOINTS: Schema = {"oneOf": [TOUCHPOINT, list_of(TOUCHPOINT, maxItems=2500)]}

INTAKE = object_of(
    ("success", "received", "stored", "duplicate", "quarantined", "errors"),
    success=FLAG,
    received=WHOLE,
    stored=WHOLE,
    duplicate=WHOLE,
    quarantined=WHOLE,
    errors=list_of(object_of(("index", "message"), index=WHOLE, message=TEXT)),
)

INTAKE_EXAMPLE = {"success": True, "received": 1, "stored": 1, "duplicate": 0, "quarantined": 0, "errors": []}

HEALTH = object_of(("status",), status=TEXT)
READINESS = object_of(
    ("status",),
    status={"enum": ["ready", "degraded"]},
    says=list_of(TEXT),
    store=ANYTHING,
    bundle=ANYTHING,
    sync=ANYTHING,
    journal=ANYTHING,
    writer=ANYTHING,
    settings=ANYTHING,
)
INDEX: Schema = {"type": "object", "additionalProperties": {"type": "string"}}
