"""Upkeep beside the service: what is due is done in its order, by real child processes, and what fails is told."""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from serving.upkeep import Chore, Upkeep


def looked(tmp_path: Path, is_enough: Callable[[], bool], after_failure: int, *chores: Chore) -> None:
    async def some_looks() -> None:
        times = iter(range(1_000_000))
        upkeep = Upkeep(str(tmp_path / "nba.toml"), lambda: next(times), chores, 0.0, 0.01, after_failure)
        task = asyncio.create_task(upkeep.run())
        for _ in range(2400):
            await asyncio.sleep(0.02)
            if is_enough():
                break
        # Time for what must not come.
        await asyncio.sleep(0.2)
        assert not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(some_looks())


def test_what_is_not_due_is_asked_again_and_never_done(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    asked: list[tuple[int, int | None]] = []

    def never(now: int, begun: int | None) -> bool:
        asked.append((now, begun))
        return False

    looked(tmp_path, lambda: len(asked) > 2, 0, Chore("no such", "told", never))
    assert asked == [(n, None) for n in range(len(asked))] and not caplog.records


def test_a_failure_is_told_with_the_command_that_says_why_and_not_tried_again_soon(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    asked: list[tuple[str, int, int | None]] = []

    def due(name: str) -> Callable[[int, int | None], bool]:
        def once(now: int, begun: int | None) -> bool:
            asked.append((name, now, begun))
            return begun is None

        return once

    chores = [Chore(f"no {name}", f"{name} is undone", due(name)) for name in ("such", "way")]
    with caplog.at_level(logging.WARNING, "nba.serving"):
        looked(tmp_path, lambda: len(caplog.records) == 2, 1_000, *chores)
    assert [record.getMessage() for record in caplog.records] == [
        "such is undone (status 2); `nba no such` says why",
        "way is undone (status 2); `nba no way` says why",
    ]
    assert asked == [("such", 0, None), ("way", 0, None)]


def test_what_could_not_be_run_is_told_and_taken_up_at_the_next_look_and_keeps_nothing_else_from_being_done(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, asked = asyncio.create_subprocess_exec, 0

    def once(now: int, begun: int | None) -> bool:
        return begun is None

    def faulty(now: int, begun: int | None) -> bool:
        nonlocal asked
        asked += 1
        raise ValueError("a name")

    async def begin(*words: Any, **options: Any) -> asyncio.subprocess.Process:
        monkeypatch.setattr(asyncio, "create_subprocess_exec", real)
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(asyncio, "create_subprocess_exec", begin)
    chores = [Chore("no such", "such is undone", once), Chore("no way", "the way is undone", faulty)]
    with caplog.at_level(logging.WARNING, "nba.serving"):
        looked(tmp_path, lambda: asked > 2, 0, *chores)
    told = [record.getMessage() for record in caplog.records]
    assert told[:2] == ["such is undone: `nba no such` was not run", "the way is undone: `nba no way` was not run"]
    assert told.count("such is undone (status 2); `nba no such` says why") == 1
