"""Claims about how often what was shown was read: counted from the log, with intervals that cover the truth."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from features.rows.row_types import DecisionRow, LinkRow, RecordRow, TouchpointRow
from features.store.store import Store
from features.times import DAY, parse_time
from features.touchpoints.touchpoints import TouchpointRules
from nba.cli import main
from nba.infocenter.content_success import WITHIN, Rate, Shown, shown_slots, success
from nba.settings.people import Partners

NOW = parse_time("2026-06-15")


def answered(n: int, who: str, at: int, *slots: tuple[str, bool], deferred: bool = False) -> DecisionRow:
    found = [{"content_id": name, "new": new, "topics": [f"about {name}"]} for name, new in slots]
    return DecisionRow(
        f"d{n}", who, at, "newsletter", policy="infocenter", placement="infocenter", chances={"newsletter": 1.0},
        properties={"slots": found}, deferred=deferred,
    )  # fmt: skip


def read(who: str, at: int, content: str) -> TouchpointRow:
    more = json.dumps({"content_id": content})
    return TouchpointRow(who, at, f"{who}{at}{content}", "content_read", properties=more)


def fill(store: Store) -> None:
    long_ago = NOW - 60 * DAY
    with store.writing() as writing:
        writing.records("content", [RecordRow("page", 1, {"title": "T", "topics": ["x"], "url": "/page"})])
        writing.links([LinkRow("crm:1", "cookie:1", 1, "login")])
        writing.decisions(
            [
                answered(1, "crm:1", long_ago, ("a", True), ("b", False), ("page", False)),
                answered(2, "cookie:1", long_ago + DAY, ("c", False)),
                answered(3, "crm:2", long_ago, ("a", True), ("d", False)),
                answered(4, "crm:2", NOW - WITHIN + 1, ("e", True)),
                answered(5, "crm:2", long_ago, ("f", True), deferred=True),
                answered(6, "crm:2", NOW - 90 * DAY, ("g", True), deferred=True),
                DecisionRow("d7", "crm:3", long_ago, "newsletter", policy="learned", chances={"newsletter": 1.0}),
            ]
        )
        writing.activate("d6", long_ago)
        sent = read("crm:2", long_ago + 2, "d")._replace(kind="email_sent", direction="outbound")
        page = read("cookie:1", long_ago + 9, "")._replace(kind="page_view", properties='{"url": "https://x.com/page"}')
        reads = [
            ("cookie:1", 0, "a"),
            ("crm:2", WITHIN, "a"),
            ("crm:1", -1, "b"),
            ("crm:1", 2 * DAY, "c"),
            ("crm:2", WITHIN - 1, "g"),
        ]
        writing.touchpoints([*(read(who, long_ago + at, name) for who, at, name in reads), sent, page])


def test_what_a_partners_contact_read_is_in_no_count(store_url: str) -> None:
    rules = TouchpointRules(outbound=("email_sent",))
    with Store.open(store_url) as store:
        fill(store)
        with store.writing() as writing:
            writing.contacts([RecordRow("crm:2", 1, {"partner": "north"})])
        seen = {each.contact for each in shown_slots(store, NOW, rules, Partners())}
        assert (
            seen == {"crm:1"} < {each.contact for each in shown_slots(store, NOW, rules, Partners("direct", "contact"))}
        )
        with store.writing() as writing:
            writing.records("partners", [RecordRow("north", 2, {"visible": ["interests"]})])
        assert {each.contact for each in shown_slots(store, NOW, rules, Partners())} == {"crm:1", "crm:2"}


def test_slots_are_counted_once_each_when_their_time_is_over(store_url: str) -> None:
    with Store.open(store_url) as store:
        fill(store)
        found = list(shown_slots(store, NOW, TouchpointRules(outbound=("email_sent",))))
    assert sorted(found) == [
        Shown("crm:1", "about a", True, True),
        Shown("crm:1", "about b", False, False),
        Shown("crm:1", "about c", False, True),
        Shown("crm:1", "about page", False, True),
        Shown("crm:2", "about a", True, False),
        Shown("crm:2", "about d", False, False),
        Shown("crm:2", "about g", True, True),
    ]
    told = success(found)
    assert [told[name].slots for name in ("new", "known")] == [3, 4] and told["new"].rate == pytest.approx(2 / 3)
    assert told["difference"]["value"] == pytest.approx(2 / 3 - 2 / 4)
    assert {topic: rate.slots for topic, rate in told["new_topics"].items()} == {"about a": 2, "about g": 1}


def test_without_anything_shown_nothing_is_made_up() -> None:
    assert success([])["new"] == Rate(0, 0, None, None)
    one = success([Shown("c", "t", True, True), Shown("c", "t", False, True)])
    assert one["new"] == Rate(1, 1, 1.0, None) and one["difference"] == {"value": 0.0, "interval": None}
    assert success([Shown("c", "t", True, True)])["difference"] == {"value": None, "interval": None}


def test_intervals_cover_the_truth_where_contacts_differ() -> None:
    worlds, contacts, covered = 200, 60, np.zeros(3)
    for seed in range(worlds):
        rng = np.random.default_rng(seed)
        # Who reads much reads much of both: slots of one contact depend on each other.
        reads = rng.beta(2, 3, contacts)
        shown = [
            Shown(f"c{i}", "t", bool(new), bool(rng.random() < reads[i] * (0.5 if new else 1.0)))
            for i in range(contacts)
            for new in rng.random(8) < 0.3
        ]
        told = success(shown)
        intervals = (told["new"].interval, told["known"].interval, told["difference"]["interval"])
        for i, (truth, between) in enumerate(zip((0.2, 0.4, -0.2), intervals, strict=True)):
            covered[i] += between[0] <= truth <= between[1]
    assert (covered / worlds >= 0.90).all() and (covered / worlds <= 0.99).all(), covered / worlds


def test_the_command_prints_the_rates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nba.toml").write_text("[content]\nfresh_share = 0.5\n")
    with Store.open(f"sqlite:///{tmp_path / 'nba.db'}") as store:
        fill(store)
    assert main(["evaluate", "content", "--as-of", "2026-06-15", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (
        told["new"]["slots"] == 3 and told["known"]["read"] == 2 and set(told["new_topics"]) == {"about a", "about g"}
    )
    assert main(["evaluate", "content", "--as-of", "2026-06-15"]) == 0
    shown = capsys.readouterr()
    assert "new topics" in shown.out and "new less known" in shown.out and "not built" not in shown.err
    assert asdict(Rate(1, 1, 1.0, None))["interval"] is None
