import argparse
import io
import json
from pathlib import Path

import pytest

from features.loading.loading import LoadError
from nba.commands import load, quarantine
from nba.output import Output

GOOD = "identity,occurred_at,kind,value,currency\n4711,2025-01-01,visit,,\n4712,2025-01-01,order,5,EUR\n"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NBA_STORE_URL", raising=False)


def call(module, *argv: str) -> tuple[str, str]:
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", type=Path)
    module.register(parser)
    results, notes = io.StringIO(), io.StringIO()
    assert module.run(parser.parse_args(argv), Output(results, notes)) == 0
    return results.getvalue(), notes.getvalue()


def test_json_has_the_four_counts_and_nothing_else() -> None:
    Path("a.csv").write_text(GOOD + ",,,,\n")
    results, _ = call(load, "touchpoints", "a.csv", "--json")
    assert json.loads(results) == {"read": 3, "stored": 2, "duplicate": 0, "quarantined": 1}
    results, _ = call(load, "touchpoints", "a.csv", "--json")
    assert json.loads(results) == {"read": 3, "stored": 0, "duplicate": 2, "quarantined": 1}


def test_people_are_told_counts_reasons_and_the_way_on() -> None:
    Path("a.csv").write_text(GOOD + "4713,soon,visit,,\n4714,never,visit,,\n")
    results, notes = call(load, "touchpoints", "a.csv")
    assert results == "read 4, stored 2, duplicate 0, quarantined 2\n"
    assert "2 x occurred_at is not a time" in notes
    assert "nba quarantine" in notes


def test_options_can_be_repeated() -> None:
    Path("a.csv").write_text("who;at\n4711;2025-01-01\n")
    argv = [
        "--rename",
        "who=identity",
        "--rename",
        "at=occurred_at",
        "--set",
        "kind=visit",
        "--set",
        "source=x=y",
    ]
    results, notes = call(load, "touchpoints", "a.csv", "--timezone", "Europe/Zurich", "--json", *argv)
    assert json.loads(results)["stored"] == 1
    assert "semicolon" in notes


@pytest.mark.parametrize(
    "argv",
    [
        ["nonsense", "a.csv"],
        ["touchpoints"],
        ["touchpoints", "a.csv", "--set", "kind"],
        ["touchpoints", "a.csv", "--set", "=x"],
        ["touchpoints", "a.csv", "--rename", "a="],
        ["touchpoints", "a.csv", "--timezone", "Mars"],
        ["touchpoints", "a.csv", "--nonsense"],
    ],
)
def test_wrong_usage_leaves_with_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        call(load, *argv)
    assert caught.value.code == 2
    assert capsys.readouterr().err


def test_a_missing_file_is_refused_and_no_store_is_filled() -> None:
    with pytest.raises(LoadError, match=r"absent\.csv"):
        call(load, "touchpoints", "absent.csv")


def test_the_store_lies_beside_the_settings() -> None:
    Path("shop").mkdir()
    Path("shop/nba.toml").write_text('[store]\nurl = "sqlite:///own.db"\n')
    Path("a.csv").write_text(GOOD)
    call(load, "--config", "shop/nba.toml", "touchpoints", "a.csv")
    assert Path("shop/own.db").exists()


def test_the_quarantine_is_shown_and_tried_again_after_a_fix() -> None:
    assert "nothing" in call(quarantine)[1]
    Path("a.csv").write_bytes((GOOD + "4713,2025-01-01,order,5,SEK\n").encode() + b"M\xfcller,2025-01-01,x,,\n")
    call(load, "touchpoints", "a.csv")
    shown = json.loads(call(quarantine, "--json")[0])
    assert [(row["table"], row["file"], row["line"]) for row in shown] == [
        ("touchpoints", "a.csv", 4),
        ("touchpoints", "a.csv", 5),
    ]
    assert shown[0]["row"]["currency"] == "SEK"
    assert "[money] rates" in shown[0]["reason"]
    results, notes = call(quarantine)
    assert "a.csv:4" in results
    assert "2 rows" in notes
    Path("nba.toml").write_text("[money]\nrates = { SEK = 0.1 }\n")
    assert json.loads(call(quarantine, "retry", "--json")[0]) == {
        "read": 2,
        "stored": 1,
        "duplicate": 0,
        "quarantined": 1,
    }
