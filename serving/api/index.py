"""What there is: the addresses, and the OpenAPI documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from serving import schemas
from serving.caller import caller_of
from serving.openapi import document, in_version_3_0
from serving.operations import Handler, Operation, no_valid_key, reply

PAGES = "/today"
"""Where the pages begin."""


def operations(described: Sequence[Operation], version: str) -> tuple[Operation, ...]:
    """Make the operations that tell of the others; their bodies never change, so they are made once."""
    index = Operation(
        id="getIndex",
        method="GET",
        path="/",
        handler=_index({f"{each.method} {each.path}": each.means for each in described}),
        without_key=True,
        means="Every address with what it does; a browser is sent to the pages.",
        response=schemas.INDEX,
        response_example={"POST /v1/recommend": "What to do next for a contact."},
    )
    newest = document((*described, index), version)
    return (
        index,
        _document("getOpenApi", "/openapi.json", newest),
        _document("getOpenApi30", "/openapi-3.0.json", in_version_3_0(newest)),
    )


def _document(id: str, path: str, found: dict[str, Any]) -> Operation:
    return Operation(
        id=id,
        method="GET",
        path=path,
        handler=_fixed(found),
        means="This service's description.",
        response=schemas.ANYTHING,
        response_example={},
    )


def _index(found: dict[str, Any]) -> Handler:
    """Tell programs what there is, and show people the way to the pages."""
    told = _fixed(found)

    async def answer(request: Request) -> Response:
        if "text/html" in request.headers.get("accept", ""):
            return RedirectResponse(PAGES, 303)
        if not caller_of(request).is_known:
            raise no_valid_key()
        return await told(request)

    return answer


def _fixed(found: dict[str, Any]) -> Handler:
    body = orjson.dumps(found)

    async def answer(request: Request) -> Response:
        return reply(body)

    return answer
