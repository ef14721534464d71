"""Every view says what Python computes from the same rows, in both databases, and nothing of whom partners keep."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from features.rows.row_types import ContactRow, LinkRow, RecordRow, ScoreRow, SplitRow, TouchpointRow
from features.store.sights import scores_with_sight, sight_rows, state_of_scores
from features.store.store import Store
from features.store.view_words import OBJECTING
from features.store.views import VIEWS
from features.times import DAY, to_datetime, to_us
from nba.consent import RESTRICTED, WITHDRAWALS
from nba.partners.owner_sights import put_down
from nba.partners.visibility import OWNER_SIDE, sight_in
from nba.past import Past
from tests.nba.bi_world import NOTHING, NOW, SETTINGS, WHOLE, World, fill

Rows = list[dict[str, Any]]


def few(store: Store) -> World:
    return fill(store, contacts=12, happenings=80, decisions=20)


def read(store: Store, view: str, where: str = "") -> Rows:
    with closing(store._pool.connect()) as connection:
        cursor: Any = store._dialect.cursor(connection)
        cursor.execute(f"SELECT * FROM {view} {where}")
        names = [column[0] for column in cursor.description]
        return [{name: plain(value) for name, value in zip(names, row, strict=True)} for row in cursor.fetchall()]


def plain(value: Any) -> Any:
    """Times as SQLite writes them, whichever database says it."""
    if isinstance(value, datetime):
        return f"{to_datetime(to_us(value)):%Y-%m-%dT%H:%M:%S.%f}Z"
    return value.isoformat() if isinstance(value, date) else value


def moment(us: int | None) -> str | None:
    return None if us is None else f"{to_datetime(us):%Y-%m-%dT%H:%M:%S.%f}Z"


def day(us: int) -> str:
    return to_datetime(us).date().isoformat()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, World]]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('bi') / 'nba.db'}"
    else:
        url = request.getfixturevalue("postgresql").new()
    with Store.open(url) as store:
        world = fill(store)
        assert put_down(store, SETTINGS, NOW) == len(world.named)
        yield store, world


def test_everybody_is_named_and_seen_as_a_request_names_and_sees_them(filled: tuple[Store, World]) -> None:
    store, world = filled
    found = {row.identity: row for row in sight_rows(store)}
    assert found.keys() == world.contact_of.keys()
    for name, row in found.items():
        past = Past.read(store, name, NOW, SETTINGS.touchpoints)
        sight = sight_in(OWNER_SIDE, past, SETTINGS.partners, NOW)
        assert row.contact_id == (past.contact.contact_id if past.contact else name)
        assert (row.shows == "", row.shows == "*") == (sight.is_nothing, sight.is_whole)
        if row.shows not in ("", "*"):
            assert {"p_churn", "stage", "timeline"} == {*str(row.shows).strip("|").split("|")} - {"p_conversion"}


def test_before_sights_were_put_down_nobody_is_in_a_view(store_url: str) -> None:
    with Store.open(store_url) as store:
        few(store)
        for view in VIEWS:
            found = read(store, view.name)
            if view.name == "v_data_quality":
                found = [
                    row for row in found if row["table_name"] == "touchpoints" and "quarantined" not in row["finding"]
                ]
            if view.name == "v_model_versions":
                found = [row for row in found if row["decisions"] or row["contacts_scored"]]
            assert found == [], view.name


def test_every_column_is_described_and_there(filled: tuple[Store, World]) -> None:
    for view in VIEWS:
        rows = read(filled[0], view.name)
        assert rows, view.name
        assert [*rows[0]] == [column.name for column in view.columns]


def test_nobody_whom_a_partner_keeps_is_in_any_cell(filled: tuple[Store, World]) -> None:
    store, world = filled
    kept = {name for name in world.contact_of if world.sight(name) == NOTHING}
    assert kept
    for view in VIEWS:
        cells = {cell for row in read(store, view.name) for cell in row.values() if isinstance(cell, str)}
        assert not kept & cells, view.name
        assert "secret_kind" not in cells, view.name


def test_next_best_action(filled: tuple[Store, World]) -> None:
    store, world = filled
    expected = []
    for row in world.scores:
        name, sight = row.contact_id, world.sight(row.contact_id)
        if sight == NOTHING:
            continue
        whole = sight == WHOLE
        owner = "lee" if whole and name != "cookie:stray" and int(name[4:]) % 4 == 0 else None
        offers = {key: row.body[key] if whole else None for i in (1, 2, 3) for key in (f"action_{i}", f"priority_{i}")}
        expected.append(
            {
                "contact_id": name, "account": world.account[name] if whole else None, "owner": owner,
                "partner": world.partner[name], "scored_at": moment(row.as_of), "scored_us": row.as_of,
                "stage": row.stage if world.sees(name, "stage") else None, "points": row.points if whole else None,
                "expected_value": 10.0 if whole else None, **offers, "model_version": "2",
            }
        )  # fmt: skip
    assert sorted(read(store, "v_next_best_action"), key=str) == sorted(expected, key=str)


def grades_of(row: ScoreRow) -> Any:
    return row.body["grades"]


def test_propensities(filled: tuple[Store, World]) -> None:
    store, world = filled
    expected = [
        {
            "contact_id": row.contact_id, "goal": goal, "probability": row.body[f"p_{goal}"],
            "grade": grades_of(row).get(goal), "scored_at": moment(row.as_of), "scored_us": row.as_of,
            "model_version": "2",
        }
        for row in world.scores
        for goal in ("conversion", "churn")
        if world.sees(row.contact_id, "propensities")
    ]  # fmt: skip
    assert sorted(read(store, "v_propensities"), key=str) == sorted(expected, key=str)


def test_contact_timeline(filled: tuple[Store, World]) -> None:
    store, world = filled
    actions = {row.decision_id: row.action for row in world.decisions}
    expected = [
        {
            "contact_id": world.contact_of[row.identity],
            "identity": row.identity if world.sight(row.identity) == WHOLE else None,
            "occurred_at": moment(row.occurred_at), "occurred_us": row.occurred_at, "kind": row.kind,
            "channel": row.channel, "direction": None,
            "topics": {None: None, '["pumps"]': "pumps", '["pumps","a, b"]': "pumps, a, b"}[row.topics],
            "value": row.value, "currency": None, "margin": None, "duration": None,
            "action": actions.get(row.decision_id or ""), "decision_id": row.decision_id,
            "touchpoint_id": row.touchpoint_id, "source": row.source,
        }
        for row in world.touchpoints
        if world.sees(row.identity, "timeline")
    ]  # fmt: skip
    assert moment(-1_500_000) == "1969-12-31T23:59:58.500000Z"
    assert sorted(read(store, "v_contact_timeline"), key=str) == sorted(expected, key=str)


def counted(world: World) -> list[Any]:
    return [row for row in world.decisions if row.policy != "repeat" and world.sees(row.identity, "recommendations")]


def came_of(world: World) -> dict[str, list[Any]]:
    came = defaultdict(list)
    for row in world.outcomes:
        if row.feedback_id != "fp":
            came[row.decision_id].append(row)
    return came


def test_decisions_daily(filled: tuple[Store, World]) -> None:
    store, world = filled
    came, groups = came_of(world), defaultdict(list)
    for row in counted(world):
        key = (
            day(row.decided_at), row.action, row.placement or "outbound", row.mode, row.policy, row.model_version,
            int(row.holdout), int(row.chances is None),
        )  # fmt: skip
        groups[key].append(row)
    expected = {}
    for key, rows in groups.items():
        said = [{each.outcome for each in came[row.decision_id]} for row in rows]
        values = [each.value for row in rows for each in came[row.decision_id] if each.outcome == "converted"]
        expected[key] = (
            len(rows), len({row.identity for row in rows}),
            sum(not row.deferred or row.activated_at is not None for row in rows), sum(map(bool, said)),
            *(sum(outcome in each for each in said) for outcome in ("accepted", "converted", "rejected")),
            sum(values) if values else None,
        )  # fmt: skip
        mean = math.fsum(row.probability for row in rows) / len(rows)
        expected[key] = (*expected[key], pytest.approx(mean))
    found = read(store, "v_decisions_daily")
    assert {tuple(row.values())[:8]: tuple(row.values())[8:] for row in found} == expected
    assert len(found) == len(expected)


def rate_and_variance(units: dict[str, list[int]]) -> tuple[float, float]:
    """The ratio of two means and its variance by leaving each unit out, which the formula comes near to."""
    sizes = [(len(successes), sum(successes)) for successes in units.values()]
    n, s, m = sum(a for a, _ in sizes), sum(b for _, b in sizes), len(sizes)
    rate = s / n
    residuals = [b - rate * a for a, b in sizes]
    return rate, m / (m - 1) * sum(r * r for r in residuals) / n**2


def test_action_lift(filled: tuple[Store, World]) -> None:
    store, world = filled
    came = came_of(world)
    groups: dict[tuple[str, str], Any] = defaultdict(lambda: ({}, {}))
    for row in counted(world):
        if row.chances is None or (row.deferred and row.activated_at is None):
            continue
        good = any(each.outcome in ("accepted", "converted") for each in came[row.decision_id])
        unit = world.account[row.identity] or row.identity
        for action in (row.action, "(all)"):
            units = groups[row.placement or "outbound", action][row.holdout]
            units.setdefault(unit, []).append(int(good))
    found = {(row["placement"], row["action"]): row for row in read(store, "v_action_lift")}
    assert found.keys() == groups.keys()
    for key, (free, held) in groups.items():
        row = found[key]
        (rate, variance), (base, noise) = rate_and_variance(free), rate_and_variance(held)
        decisions, successes = sum(map(len, free.values())), sum(map(sum, free.values()))
        assert (row["decisions"], row["units"], row["successes"]) == (decisions, len(free), successes)
        assert row["holdout_decisions"] == sum(map(len, held.values()))
        assert row["success_rate"] == pytest.approx(rate)
        assert row["holdout_success_rate"] == pytest.approx(base)
        assert row["evidence"] == ("randomised" if key[1] == "(all)" else "observational")
        if row["why"] is None:
            half = 1.959963984540054 * math.sqrt(variance + noise)
            assert row["lift"] == pytest.approx(rate - base)
            assert (row["lift_low"], row["lift_high"]) == pytest.approx((rate - base - half, rate - base + half))
        else:
            assert row["lift"] is row["lift_low"] is row["lift_high"] is None
    assert {row["why"] is None for row in found.values()} == {True, False}


def test_model_versions(filled: tuple[Store, World]) -> None:
    store, world = filled
    made = Counter(row.model_version for row in counted(world) if row.chances is not None)
    found = {row["model_version"]: row for row in read(store, "v_model_versions")}
    assert found.keys() == {"1", "2"}
    assert {version: row["decisions"] for version, row in found.items()} == {"1": made["1"], "2": made["2"]}
    first = found["1"]
    at = NOW - 10 * DAY
    assert (first["first_promoted_us"], first["promoted_us"], first["promoted_at"]) == (at + 1, at + 5, moment(at + 5))
    assert (first["promotions"], first["rollbacks"], first["is_champion"]) == (1, 1, 1)
    assert (first["promoted_by"], first["reason"], first["contacts_scored"]) == ("who 5", "why 5", 0)
    assert found["2"]["is_champion"] == 0
    assert found["2"]["contacts_scored"] == sum(world.sight(row.contact_id) != NOTHING for row in world.scores)
    assert first["first_decision_us"] == min(
        row.decided_at for row in counted(world) if row.model_version == "1" and row.chances is not None
    )


def test_data_quality(filled: tuple[Store, World]) -> None:
    store, world = filled
    expected: Counter[tuple[str, str, str, str]] = Counter()
    for row in world.quarantined:
        expected[day(row.refused_at), "quarantined", "touchpoints", "kind is empty"] += 1
        if row.nth:
            expected[day(row.refused_at), "quarantined repeat", "touchpoints", "kind is empty"] += 1
    of = {row.decision_id: row.identity for row in world.decisions}
    for came in world.outcomes:
        if came.feedback_id == "fp":
            expected[day(came.received_at), "pending outcome", "outcomes", came.outcome] += 1
        elif came.received_at - came.occurred_at > DAY and world.sees(of[came.decision_id], "timeline"):
            expected[day(came.received_at), "late outcome", "outcomes", came.outcome] += 1
    shown = [row for row in world.touchpoints if world.sees(row.identity, "timeline")]
    alike = Counter((row.identity, row.occurred_at, row.kind) for row in shown)
    for (_, at, kind), n in alike.items():
        if n > 1:
            expected[day(at), "possible duplicate", "touchpoints", kind] += n - 1
    for kind in {row.kind for row in shown}:
        first = min(row.occurred_at for row in shown if row.kind == kind)
        expected[day(first), "new kind", "touchpoints", kind] = sum(row.kind == kind for row in shown)
    found = read(store, "v_data_quality")
    assert {tuple(row.values())[:4]: row["row_count"] for row in found} == expected
    assert len(found) == len(expected)


def shown(store: Store) -> set[str]:
    rows = read(store, "v_contact_timeline") + read(store, "v_next_best_action")
    return {row["contact_id"] for row in rows} | {row["identity"] for row in rows if row.get("identity")}


CHANGES = {
    "named by a partner": lambda w: w.contacts([ContactRow("crm:1", NOW, {"partner": "north"})]),
    "a visitor named by a partner": lambda w: w.contacts([ContactRow("cookie:1", NOW, {"partner": "north"})]),
    "linked with a kept one": lambda w: w.links([LinkRow("cookie:1", "crm:4", NOW, "login")]),
    "linked by a chain": lambda w: w.links([LinkRow("new", "crm:1", NOW, "login"), LinkRow("new", "x", NOW, "login")]),
    "split": lambda w: w.splits([SplitRow("crm:1", "cookie:1", NOW)]),
    "moved to another account": lambda w: w.contacts([ContactRow("crm:1", NOW, {"account": "else"})]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whose_belonging_changes_is_hidden_at_once_with_all_its_identities(change: str, store_url: str) -> None:
    with Store.open(store_url) as store:
        few(store)
        put_down(store, SETTINGS, NOW)
        before = shown(store)
        assert {"crm:1", "cookie:1"} <= before
        with store.writing() as writing:
            CHANGES[change](writing)
        assert shown(store) == before - {"crm:1", "cookie:1"}


UNCHANGED = {
    "a login again": lambda w: w.links([LinkRow("cookie:1", "crm:1", NOW, "login")]),
    "the same partner again": lambda w: w.contacts([ContactRow("crm:5", NOW, {"partner": "partly", "name": "N"})]),
    "another trait": lambda w: w.contacts([ContactRow("crm:1", NOW, {"size": 4})]),
    "another table": lambda w: w.records("products", [RecordRow("north", NOW, {"topic": "pumps"})]),
}


def test_what_changes_nothing_hides_nobody(store_url: str) -> None:
    with Store.open(store_url) as store:
        few(store)
        put_down(store, SETTINGS, NOW)
        before = shown(store)
        for what, change in UNCHANGED.items():
            with store.writing() as writing:
                change(writing)
            assert shown(store) == before, what


def test_terms_that_change_hide_until_they_are_looked_at_again(store_url: str) -> None:
    with Store.open(store_url) as store:
        few(store)
        put_down(store, SETTINGS, NOW)
        assert "crm:6" in shown(store)
        with store.writing() as writing:
            writing.records("partners", [RecordRow("open", NOW, {"visible": '["aggregate"]'})])
        assert "crm:6" not in shown(store)
        put_down(store, SETTINGS, NOW + 1)
        assert "crm:6" not in shown(store)
        with store.writing() as writing:
            writing.records("partners", [RecordRow("north", NOW + 1, {"visible": '["contact"]'})])
        put_down(store, SETTINGS, NOW + 2)
        assert "crm:4" in shown(store)


def test_every_word_that_takes_something_back_hides_a_score() -> None:
    assert sorted(OBJECTING) == sorted({*WITHDRAWALS, RESTRICTED})


@pytest.mark.parametrize("kind", [*WITHDRAWALS, RESTRICTED])
def test_who_objects_is_recommended_nothing_from_then_on(kind: str, tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path / 'nba.db'}") as store:
        with store.writing() as writing:
            writing.touchpoints([TouchpointRow("crm:0", NOW - DAY, "p", kind)])
        few(store)
        put_down(store, SETTINGS, NOW)
        with store.writing() as writing:
            writing.touchpoints([TouchpointRow("cookie:1", NOW, "o", kind)])
        exported = {score.contact_id for score, _ in scores_with_sight(store, NOW)}
        named = {row["contact_id"] for row in read(store, "v_next_best_action")}
        assert named == exported - {row.identity for row in sight_rows(store) if not row.shows}
        assert named == {row["contact_id"] for row in read(store, "v_propensities")}
        assert "crm:1" not in exported
        assert "crm:0" in named


@pytest.mark.parametrize("way", ["writing", "loading"])
@pytest.mark.parametrize("kind", [*WITHDRAWALS, RESTRICTED])
def test_who_had_objected_before_the_score_is_not_shown_once_the_word_comes_in(
    kind: str, way: str, store_url: str
) -> None:
    def say(*rows: TouchpointRow) -> set[str]:
        if way == "writing":
            with store.writing() as writing:
                writing.touchpoints([*rows])
        else:
            with store.loading() as loading:
                loading.touchpoints([*rows])
                loading.settle()
        exported = {score.contact_id for score, _ in scores_with_sight(store, NOW)}
        assert {row["contact_id"] for row in read(store, "v_next_best_action")} <= exported
        return exported

    heeded = TouchpointRow("crm:0", NOW - DAY, "heeded", kind)
    late = TouchpointRow("cookie:1", NOW - DAY // 2, "late", kind)
    with Store.open(store_url) as store:
        with store.writing() as writing:
            writing.touchpoints([heeded])
        few(store)
        put_down(store, SETTINGS, NOW)
        seen, state = {score.contact_id for score, _ in scores_with_sight(store, NOW)}, state_of_scores(store, NOW)
        # What the score has heeded says nothing new when it is sent again, also beside what does.
        assert {"crm:0", "crm:1"} <= seen == say(heeded, TouchpointRow("crm:0", NOW - DAY, "visit 1", "visit"))
        assert state_of_scores(store, NOW) == state
        assert say(late, heeded, TouchpointRow("crm:0", NOW - DAY, "visit 2", "visit")) == seen - {"crm:1"}
        assert state_of_scores(store, NOW) != state
        put_down(store, SETTINGS, NOW)
        assert "crm:1" not in {row["contact_id"] for row in read(store, "v_next_best_action")}
        assert {row[2] for row in store.history("crm:0", NOW)} >= {"heeded", "visit 1", "visit 2"}


def test_an_agreement_that_begins_hides_without_anybody_writing(store_url: str) -> None:
    # The clock of the database, which no test sets: one agreement begins long ago as seen from there, one never.
    with Store.open(store_url) as store:
        few(store)
        with store.writing() as writing:
            writing.records("partners", [RecordRow("open", 2, {"agreement_from": "2025-11-25T00:00:00Z"})])
            writing.contacts([ContactRow("crm:0", 5, {"partner": "later"})])
            writing.records("partners", [RecordRow("later", 2, {"agreement_from": "9000-01-01"})])
        put_down(store, SETTINGS, NOW)
        assert "crm:6" not in shown(store)
        assert "crm:0" in shown(store)


def test_who_changes_while_sights_are_worked_out_stays_hidden(store_url: str) -> None:
    from features.store.sights import begin_sights, save_sights, sight_rows

    with Store.open(store_url) as store:
        few(store)
        put_down(store, SETTINGS, NOW)
        rows = list(sight_rows(store))
        with store.writing() as writing:
            number = begin_sights(writing)
        with store.writing() as writing:
            writing.contacts([ContactRow("cookie:1", NOW, {"partner": "north"})])
        with store.writing() as writing:
            assert save_sights(writing, rows, number)
        assert not {"crm:1", "cookie:1"} & shown(store)
        assert "crm:0" in shown(store)
        with store.writing() as writing:
            begin_sights(writing)
        with store.writing() as writing:
            assert not save_sights(writing, rows, number), "somebody has begun later"
