import json
from typing import Any

import pytest

from nba.cli import main

TOML = """
[points]
kinds = { visit = 5, service_call = 250 }
thresholds = [{ from = 250, actions = ["call"] }]
[actions.call]
channel = "phone"
cost = 18.0
[actions.mail]
channel = "email"
needs = { points_from = 1000 }
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nba.toml").write_text(TOML)
    (tmp_path / "t.jsonl").write_text(
        '{"identity": "crm:1", "occurred_at": "2026-06-01T10:00:00Z", "kind": "service_call"}\n'
    )
    assert main(["load", "touchpoints", "t.jsonl"]) == 0
    return tmp_path


def answer(capsys, *words: str) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["recommend", *words, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_it_answers_as_the_service_would_and_logs_nothing(here, capsys) -> None:
    first = answer(capsys, "crm:1", "--as-of", "2026-06-02", "--explain")
    assert first == answer(capsys, "crm:1", "--as-of", "2026-06-02", "--explain")
    assert (first["mode"], first["model_version"], first["as_of"]) == ("points", None, "2026-06-02T00:00:00Z")
    assert first["points"]["total"] == 250
    assert [each["action"] for each in first["removed"]] == ["mail"]


def test_only_what_was_known_strictly_before_counts(here, capsys) -> None:
    assert answer(capsys, "crm:1", "--as-of", "2026-06-01T10:00:00Z")["mode"] == "default"
    assert answer(capsys, "crm:1", "--as-of", "2026-06-01T10:00:00.000001Z")["mode"] == "points"


def test_an_unknown_contact_is_answered(here, capsys) -> None:
    found = answer(capsys, "crm:nobody")
    assert (found["mode"], found["contact_id"], found["do_nothing"]) == ("default", "crm:nobody", True)


def test_the_table_shows_terms_and_reasons(here, capsys) -> None:
    capsys.readouterr()
    assert main(["recommend", "crm:1", "--as-of", "2026-06-03T10:00:00Z", "--explain"]) == 0
    shown = capsys.readouterr().out
    for part in (
        "points: 250 = service_call 250",
        "without_action",
        "called the service line 2 days ago",
        "eligibility",
    ):
        assert part in shown


def test_a_wrong_time_and_a_wrong_identity_are_named(here, capsys) -> None:
    assert main(["recommend", "crm:1", "--as-of", "soon"]) == 1
    assert "--as-of" in capsys.readouterr().err
    assert main(["recommend", " "]) == 1
    assert "contact" in capsys.readouterr().err


def test_a_champion_that_cannot_be_read_leaves_the_answer_to_points(here, capsys) -> None:
    (here / "bundles" / "abc").mkdir(parents=True)
    (here / "bundles" / "champion.json").write_text('{"version": "3", "sha256": "abc"}')
    found = answer(capsys, "crm:1", "--as-of", "2026-06-02")
    assert (found["mode"], found["degraded"], found["model_version"]) == ("points", True, None)


def test_what_to_read_can_be_asked_for_too(here, capsys) -> None:
    rows = [{"content_id": f"c{i}", "title": f"Title {i}", "topics": ["pumps"]} for i in range(3)]
    (here / "content.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert main(["load", "content", "content.jsonl", "--set", "known_at=2026-01-01"]) == 0
    found = answer(capsys, "crm:1", "--as-of", "2026-06-02", "--placement", "infocenter", "--limit", "2")
    assert len({each["content_id"] for each in found["recommendations"]} - {None}) == 2
    capsys.readouterr()
    assert main(["recommend", "crm:1", "--limit", "0"]) == 1
    assert "limit" in capsys.readouterr().err
