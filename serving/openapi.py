"""The OpenAPI documents: 3.1, and 3.0 for generators that cannot read 3.1."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from serving import schemas
from serving.operations import Operation

Document = dict[str, Any]

_PROBLEM_REF = {"$ref": "#/components/schemas/Problem"}
_ALWAYS = (403, 500)


def document(operations: Iterable[Operation], version: str) -> Document:
    """Describe every operation in OpenAPI 3.1."""
    paths: dict[str, Document] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _described(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Next best action",
            "version": version,
            "description": "What to do next for a contact, and whether it is worth doing at all.",
        },
        "paths": paths,
        "components": {"schemas": {"Problem": schemas.PROBLEM}},
    }


def in_version_3_0(found: Document) -> Document:
    """Say the same in OpenAPI 3.0, which has no list of types."""
    lowered = _lowered(found)
    lowered["openapi"] = "3.0.3"
    return dict(lowered)


def _described(operation: Operation) -> Document:
    statuses = sorted({*operation.answers, *_ALWAYS})
    found: Document = {
        "operationId": operation.id,
        "summary": operation.means,
        "responses": {
            "200": _content("application/json", operation.response, operation.response_example, "Done"),
            **{
                str(status): {
                    "description": HTTPStatus(status).phrase,
                    "content": {"application/problem+json": {"schema": _PROBLEM_REF}},
                }
                for status in statuses
            },
        },
    }
    if operation.parameters:
        found["parameters"] = [
            {
                "name": each.name,
                "in": each.place,
                "required": each.place == "path",
                "description": each.means,
                "schema": each.schema,
                "example": each.example,
            }
            for each in operation.parameters
        ]
    if operation.request is not None:
        body = _content("application/json", operation.request, operation.request_example, "What is sent")
        found["requestBody"] = body | {"required": True}
    return found


def _content(media_type: str, schema: Mapping[str, Any], example: Any, means: str) -> Document:
    return {"description": means, "content": {media_type: {"schema": schema, "example": example}}}


def _lowered(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_lowered(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    found = {key: _lowered(item) for key, item in value.items()}
    types = found.get("type")
    if isinstance(types, list):
        found["type"] = next(name for name in types if name != "null")
        found["nullable"] = True
    return found
