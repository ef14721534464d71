"""The child process that fetches bundles: started, listened to, started again when it dies."""

from __future__ import annotations

import asyncio
import logging
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

log = logging.getLogger("nba.serving")

NOT_NEEDED = 3
"""The child's exit status when there is nothing it could ever do."""

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
_LIVED_WELL = 60.0


@dataclass(frozen=True)
class SyncPlan:
    """What the child is to do; sent to it as one line of JSON."""

    folder: Path
    tracking_uri: str
    model: str
    artifacts: Path
    seconds: float

    def line(self) -> bytes:
        """Spell it out for the child."""
        plan = {
            "folder": str(self.folder),
            "tracking_uri": self.tracking_uri,
            "model": self.model,
            "artifacts": str(self.artifacts),
            "seconds": self.seconds,
        }
        return orjson.dumps(plan) + b"\n"


class SyncChild:
    """Keeps a child process alive that keeps the local bundles up to date.

    The child reads from a pipe that only this process holds open, so that it ends when this process ends,
    however that happens. What it says on its output is kept for the readiness page.
    """

    def __init__(self, plan: SyncPlan) -> None:
        self._plan = plan
        self._said: dict[str, Any] = {"state": "starting"}
        self.pid: int | None = None

    def report(self) -> dict[str, Any]:
        """Return what the child said last."""
        return dict(self._said)

    async def run(self) -> None:
        """Start the child, and again whenever it dies, until cancelled."""
        pause = _FIRST_PAUSE
        while True:
            began = asyncio.get_running_loop().time()
            status = await self._live()
            if status == NOT_NEEDED:
                return
            if asyncio.get_running_loop().time() - began > _LIVED_WELL:
                pause = _FIRST_PAUSE
            self._said = {"state": "restarting", "detail": f"the sync process ended with status {status}"}
            log.warning("the sync process ended with status %s; it starts again in %.0f s", status, pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _live(self) -> int:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "serving.sync",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        self.pid = child.pid
        try:
            if child.stdin is not None and child.stdout is not None:
                child.stdin.write(self._plan.line())
                async for line in child.stdout:
                    self._hear(line)
            return await child.wait()
        finally:
            self.pid = None
            if child.returncode is None:
                child.kill()
                await child.wait()

    def _hear(self, line: bytes) -> None:
        try:
            said = orjson.loads(line)
        except orjson.JSONDecodeError:
            return
        if isinstance(said, dict) and said != self._said:
            self._said = said
            log.info("sync: %s", said.get("state"))
