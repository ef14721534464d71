"""Several processes at one address, renewed: by real processes that do nothing but say that they are ready."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest

from serving.workers import WorkerPlan, Workers

WORKER = """#!/bin/sh
trap 'echo -$$ >> {told}; exit 0' TERM
sleep 0.2
echo +$$ >> {told}
echo ready
while :; do sleep 0.02; done
"""

Journey = Callable[[Workers, Path], Awaitable[None]]


def run(folder: Path, monkeypatch: pytest.MonkeyPatch, journey: Journey) -> None:
    """Run two workers, and something beside them."""
    worker, told = folder / "python", folder / "told"
    worker.write_text(WORKER.format(told=told))
    worker.chmod(0o755)
    (folder / "nba.toml").write_text("")
    monkeypatch.setattr(sys, "executable", str(worker))

    async def both() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            workers = Workers(WorkerPlan(folder / "nba.toml", 0, 1.0, False), listening, 2)
            running = asyncio.create_task(workers.run())
            try:
                await until(lambda: len(begun(told)) == 2)
                await journey(workers, told)
            finally:
                workers._ending.set()
                assert await running

    asyncio.run(both())


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not is_so():
            await asyncio.sleep(0.01)


def lines(told: Path) -> list[str]:
    return told.read_text().split() if told.exists() else []


def begun(told: Path) -> list[str]:
    return [line for line in lines(told) if line.startswith("+")]


def test_somebody_always_answers_whenever_a_renewal_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def journey(workers: Workers, told: Path) -> None:
        os.kill(os.getpid(), signal.SIGHUP)
        # In the middle of it: the first is new, and the second is being replaced.
        await until(lambda: len(begun(told)) == 3 and len([line for line in lines(told) if line[0] == "-"]) == 2)
        os.kill(os.getpid(), signal.SIGHUP)
        await until(lambda: len(begun(told)) == 6)
        answering = list(accumulate(1 if line[0] == "+" else -1 for line in lines(told)))
        assert min(answering[1:]) == 1

    run(tmp_path, monkeypatch, journey)


def test_a_worker_that_is_killed_after_renewals_is_told_and_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def journey(workers: Workers, told: Path) -> None:
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGHUP)
            await asyncio.sleep(0.1)
        await until(lambda: len(begun(told)) == 6)
        await asyncio.sleep(0.1)
        assert not caplog.records
        os.kill(int(begun(told)[-1]), signal.SIGKILL)
        await until(lambda: bool(caplog.records))
        assert "ended with status -9; it starts again in 0.5 s" in caplog.text

    with caplog.at_level(logging.ERROR, "nba.serving"):
        run(tmp_path, monkeypatch, journey)


def test_while_there_is_no_process_to_be_had_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real = asyncio.create_subprocess_exec

    async def short(*words: Any, **options: Any) -> asyncio.subprocess.Process:
        monkeypatch.setattr(asyncio, "create_subprocess_exec", real)
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    async def journey(workers: Workers, told: Path) -> None:
        monkeypatch.setattr(asyncio, "create_subprocess_exec", short)
        os.kill(int(begun(told)[0]), signal.SIGKILL)
        await until(lambda: len(begun(told)) == 3)
        assert "Resource temporarily unavailable; it starts again in 1.0 s" in caplog.text
        assert not [line for line in lines(told) if line[0] == "-"]

    with caplog.at_level(logging.ERROR, "nba.serving"):
        run(tmp_path, monkeypatch, journey)
