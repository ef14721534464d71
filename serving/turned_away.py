"""In front of every layer: calls that nobody has time for are refused here."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.begun import Begun
from serving.refusals import LONG_WAY, Place, Refusals, laid_out
from serving.watching import HEADER, request_id


class TurnedAway:
    """ASGI middleware in front of all others."""

    def __init__(self, app: ASGIApp, refusals: Refusals) -> None:
        self.app = app
        self._refusals = refusals

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse what there is no place for, and pass the rest on."""
        place = self._refusals.due(scope["method"], scope["path"]) if scope["type"] == "http" else None
        if place is None or any(name in LONG_WAY for name, _ in scope["headers"]):
            await self.app(scope, receive, send)
            return
        if place.needs_body:
            reading = Begun(_received(receive))
            body = _whole(reading)
            if body is None or self._refusals.answers_now(place, body):
                await self.app(scope, _again(reading, receive), send)
                return
        self._refusals.noted(place)
        await _refuse(place, scope, send)


async def _refuse(place: Place, scope: Scope, send: Send) -> None:
    headers, body = laid_out(place)
    named = (HEADER, request_id(scope["headers"]).encode())
    await send({"type": "http.response.start", "status": place.status, "headers": [*headers, named]})
    await send({"type": "http.response.body", "body": body})


async def _received(receive: Receive) -> Message:
    return await receive()


def _whole(reading: Begun[Message]) -> bytes | None:
    """Return a body that has come by now; None where there is more of it to come."""
    message = reading.result if reading.is_done else None
    if message is None or message["type"] != "http.request" or message.get("more_body", False):
        return None
    found: bytes = message.get("body", b"")
    return found


def _again(reading: Begun[Message], receive: Receive) -> Receive:
    """Give what has been received already to whoever reads next."""
    is_first = True

    async def receiving() -> Message:
        nonlocal is_first
        if not is_first:
            return await receive()
        is_first = False
        return reading.result if reading.is_done and reading.result is not None else await reading.rest()

    return receiving
