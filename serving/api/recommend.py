"""Recommend: what to do next for a contact, or for up to a thousand."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from features.times import iso
from nba.request import untrimmed
from serving import schemas
from serving.caller import Caller, caller_of
from serving.deciding import answer
from serving.deeds import Activate
from serving.intake.body import MEBIBYTE, read_body
from serving.intake.strict_json import parse
from serving.knowing import decision_before
from serving.meaning import as_meant
from serving.operations import Operation, Parameter, reply
from serving.problems import Problem, problem_of
from serving.service import Service, service_of
from serving.wished import wished_language

MOST_REQUESTS = 1_000
AT_ONCE = 16
"""How many of a batch are decided before others get their turn; they share a commit."""

BATCH_BYTES = 4 * MEBIBYTE


async def recommend(request: Request) -> Response:
    """Answer one request."""
    service = service_of(request)
    language = wished_language(request, service.settings.serving.language)
    return reply(await answer(service, parse(await read_body(request)), caller_of(request), language))


async def recommend_batch(request: Request) -> Response:
    """Answer many requests, each as if it had come alone; a faulty one gets its problem in its place."""
    service = service_of(request)
    language = wished_language(request, service.settings.serving.language)
    bodies = _requests(parse(await read_body(request, BATCH_BYTES)))
    found: list[bytes] = []
    for start in range(0, len(bodies), AT_ONCE):
        part = bodies[start : start + AT_ONCE]
        found += await asyncio.gather(
            *(_one(service, body, caller_of(request), language, start + i) for i, body in enumerate(part))
        )
    return reply(b'{"answers":[' + b",".join(found) + b"]}")


async def _one(service: Service, body: object, caller: Caller, language: str | None, index: int) -> bytes:
    try:
        return await answer(service, body, caller, language)
    except Exception as error:
        return problem_of(error).dumps(f"/v1/recommend/batch#/requests/{index}")


def _requests(body: object) -> list[Any]:
    found = body.get("requests") if isinstance(body, Mapping) else body
    if not isinstance(found, list) or not found or (isinstance(body, Mapping) and len(body) > 1):
        detail = 'a batch is an object with a list of requests; send {"requests": [{"contact": "..."}]}'
        raise Problem(422, "invalid-request", detail, errors=[("/requests", detail)])
    if len(found) > MOST_REQUESTS:
        detail = f"{len(found):,} requests in one call; send at most {MOST_REQUESTS:,}"
        raise Problem(422, "too-many-requests-in-batch", detail, errors=[("/requests", detail)])
    return found


async def activate(request: Request) -> Response:
    """Note that a decision was really shown; of several times the first stays."""
    service = service_of(request)
    decision_id = request.path_params["decision_id"]
    fault = untrimmed(decision_id)
    if fault is not None:
        detail = f"decision_id: {decision_id!r} {fault}"
        raise Problem(422, "invalid-request", detail, errors=[("path decision_id", fault)])
    if (await read_body(request)).strip() not in (b"", b"{}"):
        detail = "nothing is to be said of a decision that was shown; send no body"
        raise Problem(422, "invalid-request", detail, errors=[("body", detail)])
    now = service.now_us()
    deed = as_meant(service, caller_of(request), Activate(decision_id, now), now)
    if not await service.writer.write(deed):
        raise Problem(404, "no-such-decision", "no decision has this id; activate one that was answered")
    found = decision_before(service, deed.decision_id) if isinstance(deed, Activate) else None
    at = now if found is None or found.activated_at is None else found.activated_at
    return reply({"decision_id": decision_id, "activated_at": iso(at)})


_REQUEST_EXAMPLE = {"contact": "crm:4711", "placement": "outbound", "limit": 3, "context": {"topic": "pumps"}}
_ANSWER_EXAMPLE = {
    "decision_id": "0b51f6a3c1f04b58",
    "contact_id": "crm:4711",
    "as_of": "2026-11-21T10:00:00Z",
    "stage": "evaluate",
    "stage_by_rule": "evaluate",
    "stage_by_topic": {"pumps": "evaluate"},
    "segments": [],
    "propensities": {"conversion": {"probability": 0.31, "grade": "A", "trend": "rising"}},
    "points": {
        "total": 265,
        "actions": ["sales_call"],
        "log": [
            {"part": "activity", "kind": "service_call", "points": 250, "count": 1},
            {"part": "activity", "kind": "visit", "points": 15, "count": 3},
        ],
        "fit": 100,
        "schemes": {"events": 42},
    },
    "recommendations": [
        {
            "rank": 1,
            "action": "sales_call",
            "channel": "phone",
            "executor": "sales",
            "topic": "pumps",
            "product_id": None,
            "content_id": None,
            "event_id": None,
            "asset_id": None,
            "priority": 106.8,
            "terms": {
                "propensity": 0.31,
                "without_action": 0.05,
                "value": 400.0,
                "lever": 1.2,
                "context": 1.0,
                "cost": 18.0,
            },
            "probability": 0.96,
            "evidence": "randomised",
            "not_before": None,
            "valid_until": None,
            "reasons": ["called the service line 2 days ago"],
        }
    ],
    "do_nothing": False,
    "again_at": None,
    "holdout": False,
    "mode": "learned",
    "degraded": False,
    "model_version": "3",
}

OPERATIONS = (
    Operation(
        id="recommend",
        method="POST",
        scope="recommend",
        path="/v1/recommend",
        handler=recommend,
        means="What to do next for a contact; the decision is logged.",
        request=schemas.REQUEST,
        request_example=_REQUEST_EXAMPLE,
        response=schemas.DECISION,
        response_example=_ANSWER_EXAMPLE,
        answers=(400, 413, 415, 422, 503),
        links={
            "activateDecision": ("decision_id", "$response.body#/decision_id"),
            "getContact": ("contact_id", "$request.body#/contact"),
        },
    ),
    Operation(
        id="recommendBatch",
        method="POST",
        scope="recommend",
        path="/v1/recommend/batch",
        handler=recommend_batch,
        means="The same for up to 1,000 requests; each answer stands in its request's place.",
        request=schemas.BATCH,
        request_example={"requests": [_REQUEST_EXAMPLE]},
        response=schemas.ANSWERS,
        response_example={"answers": [_ANSWER_EXAMPLE]},
        answers=(400, 413, 415, 422, 503),
    ),
    Operation(
        id="activateDecision",
        method="POST",
        scope="recommend",
        path="/v1/decisions/{decision_id}/activate",
        handler=activate,
        means="Say that a deferred decision was really shown; only then does it count in the caps.",
        parameters=(Parameter("decision_id", "As answered by recommend.", schemas.NAME, "0b51f6a3c1f04b58"),),
        response=schemas.ACTIVATION,
        response_example={"decision_id": "0b51f6a3c1f04b58", "activated_at": "2026-11-21T10:05:00Z"},
        answers=(404, 503),
    ),
)
