"""What Prometheus scrapes."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from serving.caller import caller_of
from serving.metrics import MEDIA_TYPE
from serving.operations import Operation
from serving.problems import Problem
from serving.service import service_of


async def get_metrics(request: Request) -> Response:
    """Lay out the counters; they tell of everybody, so a key that sees some contacts only sees none of it."""
    if caller_of(request).is_bound:
        raise Problem(403, "bound-key", "this tells of everybody, and the key sees some contacts only; take another")
    text = await asyncio.to_thread(service_of(request).metrics.text)
    return Response(text, headers={"Content-Type": MEDIA_TYPE})


OPERATIONS = (
    Operation(
        id="getMetrics",
        method="GET",
        scope="read",
        path="/metrics",
        handler=get_metrics,
        means="Counters and durations, in the text format of Prometheus.",
        response={"type": "string"},
        response_example='nba_requests_total{route="POST /v1/recommend",status="2xx"} 4711.0\n',
        media_type="text/plain",
        answers=(401,),
        unbounded=True,
    ),
)
