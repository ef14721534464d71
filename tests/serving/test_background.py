"""Work in the background: begun again after whatever error, ended where it ends or is cancelled."""

from __future__ import annotations

import asyncio
import io
import logging
from itertools import pairwise
from typing import Any

import pytest

from serving import background
from serving.background import begun_again
from serving.keys import Keys
from serving.logs import PlainLines
from tests.serving.conftest import Local


@pytest.fixture
def told() -> Any:
    """Lines of the log as the service writes them."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(PlainLines())
    background.log.addHandler(handler)
    yield stream
    background.log.removeHandler(handler)


def test_it_is_begun_again_after_every_error_until_it_comes_to_its_end(
    told: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(background, "LONGEST_PAUSE", 0.03)
    begun: list[float] = []

    async def work() -> None:
        begun.append(asyncio.get_running_loop().time())
        if len(begun) < 6:
            raise BlockingIOError(11, "a person's name")

    asyncio.run(asyncio.wait_for(begun_again("the work", work), 20))
    pauses = [after - before for before, after in pairwise(begun)]
    at_least = (0.009, 0.019, 0.029, 0.029, 0.029)
    assert all(pause >= least for pause, least in zip(pauses, at_least, strict=True))
    found = told.getvalue()
    assert found.count("the work has failed and begins again in 0 s") == 5
    assert "BlockingIOError at" in found and "person" not in found


def test_whoever_cancels_it_ends_it_at_work_and_in_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    async def failing() -> None:
        raise ValueError("no")

    async def journey() -> None:
        for work in (failing, asyncio.Event().wait):
            task = asyncio.create_task(begun_again("the work", work))  # type: ignore[arg-type]
            await asyncio.sleep(0.02)
            assert not task.done()
            task.cancel()
            assert isinstance((await asyncio.gather(task, return_exceptions=True))[0], asyncio.CancelledError)

    asyncio.run(journey())


def test_keys_are_read_on_after_an_error_that_nobody_foresaw(local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr("serving.keys.READ_EVERY", 0.01)
    real, read = Keys.read, 0

    def failing_once(keys: Keys, store: Any) -> None:
        nonlocal read
        read += 1
        if read == 1:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        real(keys, store)

    monkeypatch.setattr(Keys, "read", failing_once)

    async def journey(client: Any) -> None:
        for _ in range(500):
            await asyncio.sleep(0.01)
            if read > 3:
                break

    local.run(journey)
    assert read > 3
