"""``nba points suggest`` and ``nba forecast`` from the door: what they print, and what they refuse."""

import json

import pytest

from features.store.store import Store
from nba.cli import main
from training.world.files import settings_text, write_store
from training.world.world import world


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    room = tmp_path_factory.mktemp("owner")
    made = world(300, seed=2, days=200)
    text = settings_text(made)
    (room / "nba.toml").write_text(text, encoding="utf-8")
    with Store.open(f"sqlite:///{room / 'nba.db'}") as store:
        write_store(made, store)
    return room


def run(folder, capsys, *words):
    status = main(["--config", str(folder / "nba.toml"), *words])
    shown = capsys.readouterr()
    return status, shown.out, shown.err


def test_a_suggestion_is_printed_to_read_and_to_paste(folder, capsys):
    status, out, _ = run(folder, capsys, "points", "suggest")
    assert status == 0 and "suggested   in force" in out and "\n[points]\nkinds = {" in out
    status, out, _ = run(folder, capsys, "points", "suggest", "--json")
    found = json.loads(out)
    assert status == 0 and found["goal"] == "conversion" and found["suggested"]["auc"] >= found["in_force"]["auc"]


def test_points_for_an_absence_or_an_unknown_goal_are_refused(folder, capsys):
    for goal in ("churn", "sales"):
        status, out, err = run(folder, capsys, "points", "suggest", "--goal", goal)
        assert status == 2 and not out and f"{goal!r} is no goal to be reached" in err and "conversion" in err


def test_too_short_a_history_is_refused_in_a_sentence(folder, capsys):
    status, out, err = run(folder, capsys, "points", "suggest", "--as-of", "2024-02-01")
    assert status == 1 and not out and "load a longer history" in err


@pytest.mark.parametrize(
    ("wanted", "words", "reason"),
    [
        (2, ("--horizon", "soon"), "--horizon: "),
        (2, ("--horizon", "0d"), "--horizon: "),
        (2, ("--by", "moon,topic"), "moon is nothing to split by"),
        (2, ("--as-of", "moon"), "--as-of: 'moon' is not a time"),
        (1, (), "`nba train run` makes one"),
    ],
)
def test_a_forecast_that_cannot_be_made_is_refused_with_the_way_out(folder, capsys, wanted, words, reason):
    status, out, err = run(folder, capsys, "forecast", *words)
    assert status == wanted and not out and reason in err
    assert not (folder / "forecasts.jsonl").exists()
