"""Running the application in this process, from the first free port to the last answer."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import socket
from collections.abc import Callable
from types import FrameType
from typing import Literal

import uvicorn
from fastapi import FastAPI

from features.errors import UserError
from serving.logs import begin_logging
from serving.refusals import Refusals
from serving.wire import protocol_with

SECONDS_TO_FINISH = 20
"""How long calls under way may take when the service is told to end."""


class AddressError(UserError):
    """The service cannot listen where it should."""


def listen(host: str, port: int) -> socket.socket:
    """Take the address before anything else is opened.

    Parameters
    ----------
    port
        0 takes any free one.

    Raises
    ------
    AddressError
        Where it is in use, not allowed or not an address of this machine.
    """
    host = host.strip("[]")
    found = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    # A port that has just been left may be taken again at once.
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
        found.listen(2048)
    except OSError as error:
        found.close()
        raise AddressError(_why_not(host, port, error)) from error
    return found


def address_of(listening: socket.socket) -> str:
    """Spell the address as a browser wants it."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(app: FastAPI, listening: socket.socket, on_ready: Callable[[], None] | None = None) -> bool:
    """Answer until told to end by SIGTERM or SIGINT; what is under way is finished first.

    Parameters
    ----------
    on_ready
        Called once everything is open.

    Returns
    -------
    Whether the application started at all.
    """
    begin_logging(os.environ)
    server = _Server(
        uvicorn.Config(
            app,
            http=_protocol(app),
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            ws="none",
            timeout_graceful_shutdown=SECONDS_TO_FINISH,
        ),
        on_ready,
    )
    server.run(sockets=[listening])
    return server.started


def _protocol(app: FastAPI) -> type[asyncio.Protocol] | Literal["auto"]:
    refusals = getattr(app.state, "refusals", None)
    return protocol_with(refusals) if isinstance(refusals, Refusals) else "auto"


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None] | None) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer, and say so."""
        await super().startup(sockets)
        if self.started and self._on_ready is not None:
            self._on_ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End in order; to be told to end is no failure, so the signal is not raised again afterwards."""
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        self.should_exit = True


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is in use by another process; end it, or take another with --port"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"port {port} on {host} is not allowed to this user; take one from 1024 on with --port"
    return f"cannot listen on {host!r}, port {port}: {error.strerror or error}; correct --host and --port"
