"""A service in a process of its own, as tests and measurements need it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

# A proxy of the environment is for the world outside; this service is on this machine.
_DIRECT = build_opener(ProxyHandler({}))
_ADDRESS = re.compile(r"Listening on (http://\S+);")


class ServerProcess:
    """``nba serve`` on a free port, with what it said in ``serve.log`` beside its settings.

    Parameters
    ----------
    settings
        The file ``nba.toml``.
    port
        0 takes any free one.
    environ
        Added to this process's environment.
    options
        Of ``nba serve``, beside the port.
    """

    def __init__(
        self,
        settings: Path,
        port: int = 0,
        environ: Mapping[str, str] | None = None,
        options: Sequence[str] = (),
    ) -> None:
        self._settings = settings
        self._port = port
        self._options = tuple(options)
        self._environ = {**os.environ, **(environ or {})}
        self._child: subprocess.Popen[bytes] | None = None
        self.log = settings.parent / "serve.log"
        self.address = ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._child is not None and self._child.poll() is None:
            self.kill()

    @property
    def pid(self) -> int:
        """The process's number; 0 before it is started."""
        return 0 if self._child is None else self._child.pid

    def start(self, seconds: float = 60.0) -> None:
        """Start, and wait until the service is ready.

        Raises
        ------
        TimeoutError
            Where it is not in time.
        ChildProcessError
            Where it ended instead.
        """
        command = [sys.executable, "-m", "nba.cli", "--config", str(self._settings), "serve"]
        with self.log.open("wb") as log:
            self._child = subprocess.Popen(
                [*command, "--port", str(self._port), *self._options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environ,
            )
        deadline = time.monotonic() + seconds
        while not self._is_ready():
            if self._child.poll() is not None:
                raise ChildProcessError(f"the service ended at its start: {self.log.read_text()}")
            if time.monotonic() > deadline:
                self.kill()
                raise TimeoutError(f"the service was not ready after {seconds} s: {self.log.read_text()}")
            time.sleep(0.05)

    def stop(self, seconds: float = 60.0) -> int:
        """Ask it to end, and wait; returns its exit status."""
        return self._end(signal.SIGTERM, seconds)

    def kill(self) -> int:
        """End it at once, as a power failure would."""
        return self._end(signal.SIGKILL, 60.0)

    def _end(self, with_signal: int, seconds: float) -> int:
        if self._child is None:
            return 0
        self._child.send_signal(with_signal)
        return self._child.wait(seconds)

    def _is_ready(self) -> bool:
        found = _ADDRESS.search(self.log.read_text())
        if found is None:
            return False
        self.address = found[1]
        try:
            with _DIRECT.open(f"{self.address}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False
