"""A plan gives no seat of an event out twice, no partner more leads than it takes, and says what each row is about."""

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from features.rows.row_types import ContactRow, DecisionRow, TouchpointRow
from features.store.store import Store
from features.times import DAY, HOUR, iso
from nba.actions import Catalogue
from nba.cli import main
from nba.draw import Draw
from nba.engine import decide
from nba.partners.visibility import FEWEST
from nba.past import Past
from nba.request import Request
from nba.settings import parse_settings
from tests.training.plan_worlds import AS_OF, DAY_PLANNED
from training.plan.pool import open_settings

TOML = """
[goals.conversion]
kinds = ["order"]
horizon = "30d"
value = 100
[actions.invite]
channel = "email"
value = 500
when = { event = "starts_at", from = "-21d", to = "-3d" }
[actions.remind]
channel = "letter"
value = 400
when = { event = "starts_at", from = "-15d", to = "-1d" }
[actions.service]
channel = "email"
value = 900
topics = ["pumps"]
when = { asset = "next_service_on", within = "14d" }
[actions.visit]
channel = "visit"
executor = "partner"
value = 300
capacity = { total = 60 }
[contact_policy]
timezone = "Europe/Zurich"
[ranking]
holdout = 0
"""
TERMS = '[partners]\nmode = "inform"\nvisible_to_owner = "%s"\n'
CONTACTS = 36


@pytest.fixture(autouse=True)
def in_shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def shop(visible: str = "contact", *, seats: int = 8, capacity: int | None = 5, duty: bool = False) -> str:
    """Contacts of two dealers and of nobody; two were invited to the fair by now, one of them twice."""
    toml = TOML + TERMS % visible
    toml = toml.replace("[actions.invite]", '[actions.invite]\nclass = "mandatory"') if duty else toml
    Path("nba.toml").write_text(toml, encoding="utf-8")
    fair = {"starts_at": iso(AS_OF + 10 * DAY), "seats": seats}
    valves = {"starts_at": iso(AS_OF + 5 * DAY), "seats": 3, "topics": ["valves"], "place": "Bern"}
    rows = [row for i in range(CONTACTS) for row in came(i)]
    with Store.open("sqlite:///nba.db") as store, store.writing() as writing:
        writing.records("events", [ContactRow("fair", 1, fair), ContactRow("valve days", 1, valves)])
        north = {"mode": "inform"} if capacity is None else {"mode": "inform", "capacity": capacity}
        writing.records("partners", [ContactRow("north", 1, north)])
        writing.records("products", [ContactRow("p1", 1, {"topic": "pumps"})])
        due = {"product_id": "p1", "identity": "c35", "next_service_on": iso(AS_OF + 3 * DAY)[:10]}
        writing.records("assets", [ContactRow("s1", 1, due)])
        writing.contacts([ContactRow(f"c{i:02}", 1, {"partner": dealer}) for i in range(24) for dealer in of(i)])
        writing.touchpoints(rows)
        writing.decisions([invited("c00", "invite", 9), invited("c00", "remind", 2), invited("c31", "invite", 5)])
        writing.decisions([invited("c32", "invite", 5, "another fair")])
    return toml


def of(i: int) -> list[str]:
    return ["north"] if i < 16 else ["south"]


def came(i: int) -> list[TouchpointRow]:
    name = f"c{i:02}"
    topics = json.dumps(["valves"] if i % 3 == 0 else ["pumps"])
    found = [TouchpointRow(name, AS_OF - 3 * DAY, f"t{i}", "visit", topics=topics)]
    if i in (1, 2):
        offered = json.dumps({"partner": "north"})
        found.append(TouchpointRow(name, AS_OF - DAY, f"o{i}", "lead_offered", properties=offered))
    return found


def invited(name: str, action: str, days: int, event: str = "fair") -> DecisionRow:
    chances, kept = {"do_nothing": 0.5, action: 0.5}, {"occasion": f"event:{event}", "event_id": event}
    moment = AS_OF - days * DAY + HOUR
    return DecisionRow(f"{name}{action}", name, moment, action, 0.5, chances=chances, properties=kept)


def plan(capsys: pytest.CaptureFixture[str], *more: str) -> tuple[list[Any], Any]:
    assert main(["plan", "--date", DAY_PLANNED, "--out", "plan.jsonl", "--json", *more]) == 0
    report = json.loads(capsys.readouterr().out)
    return [json.loads(line) for line in Path("plan.jsonl").read_text(encoding="utf-8").splitlines()], report


def about(rows: list[Any], event: str) -> list[Any]:
    return [row for row in rows if row["event_id"] == event and row["action"] in ("invite", "remind")]


@pytest.mark.parametrize("seats", [8, 3, 2])
def test_no_more_are_invited_than_an_event_has_seats_left(seats: int, capsys: pytest.CaptureFixture[str]) -> None:
    shop(seats=seats)
    rows, report = plan(capsys)
    anew = [row for row in about(rows, "fair") if row["contact_id"] not in ("c00", "c31")]
    assert len(anew) == seats - 2, "two people have a seat, one of them was asked twice"
    assert len(about(rows, "valve days")) == 3, "its seats are its own"
    told = {each["event"]: each for each in report["events"]}
    assert told["valve days"]["left"] == told["valve days"]["used"] == 3
    if seats > 2:
        assert (told["fair"]["left"], told["fair"]["used"]) == (seats - 2, seats - 2)
        assert told["fair"]["one_more_is_worth"] > 0
    assert [row["action"] for row in about(rows, "fair") if row["contact_id"] == "c31"] == ["remind"]


