"""Touchpoints in: stored durably before the answer, or kept aside with their reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from features.rows.row_types import QuarantineRow, TouchpointRow
from features.store.store import Writing
from features.touchpoints.touchpoints import TouchpointRules
from serving import schemas
from serving.feedback import already_done
from serving.intake.body import MEBIBYTE, read_body
from serving.intake.native import Intake, read_touchpoints
from serving.operations import Operation, reply
from serving.problems import Problem
from serving.service import service_of

MOST_BYTES = 4 * MEBIBYTE
PLACE = "POST /v1/touchpoints"


async def post_touchpoints(request: Request) -> Response:
    """Store one touchpoint or a list; of a list the bad ones are refused and the good ones stored."""
    service = service_of(request)
    raw = await read_body(request, MOST_BYTES)
    now = service.now_us()
    intake = read_touchpoints(raw, now_us=now, rules=service.settings.touchpoints)
    refused = intake.quarantine(now, PLACE)
    stored = await service.writer.write(
        lambda writing: _store(writing, intake.rows, refused, service.settings.touchpoints)
    )
    if not intake.is_list and intake.refused:
        raise _refusal(intake)
    return reply(_counts(intake, stored))


def _store(
    writing: Writing,
    rows: Sequence[TouchpointRow],
    refused: Sequence[QuarantineRow],
    rules: TouchpointRules,
) -> int:
    stored = writing.touchpoints([row for row in rows if not already_done(writing.seen, row, rules)])
    writing.quarantine(refused)
    return stored


def _refusal(intake: Intake) -> Problem:
    reason = intake.refused[0].reason
    return Problem(400, "invalid-touchpoint", f"the touchpoint is refused: {reason}", errors=[("body", reason)])


def _counts(intake: Intake, stored: int) -> dict[str, Any]:
    return {
        "success": True,
        "received": intake.received,
        "stored": stored,
        "duplicate": len(intake.rows) - stored,
        "quarantined": len(intake.refused),
        "errors": [{"index": refusal.index, "message": refusal.reason} for refusal in intake.refused],
    }


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
        answers=(400, 413, 415, 503),
    ),
)
