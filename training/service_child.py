"""The service as a process of its own, spoken to over HTTP only."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from features.errors import UserError
from features.times import iso

START_SECONDS = 90.0


class ServiceChild:
    """``nba serve`` started beside this process; ends with the ``with`` block.

    Parameters
    ----------
    config
        The ``nba.toml`` to serve.
    as_of
        Where the service's clock starts, in microseconds.
    port
        None for 8000, or any free port where that is taken.
    """

    def __init__(self, config: Path, as_of: int, port: int | None, environ: Mapping[str, str]) -> None:
        self._port = _free_port(8000) if port is None else port
        self.address = f"http://127.0.0.1:{self._port}"
        self._command = [
            sys.executable, "-m", "nba.cli", "serve", "--config", str(config),
            "--port", str(self._port), "--as-of", iso(as_of),
        ]  # fmt: skip
        self._environ = dict(environ)
        self._log = config.parent / "serve.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=subprocess.STDOUT, env=self._environ)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            try:
                self._fetch("/readyz", None)
                return self
            except OSError:
                time.sleep(0.1)
        self.__exit__(None, None, None)
        raise UserError(f"the service did not start; {self._log} says why: {self._last_words()}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Answer to a POST, as JSON."""
        return self._fetch(path, json.dumps(body).encode())

    def wait(self) -> None:
        """Wait until the service ends."""
        if self._process is not None:
            self._process.wait()

    def _fetch(self, path: str, body: bytes | None) -> dict[str, Any]:
        request = urllib.request.Request(self.address + path, data=body, headers={"Content-Type": "application/json"})
        # A proxy of the environment is for the world outside; this service is on this machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=30) as answer:
            found: dict[str, Any] = json.loads(answer.read())
        return found

    def _last_words(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"


def _free_port(wanted: int) -> int:
    for port in (wanted, 0):
        with socket.socket() as door:
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                door.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(door.getsockname()[1])
    raise UserError("no port is free on this machine; end something that listens")
