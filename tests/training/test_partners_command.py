"""`nba partners route`: a partner for every lead that nobody looks after."""

import csv
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
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
    assert "1 leads" not in written.out and "1 lead, 1 with a partner who should take it" in written.out
    assert (
        "judged by 9 leads about pumps that it was offered, 8 of them" in written.out
        and "covers CH; has room" in written.out
    )
    assert "dealt has a partner" in written.err


def test_of_few_leads_no_number_is_told(here, capsys):
    # One lead of the two that south can have is in hand: its contact is not the owner's to count.
    capsys.readouterr()
    assert main(["partners", "route", "--as-of", AT]) == 0
    written = capsys.readouterr().out
    assert "in hand" not in written and "3 leads, 2 with a partner" in written


def test_a_lead_for_which_no_room_is_left_says_so(here, capsys):
    partners = [{"partner": name, "capacity": 1, "known_at": "2026-06-01"} for name in ("north", "south")]
    touched = [touch(f"new:{n}", "2026-06-10") for n in range(2)]
    for table, rows in (("partners", partners), ("touchpoints", touched)):
        (here / "more.jsonl").write_text("\n".join(map(json.dumps, rows)))
        assert main(["load", table, "more.jsonl"]) == 0
    capsys.readouterr()
    assert main(["partners", "route", "--as-of", AT]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line}
    assert "nobody covers it" in lines["bob"]
    assert any("the other leads fill those" in lines[name] for name in ("ann", "said_no", "new:0", "new:1"))


def object_to_profiling(here, *names: str) -> None:
    rows = [touch(name, "2026-06-11", "objection", channel="profiling") for name in names]
    (here / "objections.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert main(["load", "touchpoints", "objections.jsonl"]) == 0


def test_who_objects_to_profiling_is_no_lead(here, capsys):
    object_to_profiling(here, "ann", "dealt")
    capsys.readouterr()
    assert main(["partners", "route", "--as-of", AT, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {lead["contact_id"] for lead in found["leads"]} == {"bob", "said_no"} and found["not_profiled"] == 1
    assert main(["partners", "route", "--as-of", AT]) == 0
    written = capsys.readouterr()
    assert "1 lead is left out" in written.err and "ann" not in written.out + written.err
    assert main(["partners", "route", "--as-of", AT, "cookie:1"]) == 0
    assert "ann may not be profiled" in capsys.readouterr().err
    # Before the objection was known it was a lead like others.
    capsys.readouterr()
    assert main(["partners", "route", "--as-of", "2026-06-11T07:00:00Z", "--json"]) == 0
    assert "ann" in {lead["contact_id"] for lead in json.loads(capsys.readouterr().out)["leads"]}


def test_nothing_is_learnt_from_who_objects_to_profiling(here, capsys):
    before = routed(capsys)["ann"]
    object_to_profiling(here, *(f"old:{i}" for i in range(1, 16, 2)))  # all that south won
    after = routed(capsys)["ann"]
    assert after["wins"] < 0.5 < before["wins"] and "few leads" in " ".join(
        after["reasons"] + after["next"][0]["reasons"]
    )


def test_a_lead_in_hand_fills_its_partner_whoever_it_is(here, capsys):
    rows = [touch(name, "2026-06-12", "lead_offered", partner="south") for name in ("waits", "own")]
    (here / "more.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert main(["load", "touchpoints", "more.jsonl"]) == 0
    object_to_profiling(here, "waits", "own")
    assert routed(capsys)["ann"]["partner"] == "north"


@pytest.mark.parametrize("suffix", ["jsonl", "parquet", "csv"])
def test_a_territory_is_a_list_or_a_text(here, capsys, suffix):
    for number, places in enumerate((["FR", "LU"], '["FR", "LU"]', "FR, LU")):
        if suffix == "csv" and isinstance(places, list):
            continue
        row, file = {"partner": f"west{number}", "territory": places, "known_at": "2026-06-01"}, here / f"p.{suffix}"
        if suffix == "parquet":
            pq.write_table(pa.Table.from_pylist([row]), file)
        elif suffix == "csv":
            with file.open("w", newline="") as lines:
                writer = csv.DictWriter(lines, list(row))
                writer.writeheader()
                writer.writerow(row)
        else:
            file.write_text(json.dumps(row))
        capsys.readouterr()
        assert main(["load", "partners", str(file), "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["stored"] == 1
    (here / "new.jsonl").write_text(json.dumps({"identity": "bob", "known_at": "2026-06-02", "country": "LU"}))
    assert main(["load", "contacts", "new.jsonl"]) == 0
    bob = routed(capsys, "bob")["bob"]
    assert {bob["partner"], *(each["partner"] for each in bob["next"])} <= {"west0", "west1", "west2"}
    assert "covers FR and LU" in bob["reasons"]


def test_a_mode_that_there_is_not_is_quarantined(here, capsys, tmp_path):
    (tmp_path / "wrong.jsonl").write_text('{"partner": "west", "mode": "somehow"}')
    main(["load", "partners", "wrong.jsonl"])
    assert "quarantined 1" in capsys.readouterr().out
    main(["quarantine"])
    assert "partner_only" in capsys.readouterr().out


def test_without_partners_or_with_a_wrong_duration_it_says_so(here, capsys, tmp_path):
    assert main(["partners", "route", "--within", "soon"]) == 2
    assert "--within" in capsys.readouterr().err
    (tmp_path / "other.toml").write_text('[store]\nurl = "sqlite:///other.db"\n')
    assert main(["--config", "other.toml", "partners", "route"]) == 1
    assert "nba load partners" in capsys.readouterr().err
