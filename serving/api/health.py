"""Whether the process lives, and whether it can do its work."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from features.store.store import StoreError
from serving import schemas
from serving.operations import Operation, reply
from serving.problems import RETRY_SECONDS, Problem
from serving.service import service_of


async def get_health(request: Request) -> Response:
    """Say that the process answers."""
    return reply({"status": "ok"})


async def get_readiness(request: Request) -> Response:
    """Say whether store and bundle are there; without a bundle points answer, which is ready too."""
    service = service_of(request)
    try:
        service.store.decision("")
    except StoreError as error:
        raise Problem(
            503,
            "not-ready",
            "the store cannot be read",
            errors=[("store", str(error))],
            headers={"Retry-After": str(RETRY_SECONDS)},
        ) from error
    return reply(
        {
            "status": "ready",
            "store": {"readable": True},
            "bundle": service.bundles.report(),
            "sync": service.sync.report() if service.sync else {"state": "off"},
        }
    )


OPERATIONS = (
    Operation(
        id="getHealth",
        method="GET",
        path="/healthz",
        handler=get_health,
        means="Whether the process answers.",
        response=schemas.HEALTH,
        response_example={"status": "ok"},
    ),
    Operation(
        id="getReadiness",
        method="GET",
        path="/readyz",
        handler=get_readiness,
        means="Whether the store can be read, and which bundle serves.",
        response=schemas.READINESS,
        response_example={
            "status": "ready",
            "store": {"readable": True},
            "bundle": {
                "version": "3",
                "sha256": "9f2c",
                "serves": "learned",
                "since": "2026-11-21T10:00:00Z",
                "refused": None,
            },
            "sync": {"state": "up to date"},
        },
        answers=(503,),
    ),
)
