"""A proxy between a client and the service that fails as networks do, and writes down what the client sent."""

from __future__ import annotations

import base64
import gzip
import json
import threading
import time
from collections.abc import Iterable, Sequence
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit

PASS, DROP = "pass", "drop"
"""Hand on and answer; hand on, and lose the answer."""

_OF_CONNECTION = {"connection", "keep-alive", "transfer-encoding", "content-length"}


def decoded(request: dict[str, Any]) -> bytes:
    """Return the body of a request that was seen, unpacked."""
    body = base64.b64decode(request["body"])
    headers = {name.lower(): value for name, value in request["headers"]}
    return gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body


class FaultProxy:
    """Hands requests on to ``target``, but for the first POSTs, which meet ``faults`` in their order.

    A fault is ``PASS``, ``DROP`` or the status that is answered in the service's place.
    """

    def __init__(self, target: str, faults: Sequence[int | str] = ()) -> None:
        self._target = urlsplit(target)
        self._faults = list(faults)
        self._lock = threading.Lock()
        self.seen: list[dict[str, Any]] = []
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                proxy._answer(self)

            do_GET = do_POST = do_OPTIONS = _answer

            def log_message(self, *args: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def point_at(self, target: str) -> None:
        """Hand on to another address, after a restart."""
        self._target = urlsplit(target)

    def statuses(self, method: str = "POST") -> list[int | str]:
        return [each["answered"] for each in self.seen if each["method"] == method]

    def message_ids_of(self, answered: int | str) -> set[str]:
        """Return the ids of events that were answered so."""
        return self._ids(each for each in self.seen if each["answered"] == answered)

    def message_ids(self) -> set[str]:
        """Return the id of every event that was sent."""
        return self._ids(self.seen)

    @staticmethod
    def _ids(seen: Iterable[dict[str, Any]]) -> set[str]:
        found = set()
        for each in seen:
            body = json.loads(decoded(each)) if each["method"] == "POST" else {}
            found |= {event["messageId"] for event in body.get("batch", [body]) if event.get("messageId")}
        return found

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        with self._lock:
            fault = self._faults.pop(0) if self._faults and handler.command == "POST" else PASS
            told: dict[str, Any] = {
                "at": time.time(),
                "method": handler.command,
                "path": handler.path,
                "headers": [list(pair) for pair in handler.headers.items()],
                "body": base64.b64encode(body).decode(),
                "answered": fault,
            }
            self.seen.append(told)
        if isinstance(fault, int):
            self._refuse(handler, fault)
            return
        try:
            status, headers, answer = self._handed_on(handler, body)
        except OSError:
            # As whatever stands before a service should answer while it is away: RudderStack for Node tries four times.
            told["answered"] = 429
            self._refuse(handler, 429, wait=10)
            return
        if fault == DROP:
            handler.close_connection = True
            return
        told["answered"] = status
        told["answer"] = answer.decode(errors="replace")
        handler.send_response(status)
        for name, value in headers:
            if name.lower() not in _OF_CONNECTION:
                handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(answer)))
        handler.end_headers()
        handler.wfile.write(answer)

    def _handed_on(self, handler: BaseHTTPRequestHandler, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        assert self._target.hostname is not None
        connection = HTTPConnection(self._target.hostname, self._target.port, timeout=30)
        try:
            headers = {name: value for name, value in handler.headers.items() if name.lower() not in _OF_CONNECTION}
            connection.request(handler.command, handler.path, body or None, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    @staticmethod
    def _refuse(handler: BaseHTTPRequestHandler, status: int, wait: int = 1) -> None:
        answer = json.dumps({"code": "fault", "message": "made by the test"}).encode()
        handler.send_response(status)
        if status == 429:
            handler.send_header("Retry-After", str(wait))
        if origin := handler.headers.get("Origin"):
            handler.send_header("Access-Control-Allow-Origin", origin)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(answer)))
        handler.end_headers()
        handler.wfile.write(answer)