def test_not_even_what_is_mandatory_goes_beyond_the_seats(capsys: pytest.CaptureFixture[str]) -> None:
    shop(seats=4, duty=True)
    rows, _ = plan(capsys)
    anew = [row for row in about(rows, "fair") if row["contact_id"] not in ("c00", "c31")]
    assert len(anew) == 2 and {row["action"] for row in anew} == {"invite"}


def test_a_partner_gets_no_more_leads_than_it_can_have_in_hand(capsys: pytest.CaptureFixture[str]) -> None:
    shop(capacity=5)
    rows, report = plan(capsys)
    visits = Counter(row["partner"] for row in rows if row["action"] == "visit")
    anew = {row["contact_id"] for row in rows if row["action"] == "visit" and row["partner"] == "north"} - {
        "c01",
        "c02",
    }
    assert len(anew) == 3, "two of five are in hand"
    assert visits["north"] == 5, "whom it has in hand takes no place"
    assert visits["south"] == 8 and visits[None] == 12, "who says nothing of its capacity is not bound"
    assert report["partners"] == [{"partner": "north", "left": 3, "used": 3, "one_more_is_worth": pytest.approx(9.0)}]


def test_without_a_capacity_nothing_binds_a_partner(capsys: pytest.CaptureFixture[str]) -> None:
    shop(capacity=None)
    rows, report = plan(capsys)
    assert sum(row["action"] == "visit" for row in rows) == CONTACTS and report["partners"] == []


def test_a_row_says_of_its_occasion_and_subject_what_the_service_says(capsys: pytest.CaptureFixture[str]) -> None:
    toml = shop()
    rows, _ = plan(capsys)
    catalogue = Catalogue.of(open_settings(parse_settings(toml)))
    compared = Counter[str]()
    with Store.open("sqlite:///nba.db") as store:
        for row in rows:
            past = Past.read(
                store, row["contact_id"], AS_OF, catalogue.settings.touchpoints,
                memory_us=catalogue.memory_us, counted=catalogue.approach_rule,
            )  # fmt: skip
            others = tuple(name for name in catalogue.settings.actions if name != row["action"])
            settings = parse_settings(toml + f'[points]\nthresholds = [{{ from = 0, actions = ["{row["action"]}"] }}]')
            asked = Request(row["contact_id"], exclude=others)
            answer = decide(asked, past, None, Catalogue.of(open_settings(settings)), AS_OF, Draw(b"", "x"))
            if not answer.recommendations:
                continue
            theirs = answer.to_json()["recommendations"][0]
            for name in ("topic", "product_id", "content_id", "event_id", "asset_id", "executor"):
                assert row[name] == theirs[name], (row["contact_id"], name)
            said = [reason for reason in theirs["reasons"] if "points" not in reason]
            assert row["reasons"][: len(said)] == said
            compared[row["action"]] += 1
    assert all(compared[name] for name in ("invite", "remind", "service", "visit"))
    service = next(row for row in rows if row["action"] == "service")
    assert (service["asset_id"], service["product_id"]) == ("s1", "p1")
    assert service["reasons"][0].startswith("next_service_on")
    assert main(["plan", "--date", DAY_PLANNED, "--out", "plan.csv"]) == 0
    with Path("plan.csv").open(encoding="utf-8", newline="") as file:
        assert [row["event_id"] for row in csv.DictReader(file)] == [row["event_id"] or "" for row in rows]


def test_nothing_that_the_owner_reads_can_be_subtracted_to_tell_of_a_few(capsys: pytest.CaptureFixture[str]) -> None:
    shop("aggregate", capacity=4)
    rows, report = plan(capsys)
    assert not {row["contact_id"] for row in rows} & {f"c{i:02}" for i in range(24)}
    hidden, _ = plan(capsys, "--partner", "north")
    more, _ = plan(capsys, "--partner", "south")
    unseen = [*hidden, *more]
    for slot in (*report["capacities"], *report["events"], *report["partners"]):
        key = "event_id" if "event" in slot else "partner" if "partner" in slot else "action"
        mine = [row for row in unseen if row[key] == slot.get("event", slot.get("partner", slot.get("action")))]
        few = 0 < len({row["contact_id"] for row in mine}) < FEWEST
        assert not few or {slot["left"], slot["used"], slot["one_more_is_worth"]} == {None}, slot
    assert [slot["left"] for slot in report["partners"]] == [None], "two in hand are few"
    assert report["not_shown"] == len(unseen) >= FEWEST
    assert report["total_priority"] == pytest.approx(sum(row["priority"] for row in [*rows, *unseen]))


def test_of_a_few_hidden_contacts_no_sum_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    shop("aggregate")
    with Store.open("sqlite:///nba.db") as store, store.writing() as writing:
        gone = [ContactRow(f"c{i:02}", AS_OF - DAY, {"partner": None}) for i in range(3, 24)]
        writing.contacts(gone)
    _, report = plan(capsys)
    assert report["not_shown"] is None and report["total_priority"] is None and report["budget"]["used"] is None
    assert {slot["used"] for slot in report["capacities"]} == {None}
    assert {cap["one_more_each_is_worth"] for cap in report["caps"]} <= {None}
