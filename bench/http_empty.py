"""What the service is compared with: an empty route of FastAPI, and a responder that shows what the load can ask.

Run as ``python bench/http_empty.py route|bare BYTES``: prints its address, then answers every POST with so many bytes.
"""

from __future__ import annotations

import asyncio
import sys

from fastapi import FastAPI, Request, Response

from serving.run import address_of, listen, run

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"


def answer_of(size: int) -> bytes:
    """JSON of so many bytes."""
    return b'{"empty":"' + b"x" * max(0, size - 12) + b'"}'


def route(size: int) -> None:
    """Answer by a route of FastAPI that reads the body and does nothing with it."""
    app, content = FastAPI(), answer_of(size)

    @app.post("/v1/recommend")
    async def empty(request: Request) -> Response:
        await request.body()
        return Response(content, media_type="application/json")

    listening = listen("127.0.0.1", 0)
    print(address_of(listening), flush=True)
    run(app, listening)


class Bare(asyncio.Protocol):
    """Answers what ends a request, whatever it says; it must come in one piece."""

    content = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport: asyncio.Transport = transport  # type: ignore[assignment] # of a stream

    def data_received(self, data: bytes) -> None:
        """Answer."""
        self._transport.write(self.content)


def bare(size: int) -> None:
    """Answer by as little as there is."""
    import uvloop

    async def serve() -> None:
        Bare.content = HEAD % size + answer_of(size)
        server = await asyncio.get_running_loop().create_server(Bare, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        print(f"http://{host}:{port}", flush=True)
        await server.serve_forever()

    uvloop.run(serve())


if __name__ == "__main__":
    {"route": route, "bare": bare}[sys.argv[1]](int(sys.argv[2]))
