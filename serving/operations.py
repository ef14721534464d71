"""Operations: one line per address, from which both the routes and the OpenAPI documents are made."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Receive, Scope, Send

from serving.caller import caller_of
from serving.lanes import kind_of
from serving.limits import bounded
from serving.problems import Problem, on_problem
from serving.queried import check_path, check_query
from serving.underway import underway

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
    request_type: str = "application/json"
    """Media type of the request."""
    parameters: tuple[Parameter, ...] = ()
    answers: tuple[int, ...] = field(default=())
    scope: str | None = None
    """What a caller's key must allow; None: every key may call it."""
    without_key: bool = False
    """Whether it is answered without a key, too: it tells nothing, or has a proof of its own, such as a signature."""
    for_pages: bool = False
    """Whether web pages may call it, with a key that everybody can read there."""
    any_query: bool = False
    """Whether parameters that it does not know are let be: clients of others add words of their own."""
    media_type: str = "application/json"
    """Of the answer."""
    links: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Operations that go on from the answer, by id: their parameter, and where in question or answer its value is."""
    unbounded: bool = False
    """Whether it is answered however many calls there are: it costs next to nothing, and tells of the others."""

    def route(self, others: Collection[Operation] = ()) -> OperationRoute:
        """Make the route; a part of a path may hold slashes, because identities do.

        Parameters
        ----------
        others
            All operations: what belongs to a longer path is not taken for a part that holds slashes, and who asks
            with a wrong method is told every one that the path knows.
        """
        # Routes without FastAPI's injection: it costs more than reading a contact's history.
        endpoint = _Endpoint(_guarded(self))
        found = OperationRoute(self.path.replace("}", ":path}"), endpoint, methods=[self.method], name=self.id)
        begin = f"{self.path}/"
        # An identity may have a line's end in it, which Starlette's pattern does not reach beyond.
        found.path_regex = re.compile(f"{found.path_regex.pattern.removesuffix('$')}\\Z", re.DOTALL)
        longer = [each for each in others if each.path.startswith(begin)]
        found.not_ending = tuple(dict.fromkeys(each.path.removeprefix(self.path) for each in longer))
        found.endings = frozenset((each.path.removeprefix(self.path), each.method) for each in longer)
        known = (found.methods or set()).union(each.method for each in others if each.path == self.path)
        found.allowed = ", ".join(sorted(known))
        return found


class OperationRoute(Route):
    """The route of an operation; nothing is raised behind it, because every error has become an answer there."""

    not_ending: tuple[str, ...] = ()
    endings: frozenset[tuple[str, str]] = frozenset()
    """The same with the method that each longer path is asked with."""
    allowed = ""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Leave what ends like a longer path to that one, unless the end is a name's and the method ours alone."""
        if self.not_ending and scope["type"] == "http" and scope["path"].endswith(self.not_ending):
            if not self._is_name(scope) or not self._is_ours(scope["path"], scope["method"]):
                return Match.NONE, {}
        return super().matches(scope)

    def _is_name(self, scope: Scope) -> bool:
        """Whether the end belongs to a name, whose slash was written ``%2F``."""
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        return not raw.endswith(tuple(ending.encode() for ending in self.not_ending))

    def _is_ours(self, path: str, method: str) -> bool:
        theirs = {each for ending, each in self.endings if path.endswith(ending)}
        return method in (self.methods or ()) and method not in theirs | ({"HEAD"} if "GET" in theirs else set())

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse a method with all that the path knows, not only this route's own."""
        if self.methods and scope["method"] not in self.methods:
            raise HTTPException(405, headers={"Allow": self.allowed})
        await super().handle(scope, receive, send)


class _Endpoint:
    """Answers by a handler that raises nothing, without Starlette's looking for handlers of errors."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._handler(Request(scope, receive, send))
        await response(scope, receive, send)


def no_valid_key() -> Problem:
    """Tell whoever brings no key that opens anything, whatever is wrong with it."""
    detail = "this needs a key; send Authorization: Bearer nba_..., made by `nba keys add`"
    return Problem(401, "no-valid-key", detail, headers={"WWW-Authenticate": 'Bearer realm="nba"'})


def _guarded(operation: Operation) -> Handler:
    """Let in who may; turn every error of a handler into its problem, before an outer layer logs what it holds."""
    scope = operation.scope
    known = None if operation.any_query else {each.name for each in operation.parameters if each.place == "query"}
    route = f"{operation.method} {operation.path}"
    kind = None if operation.unbounded else kind_of(scope)
    handler = bounded(operation.handler, kind, has_body=operation.request is not None)

    async def endpoint(request: Request) -> Response:
        underway().route = route
        try:
            if scope is not None:
                _require(request, scope)
            if known is not None and request.scope["query_string"]:
                check_query(request, known)
            if request.path_params:
                # Whoever is stored has rights, whatever it is called.
                check_path(request, of_stored=scope == "privacy")
            return await handler(request)
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception as error:
            return on_problem(request, error)

    return endpoint


def _require(request: Request, scope: str) -> None:
    caller = caller_of(request)
    if not caller.is_known:
        raise no_valid_key()
    if scope not in caller.scopes:
        named = ", ".join(sorted(caller.scopes))
        raise Problem(403, "missing-scope", f"this needs the scope {scope!r}; the key has {named}")


def reply(found: Any) -> Response:
    """Answer 200 with an object, or with bytes that are JSON already."""
    body = found if isinstance(found, bytes) else orjson.dumps(found, option=orjson.OPT_SERIALIZE_NUMPY)
    return _Json(body)


class _Json(Response):
    media_type = "application/json"

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        """Say how long it is and what it is: there is nothing else to be said."""
        self.raw_headers = [(b"content-length", b"%d" % len(self.body)), (b"content-type", b"application/json")]
