"""Whether the process lives, and whether it can do its work."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from serving import schemas
from serving.caller import caller_of
from serving.condition import conditions
from serving.operations import Operation, reply
from serving.problems import RETRY_SECONDS, Problem
from serving.service import service_of


async def get_health(request: Request) -> Response:
    """Say that the process answers."""
    return reply({"status": "ok"})


async def get_readiness(request: Request) -> Response:
    """Say what is wrong, part by part; without a bundle points answer, which is ready too.

    Who brings no key is told whether, but not why.
    """
    parts = await asyncio.to_thread(conditions, service_of(request))
    tells = caller_of(request).is_known
    wrong = [(name, part.wrong) for name, part in parts.items() if part.wrong]
    if not all(part.can_work for part in parts.values()):
        detail = "; ".join(sentence for _, sentence in wrong) if tells else "the service cannot do its work"
        raise Problem(
            503, "not-ready", detail, errors=wrong if tells else (), headers={"Retry-After": str(RETRY_SECONDS)}
        )
    found: dict[str, Any] = {"status": "degraded" if wrong else "ready"}
    if tells:
        found["says"] = [sentence for _, sentence in wrong]
        found |= {name: part.facts for name, part in parts.items()}
    return reply(found)


OPERATIONS = (
    Operation(
        id="getHealth",
        method="GET",
        path="/healthz",
        without_key=True,
        handler=get_health,
        means="Whether the process answers.",
        response=schemas.HEALTH,
        response_example={"status": "ok"},
    ),
    Operation(
        id="getReadiness",
        method="GET",
        path="/readyz",
        without_key=True,
        handler=get_readiness,
        means="Whether the service can do its work, and what is wrong with each part of it, in words.",
        response=schemas.READINESS,
        response_example={
            "status": "ready",
            "says": [],
            "store": {"readable": True},
            "bundle": {
                "version": "3",
                "sha256": "9f2c",
                "serves": "learned",
                "since": "2026-11-21T10:00:00Z",
                "refused": None,
            },
            "sync": {"state": "up to date"},
            "writer": {"waiting": 0},
        },
        answers=(503,),
    ),
)
