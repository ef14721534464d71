"""A process of MLflow's own: its tracking server, or its scoring server, on a free port of this machine."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

HOME = Path(__file__).parents[2]


class MlflowProcess:
    """``mlflow WORDS --host 127.0.0.1 --port FREE`` until left.

    Parameters
    ----------
    words
        Of the command.
    folder
        Where it runs and writes ``mlflow.log``.
    path
        Answers with 200 once it is ready.
    environ
        Added to the environment.
    """

    def __init__(self, words: list[str], folder: Path, path: str, environ: dict[str, str] | None = None) -> None:
        self._words, self._folder, self._path = words, folder, path
        self._environ = environ or {}
        self.address = ""

    def __enter__(self) -> Self:
        port = _free_port()
        self.address = f"http://127.0.0.1:{port}"
        scripts = Path(sys.executable).parent
        environ = {
            **os.environ,
            "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(HOME),
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
            "NO_PROXY": "127.0.0.1",
            **self._environ,
        }
        with (self._folder / "mlflow.log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(scripts / "mlflow"), *self._words, "--host", "127.0.0.1", "--port", str(port)],
                cwd=self._folder,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End it and what it started, which stands in its group; twice does no harm."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
            self._process.wait(60)

    def _wait(self, seconds: float = 240.0) -> None:
        deadline = time.monotonic() + seconds
        with httpx.Client(trust_env=False, timeout=5) as client:
            while True:
                try:
                    if client.get(self.address + self._path).status_code == 200:
                        return
                except httpx.HTTPError:
                    pass
                if self._process.poll() is not None or time.monotonic() > deadline:
                    self.stop()
                    raise TimeoutError((self._folder / "mlflow.log").read_text()[-2000:])
                time.sleep(0.2)


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
