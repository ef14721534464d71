"""``nba plan``: rows that the gates allow, as the service would weigh them, within limits, and for the right eyes."""

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from features.rows.row_types import ContactRow, TouchpointRow
from features.store.store import Store
from features.times import DAY, HOUR
from nba.actions import Catalogue
from nba.cli import main
from nba.past import Past
from nba.request import Request
from nba.settings import Settings, parse_settings
from nba.weighing import weigh
from tests.training import plan_worlds
from tests.training.plan_worlds import AS_OF, DAY_PLANNED, OPEN, TOML
from training.plan.pool import open_settings
from training.plan.rows import COLUMNS


@pytest.fixture(autouse=True)
def in_shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shop(more: str = "", *, seed: int = 0) -> Settings:
    """A store and its settings in the working directory."""
    Path("nba.toml").write_text(TOML + more, encoding="utf-8")
    with Store.open("sqlite:///nba.db") as store:
        plan_worlds.write(store, seed=seed)
    return parse_settings(TOML + more)


def plan(capsys: pytest.CaptureFixture[str], *more: str, out: str = "plan.jsonl") -> tuple[list[Any], Any]:
    """Rows of the file, and the report."""
    assert main(["plan", "--date", DAY_PLANNED, "--out", out, "--json", *more]) == 0
    return read(Path(out)), json.loads(capsys.readouterr().out)


