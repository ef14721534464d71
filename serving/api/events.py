"""CloudEvents in."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from serving import schemas
from serving.event_schemas import CLOUD_EVENTS
from serving.intake.body import MEBIBYTE, read_body
from serving.intake.cloudevents import read_events
from serving.operations import Operation, reply
from serving.receiving import frame_of, receive

MOST_BYTES = 4 * MEBIBYTE
PLACE = "POST /v1/events"


async def post_events(request: Request) -> Response:
    """Store CloudEvents; of a batch the bad ones are refused and the good ones stored."""
    raw = await read_body(request, MOST_BYTES, may_be_packed=True)
    frame = frame_of(request)
    delivery = read_events(raw, request.headers, frame)
    return reply(await receive(request, delivery, now_us=frame.now_us, place=PLACE))


OPERATIONS = (
    Operation(
        id="postEvents",
        method="POST",
        scope="ingest",
        path="/v1/events",
        handler=post_events,
        means="Store CloudEvents (binary, structured or batched); one source and id is stored once.",
        request=CLOUD_EVENTS,
        request_example={
            "specversion": "1.0",
            "id": "ce-1",
            "source": "/shop",
            "type": "com.acme.email.opened",
            "subject": "contact/crm:4711",
            "time": "2026-11-21T09:58:00Z",
            "data": {"topic": "pumps"},
        },
        response=schemas.INTAKE,
        response_example=schemas.INTAKE_EXAMPLE,
        answers=(400, 413, 415, 429),
        any_query=True,
    ),
)
