"""Claims about dates and time zones that cannot be read: rows are kept, each is counted and listed, nothing else is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.rows.row_types import ContactRow, LinkRow
from features.store.store import Store
from features.times import DAY, parse_time
from nba.actions import Catalogue
from nba.cli import main
from nba.past import Past
from nba.request import Request
from nba.settings import parse_settings
from nba.weighing import weigh

NOW = parse_time("2026-06-17T10:00:00Z")
TOML = """
[store]
url = "sqlite:///nba.db"
[actions.renew]
channel = "phone"
when = { trait = "renews_on", within = "14d" }
[actions.serve]
channel = "phone"
when = { asset = "checked_on", within = "14d" }
[contact_policy]
timezone = "Europe/Zurich"
"""


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("nba.toml").write_text(TOML, encoding="utf-8")


def load(capsys: pytest.CaptureFixture[str], table: str, file: str, rows: list[dict[str, Any]]) -> tuple[Any, str]:
    if file.endswith(".parquet"):
        pq.write_table(pa.Table.from_pylist(rows), file)
    else:
        Path(file).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    capsys.readouterr()
    assert main(["load", table, file, "--json"]) == 0
    told = capsys.readouterr()
    return json.loads(told.out), told.err


def listed(capsys: pytest.CaptureFixture[str]) -> list[tuple[str, ...]]:
    capsys.readouterr()
    assert main(["quarantine", "unread", "--json"]) == 0
    return [tuple(row.values()) for row in json.loads(capsys.readouterr().out)]


def contacts(*dates: object) -> list[dict[str, Any]]:
    return [{"identity": f"c{i}", "renews_on": value, "born_on": "31.02.2026"} for i, value in enumerate(dates)]


def test_dates_that_cannot_be_read_are_counted_with_an_example_and_their_rows_are_kept(capsys) -> None:
    rows = contacts("2026-12-31", "31.02.2026", None, "", 20261231, "soon", "2026-02-31")
    counts, notes = load(capsys, "contacts", "c.jsonl", rows)
    assert counts == {"read": 7, "stored": 7, "duplicate": 0, "quarantined": 0}
    assert "c.jsonl: 3 x renews_on holds no date that can be read, such as '31.02.2026' in line 2" in notes
    # Nobody takes this one for a date.
    assert "born_on" not in notes
    wanted = [("c1", "31.02.2026"), ("c5", "soon"), ("c6", "2026-02-31")]
    assert listed(capsys) == [("contacts", key, "renews_on", value, "a date") for key, value in wanted]


def test_what_is_refused_or_mended_is_not_among_them(capsys) -> None:
    bad = {"identity": "c9", "renews_on": "soon", "person_type": "robot"}
    counts, notes = load(capsys, "contacts", "c.jsonl", [*contacts("soon"), bad])
    assert counts["quarantined"] == 1 and "1 x renews_on" in notes
    load(capsys, "contacts", "d.jsonl", [{"identity": "c0", "known_at": "2026-01-01", "renews_on": "2026-12-31"}])
    assert listed(capsys) == []
    assert main(["quarantine", "unread"]) == 0
    assert "everything that is taken for a date or a time zone can be read" in capsys.readouterr().err


def test_dates_of_devices_are_looked_at_as_well_and_dates_of_parquet_are_dates(capsys) -> None:
    day = parse_time("2026-12-31")
    rows = [{"asset_id": "a1", "identity": "c1", "checked_on": "31.02.2026"}]
    assert "1 x checked_on" in load(capsys, "assets", "a.jsonl", rows)[1]
    table = pa.table({"asset_id": ["a2"], "identity": ["c2"], "checked_on": pa.array([day], pa.timestamp("us", "UTC"))})
    pq.write_table(table, "a.parquet")
    capsys.readouterr()
    assert main(["load", "assets", "a.parquet"]) == 0
    assert "checked_on" not in capsys.readouterr().err
    assert listed(capsys) == [("assets", "a1", "checked_on", "31.02.2026", "a date")]


def test_time_zones_in_another_column_are_noticed_until_they_are_renamed(capsys) -> None:
    rows = [{"identity": "c1", "tz": "Europe/Berlin", "team": "Nord/Ost"}]
    notes = load(capsys, "contacts", "c.jsonl", rows)[1]
    assert "column 'tz' holds time zones, such as 'Europe/Berlin'" in notes and "--rename tz=timezone" in notes
    assert "'team'" not in notes
    assert main(["load", "contacts", "c.jsonl", "--rename", "tz=timezone", "--set", "known_at=2026-01-01"]) == 0
    assert "holds time zones" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("zone", "counts"), [("Mars", "Europe/Zurich"), ("Asia/Tokyo", "Asia/Tokyo"), (7, "Europe/Zurich")]
)
def test_a_time_zone_that_cannot_be_read_is_listed_and_the_settings_count(capsys, zone, counts) -> None:
    with Store.open("sqlite:///nba.db") as store:
        with store.writing() as writing:
            writing.contacts([ContactRow("c1", NOW - DAY, {"timezone": zone})])
        settings = parse_settings(TOML)
        past = Past.read(store, "c1", NOW, settings.touchpoints)
        weighed = weigh(Request("c1"), past, None, Catalogue.of(settings), NOW)
    assert weighed.judged.situation.zone == ZoneInfo(counts)
    assert listed(capsys) == ([] if zone == counts else [("contacts", "c1", "timezone", zone, "a time zone")])


def test_nothing_is_listed_of_contacts_that_partners_keep_to_themselves(capsys) -> None:
    rows = [{"identity": name, "renews_on": "soon", "partner": "north"} for name in ("c1", "c2")]
    load(capsys, "contacts", "c.jsonl", [*rows, {"identity": "c3", "renews_on": "soon"}])
    load(capsys, "contacts", "d.jsonl", [{"identity": "cookie", "renews_on": "never"}])
    load(capsys, "assets", "a.jsonl", [{"asset_id": "a1", "identity": "c1", "checked_on": "soon"}])
    with Store.open("sqlite:///nba.db") as store, store.writing() as writing:
        writing.links([LinkRow("cookie", "c2", parse_time("2026-01-01"), "login", None)])
    assert [row[:2] for row in listed(capsys)] == [("contacts", "c3")]
