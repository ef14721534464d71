"""Calls that ask the very same while the first of them is being answered share its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection

from starlette.responses import Response

Asked = tuple[str, str, bytes]
"""The address of a call, who makes it, and its body."""


class SameCalls:
    """Answers under way, by what was asked.

    A caller that repeats itself a thousand times at once costs little more than one that asks once, and takes no
    other caller's place.
    """

    def __init__(self) -> None:
        self._underway: dict[Asked, asyncio.Future[Response]] = {}

    @property
    def underway(self) -> Collection[Asked]:
        """What is being answered."""
        return self._underway.keys()

    async def answer(self, asked: Asked, work: Callable[[], Awaitable[Response]]) -> Response:
        """Answer once and for all who ask this by now; an error is everybody's too."""
        before = self._underway.get(asked)
        if before is not None:
            # Whoever gives up waiting must not end the work of the others.
            return await asyncio.shield(before)
        found: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self._underway[asked] = found
        try:
            response = await work()
        except BaseException as error:
            found.set_exception(error if isinstance(error, Exception) else _Given())
            found.exception()
            raise
        else:
            found.set_result(response)
            return response
        finally:
            del self._underway[asked]


class _Given(RuntimeError):
    """The first of several same calls ended without an answer."""
