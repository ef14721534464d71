"""``mlflow models serve`` for ``bench_http.py``: the champion on a free port, without network."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

_DIRECT = build_opener(ProxyHandler({}))


@contextmanager
def mlflow_server(folder: Path, uri: str, seconds: float = 240.0) -> Iterator[str]:
    """Address of MLflow's scoring server, with as many workers as it takes by itself.

    Parameters
    ----------
    folder
        Where it runs and writes ``mlflow.log``.
    uri
        Of the tracking store that knows ``models:/nba@champion``.

    Raises
    ------
    TimeoutError
        Where it is not ready in time.
    """
    address, scripts = f"http://127.0.0.1:{_free_port()}", Path(sys.executable).parent
    words = ["models", "serve", "--model-uri", "models:/nba@champion", "--env-manager", "local"]
    environ = {
        **os.environ,
        "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(Path(__file__).parents[1]),
        "MLFLOW_TRACKING_URI": uri,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "NO_PROXY": "127.0.0.1",
    }
    with (folder / "mlflow.log").open("wb") as log:
        process = subprocess.Popen(
            [str(scripts / "mlflow"), *words, "--host", "127.0.0.1", "--port", address.rpartition(":")[2]],
            cwd=folder, env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + seconds
        while not _is_ready(address):
            if process.poll() is not None or time.monotonic() > deadline:
                raise TimeoutError((folder / "mlflow.log").read_text()[-2000:])
            time.sleep(0.2)
        yield address
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(60)


def _is_ready(address: str) -> bool:
    try:
        with _DIRECT.open(f"{address}/ping", timeout=5) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
