"""Downloads under way: each holds a connection to the store and a thread for as long as its caller takes."""

from __future__ import annotations

from collections.abc import AsyncIterable, Mapping

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from serving.problems import Problem

_AGAIN = "30"


class Downloads:
    """How many there are in this process, and how many there may be."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.underway = 0

    def begin(self) -> None:
        """Let one begin; whoever calls this makes a ``Download`` of it, or calls ``end``.

        Raises
        ------
        Problem
            503 where there are enough.
        """
        if self.underway >= self.most:
            detail = f"{self.most} downloads are under way, and each takes its time; try again in {_AGAIN} seconds"
            raise Problem(503, "overload", detail, headers={"Retry-After": _AGAIN})
        self.underway += 1

    def end(self) -> None:
        """Note that one has ended."""
        self.underway -= 1


class Download(StreamingResponse):
    """An answer that has ended when its last piece is sent, or its caller has gone."""

    def __init__(
        self, pieces: AsyncIterable[bytes], media_type: str, headers: Mapping[str, str], among: Downloads
    ) -> None:
        super().__init__(pieces, media_type=media_type, headers=headers)
        self._among = among

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._among.end()
