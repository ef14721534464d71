"""Feedback in: what came of a decision."""

from __future__ import annotations

from contextlib import suppress

from starlette.requests import Request
from starlette.responses import Response

from features.store.store import StoreAwayError
from serving import schemas
from serving.caller import caller_of
from serving.deeds import Learn
from serving.feedback import Receipt, check_feedback, read_feedback, read_ids
from serving.hearing import hear_feedback
from serving.intake.body import read_body
from serving.intake.strict_json import parse
from serving.meaning import as_meant
from serving.operations import Operation, reply
from serving.service import service_of


async def post_feedback(request: Request) -> Response:
    """Store what came of a decision, once however often it is sent."""
    service = service_of(request)
    body = parse(await read_body(request))
    row, ids = read_feedback(body, service.now_us()), read_ids(body)
    deed = as_meant(service, caller_of(request), Learn(row, service.settings, ids), row.received_at)
    if isinstance(deed, Learn):
        with suppress(StoreAwayError):
            # While the store is away this waits until the feedback is stored.
            check_feedback(service.store, deed.row, service.settings, ids)
    receipt: Receipt = await service.writer.write(deed)
    if isinstance(deed, Learn) and receipt.is_new:
        # While it is open which decision its caller means, nobody's past may change by it.
        hear_feedback(service, deed.row, ids)
    return reply(
        {
            "success": True,
            "feedback_id": row.feedback_id,
            "decision_id": row.decision_id,
            "duplicate": not receipt.is_new,
            "pending": receipt.is_pending,
        }
    )


OPERATIONS = (
    Operation(
        id="postFeedback",
        method="POST",
        scope="feedback",
        path="/v1/feedback",
        handler=post_feedback,
        means="Say what came of a decision; repeats, lateness and wrong order are harmless.",
        request=schemas.FEEDBACK,
        request_example={
            "decision_id": "0b51f6a3c1f04b58",
            "action": "sales_call",
            "outcome": "snoozed",
            "until": "2026-11-24T10:00:00Z",
            "feedback_id": "crm-task-991",
        },
        response=schemas.RECEIPT,
        response_example={
            "success": True,
            "feedback_id": "crm-task-991",
            "decision_id": "0b51f6a3c1f04b58",
            "duplicate": False,
            "pending": False,
        },
        answers=(400, 413, 415, 422, 503),
    ),
)
