"""Calls as bytes: those that nobody has time for are refused before they are parsed, and heads that do not end."""

from __future__ import annotations

import asyncio
import re

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from serving.door import SEALS
from serving.problems import Problem
from serving.refusals import Refusals

MOST_HEAD = 64 * 1024
"""Bytes that a head may have. One that has not ended is counted as it comes, give or take one reading."""
HEAD_SECONDS = 30.0
"""How long a head may take to come, the first one from the beginning of the connection."""

# Blanks, colons and ends of lines, around what is parsed: in a line of a header, and in the rest of a head.
_IN_LINE, _IN_REST = len(": \r\n"), len("  HTTP/1.1\r\n\r\n")
_UPGRADE = re.compile(rb"\r\nupgrade:", re.IGNORECASE)


def protocol_with(refusals: Refusals) -> type[asyncio.Protocol]:
    """Return the web server's protocol, with a short way for what is refused."""

    class Refusing(HttpToolsProtocol):
        is_between = True
        """Whether the last request that was begun has come to its end."""
        is_in_head = False
        head = 0
        """Bytes that have come of a head that has not ended."""
        read = 0
        """Bytes of the present head as far as it has been parsed."""
        is_too_large = False
        timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self.wait()

        def connection_lost(self, exc: Exception | None) -> None:
            self.wait(is_over=True)
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            # Only where nobody is at work on this connection: answers keep the order of their questions.
            if self.is_between and not self.is_at_work:
                refusal = refusals.bytes_for(data, self.server_state.default_headers)
                if refusal is not None:
                    self.wait(is_over=True)
                    self.transport.write(refusal)
                    self.on_response_complete()
                    return
            super().data_received(_without_upgrade(data) if self.is_between else data)
            self.head = self.head + len(data) if self.is_in_head else 0
            if self.head > MOST_HEAD:
                self.refuse(_too_large())
            # Empty lines before a request are none of it, yet they end the server's own waiting for the next one.
            self.wait(is_over=not (self.is_in_head or (self.is_between and not self.is_at_work)))

        @property
        def is_at_work(self) -> bool:
            return self.cycle is not None and not self.cycle.response_complete

        def on_message_begin(self) -> None:
            self.is_between, self.is_in_head = False, True
            self.read = _IN_REST
            super().on_message_begin()

        def on_url(self, url: bytes) -> None:
            self.read += len(url)
            super().on_url(url)

        def on_header(self, name: bytes, value: bytes) -> None:
            self.read += len(name) + len(value) + _IN_LINE
            super().on_header(name, value)

        def on_headers_complete(self) -> None:
            self.is_in_head = False
            # One reading may bring a whole head of any size, and several of them.
            self.is_too_large = self.read + len(self.parser.get_method()) > MOST_HEAD
            if self.is_too_large:
                raise ValueError("the head is too large")
            super().on_headers_complete()

        def on_message_complete(self) -> None:
            self.is_between = True
            super().on_message_complete()

        def wait(self, *, is_over: bool = False) -> None:
            """Begin to wait for the end of a head, or go on; or be done with it."""
            if is_over and self.timer is not None:
                self.timer.cancel()
                self.timer = None
            elif not is_over and self.timer is None:
                self.timer = self.loop.call_later(HEAD_SECONDS, self.tire)

        def tire(self) -> None:
            """Wait no longer, unless an answer is still on its way."""
            self.timer = None
            if self.is_at_work:
                self.wait()
            elif self.is_in_head:
                detail = f"the head of the request did not come within {HEAD_SECONDS:.0f} s; send it again"
                self.refuse(Problem(408, "head-too-slow", detail))
            else:
                self.transport.close()

        def send_400_response(self, msg: str) -> None:
            """Refuse what is no HTTP, as everything else is refused, and a head that was too large to go on with."""
            malformed = Problem(400, "malformed-request", f"this cannot be read as HTTP: {msg}")
            self.refuse(_too_large() if self.is_too_large else malformed)

        def refuse(self, problem: Problem) -> None:
            """Answer with a problem, and end the connection: nobody knows where the next request would begin."""
            response = problem.response("/")
            headers = (*response.raw_headers, *SEALS, *self.server_state.default_headers, (b"connection", b"close"))
            lines = [f"HTTP/1.1 {problem.status} {problem.body('/')['title']}".encode()]
            lines += [b"%b: %b" % header for header in headers]
            self.transport.write(b"\r\n".join((*lines, b"", bytes(response.body))))
            self.transport.close()

    return Refusing


def _too_large() -> Problem:
    detail = f"the head of the request is larger than {MOST_HEAD:,} bytes; send fewer headers"
    return Problem(431, "head-too-large", detail)


def _without_upgrade(data: bytes) -> bytes:
    """Return a call whose head asks for no other protocol.

    There is none, so that the wish is ignored, as a server may. The parser would take the body for something else:
    some clients ask for HTTP/2 whenever they post something.
    """
    end = data.find(b"\r\n\r\n")
    if end < 0 or _UPGRADE.search(data, 0, end) is None:
        return data
    return _UPGRADE.sub(b"\r\nnot-upgraded:", data[:end]) + data[end:]
