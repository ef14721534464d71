"""Bounded work: how many calls of each kind are worked on and wait, and what happens to the others.

A call takes a place once its body is here, so a slow client holds none. Whoever finds no place is refused at once.

Handlers compute in the one thread that also reads from the network. So only a few calls begin at once, each kind
in its turn, before the network is looked at again: a refusal never waits for more than these, and in a flood for one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive

from serving.begun import Begun
from serving.caller import caller_of
from serving.held_up import HeldUp
from serving.intake.body import header, is_short, length_said
from serving.lanes import BOUNDS, Bound, Lane, Moment
from serving.metrics import Metrics
from serving.overload import Overload
from serving.problems import Problem
from serving.same_calls import Asked, SameCalls, may_have_ids

Handler = Callable[[Request], Awaitable[Response]]

BODY_SECONDS = 30.0
"""How long a body may take to come."""
WEIGHING = 16 * 1024
"""Bytes of a body that count as one more call."""
AT_ONCE = 4
"""Calls that begin between two looks at the network. With fewer, a flood of refusals leaves little time for answers."""
REPEATABLE = "recommend"
"""The kind whose calls carry an id that makes the same call the same."""


class Limits:
    """The places of one process.

    Parameters
    ----------
    metrics
        Where occupation and refusals are counted.
    clock
        Seconds since some moment.
    held_up
        For how long writing was held up. What waits for that does not show that there are too many calls.
    """

    def __init__(
        self,
        metrics: Metrics,
        clock: Callable[[], float],
        bounds: Mapping[str, Bound] = BOUNDS,
        body_seconds: float = BODY_SECONDS,
        held_up: HeldUp | None = None,
    ) -> None:
        self._metrics = metrics
        self._clock = clock
        self._held_up = held_up or HeldUp()
        self._body_seconds = body_seconds
        self._lanes = {kind: Lane(kind, bound) for kind, bound in bounds.items()}
        self._order = deque(self._lanes.values())
        self._begun = 0
        self._same = SameCalls()

    def is_full(self, kind: str) -> bool:
        """Whether a call of a kind that comes now would be refused; to ask costs next to nothing."""
        return self._lanes[kind].is_full(self._now())

    def refused(self, kind: str) -> None:
        """Note that a call of a kind was refused before it came here."""
        self._lanes[kind].refused()

    def lets_in(self, kind: str) -> bool:
        """Let a call of a kind come that was just read, unless there would be no place for it.

        Calls that are read together ask for their places together, afterwards. Those that were let come before count
        until then: else all of them would be taken apart, and most of them only to be refused.
        """
        lane = self._lanes[kind]
        if lane.is_full(self._now(), lane.coming):
            return False
        if not self.are_coming:
            asyncio.get_running_loop().call_soon(self._came)
        lane.coming += 1
        return True

    def _now(self) -> Moment:
        held_up = self._held_up.seconds
        return Moment(self._clock() - held_up, held_up)

    @property
    def are_coming(self) -> bool:
        """Whether calls were let come that nobody has looked at yet."""
        return any(lane.coming for lane in self._order)

    def _came(self) -> None:
        for lane in self._order:
            lane.coming = 0

    def answers_now(self, path: str, body: bytes) -> bool:
        """Whether somebody is being answered who has asked the same, whoever that is."""
        return self._same.answers_now(path, body)

    async def answer(self, handler: Handler, kind: str, request: Request, *, has_body: bool) -> Response:
        """Have a handler answer inside a place.

        Parameters
        ----------
        has_body
            Whether the handler reads one; then the place is taken once it has come.

        Raises
        ------
        Problem
            429 or 503 where there is no place, 408 where the body takes too long; and what the handler raises.
        """
        if not has_body:
            return await self._inside(handler, kind, request)
        if kind != REPEATABLE:
            # A body that nobody will look at need not come first.
            self._check(self._lanes[kind])
        body = await self._short_body(request)
        if body is None:
            stay = _Stay(self._lanes[kind])
            try:
                return await handler(Request(request.scope, self._receiver(request, stay)))
            finally:
                self._leave(stay)
        if kind == REPEATABLE and may_have_ids(body):
            read_as = header(request, b"accept-language"), header(request, b"content-encoding")
            asked = Asked(request.url.path, caller_of(request).key_id, body, *read_as)
            return await self._same.answer(asked, lambda: self._inside(handler, kind, request, len(body)))
        return await self._inside(handler, kind, request, len(body))

    async def _inside(self, handler: Handler, kind: str, request: Request, length: int = 0) -> Response:
        stay = _Stay(self._lanes[kind])
        await self._enter(stay, 1 + length // WEIGHING)
        try:
            return await handler(request)
        finally:
            self._leave(stay)

    async def _short_body(self, request: Request) -> bytes | None:
        """Read a body that says it is short; the request gives it again to whoever reads it."""
        if not is_short(length_said(request)):
            return None
        # Most come in one piece with their head.
        reading = Begun(request.body())
        if reading.is_done:
            return reading.result
        try:
            async with asyncio.timeout(self._body_seconds):
                return await reading.rest()
        except TimeoutError:
            raise _too_slow(self._body_seconds) from None

    def _receiver(self, request: Request, stay: _Stay) -> Receive:
        """Pass on a body as it comes, and take the place with its last piece."""
        deadline = asyncio.get_running_loop().time() + self._body_seconds
        length = 0

        async def receive() -> Message:
            nonlocal length
            if stay.weight:
                return await request.receive()
            try:
                async with asyncio.timeout_at(deadline):
                    message = await request.receive()
            except TimeoutError:
                raise _too_slow(self._body_seconds) from None
            length += len(message.get("body", b""))
            if message["type"] == "http.request" and not message.get("more_body", False):
                await self._enter(stay, 1 + length // WEIGHING)
            return message

        return receive

    async def _enter(self, stay: _Stay, weight: int = 1) -> None:
        lane = stay.lane
        weight = max(1, min(weight, lane.bound.inside))
        if lane.is_crowded:
            self._check(lane)
        if self._begun < _at_once(lane) and not lane.waiting and lane.has_room(weight):
            self._admit(lane, weight)
        else:
            self._check(lane)
            if not lane.waiting:
                lane.waits_since = self._now()
            turn = asyncio.get_running_loop().create_future()
            lane.waiting.append((turn, weight))
            self._metrics.occupied(lane.kind, lane.inside, len(lane.waiting))
            if not self._begun:
                self._next()
            try:
                await turn
            except asyncio.CancelledError:
                self._give_up(lane, turn, weight)
                raise
        stay.weight = weight
        self._metrics.occupied(lane.kind, lane.inside, len(lane.waiting))

    def _check(self, lane: Lane) -> None:
        """Let pass whoever may work or wait."""
        if lane.is_full(self._now()):
            lane.refused()
            self._metrics.refused(lane.kind)
            raise Overload(lane.kind, lane.bound.status)

    def _leave(self, stay: _Stay) -> None:
        if stay.weight:
            stay.lane.inside -= stay.weight
            stay.weight = 0
            stay.lane.ended(self._now())
            self._metrics.occupied(stay.lane.kind, stay.lane.inside, len(stay.lane.waiting))
            if not self._begun:
                self._next()

    def _give_up(self, lane: Lane, turn: asyncio.Future[None], weight: int) -> None:
        if turn.done() and not turn.cancelled():
            lane.inside -= weight
            if not self._begun:
                self._next()
        elif (turn, weight) in lane.waiting:
            lane.waiting.remove((turn, weight))

    def _admit(self, lane: Lane, weight: int) -> None:
        if not lane.inside:
            lane.begins(self._now())
        lane.inside += weight
        self._begun += 1
        if self._begun == 1:
            asyncio.get_running_loop().call_soon(self._look)

    def _look(self) -> None:
        # What has come while those computed is read in this round of the loop, and in some loops only at its end; calls
        # that are new in it would begin in the next.
        asyncio.get_running_loop().call_soon(self._next)

    def _next(self) -> None:
        """Let some calls begin."""
        self._begun = 0
        while self._begun < AT_ONCE and self._wake():
            pass

    def _wake(self) -> bool:
        """Let one call begin, of the next kind that has one waiting and a place for it; says whether one did."""
        for _ in range(len(self._order)):
            lane = self._order[0]
            self._order.rotate(-1)
            while lane.waiting and self._begun < _at_once(lane) and lane.has_room(lane.waiting[0][1]):
                turn, weight = lane.waiting.popleft()
                if not turn.done():
                    # The woken calls compute before the network is looked at: they stand in the loop's row by now.
                    turn.set_result(None)
                    self._admit(lane, weight)
                    return True
        return False


def _at_once(lane: Lane) -> int:
    # Whoever is refused waits for those that begin.
    return 1 if lane.is_crowded else AT_ONCE


def bounded(handler: Handler, kind: str | None, *, has_body: bool) -> Handler:
    """Let a handler work inside a place of its kind, once the application has some."""
    if kind is None:
        return handler

    async def inside(request: Request) -> Response:
        limits = getattr(request.app.state, "limits", None)
        if not isinstance(limits, Limits):
            return await handler(request)
        return await limits.answer(handler, kind, request, has_body=has_body)

    return inside


class _Stay:
    """One call's stay in a lane; its weight is 0 before and after."""

    __slots__ = ("lane", "weight")

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        self.weight = 0


def _too_slow(seconds: float) -> Problem:
    detail = f"the body did not come within {seconds:.0f} s; send it again"
    return Problem(408, "body-too-slow", detail, headers={"Connection": "close"})
