"""`nba partners route`: a partner for every lead that nobody looks after."""

import json
from typing import Any

import pytest

from nba.cli import main

TOML = """
[goals.conversion]
kinds = ["order"]
horizon = "30d"
[actions.call]
channel = "phone"
"""
AT = "2026-06-15T10:00:00Z"


def touch(identity: str, day: str, kind: str = "visit", **more: Any) -> dict[str, Any]:
    return {"identity": identity, "occurred_at": f"{day}T08:00:00Z", "kind": kind, "topic": "pumps", **more}


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nba.toml").write_text(TOML)
    old = [f"old:{i}" for i in range(16)]
    touched = [touch(name, "2026-06-10") for name in ("ann", "bob", "own", "dealt", "staff", "waits", "said_no")]
    touched += [touch("long_ago", "2025-06-10"), touch("cookie:1", "2026-06-11")]
    for number, name in enumerate(old):
        partner = ("north", "south")[number % 2]
        touched += [
            touch(name, "2026-01-01", "lead_offered", partner=partner),
            touch(name, "2026-01-02", "lead_accepted", partner=partner),
            touch(name, "2026-01-20", "order")
            if partner == "south"
            else touch(name, "2026-01-20", "lead_lost", partner=partner),
        ]
    touched += [touch("waits", "2026-06-12", "lead_offered", partner="south")]
    touched += [touch("said_no", "2026-06-08", "lead_offered", partner="south")]
    touched += [touch("said_no", "2026-06-09", "lead_declined", partner="south")]
    contacts = [
        {"identity": "ann", "country": "CH"},
        {"identity": "bob", "country": "DE"},
        {"identity": "own", "owner": "anna"},
        {"identity": "dealt", "partner": "north"},
        {"identity": "staff", "account": "north ag"},
        *({"identity": name, "owner": "anna"} for name in old),
    ]
    partners = [
        {"partner": "north", "territory": "CH, AT", "account": "north ag", "capacity": 2},
        {"partner": "south", "territory": "CH", "capacity": 2},
    ]
    links = [{"identity_a": "cookie:1", "identity_b": "ann", "seen_at": "2026-06-11T08:00:00Z"}]
    for table, rows in (("touchpoints", touched), ("contacts", contacts), ("partners", partners), ("links", links)):
        (tmp_path / f"{table}.jsonl").write_text("\n".join(map(json.dumps, rows)))
        assert main(["load", table, f"{table}.jsonl"]) == 0
    return tmp_path


def routed(capsys, *words: str) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["partners", "route", "--as-of", AT, *words, "--json"]) == 0
    return {lead["contact_id"]: lead for lead in json.loads(capsys.readouterr().out)["leads"]}


def test_leads_are_contacts_that_nobody_looks_after_and_that_stir(here, capsys):
    found = routed(capsys)
    assert set(found) == {"ann", "bob", "said_no"}
    assert found["ann"]["partner"] == "south" and found["ann"]["wins"] > 0.6 and found["ann"]["topic"] == "pumps"
    assert [each["partner"] for each in found["ann"]["next"]] == ["north"]
    assert (found["bob"]["partner"], found["bob"]["next"]) == (None, [])
    assert (found["said_no"]["partner"], found["said_no"]["declined_by"]) == ("north", ["south"])


def test_named_contacts_are_routed_whoever_they_are_but_those_of_partners(here, capsys):
    assert set(routed(capsys, "cookie:1", "own", "dealt", "staff")) == {"ann", "own"}
    assert set(routed(capsys, "--within", "1000d")) == {"ann", "bob", "said_no", "long_ago"}


def test_the_table_says_why(here, capsys):
    capsys.readouterr()
    assert main(["partners", "route", "--as-of", AT, "ann", "dealt"]) == 0
    written = capsys.readouterr()
    assert "wins" in written.out and "8 settled" in written.out and "1 of 2 leads in hand" in written.out
    assert "dealt has a partner" in written.err


def test_a_mode_that_there_is_not_is_quarantined(here, capsys, tmp_path):
    (tmp_path / "wrong.jsonl").write_text('{"partner": "west", "mode": "somehow"}')
    main(["load", "partners", "wrong.jsonl"])
    assert "quarantined 1" in capsys.readouterr().out
    main(["quarantine"])
    assert "partner_only" in capsys.readouterr().out


def test_without_partners_or_with_a_wrong_duration_it_says_so(here, capsys, tmp_path):
    assert main(["partners", "route", "--within", "soon"]) == 1
    assert "--within" in capsys.readouterr().err
    (tmp_path / "other.toml").write_text('[store]\nurl = "sqlite:///other.db"\n')
    assert main(["--config", "other.toml", "partners", "route"]) == 1
    assert "nba load partners" in capsys.readouterr().err
