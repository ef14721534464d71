"""Several processes that answer at one address: started, started again when they die, renewed one after another."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import orjson

from features.errors import UserError
from nba.settings import load_settings
from serving.background import begun_again
from serving.metrics import SHARED, forget_worker
from serving.run import SECONDS_TO_FINISH
from serving.worker import READY

log = logging.getLogger("nba.serving")

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
_LIVED_WELL = 60.0
_SECONDS_BEYOND = 5.0


@dataclass(frozen=True)
class WorkerPlan:
    """What each worker is to do.

    Attributes
    ----------
    config
        The file ``nba.toml``; None: what is found by itself.
    behind_us
        How far the service's clock is behind this machine's.
    sync_seconds
        How often MLflow is asked; by the first worker only.
    is_elsewhere
        Whether other machines can call.
    """

    config: Path | None
    behind_us: int
    sync_seconds: float
    is_elsewhere: bool

    def line(self, number: int, listening: int) -> bytes:
        """Spell it out for one worker."""
        plan = {
            "config": None if self.config is None else str(self.config),
            "behind_us": self.behind_us,
            "sync_seconds": self.sync_seconds,
            "is_elsewhere": self.is_elsewhere,
            "number": number,
            "listening": listening,
        }
        return orjson.dumps(plan) + b"\n"


def run_workers(plan: WorkerPlan, listening: socket.socket, n: int) -> bool:
    """Answer with ``n`` processes until told to end; says whether any of them ever did."""
    return asyncio.run(Workers(plan, listening, n).run())


class Workers:
    """Keeps ``n`` processes alive that take calls from one listening socket.

    SIGTERM and SIGINT end them when they have finished what they have; SIGHUP has each replaced by a new one that
    has read the settings again, one after the other, so that somebody always answers.
    """

    def __init__(self, plan: WorkerPlan, listening: socket.socket, n: int) -> None:
        self._plan = plan
        self._listening = listening
        self._live: dict[int, asyncio.subprocess.Process] = {}
        self._ready = [asyncio.Event() for _ in range(n)]
        self._renewed: set[int] = set()
        self._ending = asyncio.Event()
        self._asked_anew = asyncio.Event()
        self._has_served = False

    async def run(self) -> bool:
        """Run until told to end.

        Returns
        -------
        Whether any worker has ever been ready.
        """
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._ending.set)
        loop.add_signal_handler(signal.SIGINT, self._ending.set)
        loop.add_signal_handler(signal.SIGHUP, self._asked_anew.set)
        renewing = asyncio.create_task(begun_again("the renewal of workers", self._renew_when_asked))
        folder = tempfile.mkdtemp(prefix="nba-metrics-")
        environ = {**os.environ, SHARED: folder}
        try:
            await asyncio.gather(*(self._keep(number, environ) for number in range(len(self._ready))))
        finally:
            renewing.cancel()
            shutil.rmtree(folder, ignore_errors=True)
        return self._has_served

    async def _keep(self, number: int, environ: Mapping[str, str]) -> None:
        """Keep one worker alive."""
        pause = _FIRST_PAUSE
        while not self._ending.is_set():
            began = asyncio.get_running_loop().time()
            try:
                status: int | str = await self._live_once(number, environ)
            except OSError as error:
                # There is no process to be had for now; the others go on answering.
                status = str(error)
                if not self._has_served:
                    raise
            if not self._has_served:
                # What cannot start the first time will not by itself; somebody has to read why.
                self._ending.set()
            if self._ending.is_set():
                return
            if number in self._renewed:
                self._renewed.discard(number)
                continue
            if asyncio.get_running_loop().time() - began > _LIVED_WELL:
                pause = _FIRST_PAUSE
            log.error("worker %d ended with status %s; it starts again in %.1f s", number, status, pause)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _live_once(self, number: int, environ: Mapping[str, str]) -> int:
        fd = self._listening.fileno()
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "serving.worker"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            pass_fds=(fd,),
            env=environ,
        )
        # Whoever was to be renewed is gone by now; what becomes of this one is another matter.
        self._renewed.discard(number)
        self._live[number] = child
        ending = asyncio.create_task(self._end_in_time(child))
        try:
            if child.stdin is not None and child.stdout is not None:
                with suppress(ConnectionError):
                    child.stdin.write(self._plan.line(number, fd))
                    await child.stdin.drain()
                async for line in child.stdout:
                    if line.strip() == READY:
                        self._has_served = True
                        self._ready[number].set()
            return await child.wait()
        finally:
            ending.cancel()
            self._ready[number].clear()
            del self._live[number]
            if child.returncode is None:
                child.kill()
                await child.wait()
            forget_worker(Path(environ[SHARED]), child.pid)

    async def _end_in_time(self, child: asyncio.subprocess.Process) -> None:
        """Pass on that it is time to end, and end whoever does not."""
        await self._ending.wait()
        with suppress(ProcessLookupError):
            child.terminate()
            await asyncio.sleep(SECONDS_TO_FINISH + _SECONDS_BEYOND)
            child.kill()

    async def _renew_when_asked(self) -> None:
        """Renew them whenever that is asked for; of two renewals at once each would end those that the other needs."""
        while True:
            await self._asked_anew.wait()
            self._asked_anew.clear()
            await self._renew()

    async def _renew(self) -> None:
        try:
            load_settings(self._plan.config, os.environ)
        except UserError as error:
            log.error("the workers go on with the settings they have, because the new ones are faulty: %s", error)
            return
        log.info("workers are renewed, one after another")
        for number in range(len(self._ready)):
            child = self._live.get(number)
            if child is None or self._ending.is_set():
                continue
            self._renewed.add(number)
            self._ready[number].clear()
            with suppress(ProcessLookupError):
                child.terminate()
            await self._ready[number].wait()
