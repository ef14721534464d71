"""The pipeline: its figures are those of a count by hand, add up, and know nothing of what came after their moment."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import settings as tries
from hypothesis import strategies as st

from features.rows.row_types import ContactRow, FigureRow
from features.store.figures import figures_of, store_figures
from features.store.store import Store
from features.times import DAY, MINUTE, iso
from features.touchpoints.touchpoints import Touchpoints
from features.traits import Traits
from models.stages.applied import apply_rules
from nba.cli import main
from nba.settings import Settings, parse_settings
from tests.training import weighing_worlds
from training.everybody.everybody import Everybody
from training.past import Past, read_past
from training.pipeline.lasting import lengths
from training.pipeline.leaving import SILENCE
from training.pipeline.matrix import matrix, revenues
from training.pipeline.moments import WEEK, moments
from training.pipeline.people import NOBODY, People
from training.pipeline.pipeline import Pipeline, missing, name_of
from training.pipeline.scored import SCORED
from training.pipeline.visits import REST

TOML = """
[goals.churn]
absence_of = ["order"]
horizon = "21d"
among = { seen = ["order"], within = "60d" }
[stages]
names = ["unaware", "need", "purchase"]
[stages.rules]
purchase = { seen = ["order"], within = "14d" }
need = { seen = ["visit", "search"], within = "10d" }
"""
SETTINGS: Settings = parse_settings(TOML)
BEGIN = 4 * DAY + 700 * WEEK
"""A Monday."""
NOW = BEGIN + 30 * WEEK
KINDS = ("visit", "search", "order", "email_sent", "by_machine")

Happened = tuple[str, int, str, str]
"""Contact, minutes since the begin, kind and channel."""

happened = st.lists(
    st.tuples(
        st.sampled_from("abcdef"),
        st.one_of(st.integers(0, 400), st.integers(0, 20 * 7 * 96).map(lambda quarters: 15 * quarters)),
        st.sampled_from(KINDS),
        st.sampled_from(("web", "shop", "mail")),
    ),
    min_size=1,
    max_size=60,
)


def past_of(rows: list[Happened], traits: Traits | None = None) -> Past:
    told: list[tuple[Any, ...]] = [
        (contact, BEGIN + at * MINUTE, f"t{i:04}", kind, channel, *[None] * 9)
        for i, (contact, at, kind, channel) in enumerate(rows)
    ]
    found = Touchpoints.from_rows(told, SETTINGS.touchpoints)
    return Past(found, traits or Traits([]), (), NOW, NOW, 0)


def figure(past: Past, at: int) -> dict[str, Any]:
    [found] = Pipeline(past, SETTINGS, None, WEEK).figures([at])
    return dict(found.body)


def stage_of(theirs: list[Happened], at: int) -> str:
    ages = [(kind, at - BEGIN - when * MINUTE) for _, when, kind, _ in theirs if BEGIN + when * MINUTE < at]
    if any(kind == "order" and age <= 14 * DAY for kind, age in ages):
        return "purchase"
    return "need" if any(kind in ("visit", "search") and age <= 10 * DAY for kind, age in ages) else "unaware"


def by_hand(rows: list[Happened], at: int) -> dict[str, str]:
    known = sorted({row[0] for row in rows if BEGIN + row[1] * MINUTE < at})
    return {name: stage_of([row for row in rows if row[0] == name], at) for name in known}


def visits_by_hand(rows: list[Happened], since: int, until: int) -> list[list[str]]:
    """Kinds of each visit that was over in the time, in the order of its touchpoints."""
    found = []
    own = [(r[0], BEGIN + r[1] * MINUTE, i, r[2]) for i, r in enumerate(rows) if r[3] in ("web", "shop")]
    own = sorted(row for row in own if row[3] not in ("email_sent", "by_machine"))
    visit: list[tuple[str, int, int, str]] = []
    for row in [*own, ("~", 0, 0, "")]:
        if visit and (row[0] != visit[-1][0] or row[1] - visit[-1][1] > REST):
            if since <= visit[-1][1] + REST < until:
                found.append([kind for *_, kind in visit])
            visit = []
        visit.append(row)
    return found


@tries(max_examples=25)
@given(happened, st.integers(1, 24))
def test_figures_are_those_of_a_count_by_hand(rows: list[Happened], week: int) -> None:
    at = BEGIN + week * WEEK
    found, now, before = figure(past_of(rows), at), by_hand(rows, at), by_hand(rows, at - WEEK)
    assert found["contacts"] == len(now) == sum(found["stages"].values())
    assert {stage: n for stage, n in found["stages"].items() if n} == Counter(now.values())
    if found["since"] is not None:
        told = {(move["from"], move["to"]): move["contacts"] for move in found["moves"]}
        assert told == Counter((before.get(name), stage) for name, stage in now.items())
    last = {
        name: max(
            (BEGIN + r[1] * MINUTE for r in rows
             if r[0] == name and BEGIN + r[1] * MINUTE < at and r[2] not in ("email_sent", "by_machine")),
            default=min(BEGIN + r[1] * MINUTE for r in rows if r[0] == name),
        )
        for name in now
    }  # fmt: skip
    silent = Counter(now[name] for name, when in last.items() if at - when > SILENCE)
    assert {stage: told["silent"] for stage, told in found["leaving"].items() if told["silent"]} == silent


@tries(max_examples=25)
@given(happened, st.integers(1, 24))
def test_visits_are_those_of_a_count_by_hand(rows: list[Happened], week: int) -> None:
    at = BEGIN + week * WEEK
    found, visits = figure(past_of(rows), at)["visits"], visits_by_hand(rows, at - WEEK, at)
    assert found["visits"] == len(visits)
    assert {kind: told["ended"] for kind, told in found["kinds"].items() if told["ended"]} == Counter(
        visit[-1] for visit in visits
    )
    assert {kind: told["visits"] for kind, told in found["kinds"].items()} == Counter(
        kind for visit in visits for kind in set(visit)
    )
    assert {kind: told["visits"] for kind, told in found["entries"].items()} == Counter(visit[0] for visit in visits)
    assert found["steps"] == [n for step in range(1, 4) if (n := sum(len(set(visit)) >= step for visit in visits))]


@tries(max_examples=25)
@given(happened, happened, st.integers(1, 20))
def test_what_comes_later_changes_no_figure(rows: list[Happened], more: list[Happened], week: int) -> None:
    rows = [("a", 0, "visit", "web"), *rows]
    later = [(who, week * 7 * 24 * 60 + at, kind, channel) for who, at, kind, channel in more]
    at = BEGIN + week * WEEK
    early = [row for row in rows if BEGIN + row[1] * MINUTE < at]
    assert figure(past_of(early), at) == figure(past_of(early + later), at)


@tries(max_examples=15)
@given(happened, st.sets(st.sampled_from("abcdef")))
def test_whom_partners_keep_is_in_no_figure(rows: list[Happened], kept: set[str]) -> None:
    at = BEGIN + 21 * WEEK
    told = Traits((name, BEGIN, {"partner": "north"}) for name in sorted(kept))
    own = [row for row in rows if row[0] not in kept]
    found = figure(past_of([("a", 0, "visit", "web"), *rows], told), at)
    assert found["contacts"] == len({row[0] for row in own} | ({"a"} - kept))
    if "a" not in kept:
        assert found == figure(past_of([("a", 0, "visit", "web"), *own]), at)


@tries(max_examples=15)
@given(happened)
def test_a_moment_tells_the_same_alone_and_among_others(rows: list[Happened]) -> None:
    past, wanted = past_of(rows), [BEGIN + week * WEEK for week in (9, 10, 12)]
    together = list(Pipeline(past, SETTINGS, None, WEEK).figures(wanted))
    assert [row.body for row in together] == [figure(past, at) for at in wanted]


def test_moves_add_up_where_identities_are_joined_and_parted(tmp_path: Path) -> None:
    settings, now = weighing_worlds.settings(), weighing_worlds.NOW
    with Store.open(f"sqlite:///{tmp_path / 'nba.db'}") as store:
        weighing_worlds.write(store)
        past = read_past(store, settings, now)
        wanted = moments(now - 12 * WEEK, now, WEEK)
        rows = list(Pipeline(past, settings, None, WEEK).figures(wanted))
        by_oracle = [oracle(store, settings, past, at) for at in wanted]
    for row, before in zip(rows[1:], rows, strict=False):
        into, out = Counter[str](), Counter[str]()
        for move in row.body["moves"]:
            into[move["to"]] += move["contacts"]
            out[move["from"]] += move["contacts"]
        assert {stage: into[stage] for stage in row.body["stages"]} == row.body["stages"]
        assert {stage: out[stage] for stage in before.body["stages"]} == before.body["stages"]
    people = People.of(past, settings)
    for row, stages in zip(rows, by_oracle, strict=True):
        # Those that never had a touchpoint are taken as they are joined now.
        lone = int((people.at(row.at).contact == NOBODY).sum())
        found = row.body["stages"] | {"unaware": row.body["stages"]["unaware"] - lone}
        assert {stage: n for stage, n in found.items() if n} == stages
    assert len({row.body["contacts"] for row in rows}) > 1


def oracle(store: Store, settings: Settings, past: Past, at: int) -> Counter[str]:
    """Stages of who ever had a touchpoint, as requests read it at a moment, without whom the owner may not see."""
    everybody, found = Everybody.read(store, settings, at), Counter[str]()
    touched, known = set(past.recorded.contacts), set(past.recorded_traits.identities())
    told = sorted(store.contact_rows(weighing_worlds.NOW), key=lambda row: row.known_at)
    everywhere = {row.key for row in told} | {row[0] for row in store.touchpoint_rows(weighing_worlds.NOW)}
    for name in everybody.names:
        its = everybody.past(name)
        members = set(its.contact.members if its.contact else (name,))
        partner = [row.body["partner"] for row in told if row.key in members and "partner" in row.body][-1:]
        objects = bool(members & everywhere - touched - known)
        if members & touched and not objects and partner in ([], [None]):
            found[apply_rules(settings.stages.rules, its.touchpoints, at, 0).stage] += 1
    return found


def test_only_what_is_missing_is_counted_and_other_stages_are(tmp_path: Path) -> None:
    wanted = [BEGIN + week * WEEK for week in range(3)]
    other = parse_settings(TOML.replace('within = "14d"', 'within = "15d"'))
    with Store.open(f"sqlite:///{tmp_path / 'nba.db'}") as store:
        assert missing(store, wanted, WEEK, SETTINGS, None) == wanted
        rows = list(Pipeline(past_of([("a", 0, "visit", "web")]), SETTINGS, None, WEEK).figures(wanted[:2]))
        with store.writing() as writing:
            store_figures(writing, rows)
        assert missing(store, wanted, WEEK, SETTINGS, None) == wanted[2:]
        assert missing(store, wanted, DAY, SETTINGS, None) == wanted
        assert missing(store, wanted, WEEK, other, None) == wanted
        assert figures_of(store, name_of(WEEK), 0, NOW) == [FigureRow(row.name, row.at, row.body) for row in rows]


def test_moments_are_the_same_whenever_they_are_asked_for() -> None:
    assert moments(None, BEGIN, WEEK)[-1] == BEGIN
    assert moments(None, BEGIN + WEEK - 1, WEEK) == moments(None, BEGIN, WEEK)
    assert moments(BEGIN - 1, BEGIN + 1, WEEK) == [BEGIN]
    assert moments(BEGIN + 1, BEGIN + 2, WEEK) == []


def test_who_is_in_a_stage_longer_than_nine_of_ten_is_stuck() -> None:
    table = np.full((22, 12), -1)
    # Twenty come in the second week and leave after two to five, two stay.
    for contact in range(20):
        table[contact, 1 : 3 + contact % 4] = 0
        table[contact, 3 + contact % 4 :] = 1
    table[20:, 1:] = 0
    found = lengths(table, 7.0, ("need", "use"))
    assert found["need"]["contacts"] == 2 and found["need"]["usual_days"] == 28.0
    assert found["need"]["long_days"] == 35.0 and found["need"]["stuck"] == 2
    # Nobody has left the other one, so that nothing is usual.
    assert found["use"]["usual_days"] is None and found["use"]["stuck"] is None


def test_who_is_known_by_traits_alone_is_a_contact_too() -> None:
    traits = Traits(ContactRow(name, BEGIN + 3 * WEEK, {"size": 4}) for name in ("a", "z"))
    past, counts = past_of([("a", 0, "visit", "web")], traits), []
    for week in (1, 3, 4):
        counts.append(figure(past, BEGIN + week * WEEK)["contacts"])
    assert counts == [1, 1, 2]


def test_score_and_pipeline_tell_the_same_of_the_same_moment(tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "nba.toml").write_text('[store]\nurl = "sqlite:///nba.db"\n' + weighing_worlds.TOML, encoding="utf-8")
    first, second = (iso(moments(None, weighing_worlds.NOW, WEEK)[back]) for back in (-2, -1))
    nba = ["--config", str(tmp_path / "nba.toml")]
    with Store.open(f"sqlite:///{tmp_path / 'nba.db'}") as store:
        weighing_worlds.write(store)
        for at in (first, second):
            assert main([*nba, "score", "--as-of", at, "--out", str(tmp_path / "s.parquet")]) == 0
        capsys.readouterr()
        assert main([*nba, "pipeline", "--as-of", second, "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert main([*nba, "pipeline", "--as-of", second, "--json"]) == 0
        again = json.loads(capsys.readouterr().out)
        scored = figures_of(store, SCORED, 0, NOW + 99 * 52 * WEEK)
    seen = Counter(pq.read_table(tmp_path / "s.parquet").column("stage").to_pylist())
    assert [each["stages"] for each in told["moments"][-2:]] == [row.body["stages"] for row in scored]
    assert len(told["made"]) == 26 and again["made"] == [] and again["moments"] == told["moments"]
    newest = scored[-1].body
    assert {stage: n for stage, n in newest["stages"].items() if n} == seen
    assert newest["contacts"] == sum(newest["stages"].values()) and newest["since"] == scored[0].at
    into = Counter[str]()
    for move in newest["moves"]:
        into[move["to"]] += move["contacts"]
    assert {stage: into[stage] for stage in newest["stages"]} == newest["stages"]
    assert newest["matrix"] is None


def test_the_matrix_is_a_count_by_hand(tmp_path: Path) -> None:
    settings, now, belief = weighing_worlds.settings(), weighing_worlds.NOW, weighing_worlds.belief()
    with Store.open(f"sqlite:///{tmp_path / 'nba.db'}") as store:
        weighing_worlds.write(store)
        past = read_past(store, settings, now)
    names = sorted(past.current())
    chance = [None if i % 5 == 0 else i / len(names) for i in range(len(names))]
    found = matrix(past, settings, belief, names, chance)
    assert found is not None and found["goal"] == "churn"
    counted, money = Counter[tuple[str, str]](), dict.fromkeys(("low", "medium", "high"), 0.0)
    revenue = {name: revenue_by_hand(past, settings, name) for name in names}
    assert revenues(past, settings, names).tolist() == [pytest.approx(revenue[name]) for name in names]
    for name, p in zip(names, chance, strict=True):
        if p is not None:
            risk = belief.grade("churn", p)
            counted[risk, "none" if revenue[name] == 0 else "some"] += 1
            money[risk] += revenue[name]
    for risk in ("low", "medium", "high"):
        cells = {cell["worth"]: cell for cell in found["cells"] if cell["risk"] == risk}
        assert cells["none"]["contacts"] == counted[risk, "none"]
        assert sum(cells[worth]["contacts"] for worth in ("small", "middle", "large")) == counted[risk, "some"]
        assert sum(cell["revenue"] for cell in cells.values()) == pytest.approx(money[risk])
    assert matrix(past, settings, None, names, chance) is None


def revenue_by_hand(past: Past, settings: Settings, name: str) -> float:
    code = past.current()[name]
    if code < 0:
        return 0.0
    t = past.touchpoints.only(code)
    return sum(
        float(value)
        for at, kind, value in zip(t.occurred_at, t.kind, t.value, strict=True)
        if t.kinds[kind] in settings.touchpoints.money and at >= past.now - 365 * DAY
    )
