"""`nba init` writes a file that runs as it is, and never over another."""

from pathlib import Path

import pytest

from nba.cli import main
from nba.commands.init import TEMPLATE
from nba.settings import load_settings, parse_settings


def test_what_it_writes_is_sound_and_fully_built(tmp_path: Path) -> None:
    assert main(["init", str(tmp_path / "shop")]) == 0
    settings = load_settings(tmp_path / "shop" / "nba.toml", {})
    assert settings.not_built_yet == () and {"conversion", "churn"} == set(settings.goals)
    assert settings == parse_settings(TEMPLATE, folder=tmp_path / "shop")


def test_it_never_writes_over_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "nba.toml").write_text("# mine")
    assert main(["init", str(tmp_path)]) == 1
    assert "already there" in capsys.readouterr().err
    assert (tmp_path / "nba.toml").read_text() == "# mine"


def test_a_file_is_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "shop").write_text("")
    assert main(["init", str(tmp_path / "shop")]) == 1
    assert "not a folder" in capsys.readouterr().err
