"""`nba evaluate daily`: what people and programs read, and what is kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from features.store.store import Store
from features.times import iso
from models.daily_log import DailyLog
from nba.cli import main
from tests.training.served_worlds import TOML, rows_of


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder with 600 decisions, and the moment at which all their outcomes are known."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "nba.toml").write_text(TOML)
    touchpoints, decisions, _ = rows_of(5, n=600)
    with Store.open(f"sqlite:///{folder / 'nba.db'}") as store, store.writing() as writing:
        writing.touchpoints(touchpoints)
        writing.decisions(decisions)
    return folder, iso(max(row.occurred_at for row in touchpoints) + 1)


def run(shop: tuple[Path, str], capsys: pytest.CaptureFixture[str], *words: str) -> str:
    folder, as_of = shop
    assert main(["--config", str(folder / "nba.toml"), "evaluate", "daily", "--as-of", as_of, *words]) == 0
    return capsys.readouterr().out


def test_programs_read_every_comparison_and_it_is_kept_once_a_day(
    shop: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    found = json.loads(run(shop, capsys, "--json", "--keep"))
    assert found["decisions"] == 600 and found["holdout"]["held_out"] > 100
    assert set(found["over"]) == {"points", "random", "propensity_only", "without_levers"}
    assert found["over"]["random"]["interval"][0] > 0
    run(shop, capsys, "--json", "--keep")
    assert DailyLog.of(shop[0]).days() == [found]


def test_the_rule_of_stages_is_replayed(shop: tuple[Path, str], capsys: pytest.CaptureFixture[str]) -> None:
    free = json.loads(run(shop, capsys, "--json"))["without_suitability"]
    # All contacts made one visit, which is the stage that mail suits: the rule keeps nothing away.
    assert free["decisions"] == 500 and free["other"] == 0.0 and free["priority"] == 0.0
    assert free["value"] is None and free["interval"] is None


def test_people_read_a_table(shop: tuple[Path, str], capsys: pytest.CaptureFixture[str]) -> None:
    shown = run(shop, capsys)
    assert "600 decisions brought" in shown and "the holdout (points)" in shown and "a random allowed action" in shown


def test_a_store_without_decisions_or_touchpoints_says_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "nba.toml").write_text(TOML)
    words = ["--config", str(tmp_path / "nba.toml"), "evaluate", "daily"]
    assert main(words) == 1
    assert "`nba load touchpoints FILE`" in capsys.readouterr().err
    touchpoints, _, _ = rows_of(7, n=20)
    with Store.open(f"sqlite:///{tmp_path / 'nba.db'}") as store, store.writing() as writing:
        writing.touchpoints(touchpoints)
    assert main(words) == 0
    assert "0 decisions of the last 90 days have a known outcome; 50 are needed" in capsys.readouterr().out
