"""Answers that a caller has already (RFC 9110, 13.1.2): the header ``If-None-Match``."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import orjson
from starlette.requests import Request
from starlette.responses import Response


def tag_of(*parts: object) -> str:
    """Name a state of something; a weak name, because it is the same however the answer is packed.

    Examples
    --------
    >>> tag_of("ndjson", 3) == tag_of("ndjson", 3) != tag_of("csv", 3)
    True
    """
    return f'W/"{hashlib.sha256(orjson.dumps(parts)).hexdigest()[:32]}"'


def has_already(request: Request, tag: str) -> bool:
    """Whether the caller says that it has this state."""
    named = ",".join(request.headers.getlist("if-none-match"))
    return any(each.strip().removeprefix("W/") == tag.removeprefix("W/") for each in named.split(","))


def not_modified(headers: Mapping[str, str]) -> Response:
    """Tell so, without a body; with the headers that the answer would have had, its ``ETag`` among them."""
    return Response(status_code=304, headers=headers)
