"""Claims about other settings: unchanged ones change nothing, a lower threshold lists exactly who passes it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from features.rows.row_types import ContactRow, TouchpointRow
from features.store.store import Store
from features.times import DAY, HOUR, parse_time
from nba.actions import Catalogue
from nba.cli import main
from nba.past import Past
from nba.request import Request
from nba.settings import Settings, parse_settings
from nba.settings.contact_policy import ContactPolicy
from nba.weighing import weigh
from tests.training import weighing_worlds
from tests.training.weighing_worlds import belief
from training.everybody.everybody import Everybody
from training.everybody.whatif import Comparison, compare, report_of, working_noons
from training.everybody.whatif_choices import Choices, best, by_worth, chance_of, choices_at

END = parse_time("2026-06-17T15:00:00Z")
POINTS = {"visit": 5, "download": 100, "service_call": 250}
TOML = """
[store]
url = "sqlite:///nba.db"
[points]
kinds = { visit = 5, download = 100, service_call = 250 }
thresholds = [{ below = 250, actions = ["newsletter"] }, { from = 250, actions = ["sales_call"] }]
[actions.newsletter]
channel = "email"
[actions.sales_call]
channel = "phone"
[contact_policy]
timezone = "Europe/Zurich"
caps = [{ channel = "email", per = "7d", count = 2 }]
quiet = { from = "20:00", to = "08:00", channels = ["phone"] }
"""
LOWER = ["--set", "points.thresholds[1].below=100", "--set", "points.thresholds[2].from=100"]


@pytest.fixture(scope="module")
def rows() -> list[TouchpointRow]:
    """Forty contacts who come at any time in 60 days, and beyond the end; the first three want no calls."""
    rng = np.random.default_rng(4)
    kinds = rng.choice(["visit", "download", "service_call", "other"], 200, p=[0.6, 0.22, 0.08, 0.1])
    found = [
        TouchpointRow(f"c{rng.integers(40):02}", int(END - rng.integers(-5 * DAY, 60 * DAY)), f"t{n}", str(kind))
        for n, kind in enumerate(kinds)
    ]
    refused = json.dumps({"channel": "phone"})
    return [
        *found,
        *(TouchpointRow(f"c0{i}", END - 90 * DAY, f"no{i}", "consent_withdrawn", properties=refused) for i in range(3)),
    ]


@pytest.fixture(scope="module")
def folder(rows: list[TouchpointRow], tmp_path_factory: pytest.TempPathFactory) -> Path:
    room = tmp_path_factory.mktemp("whatif")
    (room / "nba.toml").write_text(TOML, encoding="utf-8")
    with Store.open(f"sqlite:///{room / 'nba.db'}") as store, store.writing() as writing:
        writing.touchpoints(rows)
    return room


def run(folder: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    when = () if "--as-of" in words else ("--as-of", "2026-06-17T15:00:00Z")
    status = main(["--config", str(folder / "nba.toml"), "whatif", *words, *when])
    shown = capsys.readouterr()
    return status, shown.out, shown.err


def points_of(rows: list[TouchpointRow], name: str, before: int) -> float:
    """Count without the code that is judged."""
    return sum(POINTS.get(row.kind, 0) for row in rows if row.identity == name and row.occurred_at < before)


def test_a_lower_threshold_lists_exactly_the_contacts_that_pass(folder, rows, capsys) -> None:
    status, out, _ = run(folder, capsys, *LOWER, "--json")
    found = json.loads(out)
    moments = [parse_time(text) for text in found["moments"]]
    assert status == 0 and len(moments) == 5 and all(END - 30 * DAY <= at < END for at in moments)
    wanted: dict[tuple[str, str], list[int]] = {}
    for name in sorted({row.identity for row in rows}):
        for at in moments:
            if 100 <= points_of(rows, name, at) < 250:
                wanted.setdefault((name, "do_nothing" if name in ("c00", "c01", "c02") else "sales_call"), []).append(
                    at
                )
    listed = {(row["contact_id"], row["to"]): row for row in found["list"]}
    assert listed.keys() == wanted.keys() and len(wanted) > 10
    assert {to for _, to in wanted} == {"do_nothing", "sales_call"}
    for key, found_at in wanted.items():
        assert listed[key]["from"] == "newsletter"
        assert (parse_time(listed[key]["first"]), listed[key]["moments"]) == (found_at[0], len(found_at))
    n = sum(map(len, wanted.values()))
    assert found["actions"]["newsletter"]["before"] - found["actions"]["newsletter"]["after"] == n
    assert sum(each["recommendations"] for each in found["moves"]) == n
    assert found["changed"]["contacts"] == len({name for name, _ in wanted})
    assert found["expected"] is None and found["kept_by_partners"] == 0


def test_the_same_settings_change_nothing(folder, capsys) -> None:
    status, out, _ = run(folder, capsys, "--set", "points.thresholds[2].from=250", "--json")
    found = json.loads(out)
    assert status == 0 and found["list"] == [] == found["moves"] and found["changed"]["contacts"] == 0
    for sides in (*found["actions"].values(), *found["channels"].values()):
        assert sides["before"] == sides["after"]
    assert sum(each["before"] for each in found["actions"].values()) == found["recommendations"] > 100
    status, out, _ = run(folder, capsys, "--set", "ranking.epsilon=0.5")
    assert status == 0 and "nothing changes" in out and "has no part in this: what is best is compared" in out


@pytest.fixture(scope="module", params=[0, 1])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path_factory.mktemp('world') / 'nba.db'}") as store:
        weighing_worlds.write(store, seed=request.param, n=30)
        yield store


def compared(store: Store, others: Settings, model: bool = True) -> Comparison:
    base = weighing_worlds.settings()
    moments = (weighing_worlds.NOW - 9 * DAY, weighing_worlds.NOW)
    return compare(store, base, others, belief() if model else None, moments)


@pytest.mark.parametrize("model", [True, False])
def test_the_same_settings_change_nothing_in_any_world(store: Store, model: bool) -> None:
    found = compared(store, parse_settings(weighing_worlds.TOML), model)
    assert found.moved == {} and found.recommended[0] == found.recommended[1] and found.chances[0] == found.chances[1]
    assert found.removed[0] == found.removed[1] and len(found.removed[0]) > 5 and len(found.recommended[0]) > 2
    assert bool(found.chances[0]) is model


def test_the_recommendation_is_the_best_of_a_request_without_its_earlier_choices(store: Store) -> None:
    settings = by_worth(weighing_worlds.settings())
    catalogue, now, believed = Catalogue.of(settings), weighing_worlds.NOW, belief()
    changed = replace(settings, ranking=replace(settings.ranking, policy="points"))
    found = compare(store, settings, changed, believed, [now])
    moves = {name: move for name, moves in found.moved.items() for move in moves}
    memory_us = weighing_worlds.CATALOGUE.memory_us
    expected = 0.0
    for name in sorted(found.contacts):
        past = Past.read(store, name, now, settings.touchpoints, memory_us=memory_us, counted=catalogue.approach_rule)
        weighed = weigh(Request(name), past, believed, catalogue, now)
        # By hand: the largest positive priority of what is allowed; of who is unknown the points table's first.
        worth = {a.name: t.priority for a, t in zip(catalogue.actions, weighed.terms, strict=True)}
        allowed = {catalogue.names[column] for column in weighed.judged.verdict.columns[1:]}
        if weighed.estimate is not None:
            wanted = max([("do_nothing", 0.0), *((a, p) for a, p in worth.items() if a in allowed)], key=lambda x: x[1])
            assert best(weighed, "learned") == wanted[0]
            assert name not in moves or moves[name][0] == wanted[0]
        expected += chance_of(weighed, best(weighed, believed.serves)) or 0.0
    # Those whose partners keep them to themselves are in no sum.
    assert len(moves) > 0 and len(found.contacts) > 15 and not set(found.contacts) & found.hidden
    assert report_of(found, settings, changed)["expected"]["before"] == pytest.approx(expected, abs=1e-3)


def test_chances_that_terms_keep_are_in_no_sum(tmp_path: Path) -> None:
    settings, now, told = weighing_worlds.settings(), weighing_worlds.NOW, []
    with Store.open(f"sqlite:///{tmp_path / 'nba.db'}") as store:
        weighing_worlds.write(store, seed=0, n=30)
        named = {str(row.body["partner"]) for row in store.contact_rows(now) if row.body.get("partner")}
        for at, listed in ((now - 2, ["recommendations"]), (now, ["recommendations", "propensities"])):
            with store.writing() as writing:
                writing.records("partners", [ContactRow(each, at - 1, {"visible": listed}) for each in sorted(named)])
            everybody = Everybody.read(store, settings, at)
            told.append(choices_at(everybody, settings, belief(), advance=lambda n: None))
        kept, shown = told
        missing = shown.chance.keys() - kept.chance.keys()
        assert kept.action.keys() == shown.action.keys() and not kept.hidden and len(kept.chance) > 5
        assert missing and all(everybody.past(name).traits.get("partner") in named for name in missing)


def test_rules_that_are_lifted_remove_nothing_more(store: Store) -> None:
    base = weighing_worlds.settings()
    found = compared(store, replace(base, contact_policy=replace(base.contact_policy, caps=())))
    before, after = ({key: n for key, n in side.items() if key[1].startswith("cap:")} for side in found.removed)
    assert sum(before.values()) > 0 and not after
    assert found.moved
    report = report_of(found, base, base)
    assert sum(each["contacts"] for each in report["moves"]) >= report["changed"]["contacts"] == len(found.moved)


def test_what_partners_keep_to_themselves_is_in_no_sum_and_no_list(folder, capsys, tmp_path: Path) -> None:
    (tmp_path / "nba.toml").write_text(TOML, encoding="utf-8")
    with Store.open(f"sqlite:///{tmp_path / 'nba.db'}") as store, store.writing() as writing:
        for i in range(12):
            writing.touchpoints([TouchpointRow(f"c{i:02}", END - 40 * DAY, f"t{i}", "download")])
            writing.contacts([ContactRow(f"c{i:02}", END - 50 * DAY, {"partner": "north"})] if i % 2 else [])
        writing.records("partners", [ContactRow("north", END - 90 * DAY, {"mode": "direct", "visible": ["aggregate"]})])
    out_file = tmp_path / "changed.csv"
    status, out, err = run(tmp_path, capsys, *LOWER, "--json", "--out", str(out_file))
    found = json.loads(out)
    assert status == 0 and found["changed"]["contacts"] == 6 and found["kept_by_partners"] == 6
    assert [row["contact_id"] for row in found["list"]] == [f"c{i:02}" for i in range(0, 12, 2)]
    assert not any(f"c{i:02}" in out + err + out_file.read_text() for i in range(1, 12, 2))
    # Other settings about partners show the owner nothing that those in force do not.
    status, out, _ = run(tmp_path, capsys, *LOWER, "--set", "partners.visible_to_owner=contact", "--json")
    assert len(json.loads(out)["list"]) == 6


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl"])
def test_the_list_is_written_as_it_is_shown(folder, capsys, tmp_path: Path, suffix: str) -> None:
    import pandas as pd

    path = tmp_path / f"changed{suffix}"
    status, out, _ = run(folder, capsys, *LOWER, "--json", "--out", str(path))
    if suffix == ".csv":
        table = pd.read_csv(path)
    else:
        table = pd.read_parquet(path) if suffix == ".parquet" else pd.read_json(path, lines=True)
    assert status == 0 and table["contact_id"].tolist() == [row["contact_id"] for row in json.loads(out)["list"]]
    assert table["moments"].tolist() == [row["moments"] for row in json.loads(out)["list"]]
    status, out, _ = run(folder, capsys, *LOWER, "--out", str(path))
    assert status == 0 and f"rows written to {path}" in out and "points.thresholds[2].from: 250 -> 100" in out


def test_whoever_changes_is_counted_once_and_in_one_way() -> None:
    """Four contacts at two moments: one gains, one loses, one gets another, one first gains and then loses."""
    found, none, mail, call = Comparison([1, 2]), "do_nothing", "mail", "call"
    sides = {
        1: ({"a": none, "b": mail, "c": mail, "d": none}, {"a": mail, "b": mail, "c": call, "d": mail}),
        2: ({"a": none, "b": mail, "c": mail, "d": mail}, {"a": mail, "b": none, "c": call, "d": none}),
    }
    for moment, (before, after) in sides.items():
        found.add(moment, Choices(action=before), Choices(action=after))
    settings = parse_settings('[actions.mail]\nchannel="m"\n[actions.call]\nchannel="phone"')
    report = report_of(found, settings, settings)
    assert report["changed"] == {"contacts": 4, "gain": 1, "lose": 1, "get_another": 1, "mixed": 1}
    assert report["actions"]["mail"] == {
        "channel": "m", "before": 5, "after": 4, "contacts": {"before": 3, "after": 3},
    }  # fmt: skip
    assert report["actions"]["do_nothing"]["contacts"] == {"before": 2, "after": 2}
    assert report["channels"]["phone"] == {"before": 0, "after": 2, "contacts": {"before": 0, "after": 1}}


def test_what_is_shown_says_who_gains_who_loses_and_nothing_of_actions_that_nobody_gets(folder, capsys) -> None:
    more = [*LOWER, "--set", "actions.letter.channel=post", "--set", "actions.letter.needs.points_from=100000"]
    found = json.loads(run(folder, capsys, *more, "--json")[1])
    shown = run(folder, capsys, *more)[1].splitlines()
    first, last = found["moments"][0][:10], found["moments"][-1][:10]
    assert f"{found['contacts']} contacts, looked at 5 times from {first} to {last}" in shown
    changed = found["changed"]
    assert f"  {changed['lose']} nothing instead of something" in shown
    assert f"  {changed['get_another']} something else" in shown
    assert sum(changed[way] for way in ("gain", "lose", "get_another", "mixed")) == changed["contacts"] > 0
    assert found["actions"]["letter"]["contacts"] == {"before": 0, "after": 0}
    tables = [line.split() for line in shown]
    assert ["letter", "eligibility"] in [words[:2] for words in tables]
    assert not any(words[:2] in (["letter", "0"], ["post", "0"]) for words in tables)
    calls = found["actions"]["sales_call"]
    numbers = [calls[side][key] if side else calls[key] for side in ("contacts", "") for key in ("before", "after")]
    row = next(words for words in tables if words[:1] == ["sales_call"])
    assert [int(row[at]) for at in (1, 2, 4, 5)] == numbers and numbers[1] > numbers[0]


@pytest.mark.parametrize(
    ("wanted", "words", "reasons"),
    [
        (1, ["--set", "points.treshold=1"], ["with --set: points.treshold: is not a known key"]),
        (1, ["--set", "ranking.epsilon=2", "--set", "ranking.policy=best"], ["ranking.epsilon", "ranking.policy"]),
        (1, ["--set", "points.thresholds[9].from=1"], ["there is no [9]"]),
        (1, [*LOWER, "--as-of", "2020-01-01"], ["holds no contacts before"]),
        (1, [*LOWER, "--out", "no/such/folder/changed.csv"], ["cannot be written; name a file in a folder"]),
        (2, ["--set", "x"], ["--set x: has no `=`; write KEY=VALUE"]),
        (2, ["--set", "a..b=1", "--set", "x={"], ["is not a dotted key", "the value is not TOML"]),
        (2, [*LOWER, "--since", "2026-06-18"], ["--since: 2026-06-18T00:00:00Z is not before"]),
        (2, [*LOWER, "--since", "soon"], ["--since: 'soon' is not a time"]),
        (2, [*LOWER, "--every", "3h"], ["whole days"]),
        (2, [*LOWER, "--every", "soon"], ["--every: 'soon'"]),
        (2, [*LOWER, "--out", "changed.txt"], ["ends in .csv"]),
    ],
)
def test_what_cannot_be_compared_is_refused_with_the_way_out(folder, capsys, wanted, words, reasons) -> None:
    status, out, err = run(folder, capsys, *words)
    assert status == wanted and out == "" and all(reason in err for reason in reasons)


def test_moments_are_noons_of_working_days() -> None:
    policy = ContactPolicy(timezone="Europe/Zurich")
    noons = working_noons(parse_time("2026-03-01"), parse_time("2026-04-15"), 7 * DAY, policy)
    assert [(at // HOUR) % 24 for at in noons] == [11, 11, 11, 11, 10, 10, 10]
    base = parse_settings(TOML.replace('timezone = "Europe/Zurich"', 'timezone = "Europe/Zurich"\n' + CALENDAR))
    open_ = working_noons(parse_time("2026-04-01"), parse_time("2026-04-13T15:00Z"), 1 * DAY, base.contact_policy)
    days = [parse_time(f"2026-04-{day:02}T10:00:00Z") for day in (1, 2, 7, 8, 9, 10, 13)]
    assert list(open_) == days
    late = parse_time("2026-04-13T15:00Z")
    assert working_noons(late - HOUR, late, DAY, policy) == (late,)


CALENDAR = 'calendar = { holidays = "CH-ZH", days = ["mon", "tue", "wed", "thu", "fri"] }'
