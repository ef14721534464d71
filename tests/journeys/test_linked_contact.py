"""Anonymous visitors who log in later: loaded, learnt from, scored and decided on as the contacts they are."""

import csv
import json

import pyarrow.parquet as pq
import pytest

from nba.cli import main

LOGIN_AT = "2025-05-01T00:00:00+00:00"
AS_OF = "2026-01-15"


def nba(folder, *args):
    assert main([*args, "--config", str(folder / "nba.toml")]) == 0, args


@pytest.fixture
def linked(shop):
    """The shop, where a third of the contacts came under a cookie until they logged in."""
    with (shop / "touchpoints.csv").open(newline="") as file:
        header, *rows = list(csv.reader(file))
    names = sorted({row[0] for row in rows})
    visitors = {name: name.replace("crm:", "cookie:") for name in names[::3]}
    as_seen = [[visitors.get(row[0], row[0]) if row[1] < LOGIN_AT else row[0], *row[1:]] for row in rows]
    with (shop / "seen.csv").open("w", newline="") as file:
        csv.writer(file).writerows([header, *as_seen])
    with (shop / "links.csv").open("w", newline="") as file:
        lines = [[cookie, name, LOGIN_AT, "login"] for name, cookie in visitors.items()]
        csv.writer(file).writerows([["identity_a", "identity_b", "seen_at", "how"], *lines])
    nba(shop, "load", "touchpoints", str(shop / "seen.csv"))
    return shop


def scores(folder, name, as_of=AS_OF):
    nba(folder, "score", "--as-of", as_of, "--out", str(folder / name))
    return pq.read_table(folder / name)


def test_a_visitor_who_logged_in_is_scored_as_the_contact(linked, capsys):
    nba(linked, "load", "links", str(linked / "links.csv"))
    assert "nothing acts on them" not in capsys.readouterr().err
    found = scores(linked, "linked.parquet")
    (linked / "nba.db").unlink()
    nba(linked, "load", "touchpoints", str(linked / "touchpoints.csv"))
    assert found.equals(scores(linked, "plain.parquet"))
    assert found.num_rows == 200


def test_before_the_login_visitor_and_contact_are_two(linked):
    without = scores(linked, "without.parquet", "2025-05-01")
    nba(linked, "load", "links", str(linked / "links.csv"))
    assert scores(linked, "with.parquet", "2025-05-01").equals(without)
    assert any(name.startswith("cookie:") for name in without["contact_id"].to_pylist())


def test_the_service_answers_as_training_saw_it(linked, capsys):
    nba(linked, "load", "links", str(linked / "links.csv"))
    report = linked / "report.json"
    nba(linked, "train", "run", "--as-of", AS_OF, "--json", str(report))
    data = json.loads(report.read_text())["data"]
    with (linked / "touchpoints.csv").open() as file:
        assert data["touchpoints"] == sum(1 for _ in file) - 1
    assert data["contacts"] == 200
    (row,) = [row for row in scores(linked, "scores.parquet").to_pylist() if row["contact_id"] == "crm:0"]
    answers = []
    for name in ("crm:0", "cookie:0"):
        capsys.readouterr()
        nba(linked, "recommend", name, "--as-of", AS_OF, "--json")
        answers.append(json.loads(capsys.readouterr().out))
    assert answers[0] == answers[1] and answers[0]["contact_id"] == "crm:0"
    for goal, found in answers[0]["propensities"].items():
        assert found["probability"] == row[f"p_{goal}"]
