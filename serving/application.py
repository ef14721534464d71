"""The application: FastAPI's, with the door in front of it and a short way to the addresses that have no parts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from fastapi import FastAPI
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Lifespan, Receive, Scope, Send

from serving.operations import OperationRoute


class Application(FastAPI):
    """Answers the addresses without parts at once, and the others as FastAPI does.

    FastAPI asks for its telemetry, opens stacks of exits, looks for handlers of errors three times and goes through
    its routes one by one. All of that together takes longer than reading a contact's history, and operations, which
    turn their errors into answers themselves, need nothing of it.

    Parameters
    ----------
    layers
        Puts the layers that see every request around what answers it.
    """

    def __init__(self, lifespan: Lifespan[Any], layers: Callable[[ASGIApp], ASGIApp]) -> None:
        # Pages of documentation are only for those who ask; the documents themselves are routes of ours.
        super().__init__(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False, lifespan=lifespan)
        self._outermost = layers(self._answer)
        self._at_once: dict[tuple[str, str], OperationRoute] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        if scope["type"] == "lifespan":
            await super().__call__(scope, receive, send)
            return
        scope["app"] = self
        await self._outermost(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._at_once is None:
            self._at_once = _without_parts(self.router.routes)
        route = None if scope.get("root_path") else self._at_once.get((scope["method"], scope["path"]))
        if route is None:
            await super().__call__(scope, receive, send)
        else:
            await route.app(scope, receive, send)


def _without_parts(routes: Iterable[BaseRoute]) -> dict[tuple[str, str], OperationRoute]:
    """Find the operations that one method and one path lead to, as the router would."""
    found = {}
    for route in routes:
        if isinstance(route, OperationRoute) and not route.param_convertors:
            for method in route.methods or ():
                scope = {"type": "http", "method": method, "path": route.path}
                if route is next(each for each in routes if each.matches(scope)[0] is Match.FULL):
                    found[method, route.path] = route
    return found
