"""The tracking interface of Segment and RudderStack, so that their unmodified libraries work when pointed here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from serving import schemas
from serving.event_schemas import TRACKED, TRACKED_BATCH
from serving.intake.body import MEBIBYTE, read_body
from serving.intake.tracking import read_batch, read_event
from serving.operations import Operation, Parameter, reply
from serving.own_address import own_address
from serving.receiving import frame_of, receive

MOST_BYTES = 4 * MEBIBYTE

_EXAMPLES: dict[str, dict[str, Any]] = {
    "track": {"event": "Product Viewed", "properties": {"url": "https://acme.ch/pumps/ax-7"}},
    "identify": {"traits": {"email": "ana@example.com", "industry": "chemicals"}},
    "page": {"name": "Pricing", "properties": {"url": "https://acme.ch/pricing"}},
    "screen": {"name": "Pump finder", "properties": {}},
    "group": {"groupId": "acct-77", "traits": {"name": "Acme"}},
    "alias": {"previousId": "anon-9"},
}
_COMMON = {"userId": "crm:4711", "messageId": "m-1", "timestamp": "2026-11-21T09:58:00Z"}


def _one(type_: str, path: str) -> Callable[[Request], Awaitable[Response]]:
    place = f"POST {path}"

    async def post_event(request: Request) -> Response:
        raw = await read_body(request, MOST_BYTES, may_be_packed=True)
        frame = frame_of(request)
        delivery = read_event(raw, type_, frame, request.headers.get("sentat"))
        return reply(await receive(request, delivery, now_us=frame.now_us, place=place))

    return post_event


def _batch(path: str) -> Callable[[Request], Awaitable[Response]]:
    place = f"POST {path}"

    async def post_batch(request: Request) -> Response:
        raw = await read_body(request, MOST_BYTES, may_be_packed=True)
        frame = frame_of(request)
        return reply(await receive(request, read_batch(raw, frame), now_us=frame.now_us, place=place))

    return post_batch


async def segment_settings(request: Request) -> Response:
    """Tell Segment's browser library to send here, and nowhere else."""
    scheme, _, host = own_address(request).partition("://")
    key = request.path_params["key"]
    segment = {"apiKey": key, "apiHost": f"{host}/v1", "protocol": scheme, "deliveryStrategy": {}}
    return reply(
        {
            "integrations": {"Segment.io": {**segment, "type": "browser", "versionSettings": {"componentTypes": []}}},
            "plan": {"track": {"__default": {"enabled": True, "integrations": {}}}},
            "edgeFunction": {},
            "middlewareSettings": {},
            "enabledMiddleware": {},
            "remotePlugins": [],
            "metrics": {"sampleRate": 0},
            "analyticsNextEnabled": True,
            "legacyVideoPluginsEnabled": False,
        }
    )


async def rudder_settings(request: Request) -> Response:
    """Tell RudderStack's browser library that its source is enabled and has no other destinations."""
    key = request.query_params.get("writeKey", "")
    quiet = {"errors": {"enabled": False}, "metrics": {"enabled": False}}
    source = {
        "id": "nba",
        "name": "nba",
        "writeKey": key,
        "enabled": True,
        "workspaceId": "nba",
        "config": {"statsCollection": quiet},
        "destinations": [],
        "dataplanes": {},
    }
    return reply({"source": source, "updatedAt": "2026-01-01T00:00:00.000Z", "isHosted": True})


def _operation(
    id_: str,
    path: str,
    handler: Callable[[Request], Awaitable[Response]],
    means: str,
    schema: schemas.Schema,
    example: Any,
) -> Operation:
    return Operation(
        id=id_,
        method="POST",
        scope="ingest",
        path=path,
        handler=handler,
        means=means,
        request=schema,
        request_example=example,
        response=schemas.INTAKE,
        response_example=schemas.INTAKE_EXAMPLE,
        answers=(400, 413, 415, 429),
        for_pages=True,
        any_query=True,
    )


def _events() -> list[Operation]:
    found = []
    for type_, example in _EXAMPLES.items():
        for path, id_ in ((f"/v1/{type_}", type_), (f"/v1/{type_[0]}", f"{type_}Short")):
            means = f"Store one {type_} call of a Segment or RudderStack library."
            found.append(_operation(id_, path, _one(type_, path), means, TRACKED[type_], {**_COMMON, **example}))
    return found


def _batches() -> list[Operation]:
    example = {"batch": [{**_COMMON, "type": "track", **_EXAMPLES["track"]}], "sentAt": "2026-11-21T09:58:01Z"}
    means = "Store up to 2,500 calls of a Segment or RudderStack library; bad ones are kept aside."
    return [
        _operation(id_, path, _batch(path), means, TRACKED_BATCH, example)
        for id_, path in (("batch", "/v1/batch"), ("batchShort", "/v1/b"), ("import", "/v1/import"))
    ]


_SETTINGS = (
    Operation(
        id="segmentSettings",
        method="GET",
        path="/v1/projects/{key}/settings",
        handler=segment_settings,
        means="What Segment's browser library asks for first.",
        parameters=(Parameter("key", "The write key.", schemas.NAME, "nba_public"),),
        response=schemas.ANYTHING,
        response_example={"integrations": {"Segment.io": {"apiKey": "nba_public", "apiHost": "nba.acme.ch/v1"}}},
        without_key=True,
        for_pages=True,
        any_query=True,
    ),
    Operation(
        id="rudderSettings",
        method="GET",
        path="/sourceConfig/",
        handler=rudder_settings,
        means="What RudderStack's browser library asks for first.",
        parameters=(Parameter("writeKey", "The write key.", schemas.TEXT, "nba_public", place="query"),),
        response=schemas.ANYTHING,
        response_example={"source": {"id": "nba", "writeKey": "nba_public", "enabled": True, "destinations": []}},
        without_key=True,
        for_pages=True,
        any_query=True,
    ),
)

OPERATIONS = (*_events(), *_batches(), *_SETTINGS)
