"""A load generator: a few connections that each ask again as soon as they are answered, over raw sockets.

It looks at no more of an answer than its status and its length, so that one core of it keeps several cores of a Python
server busy; ``bench_http.py`` measures its own ceiling against a responder that does nothing.
"""

from __future__ import annotations

import gc
import re
import select
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import numpy as np

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass
class Measured:
    """What a round brought: answers, the seconds they took together, and each one's microseconds.

    ``refused`` are the answers whose status was not 200, with one of them.
    """

    seconds: float = 0.0
    microseconds: list[float] = field(default_factory=list)
    refused: int = 0
    example: bytes = b""
    body_bytes: int = 0
    """Of all answers that were none of the refused ones."""

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.microseconds) / self.seconds if self.seconds else 0.0

    @property
    def size(self) -> int:
        """Bytes that the body of an answer has, the mean."""
        answered = len(self.microseconds) - self.refused
        return round(self.body_bytes / answered) if answered else 0

    def quantile(self, part: float) -> float:
        """Quantile of the microseconds."""
        return float(np.quantile(self.microseconds, part))


def post(address: str, path: str, body: bytes) -> bytes:
    """Lay out a request; its connection stays open."""
    host = urlsplit(address).netloc
    lines = f"POST {path} HTTP/1.1", f"Host: {host}", "Content-Type: application/json", f"Content-Length: {len(body)}"
    return "\r\n".join((*lines, "", "")).encode() + body


class Connection:
    """One connection, which has one question on its way at a time."""

    def __init__(self, address: str) -> None:
        at = urlsplit(address)
        self.socket = socket.create_connection((at.hostname, at.port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._found = bytearray()
        self._wanted = 0
        self.asked_at = 0.0

    def ask(self, request: bytes) -> None:
        """Send a question."""
        self._found.clear()
        self._wanted = 0
        self.asked_at = time.perf_counter()
        self.socket.sendall(request)

    def answer(self) -> bytearray | None:
        """Receive what has come; the whole answer, or None while there is more of it.

        Raises
        ------
        ConnectionError
            Where the server hung up.
        """
        more = self.socket.recv(1 << 18)
        if not more:
            raise ConnectionError("the server closed a connection")
        self._found += more
        if not self._wanted:
            end = self._found.find(b"\r\n\r\n")
            if end < 0:
                return None
            said = _LENGTH.search(self._found, 0, end)
            self._wanted = end + 4 + (int(said[1]) if said else 0)
        return self._found if len(self._found) >= self._wanted else None


def load(address: str, requests: Iterator[bytes], connections: int, seconds: float) -> Measured:
    """Ask for some seconds; what is still on its way at the end is waited for and not counted."""
    found = Measured()
    poll = select.epoll()
    asking = {each.socket.fileno(): each for each in (Connection(address) for _ in range(connections))}
    for number, each in asking.items():
        poll.register(number, select.EPOLLIN)
        each.ask(next(requests))
    gc.collect()
    gc.disable()
    began = time.perf_counter()
    try:
        _go_on(poll, asking, requests, began + seconds, found)
        found.seconds = time.perf_counter() - began
        _wait(poll, asking)
    finally:
        gc.enable()
        poll.close()
        for each in asking.values():
            each.socket.close()
    return found


def _go_on(
    poll: select.epoll, asking: dict[int, Connection], requests: Iterator[bytes], until: float, found: Measured
) -> None:
    while time.perf_counter() < until:
        for number, _ in poll.poll(1.0):
            connection = asking[number]
            answer = connection.answer()
            if answer is None:
                continue
            found.microseconds.append(1e6 * (time.perf_counter() - connection.asked_at))
            if answer.startswith(b"HTTP/1.1 200"):
                found.body_bytes += len(answer) - answer.find(b"\r\n\r\n") - 4
            else:
                found.refused += 1
                found.example = bytes(answer[:2000])
            connection.ask(next(requests))


def _wait(poll: select.epoll, asking: dict[int, Connection]) -> None:
    waiting = set(asking)
    while waiting:
        came = poll.poll(60.0)
        if not came:
            raise TimeoutError("a question was not answered within a minute")
        for number, _ in came:
            if number in waiting and asking[number].answer() is not None:
                waiting.discard(number)
