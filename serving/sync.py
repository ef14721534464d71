"""The process that keeps this machine's bundles up to date: ``python -m serving.sync``.

It alone needs MLflow while the service runs. It reads its plan from its input, a line of JSON, and ends when
that input ends; what it finds it says on its output, a line of JSON whenever it has looked.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson

from features.errors import UserError
from models.bundle import UndecidedError
from models.kept import Kept
from models.local import FOLDER, STANDING, install, read_champion
from models.registry.registry import CHALLENGER, CHAMPION, Registry
from models.registry.standing import standing
from models.verify import verify
from serving.sync_child import NOT_NEEDED
from serving.tries import Tries

FIRST_PAUSE, LONGEST_PAUSE = 5.0, 600.0
"""Seconds until a bundle of which nothing could be found out is brought and tried again."""
_SQLITE = "sqlite:///"


class Sync:
    """Looks which version is the champion, and brings it here once it is found good.

    Parameters
    ----------
    registry
        Where versions are registered.
    folder
        Where ``nba.toml`` lies; bundles are installed beside it.
    """

    def __init__(self, registry: Registry, folder: Path) -> None:
        self._registry = registry
        self._folder = folder
        self._refused: dict[tuple[str, str], str] = {}
        self._tries = Tries(FIRST_PAUSE, LONGEST_PAUSE)
        self._doubt = ""

    def look(self) -> dict[str, Any]:
        """Look once; says what was found and done.

        A bundle that was refused is not fetched again: its bytes cannot get better. One of which nothing could be found
        out is, after a pause, which grows.
        """
        if _is_absent(self._registry.tracking_uri):
            return {"state": "no registry", "detail": "nothing has been trained here yet"}
        try:
            champion = self._registry.champion()
        except UserError as error:
            return {"state": "registry away", "detail": str(error)}
        if champion is None:
            return {"state": "no champion", "detail": "no version has been promoted yet"}
        if champion == read_champion(self._folder):
            return {"state": "up to date", "version": champion[0]}
        if champion not in self._refused and not self._tries.must_wait(champion):
            try:
                self._bring(*champion)
                return {"state": "up to date", "version": champion[0]}
            except UndecidedError as error:
                self._doubt = f"{error} (tried again in {self._tries.failed(champion):.0f} s)"
            except UserError as error:
                # Only a bundle that is here and is no good is refused for good; a server may come back.
                if type(error).__name__ != "BundleError":
                    return {"state": "registry away", "detail": str(error)}
                self._refused[champion] = str(error)
            except OSError as error:
                return {"state": "cannot install", "detail": f"{error.strerror} ({error.filename})"}
        return {"state": "refused", "version": champion[0], "detail": self._refused.get(champion, self._doubt)}

    def _bring(self, version: str, sha256: str) -> None:
        room = self._folder / FOLDER
        room.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetched-", dir=room) as arriving:
            bundle = self._registry.fetch(version, Path(arriving) / "bundle")
            verify(bundle)
            install(self._folder, bundle, version, sha256)


class Noting:
    """Keeps beside the bundles what the registry knows of the champion and of who wants to take its place."""

    def __init__(self, registry: Registry, folder: Path) -> None:
        self._registry = registry
        self._kept = Kept(folder / FOLDER / STANDING)
        self._noted: tuple[tuple[str, str] | None, ...] | None = None

    def look(self) -> None:
        """Look once; a registry that is away leaves what was noted before."""
        with suppress(UserError):
            named = tuple(self._registry.aliased(alias) for alias in (CHAMPION, CHALLENGER))
            if named != self._noted and self._kept.put(standing(self._registry)):
                self._noted = named


def _is_absent(tracking_uri: str) -> bool:
    # MLflow would make an empty database, which nobody has asked this process for.
    return tracking_uri.startswith(_SQLITE) and not Path(urlsplit(tracking_uri).path[1:]).exists()


def _end_with_parent() -> None:
    """End this process at once when its input does: whoever started it is gone."""
    # Unbuffered, because a lock on the buffered input would outlive this thread at a normal end.
    while os.read(0, 1024):
        pass
    os._exit(0)


def _read_line() -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            return line
        line += byte
    return line


def _say(found: dict[str, Any]) -> None:
    sys.stdout.buffer.write(orjson.dumps(found) + b"\n")
    sys.stdout.buffer.flush()


def main() -> int:
    """Look every few seconds, until the input ends."""
    plan = orjson.loads(_read_line())
    # Ctrl-C in a terminal reaches this process too; it ends with its parent, which finishes its work first.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "5")
    registry = Registry(plan["tracking_uri"], plan["model"], Path(plan["artifacts"]))
    sync, noting = Sync(registry, Path(plan["folder"])), Noting(registry, Path(plan["folder"]))
    while True:
        try:
            found = sync.look()
            _say(found)
            if found["state"] not in ("no registry", "registry away"):
                noting.look()
        except ModuleNotFoundError as error:
            _say({"state": "off", "detail": f"{error.name} is not installed: only local bundles are served"})
            return NOT_NEEDED
        time.sleep(plan["seconds"])


if __name__ == "__main__":
    sys.exit(main())
