"""The OpenAPI documents: 3.1, and 3.0 for generators that cannot read 3.1."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

from serving import schemas
from serving.operations import Operation

Document = dict[str, Any]

_PROBLEM_REF = {"$ref": "#/components/schemas/Problem"}
_ALWAYS = (400, 403, 429, 500, 503)
_KEYS: Document = {
    "key": {"type": "http", "scheme": "bearer", "description": "A key made by `nba keys add`: nba_..."},
    "keyAsUser": {"type": "http", "scheme": "basic", "description": "The key as user, as tracking clients send it."},
}


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
        "components": {"schemas": {"Problem": schemas.PROBLEM}, "securitySchemes": _KEYS},
    }


def in_version_3_0(found: Document) -> Document:
    """Say the same in OpenAPI 3.0, which has no list of types."""
    lowered = _lowered(found)
    lowered["openapi"] = "3.0.3"
    return dict(lowered)


def _described(operation: Operation) -> Document:
    statuses = sorted({*operation.answers, *_ALWAYS, *_by_form(operation)})
    found: Document = {
        "operationId": operation.id,
        "summary": operation.means,
        "security": [{name: []} for name in _KEYS] + [{}] * operation.without_key,
        "responses": {
            "200": _content(operation.media_type, operation.response, operation.response_example, "Done")
            | _links(operation),
            **{str(status): _other(status, operation) for status in statuses},
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
                **({} if each.example is None else {"example": each.example}),
            }
            for each in operation.parameters
        ]
    if operation.request is not None:
        body = _content(operation.request_type, operation.request, operation.request_example, "What is sent")
        found["requestBody"] = body | {"required": True}
    return found


def _other(status: int, operation: Operation) -> Document:
    """Describe an answer that is not what was asked for: a problem, or that it is elsewhere."""
    found: Document = {"description": HTTPStatus(status).phrase}
    if status < 400:
        return found
    return found | {"content": {"application/problem+json": {"schema": _PROBLEM_REF}, **_page_of(operation)}}


def _links(operation: Operation) -> Document:
    """Say which operations go on from an answer, and what they take of it."""
    found = {id: {"operationId": id, "parameters": {name: place}} for id, (name, place) in operation.links.items()}
    return {"links": found} if found else {}


def _page_of(operation: Operation) -> Document:
    """Say that what shows a page to people tells them what is wrong on a page, too."""
    return {"text/html": {"schema": schemas.TEXT}} if operation.media_type.startswith("text/html") else {}


def _by_form(operation: Operation) -> Iterator[int]:
    """Say what may be answered to any operation of such a form."""
    if not operation.without_key:
        yield 401
    if not operation.any_query:
        yield 422
    if any(each.place == "path" for each in operation.parameters):
        yield 404


def _content(media_type: str, schema: Mapping[str, Any], example: Any, means: str) -> Document:
    return {"description": means, "content": {media_type: {"schema": schema, "example": example}}}


def _lowered(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_lowered(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    found = {key: _lowered(item) for key, item in value.items()}
    # Version 3.0 knows neither rules for names nor null as a type.
    found.pop("propertyNames", None)
    for several in ("anyOf", "oneOf"):
        if {"type": "null"} in found.get(several, ()):
            found[several] = [each for each in found[several] if each != {"type": "null"}]
            found["nullable"] = True
    types = found.get("type")
    if isinstance(types, list):
        kept = [name for name in types if name != "null"]
        del found["type"]
        found |= {"type": kept[0]} if len(kept) == 1 else {"anyOf": [{"type": name} for name in kept]}
        if len(kept) < len(types):
            found["nullable"] = True
    return found
