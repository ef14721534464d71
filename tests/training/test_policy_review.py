"""`nba evaluate policies` on stored decisions: what people and programs read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from features.rows.row_types import RecordRow
from features.store.store import Store
from nba.cli import main
from tests.training.decision_worlds import END_AT, NAMES, rows_of_world

FIGURES = ["n", "ips", "snips", "dr", "interval", "ess", "max_weight", "mean_weight", "clipped", "verdict", "why"]
TOML = """
[goals.conversion]
kinds = ["order"]
horizon = "14d"
value = 1
[actions.mail]
channel = "email"
[actions.call]
channel = "phone"
[actions.fax]
channel = "fax"
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 1,500 contacts who were mailed, called or left alone by chance."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "nba.toml").write_text(TOML)
    touchpoints, decisions, traits = rows_of_world(1500)
    with Store.open(f"sqlite:///{folder / 'nba.db'}") as store, store.writing() as writing:
        writing.touchpoints(touchpoints)
        writing.decisions(decisions)
        writing.contacts([RecordRow(*row) for row in traits])
    return folder


def evaluated(folder: Path, capsys: pytest.CaptureFixture[str], *args: str) -> str:
    assert main(["--config", str(folder / "nba.toml"), "evaluate", "policies", *args]) == 0
    return capsys.readouterr().out


def test_every_policy_is_judged_as_a_logged_file_is(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(evaluated(shop, capsys, "--json", "--as-of", END_AT))
    assert (found["evidence"], found["decisions"]) == ("randomised", 450)
    constants = {f"constant:{name}" for name in (*NAMES, "fax")}
    assert set(found["policies"]) == {"points", "uniform", "learned", *constants}
    for each in found["policies"].values():
        assert set(FIGURES) <= set(each)
    assert found["policies"]["constant:mail"]["verdict"] == "ok"
    assert found["policies"]["constant:fax"]["verdict"] == "refused"
    assert "fax, which was never taken" in found["policies"]["constant:fax"]["why"]


def test_people_read_a_table_and_a_sentence(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = evaluated(shop, capsys, "--as-of", END_AT)
    assert "constant:mail" in said and "450 held-out decisions, evidence: randomised" in said
    assert "constant:fax: refused." in said


def test_without_decisions_there_is_a_sentence(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = json.loads(evaluated(shop, capsys, "--json", "--as-of", "2026-01-28"))
    assert (before["policies"], before["evidence"]) == ({}, "none")
    assert "no logged decisions" in evaluated(shop, capsys, "--as-of", "2026-01-28")
