"""Counting beside the service: by a real child process, and no sooner than it is worth."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from features.times import DAY, iso
from models.kept import Kept
from models.local import COUNTS
from serving.counting import counting, is_due
from tests.serving.conftest import NOW


@pytest.mark.slow
def test_counts_appear_beside_the_settings(tmp_path: Path) -> None:
    (tmp_path / "nba.toml").write_text('[goals.conversion]\nkinds = ["order"]\nhorizon = "30d"\n')
    kept = Kept(tmp_path / COUNTS)

    async def some_looks() -> None:
        task = asyncio.create_task(counting(str(tmp_path / "nba.toml"), tmp_path, lambda: NOW, 0.0, 0.05).run())
        for _ in range(6000):
            await asyncio.sleep(0.05)
            if kept.read() is not None:
                break
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(some_looks())
    found = kept.read()
    assert found is not None and found["as_of"] == iso(NOW)
    assert found["uses"] == [] and found["gates"] is None and found["parity"] is None


def test_what_takes_long_is_counted_seldom_and_every_day_at_least() -> None:
    for took, hours, due in ((1.0, 0.15, False), (1.0, 0.2, True), (60.0, 3.0, False), (9_000.0, 25.0, True)):
        told = {"as_of": iso(NOW), "took_seconds": took}
        assert is_due(told, NOW + int(hours * DAY / 24)) is due


@pytest.mark.parametrize(
    "told", [{"n": 1}, {"as_of": "once"}, {"as_of": None}, {"as_of": iso(NOW), "took_seconds": float("inf")}]
)
def test_counts_that_do_not_say_of_when_they_are_count_as_none(told: dict[str, object]) -> None:
    assert is_due(told, NOW)
