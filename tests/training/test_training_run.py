"""What a training tells MLflow of itself: which data, which code, and the list of the last trainings."""

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from features.rows.row_types import DecisionRow, RecordRow, TouchpointRow
from features.store.store import Store
from features.times import DAY
from models.registry.training_run import COMMIT, PastTraining
from nba.settings import parse_settings
from training.code_version import code_version
from training.past import read_past
from training.rows.data_used import data_used
from training.training_list import listed, plain

ROWS = [TouchpointRow(f"crm:{n % 3}", n * DAY, f"t{n}", "visit", value=float(n)) for n in range(1, 9)]
TRAITS = [RecordRow("crm:1", 5, {"size": 4})]
DECISION = DecisionRow("d1", "crm:1", 3 * DAY, "call", probability=0.5)


def used(
    url: str,
    *,
    rows: list[TouchpointRow] = ROWS,
    traits: list[RecordRow] = TRAITS,
    decision: DecisionRow = DECISION,
    now: int = 100 * DAY,
) -> Any:
    with Store.open(url) as store:
        with store.writing() as writing:
            writing.touchpoints(rows)
            writing.contacts(traits)
            writing.decisions([decision])
        return data_used(read_past(store, parse_settings(""), now), "postgresql://me:secret@db.example.org/nba")


def test_the_same_content_has_the_same_digest_in_every_database(store_url, tmp_path):
    one = used(store_url)
    other = used(f"sqlite:///{tmp_path}/other.db", rows=ROWS[::-1])
    assert one == other
    assert (one.name, one.source) == ("touchpoints", "postgresql://db.example.org/nba")
    assert one.counts == {"touchpoints": 8, "contacts": 3, "decisions": 1, "quarantined": 0}
    assert (one.since, one.until) == ("1970-01-02T00:00:00Z", "1970-01-09T00:00:00Z")
    assert len(one.digest) <= 36


CHANGES: dict[str, dict[str, Any]] = {
    "a value": {"rows": [*ROWS[:-1], ROWS[-1]._replace(value=8.5)]},
    "a kind": {"rows": [*ROWS[:-1], ROWS[-1]._replace(kind="order")]},
    "a topic": {"rows": [*ROWS[:-1], ROWS[-1]._replace(topics='["pumps"]')]},
    "a time": {"rows": [*ROWS[:-1], ROWS[-1]._replace(occurred_at=9 * DAY)]},
    "a name": {"rows": [*ROWS[:-1], ROWS[-1]._replace(identity="crm:9")]},
    "one less": {"rows": ROWS[:-1]},
    "a trait": {"traits": [RecordRow("crm:1", 5, {"size": 5})]},
    "since when": {"traits": [RecordRow("crm:1", 6, {"size": 4})]},
    "a probability": {"decision": replace(DECISION, probability=0.25)},
    "the moment": {"now": 7 * DAY},
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_is_learnt_from_changes_the_digest(change, tmp_path):
    before = used(f"sqlite:///{tmp_path}/before.db")
    assert used(f"sqlite:///{tmp_path}/after.db", **CHANGES[change]).digest != before.digest


@pytest.fixture
def git(tmp_path: Path) -> Callable[..., str]:
    def run(*words: str) -> str:
        who = ["-c", "user.name=n", "-c", "user.email=n@example.org", "-c", "commit.gpgsign=false"]
        done = subprocess.run(["git", "-C", str(tmp_path), *who, *words], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    run("init", "-q")
    (tmp_path / "a.py").write_text("1")
    run("add", "a.py")
    run("commit", "-q", "-m", "first")
    return run


def test_a_repository_gives_its_commit_and_says_what_was_changed(git, tmp_path):
    commit = git("rev-parse", "HEAD")
    clean = code_version(tmp_path)
    assert clean[COMMIT] == commit
    assert clean["code_version"].startswith("nba-service ")
    assert clean["code_version"].endswith(f"commit {commit[:12]}")
    (tmp_path / "a.py").write_text("2")
    assert code_version(tmp_path)["code_version"].endswith("with changes")


def test_the_repository_around_an_installed_package_is_not_its_own(git, tmp_path):
    packages = tmp_path / "lib" / "site-packages"
    packages.mkdir(parents=True)
    assert COMMIT not in code_version(packages)


def test_without_git_there_is_the_packages_version(git, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert code_version(tmp_path).keys() == {"code_version"}


def test_the_last_trainings_stand_side_by_side_whatever_goals_they_had():
    trainings = [
        PastTraining(
            "3", ("challenger",), 20_007, {"validation": "failed"}, {"churn.model.auc": 0.71, "churn.points.auc": 0.6}
        ),
        PastTraining(
            "2",
            ("champion",),
            20_000,
            {"validation": "passed"},
            {"churn.model.auc": 0.70, "churn.model.ece": 0.0214, "conversion.model.auc": 0.8},
        ),
        PastTraining("1", (), None, {}, {}),
    ]
    columns, rows = listed(trainings)
    assert columns == [
        "version", "as of", "gate", "churn AUC", "churn ECE", "conversion AUC", "conversion ECE", "alias",
    ]  # fmt: skip
    assert rows == [
        ["3", "2024-10-11", "failed", 0.71, None, None, None, "challenger"],
        ["2", "2024-10-04", "passed", 0.7, 0.021, 0.8, None, "champion"],
        ["1", None, None, None, None, None, None, ""],
    ]
    assert plain(trainings)[1]["metrics"]["churn.model.ece"] == 0.0214


def test_a_long_line_is_broken_at_words_and_a_short_one_left_alone():
    from training.commands.train import _fitted

    table = "                AUC   95 % interval     AP\n  model       0.805   0.747 - 0.853  0.291"
    told = "  note: " + "the rule 'points' orders the test rows better than the model " * 3
    shown = _fitted(f"{table}\n\n{told}", columns=70)
    assert shown.startswith(table + "\n\n")
    lines = shown.splitlines()[3:]
    assert len(lines) > 2
    assert all(len(line) <= 70 for line in lines)
    assert all(line.startswith("      ") for line in lines[1:])
    assert " ".join(" ".join(lines).split()) == " ".join(told.split())
