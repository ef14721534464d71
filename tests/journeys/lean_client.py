"""A client that costs next to nothing beside what it asks: it must not be what a test of the service waits for."""

import asyncio
import time
from dataclasses import dataclass

IDLE_SECONDS = 2.0
"""A connection that was idle for longer is not used again: the service may be closing it at this moment."""


class NoAnswer(ConnectionError):
    """The connection ended before the answer did."""


@dataclass(frozen=True)
class Answer:
    status: int
    head: bytes
    content: bytes


class LeanClient:
    """Sends each request over the connection that was used last, and opens one where all are in use."""

    def __init__(self, address):
        self._at = address.removeprefix("http://")
        self._idle = []

    async def post(self, path, body):
        """Return the answer; NoAnswer where none comes."""
        try:
            reader, writer = await self._connection()
        except OSError as error:
            raise NoAnswer(str(error)) from error
        head = f"POST {path} HTTP/1.1\r\nHost: {self._at}\r\nContent-Length: {len(body)}\r\n\r\n"
        try:
            writer.write(head.encode() + body)
            told = (await reader.readuntil(b"\r\n\r\n")).lower()
            content = await reader.readexactly(int(told.partition(b"content-length: ")[2].partition(b"\r")[0]))
        except (OSError, asyncio.IncompleteReadError) as error:
            writer.close()
            raise NoAnswer(str(error)) from error
        self._idle.append((time.monotonic(), reader, writer))
        return Answer(int(told[9:12]), told, content)

    async def close(self):
        """Close all connections."""
        for _, _, writer in self._idle:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for _, _, writer in self._idle), return_exceptions=True)
        self._idle.clear()

    async def _connection(self):
        while self._idle:
            used, reader, writer = self._idle.pop()
            if time.monotonic() - used < IDLE_SECONDS and not reader.at_eof():
                return reader, writer
            writer.close()
        return await asyncio.open_connection(*self._at.rsplit(":", 1))
