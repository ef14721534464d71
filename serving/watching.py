"""The outermost layer of the application: every answer is named, counted, logged and traced."""

from __future__ import annotations

import random
import re
import time
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.caller import caller_in
from serving.logs import log_answer
from serving.metrics import Metrics
from serving.tracing import Traces
from serving.underway import Underway, begin

HEADER = b"x-request-id"
_SANE = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_GONE = 499
"""What stands for the status where nobody was left to answer; nginx's number."""


class Watched:
    """ASGI middleware that sees every request first and every answer last.

    Parameters
    ----------
    metrics
        Where answers are counted.
    traces
        Returns what writes spans, or None; asked at each request, because it is opened with the application.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, tracing: Tracing) -> None:
        self.app = app
        self._metrics = metrics
        self._tracing = tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and note what came of it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        seen = Underway(request_id(scope["headers"]))
        begin(seen)
        traces = self._tracing.traces
        span = None if traces is None else traces.begin(scope["headers"])
        named = (HEADER, seen.request_id.encode())
        status = _GONE

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), named]
            await send(message)

        try:
            await self.app(scope, receive, sending)
        except Exception:
            status = 500
            raise
        finally:
            took = time.perf_counter() - began
            self._metrics.answered(seen.route, status, took)
            log_answer(seen, status, took, caller_in(scope).key_id)
            if traces is not None:
                traces.end(span, seen, status)


class Tracing:
    """Holds what writes spans while the application runs."""

    def __init__(self) -> None:
        self.traces: Traces | None = None


def request_id(headers: Any) -> str:
    """Take the caller's name for its request where it is a plain word, else make one up."""
    for name, value in headers:
        if name == HEADER and _SANE.fullmatch(value):
            return str(value.decode())
    # It opens nothing, so whether it can be guessed is all the same. To ask the system for chance would let another
    # thread go first.
    return f"{random.getrandbits(64):016x}"
