"""The daily report of a running service: made once a day by a real child process, whatever goes wrong."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from features.store.store import Store
from features.times import DAY, iso
from models.daily_log import DailyLog
from models.forecast_log import ForecastLog
from serving.daily import daily
from serving.upkeep import Upkeep
from tests.training.served_worlds import TOML, rows_of


def shop(folder: Path) -> int:
    (folder / "nba.toml").write_text(TOML)
    touchpoints, decisions, _ = rows_of(6, n=60)
    with Store.open(f"sqlite:///{folder / 'nba.db'}") as store, store.writing() as writing:
        writing.touchpoints(touchpoints)
        writing.decisions(decisions)
    return max(row.occurred_at for row in touchpoints) + 1


async def until(days: int, log: DailyLog, reporting: Upkeep) -> None:
    task = asyncio.create_task(reporting.run())
    for _ in range(6000):
        await asyncio.sleep(0.05)
        if len(log.days()) >= days:
            break
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def test_every_day_is_reported_once(tmp_path: Path) -> None:
    now, log = shop(tmp_path), DailyLog.of(tmp_path)
    times = iter([now, *[now + DAY] * 1_000_000])
    asyncio.run(until(2, log, daily(str(tmp_path / "nba.toml"), tmp_path, lambda: next(times), 0.0, 0.05)))
    assert [each["day"] for each in log.days()] == [iso(now)[:10], iso(now + DAY)[:10]]
    assert log.days()[0]["decisions"] == 60
    assert len(log.path.read_text().splitlines()) == 2


def test_a_day_that_is_there_is_not_made_again(tmp_path: Path) -> None:
    log = DailyLog.of(tmp_path)
    log.add({"day": "2026-11-21"})
    # There are no settings here: a child would fail, and a report would be a second line.
    reporting = daily(str(tmp_path / "nba.toml"), tmp_path, lambda: 1_795_219_200_000_000, 0.0, 0.01)

    async def some_looks() -> None:
        task = asyncio.create_task(reporting.run())
        await asyncio.sleep(0.2)
        assert not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(some_looks())
    assert log.path.read_text().count("\n") == 1


def test_what_is_to_come_is_foreseen_once_a_week_where_there_is_a_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_795_219_200_000_000
    chores = {chore.command: chore for chore in daily(None, tmp_path, lambda: now).chores}
    is_due = chores["forecast"].is_due
    assert not is_due(now, None)
    monkeypatch.setattr("serving.daily.local_champion", lambda folder: (folder, "1"))
    assert is_due(now, None) and not is_due(now, now) and is_due(now, now - DAY)
    part = {"horizon_us": 30 * DAY, "conversions": {"expected": 1.0, "interval": None}}
    report = {"as_of_us": now, "model_version": "1", "goals": {"conversion": part}}
    assert ForecastLog.of(tmp_path).add(report, now - 6 * DAY)
    assert not is_due(now, None) and is_due(now + DAY, None)