def read(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("seed", [0, 1])
def test_every_row_is_allowed_and_worth_what_the_service_would_say(
    seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = shop(OPEN + "[plan]\nbudget = 60\n", seed=seed)
    rows, report = plan(capsys)
    catalogue = Catalogue.of(open_settings(settings))
    with Store.open("sqlite:///nba.db") as store:
        for row in rows:
            past = Past.read(
                store, row["contact_id"], AS_OF, settings.touchpoints,
                memory_us=catalogue.memory_us, counted=catalogue.approach_rule,
            )  # fmt: skip
            weighed = weigh(Request(row["contact_id"]), past, None, catalogue, AS_OF)
            column = catalogue.column[row["action"]]
            terms = weighed.terms[column - 1]
            assert weighed.judged.verdict.allowed[column]
            assert row["priority"] == terms.priority and row["cost"] == terms.cost
            assert row["priority"] > 0 or row["action"] == "recall"
            assert row["owner"] == past.traits.get("owner") and row["reasons"]
            assert row["executor"] == {"visit": "partner" if row["partner"] else "sales"}.get(
                row["action"], "automation"
            )
    assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
    assert [row["action"] == "recall" for row in rows] == [True] * 5 + [False] * (len(rows) - 5)
    priorities = [row["priority"] for row in rows[5:]]
    assert priorities == sorted(priorities, reverse=True) and len(priorities) > 20
    assert report["planned"] == len(rows) and report["gap"] <= 0.01
    assert sum(row["cost"] for row in rows) == pytest.approx(report["budget"]["used"])
    assert report["budget"]["used"] <= 60


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_plan_keeps_to_caps_wishes_and_slots(seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    shop(OPEN, seed=seed)
    rows, report = plan(capsys)
    with Store.open("sqlite:///nba.db") as store:
        sent = [row for row in store.touchpoint_rows(AS_OF) if row[3] == "email_sent"]
    mailed = Counter(row[0] for row in sent if row[1] >= AS_OF - 30 * DAY)
    fresh = {row[0] for row in sent if row[1] >= AS_OF - 7 * DAY}
    per_contact = Counter(row["contact_id"] for row in rows)
    per_account = Counter(row["account"] for row in rows if row["account"])
    called = Counter(row["owner"] for row in rows if row["action"] == "call")
    channels = Counter((row["contact_id"], row["channel"]) for row in rows)
    assert max(channels.values()) == 1 and max(per_contact.values()) > 1
    assert not {row["contact_id"] for row in rows if row["channel"] == "email"} & fresh
    assert all(n + mailed[name] <= 3 for name, n in per_contact.items())
    assert max(per_account.values()) <= 4
    assert all(per_contact[f"crm:{i:02}"] <= 1 for i in range(8, 20)), "they asked for one approach in 30 days"
    assert not {row["contact_id"] for row in rows if row["channel"] == "phone"} & {"crm:20", "crm:21", "crm:22"}
    with Store.open("sqlite:///nba.db") as store:
        owners = {row.key: row.body.get("owner") for row in store.contact_rows(AS_OF)}
    this_morning = Counter(owners[f"crm:{i:02}"] for i in range(3))
    for owner in ("ann", "bob", None):
        slots = next(each for each in report["capacities"] if each["action"] == "call" and each["of"] == owner)
        assert slots["left"] == 4 - this_morning[owner] and slots["used"] == called[owner] <= slots["left"]
        assert slots["one_more_is_worth"] > 0
    assert Counter(row["action"] for row in rows)["visit"] <= 9


def test_one_more_slot_brings_what_the_plan_said(capsys: pytest.CaptureFixture[str]) -> None:
    tight = (
        TOML.replace("{ total = 9 }", "{ total = 3 }")
        .replace(', by = "owner"', "")
        .replace("count = 4,", "count = 99,")
    )
    shop(OPEN)
    found = []
    for seats in (3, 4):
        Path("nba.toml").write_text(tight.replace("total = 3", f"total = {seats}") + OPEN, encoding="utf-8")
        _, report = plan(capsys)
        slot = next(each for each in report["capacities"] if each["action"] == "visit")
        assert slot["used"] == seats
        found.append((report["total_priority"], slot["one_more_is_worth"]))
    assert found[1][0] - found[0][0] == pytest.approx(found[0][1], abs=1e-3)


def test_no_money_buys_only_what_is_free(capsys: pytest.CaptureFixture[str]) -> None:
    shop(OPEN + "[plan]\nbudget = 0\n")
    rows, report = plan(capsys)
    assert {row["action"] for row in rows if row["cost"]} == {"recall"} and len(rows) > 10
    assert report["budget"]["one_more_is_worth"] > 0


def test_the_owner_sees_nothing_of_a_partners_contacts_and_a_partner_only_its_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings = shop('[partners]\nmode = "inform"\nvisible_to_owner = "aggregate"\n')
    with Store.open("sqlite:///nba.db") as store:
        names = {row.key for row in store.contact_rows(AS_OF)} | {row[0] for row in store.touchpoint_rows(AS_OF)}
        pasts = {name: Past.read(store, name, AS_OF, settings.touchpoints) for name in sorted(names)}
    served = {
        past.contact.contact_id: past.traits["partner"]
        for past in pasts.values()
        if past.contact is not None and past.traits.get("partner")
    }
    ours, report = plan(capsys)
    assert ours and not served.keys() & {row["contact_id"] for row in ours}
    assert report["planned"] == len(ours)
    norths, about = plan(capsys, "--partner", "north")
    assert {served[row["contact_id"]] for row in norths} == {"north"}
    assert not {"budget", "capacities", "caps", "gap"} & about.keys()
    souths, _ = plan(capsys, "--partner", "south")
    Path("nba.toml").write_text(TOML + OPEN, encoding="utf-8")
    everybodys, _ = plan(capsys)
    split = Counter((row["contact_id"], row["action"]) for row in [*ours, *norths, *souths])
    assert split == Counter((row["contact_id"], row["action"]) for row in everybodys)


def test_somebody_who_sells_sees_only_their_own_contacts(capsys: pytest.CaptureFixture[str]) -> None:
    shop(OPEN)
    rows, report = plan(capsys, "--owner", "ann")
    assert rows and {row["owner"] for row in rows} == {"ann"} and "budget" not in report


def test_the_same_day_gives_the_same_plan_wherever_it_is_worked_out(capsys: pytest.CaptureFixture[str]) -> None:
    shop(OPEN + "[plan]\nbudget = 20\n")
    plan(capsys, out="four.jsonl")
    toml = Path("nba.toml").read_text(encoding="utf-8").replace("partitions = 4", "partitions = 7")
    Path("nba.toml").write_text(toml, encoding="utf-8")
    plan(capsys, out="seven.jsonl")
    assert Path("four.jsonl").read_bytes() == Path("seven.jsonl").read_bytes()


def test_every_format_has_the_same_rows_and_nothing_is_logged(capsys: pytest.CaptureFixture[str]) -> None:
    shop(OPEN)
    with Store.open("sqlite:///nba.db") as store:
        before = store.counts()
    lines, report = plan(capsys)
    assert tuple(lines[0]) == COLUMNS and report["file"] == "plan.jsonl"
    for name in ("plan.csv", "plan.parquet"):
        assert main(["plan", "--date", DAY_PLANNED, "--out", name]) == 0
    shown = capsys.readouterr().out
    assert f"{len(lines)} actions" in shown and "removed before" in shown
    assert pq.read_table("plan.parquet").to_pylist() == lines
    with Path("plan.csv").open(encoding="utf-8", newline="") as file:
        cells = list(csv.DictReader(file))
    assert [(row["contact_id"], row["action"], float(row["priority"])) for row in cells] == [
        (row["contact_id"], row["action"], row["priority"]) for row in lines
    ]
    assert cells[0]["reasons"] == "; ".join(lines[0]["reasons"])
    with Store.open("sqlite:///nba.db") as store:
        assert store.counts() == before


HOURS = """
[actions.call]
channel = "phone"
value = 100
[actions.mail]
channel = "mail"
value = 50
[ranking]
holdout = 0
[contact_policy]
timezone = "Europe/Zurich"
quiet = { from = "20:00", to = "09:30", channels = ["phone"] }
calendar = { days = ["mon", "tue", "wed", "thu"] }
"""


def around_the_world() -> None:
    Path("nba.toml").write_text(HOURS, encoding="utf-8")
    zones = {"near": None, "west": "America/New_York", "far": "Pacific/Honolulu"}
    with Store.open("sqlite:///nba.db") as store, store.writing() as writing:
        for name, zone in zones.items():
            writing.touchpoints([TouchpointRow(name, AS_OF - 3 * DAY, f"t-{name}", "visit")])
            if zone is not None:
                writing.contacts([ContactRow(name, AS_OF - 4 * DAY, {"timezone": zone})])
        writing.touchpoints([TouchpointRow("near", AS_OF - 2 * HOUR, "sent", "email_sent", channel="mail")])


def test_what_may_go_out_later_that_day_is_planned_for_then(capsys: pytest.CaptureFixture[str]) -> None:
    around_the_world()
    rows, report = plan(capsys)
    found = {(row["contact_id"], row["action"]): row["not_before"] for row in rows}
    assert found == {
        ("near", "call"): "2026-06-18T07:30:00Z",
        ("west", "call"): "2026-06-18T13:30:00Z",
        ("west", "mail"): "2026-06-18T06:00:00Z",
        ("far", "call"): "2026-06-18T19:30:00Z",
        ("far", "mail"): "2026-06-18T06:00:00Z",
    }
    assert report["kept_out"]["day:one a channel"] == 1, "a mail went to near this morning"


def test_a_day_off_has_an_empty_plan_that_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    around_the_world()
    assert main(["plan", "--date", "2026-06-20", "--out", "saturday.csv", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["planned"] == 0 and report["removed"] == {"calendar": {"call": 3, "mail": 3}}
    assert Path("saturday.csv").read_text(encoding="utf-8").strip() == ",".join(COLUMNS)


def test_an_empty_store_has_an_empty_plan(capsys: pytest.CaptureFixture[str]) -> None:
    Path("nba.toml").write_text(HOURS, encoding="utf-8")
    rows, report = plan(capsys)
    assert rows == [] and report["planned"] == 0 and report["bound"] == 0.0
    assert main(["plan", "--out", "plan.csv"]) == 0
    assert "the store holds no contacts before" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("status", "arguments", "sentence"),
    [
        (2, ["--out", "plan.xlsx"], ".csv, .parquet, .jsonl"),
        (1, ["--out", "nowhere/plan.csv"], "a folder that exists"),
        (2, ["--out", "plan.csv", "--date", "18.6.2026"], "write it as 2026-11-23"),
        (2, ["--out", "plan.csv", "--partner", "east"], "no contact has the partner 'east'"),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_sentence(
    status: int, arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    around_the_world()
    assert main(["plan", *arguments]) == status
    captured = capsys.readouterr()
    assert sentence in captured.err and captured.out == ""
    assert not Path("plan.csv").exists()


def test_an_owner_whom_no_contact_has_is_refused_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    around_the_world()
    with Store.open("sqlite:///nba.db") as store, store.writing() as writing:
        writing.contacts([ContactRow(name, AS_OF - 3 * DAY, {"owner": name[::-1]}) for name in ("west", "far")])
    assert main(["plan", "--out", "plan.csv", "--owner", "zoe"]) == 2
    assert "no contact has the owner 'zoe'; there are raf, tsew; `nba load contacts`" in capsys.readouterr().err


def test_without_actions_there_is_nothing_to_plan(capsys: pytest.CaptureFixture[str]) -> None:
    Path("nba.toml").write_text("", encoding="utf-8")
    assert main(["plan", "--out", "plan.csv"]) == 1
    assert "[actions.NAME]" in capsys.readouterr().err
