"""Operations: one line per address, from which both the routes and the OpenAPI documents are made."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from serving.caller import caller_of
from serving.problems import Problem, on_problem

Handler = Callable[[Request], Awaitable[Response]]
Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Parameter:
    """A part of the path or of the query."""

    name: str
    means: str
    schema: Schema
    example: Any
    place: str = "path"


@dataclass(frozen=True)
class Operation:
    """One address with one method.

    ``id`` is the ``operationId``, which generated clients call it by: it never changes. ``path`` is written
    as OpenAPI does; ``answers`` are the statuses beside 200 that a caller has to expect.
    """

    id: str
    method: str
    path: str
    handler: Handler
    means: str
    response: Schema
    response_example: Any
    request: Schema | None = None
    request_example: Any = None
    parameters: tuple[Parameter, ...] = ()
    answers: tuple[int, ...] = field(default=())
    scope: str | None = None
    """What a caller's key must allow; None: everybody may call it."""

    def route(self) -> Route:
        """Make the route; a part of a path may hold slashes, because identities do."""
        # Routes without FastAPI's injection: it costs more than reading a contact's history.
        return Route(
            self.path.replace("}", ":path}"), _guarded(self.handler, self.scope), methods=[self.method], name=self.id
        )


def _guarded(handler: Handler, scope: str | None) -> Handler:
    """Let in who may; turn every error of a handler into its problem, before an outer layer logs what it holds."""

    async def endpoint(request: Request) -> Response:
        try:
            if scope is not None:
                _require(request, scope)
            return await handler(request)
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception as error:
            return on_problem(request, error)

    return endpoint


def _require(request: Request, scope: str) -> None:
    caller = caller_of(request)
    if not caller.is_known:
        detail = "this needs a key; send Authorization: Bearer nba_..., made by `nba keys add`"
        raise Problem(401, "no-valid-key", detail, headers={"WWW-Authenticate": 'Bearer realm="nba"'})
    if scope not in caller.scopes:
        named = ", ".join(sorted(caller.scopes))
        raise Problem(403, "missing-scope", f"this needs the scope {scope!r}; the key has {named}")


def reply(found: Any) -> Response:
    """Answer 200 with an object, or with bytes that are JSON already."""
    body = found if isinstance(found, bytes) else orjson.dumps(found, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(body, media_type="application/json")
