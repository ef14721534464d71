"""The commands of a person's rights, of the audit log and of retention, as somebody types them."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from features.rows.row_types import LinkRow, QuarantineRow, RecordRow, TouchpointRow
from features.store.store import Store
from features.times import DAY
from nba import cli
from nba.door import now_us

TOML = """
[actions.call]
channel = "phone"
[actions.letter]
channel = "letter"
[contact_policy.consent]
phone = "double_opt_in"
[privacy.retention]
touchpoints = "30d"
decisions = "10d"
quarantine = "5d"
"""


class Shop:
    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys
        self.config = folder / "nba.toml"
        self.config.write_text(TOML)
        self.path = folder / "nba.db"
        self.now = now_us()
        with self.store() as store, store.writing() as writing:
            for n in range(20):
                writing.touchpoints([TouchpointRow("crm:1", self.now - (n * 3 + 1) * DAY, f"t{n}", "visit")])
            given = json.dumps({"channel": "phone", "text_version": "v2", "source": "form"})
            writing.touchpoints(
                [TouchpointRow("crm:1", self.now - 90 * DAY, "c", "consent_given", channel="web", properties=given)]
            )
            writing.contacts([RecordRow("crm:1", 0, {"name": "Ann Leeman", "country": "DE"})])
            writing.links([LinkRow("crm:1", "cookie:7f7f7f", 5, "login")])
            writing.quarantine([QuarantineRow("touchpoints", '{"a": 1}', "r", "r", self.now - 6 * DAY)])

    def store(self) -> Store:
        return Store.open(f"sqlite:///{self.path}")

    def run(self, *words: str) -> tuple[int, str, str]:
        self.capsys.readouterr()
        status = cli.main(["--config", str(self.config), *words])
        return status, *self.capsys.readouterr()


@pytest.fixture
def shop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shop:
    return Shop(tmp_path, capsys)


def test_an_export_is_written_and_tells_what_waits_for_its_confirmation(shop: Shop, tmp_path: Path) -> None:
    target = tmp_path / "person.json"
    assert shop.run("export", "cookie:7f7f7f", "--out", str(target))[0] == 0
    found = json.loads(target.read_bytes())
    assert found["contact_id"] == "crm:1" and len(found["touchpoints"]) == 21
    phone = found["consents"]["now"]["channels"]["phone"]
    assert phone["allowed"] is False and "not confirmed" in phone["why_not"]
    (word,) = found["consents"]["words"]
    assert word["proof"] == {"source": "form", "text_version": "v2"} and word["about"] == "phone"
    assert found["links"][0]["how"] == "login"
    assert json.loads(shop.run("export", "crm:1")[1])["traits"]["now"]["country"] == "DE"


def test_a_correction_a_restriction_and_an_erasure_leave_a_chain_that_names_nobody(shop: Shop) -> None:
    assert "country: CH (before: DE)" in shop.run("correct", "crm:1", "--set", "country=CH", "--reason", "phone")[1]
    assert shop.run("restrict", "cookie:7f7f7f", "--reason", "disputed")[0] == 0
    decided = json.loads(shop.run("recommend", "crm:1", "--json", "--explain")[1])
    assert decided["mode"] == "default" and {each["rule"] for each in decided["removed"]} == {"consent"}
    assert shop.run("restrict", "crm:1", "--lift", "--reason", "settled")[0] == 0
    removed = json.loads(shop.run("erase", "cookie:7f7f7f", "--reason", "asked", "--json")[1])["removed"]
    assert removed["touchpoints"] == 23 and removed["links"] == 1
    status, said, _ = shop.run("audit", "verify")
    assert status == 0 and said.startswith("5 entries hold")
    entries = json.loads(shop.run("audit", "list", "--json")[1])
    assert [each["what"] for each in entries] == [
        "correction", "restriction", "restriction lifted", "erasure begun", "erasure",
    ]  # fmt: skip
    assert "crm:1" not in json.dumps(entries) and "Leeman" not in json.dumps(entries)
    assert len(json.loads(shop.run("audit", "list", "--about", "crm:1", "--json")[1])) == 5
    assert json.loads(shop.run("audit", "list", "--about", "crm:2", "--json")[1]) == []


def test_a_log_that_was_changed_is_told(shop: Shop) -> None:
    shop.run("correct", "crm:1", "--set", "country=CH", "--reason", "phone")
    with closing(sqlite3.connect(shop.path)) as connection, connection:
        connection.execute("UPDATE audit SET reason = 'another'")
    status, said, _ = shop.run("audit", "verify", "--json")
    assert status == 1 and json.loads(said)["holds"] is False


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (("erase", "crm:9", "--reason", "asked"), 1, "nothing is known"),
        (("erase", "crm:1", "--reason", "asked by Ann Leeman"), 1, "names the person"),
        (("erase", "crm:1", "--reason", "asked by ANN LEEMAN"), 1, "names the person"),
        (("erase", "crm:1", "--reason", " "), 1, "is missing"),
        (("correct", "crm:1", "--set", "country", "--reason", "r"), 2, "TRAIT=VALUE"),
        (("correct", "crm:1", "--set", "timezone=Mars", "--reason", "r"), 1, "timezone"),
        (("correct", "crm:1", "--set", "country=", "--reason", "r"), 1, "is empty"),
        (("export", "crm:1", "--out", "person.txt"), 2, ".json"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_done(shop: Shop, words: tuple[str, ...], status: int, told: str) -> None:
    found, _, notes = shop.run(*words)
    assert found == status and told in notes
    with shop.store() as store:
        assert list(store.audit_rows()) == [] and store.counts()["touchpoints"] == 21


@pytest.mark.parametrize("words", [("correct", "crm:1", "--set", "country=CH"), ("restrict", "crm:1")])
def test_who_was_erased_cannot_be_corrected_or_restricted(shop: Shop, words: tuple[str, ...]) -> None:
    shop.run("erase", "crm:1", "--reason", "asked")
    status, said, notes = shop.run(*words, "--reason", "r1")
    assert status == 1 and said == "" and "the person was erased" in notes
    with shop.store() as store:
        assert [row.what for row in store.audit_rows()] == ["erasure begun", "erasure"]


def test_files_of_the_owner_that_name_the_person_are_told(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "plan.csv").write_text("contact_id,action\ncookie:7f7f7f,call\n")
    (tmp_path / "other.csv").write_text("contact_id,action\ncookie:8,call\n")
    (tmp_path / ".nba-notes").write_text("cookie:7f7f7f")
    _, _, notes = shop.run("erase", "crm:1", "--reason", "asked")
    assert f"{tmp_path / 'plan.csv'} still names" in notes and "other.csv" not in notes and ".nba-notes" not in notes


def test_retention_keeps_consent_and_says_what_goes_before_it_does(shop: Shop) -> None:
    # As a file may spell it; what comes by HTTP is called by its name.
    spelt = TouchpointRow("crm:1", shop.now - 90 * DAY, "u1", "Consent-Withdrawn", channel="E-Mail")
    with shop.store() as store, store.writing() as writing:
        writing.touchpoints([spelt])
    told = json.loads(shop.run("retention", "run", "--dry-run", "--json")[1])
    done = json.loads(shop.run("retention", "run", "--json")[1])
    assert told["removed"] == done["removed"] == {"touchpoints": 10, "decisions": 0, "feedback": 0, "quarantine": 1}
    with shop.store() as store:
        kinds = sorted(row[3] for row in store.touchpoint_rows(shop.now - 30 * DAY))
        assert kinds == ["Consent-Withdrawn", "consent_given"]
        assert [row.what for row in store.audit_rows()] == ["retention"]
    assert shop.run("retention", "run")[1] == "nothing removed\n"
