"""Touchpoints in: stored durably before the answer, or kept aside with their reason."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from serving import schemas
from serving.intake.body import MEBIBYTE, read_body
from serving.intake.native import read_touchpoints
from serving.operations import Operation, reply
from serving.receiving import frame_of, receive

MOST_BYTES = 4 * MEBIBYTE
PLACE = "POST /v1/touchpoints"


async def post_touchpoints(request: Request) -> Response:
    """Store one touchpoint or a list; of a list the bad ones are refused and the good ones stored."""
    raw = await read_body(request, MOST_BYTES, may_be_packed=True)
    frame = frame_of(request)
    delivery = read_touchpoints(raw, now_us=frame.now_us, rules=frame.rules, is_public=frame.is_public)
    return reply(await receive(request, delivery, now_us=frame.now_us, place=PLACE))


OPERATIONS = (
    Operation(
        id="postTouchpoints",
        method="POST",
        scope="ingest",
        path="/v1/touchpoints",
        handler=post_touchpoints,
        means="Store one touchpoint or a list of up to 2,500; a repeat stores nothing.",
        request=schemas.TOUCHPOINTS,
        request_example=[
            {
                "touchpoint_id": "web-77120",
                "identity": "crm:4711",
                "occurred_at": "2026-11-21T09:58:00Z",
                "kind": "visit",
                "channel": "web",
                "topic": "pumps",
            }
        ],
        response=schemas.INTAKE,
        response_example={
            "success": True,
            "received": 1,
            "stored": 1,
            "duplicate": 0,
            "quarantined": 0,
            "errors": [],
        },
        answers=(400, 413, 415, 429),
    ),
)
