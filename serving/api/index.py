"""What there is: the addresses, and the OpenAPI documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from serving import schemas
from serving.openapi import document, in_version_3_0
from serving.operations import Handler, Operation, reply


def operations(described: Sequence[Operation], version: str) -> tuple[Operation, ...]:
    """Make the operations that tell of the others; their bodies never change, so they are made once."""
    index = Operation(
        id="getIndex",
        method="GET",
        path="/",
        handler=_fixed({f"{each.method} {each.path}": each.means for each in described}),
        means="Every address with what it does.",
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


def _fixed(found: dict[str, Any]) -> Handler:
    body = orjson.dumps(found)

    async def answer(request: Request) -> Response:
        return reply(body)

    return answer
