"""Webhooks of tools that sign what they send: there is a secret for each in the environment, or no such address."""

from __future__ import annotations

import os

from starlette.requests import Request
from starlette.responses import Response

from features.times import SECOND
from serving import event_schemas, schemas
from serving.intake.body import MEBIBYTE, read_body
from serving.intake.hubspot import SOURCE as HUBSPOT
from serving.intake.hubspot import read_hubspot
from serving.intake.mautic import SOURCE as MAUTIC
from serving.intake.mautic import read_mautic
from serving.intake.signatures import hubspot_is_right, mautic_is_right
from serving.operations import Operation, reply
from serving.own_address import own_address
from serving.problems import Problem
from serving.receiving import frame_of, receive
from serving.service import service_of

MOST_BYTES = 4 * MEBIBYTE
MAUTIC_SECRET, HUBSPOT_SECRET = "NBA_MAUTIC_SECRET", "NBA_HUBSPOT_SECRET"


async def post_mautic(request: Request) -> Response:
    """Store what Mautic tells."""
    secret = _secret(MAUTIC_SECRET)
    raw = await read_body(request, MOST_BYTES)
    if not mautic_is_right(raw, request.headers.get("webhook-signature", ""), secret):
        raise _unsigned("Webhook-Signature", MAUTIC_SECRET)
    frame = frame_of(request, MAUTIC)
    return reply(await receive(request, read_mautic(raw, frame), now_us=frame.now_us, place="POST /v1/webhooks/mautic"))


async def post_hubspot(request: Request) -> Response:
    """Store what HubSpot tells."""
    secret = _secret(HUBSPOT_SECRET)
    raw = await read_body(request, MOST_BYTES)
    is_right = hubspot_is_right(
        request.method,
        own_address(request) + request.url.path + (f"?{request.url.query}" if request.url.query else ""),
        raw,
        signature=request.headers.get("x-hubspot-signature-v3", ""),
        timestamp=request.headers.get("x-hubspot-request-timestamp", ""),
        secret=secret,
        now=service_of(request).now_us() / SECOND,
    )
    if not is_right:
        raise _unsigned("X-HubSpot-Signature-v3", HUBSPOT_SECRET)
    frame = frame_of(request, HUBSPOT)
    delivery = read_hubspot(raw, frame)
    return reply(await receive(request, delivery, now_us=frame.now_us, place="POST /v1/webhooks/hubspot"))


def _secret(name: str) -> str:
    found = os.environ.get(name, "")
    if not found:
        raise Problem(404, "no-such-address", f"nothing is at this address while {name} is not set")
    return found


def _unsigned(header: str, name: str) -> Problem:
    detail = f"{header} is not that of this body under {name}, or too old; check the secret and this machine's clock"
    return Problem(401, "wrong-signature", detail, errors=[(f"header {header}", "does not fit the body")])


OPERATIONS = (
    Operation(
        id="mauticWebhook",
        method="POST",
        without_key=True,
        path="/v1/webhooks/mautic",
        handler=post_mautic,
        means="Store what Mautic's webhook tells; signed with NBA_MAUTIC_SECRET.",
        request=event_schemas.MAUTIC,
        request_example={
            "mautic.page_on_hit": [
                {
                    "hit": {"dateHit": "2026-11-21T09:58:00+00:00", "url": "https://acme.ch/pumps", "lead": {"id": 7}},
                    "timestamp": "2026-11-21T09:58:00+00:00",
                }
            ]
        },
        response=schemas.INTAKE,
        response_example=schemas.INTAKE_EXAMPLE,
        answers=(400, 401, 404, 413, 415, 429),
        any_query=True,
    ),
    Operation(
        id="hubspotWebhook",
        method="POST",
        without_key=True,
        path="/v1/webhooks/hubspot",
        handler=post_hubspot,
        means="Store what HubSpot's webhook tells; signed with NBA_HUBSPOT_SECRET.",
        request=event_schemas.HUBSPOT,
        request_example=[
            {
                "eventId": 100,
                "subscriptionType": "contact.propertyChange",
                "objectId": 123,
                "propertyName": "company_size",
                "propertyValue": "200",
                "occurredAt": 1795255080000,
                "attemptNumber": 0,
            }
        ],
        response=schemas.INTAKE,
        response_example=schemas.INTAKE_EXAMPLE,
        answers=(400, 401, 404, 413, 415, 429),
        any_query=True,
    ),
)
