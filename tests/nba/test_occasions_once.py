"""Claims about an occasion as a whole: it calls once, is logged, sticks, and looks at nothing it must not look at."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.rows.row_types import ContactRow, DecisionRow, RecordRow, TouchpointRow
from features.store.store import Store
from features.times import DAY, HOUR, iso
from nba.draw import Draw
from nba.engine import decide
from nba.past import Past
from nba.request import Request
from nba.tables.tables import Asset, Event
from tests.nba.occasion_worlds import ACTION, CONTACT, Around, World, catalogue, decided, every, toml, touch, us

DUE = toml('trait = "due_on", within = "14d"')
STICKY = DUE.replace("sticky = '0d'", "sticky = '7d'")
BEGINS, ENDS = us("2026-11-16T23:00:00Z"), us("2026-12-01T23:00:00Z")


def sent_for(decided_at: int) -> tuple[Any, ...]:
    return touch("2026-11-20", "email_sent", action=ACTION, decision_id=f"d{decided_at}")


def due(*decisions: DecisionRow, text: str = DUE, rows: Sequence[tuple[Any, ...]] = ()) -> World:
    return World(text, rows, {"due_on": "2026-12-01"}, decisions=decisions)


def test_an_occasion_calls_once_however_often_it_is_asked_about() -> None:
    world, out = due(), []
    for moment in range(BEGINS - 2 * DAY, ENDS + 2 * DAY, 7 * HOUR):
        answer = world.answer(moment)
        if answer.action == ACTION:
            out.append(moment)
            world = due(*world.decisions, answer.row())
    assert len(out) == 1 and BEGINS <= out[0] < BEGINS + 7 * HOUR


def test_the_choice_is_given_again_while_it_sticks_and_does_not_count_against_itself() -> None:
    first = due(text=STICKY).answer("2026-11-20")
    world = due(first.row(), text=STICKY)
    for moment in range(us("2026-11-20") + HOUR, us("2026-11-27"), 13 * HOUR):
        again = world.answer(moment)
        assert (again.action, again.is_new, again.decision_id) == (ACTION, False, first.decision_id)
        assert again.recommendations[0].reasons[0] == "due_on is 2026-12-01"
    assert world.refusal("2026-11-27").detail == "went out already for this occasion: due_on is 2026-12-01"


def test_an_offer_ends_with_its_occasion_and_is_not_given_again_after_it() -> None:
    first = due(text=STICKY).answer("2026-11-28")
    assert first.recommendations[0].valid_until == ENDS
    world = due(first.row(), text=STICKY)
    assert not world.answer(ENDS - 1).is_new
    assert world.answer(ENDS).action != ACTION


def test_given_again_it_is_about_the_same_device() -> None:
    text = toml('asset = "due_on", within = "14d"').replace("sticky = '0d'", "sticky = '7d'")
    later, sooner = (Asset(name, more={"due_on": f"2026-12-{day:02}"}) for name, day in (("later", 3), ("sooner", 2)))
    first = World(text, around=Around(devices=[later])).answer("2026-11-22")
    again = World(text, around=Around(devices=[later, sooner]), decisions=[first.row()]).answer("2026-11-23")
    assert not again.is_new
    assert [each.recommendations[0].reasons[0] for each in (first, again)] == ["due_on of later is 2026-12-03"] * 2


@pytest.mark.parametrize(
    ("row", "is_used"),
    [
        (decided("2026-11-20"), True),
        (decided("2026-11-20", "trait:due_on"), True),
        (decided("2026-11-20", "trait:other"), False),
        (decided(BEGINS), True),
        (decided(BEGINS - 1), False),
        (decided("2026-11-20", action="another"), False),
        (decided("2026-11-20", deferred=True), False),
        (decided("2026-11-20", deferred=True, activated_at=us("2026-11-21")), True),
        (decided("2026-11-20", deferred=True, activated_at=us("2026-11-25")), False),
        (decided(BEGINS - 1, deferred=True, activated_at=us("2026-11-20")), False),
        (decided("2026-11-20", placement="outbound"), True),
        (decided("2026-11-20", placement="infocenter"), False),
        (replace(decided("2026-11-20"), chances=None), False),
    ],
)
def test_what_counts_as_gone_out_is_what_the_caps_count(row: DecisionRow, is_used: bool) -> None:
    assert (due(row).now("2026-11-25") is None) is is_used


@pytest.mark.parametrize(
    ("sent", "decisions", "is_used"),
    [
        (touch("2026-11-20", "email_sent", action=ACTION), (), True),
        (touch("2026-11-20", "email_sent", action=ACTION, decision_id="unknown"), (), True),
        (touch("2026-11-20", "email_sent", action="another"), (), False),
        (touch("2026-11-20", "email_sent"), (), False),
        (touch("2026-11-20", "opened", action=ACTION), (), False),
        (touch(BEGINS - 1, "email_sent", action=ACTION), (), False),
        # What was decided for an earlier occasion and went out late is that one's.
        (sent_for(BEGINS - 1), (decided(BEGINS - 1),), False),
        (sent_for(BEGINS - 1), (decided(BEGINS - 2),), True),
        (sent_for(BEGINS + 1), (decided(BEGINS + 1, deferred=True),), True),
    ],
)  # fmt: skip
def test_whatever_sender_an_outbound_touchpoint_with_the_action_counts(sent, decisions, is_used: bool) -> None:
    assert (due(*decisions, rows=[sent]).now("2026-11-25") is None) is is_used


def test_the_next_occasion_calls_again() -> None:
    born = World(toml('trait = "born_on", every = "1y", within = "3d"'), traits={"born_on": "1980-05-17"})
    used = replace(born, decisions=[born.answer("2026-05-16").row()])
    assert used.now("2026-05-17") is None and used.now("2027-05-16") is not None
    assert used.refusal("2026-05-17").until == us("2027-05-13T22:00:00Z")


def test_a_date_that_moves_is_a_new_occasion_if_it_begins_after_what_went_out() -> None:
    sent = decided("2026-11-20", "trait:due_on")
    moved = {day: World(DUE, traits={"due_on": day}, decisions=[sent]) for day in ("2026-12-03", "2026-12-20")}
    assert moved["2026-12-03"].now("2026-11-25") is None
    assert moved["2026-12-20"].now("2026-12-10") is not None


def test_what_wavers_calls_once_and_a_second_time_later() -> None:
    text = toml(
        'stage_to = "purchase", within = "9d"', "[stages.rules]\npurchase = { seen = ['order'], within = '2d' }\n"
    )
    rows = [touch(f"2026-06-{day:02}", "order", value=1.0) for day in (1, 4, 7, 20)]
    world, out = World(text, rows), []
    for moment in range(us("2026-05-30"), us("2026-07-30"), 9 * HOUR):
        answer = world.until(moment).answer(moment)
        if answer.action == ACTION:
            out.append(iso(moment)[:10])
            world = replace(world, decisions=[*world.decisions, answer.row()])
    assert out == ["2026-06-01", "2026-06-20"]


def test_decisions_are_remembered_as_long_as_an_occasion_lasts() -> None:
    for when, days in (
        ('trait = "d", within = "40d"', 40), ('after = "x", from = "1d", to = "60d"', 59), ('silent = 2.0', 30),
        ('falls = "revenue", by = 0.3, within = "90d"', 180), ('burst = "any topic"', 14), ("points_pass = 250", 60),
        ('event = "starts_at", from = "-50d", to = "-3d"', 47), ('stage_to = "use", within = "45d"', 90),
    ):  # fmt: skip
        assert catalogue(toml(when)).memory_us >= days * DAY, when


# --- every form, whatever happens ---------------------------------------------------------------------------------

FORMS = [
    'trait = "d", within = "14d"', 'trait = "d", every = "1y", within = "20d"', 'asset = "d", within = "14d"',
    'event = "starts_at", from = "-21d", to = "-3d"', 'after = "download", from = "1d", to = "6d"',
    'falls = "revenue", by = 0.3, within = "30d"', "silent = 2.0", 'burst = "any topic"', 'stage_to = "purchase"',
    "points_pass = 150",
]  # fmt: skip
NOW = us("2026-06-15T10:00:00Z")
KINDS = ["visit", "download", "order", "return", "email_sent", "rejected"]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    chance = random.Random(draw(st.integers(0, 10**6)))
    rows = []
    for _ in range(draw(st.integers(0, 30))):
        # Whole hours, so that some happen at once.
        at = NOW + chance.randrange(-150 * 24, 40 * 24) * HOUR
        kind = chance.choice(KINDS)
        value = chance.choice([10.0, 100.0, 0.1]) if kind in ("order", "return") else None
        topics = [chance.choice(["pumps", "pumps/a", "valves"])] if chance.random() < 0.7 else []
        action = ACTION if kind == "email_sent" and chance.random() < 0.3 else None
        rows.append(touch(at, kind, topics=topics, value=value, action=action))
    days = [iso(NOW + chance.randrange(-30, 60) * DAY)[:10] for _ in range(3)]
    around = Around(
        events=[
            Event(f"e{n}", NOW + chance.randrange(-20, 60) * DAY, topics=("pumps",) if n else ()) for n in range(3)
        ],
        devices=[Asset(f"p{n}", more={"d": day}) for n, day in enumerate(days)],
    )
    zone = chance.choice(["Europe/Zurich", "America/New_York", "Australia/Lord_Howe"])
    text = toml(draw(st.sampled_from(FORMS)), "[topics]\nhalf_life = '20d'\n")
    return World(text, rows, {"d": days[0], "timezone": zone}, around)


@settings(deadline=None)
@given(worlds(), st.randoms(use_true_random=False))
def test_neither_the_order_of_arrival_nor_what_comes_later_matters(world: World, chance: random.Random) -> None:
    shuffled = chance.sample(list(world.rows), len(world.rows))
    assert world.now(NOW) == replace(world, rows=shuffled).now(NOW) == world.until(NOW).now(NOW)
    assert world.refusal(NOW) == replace(world, rows=shuffled).refusal(NOW) == world.until(NOW).refusal(NOW)


@settings(deadline=None)
@given(worlds(), st.floats(0, 1))
def test_an_occasion_is_the_same_from_its_beginning_to_its_end(world: World, part: float) -> None:
    world = world.until(NOW)
    found = world.now(NOW)
    if found is None:
        return
    assert found.is_open(NOW)
    moment = NOW + int((found.ends - 1 - NOW) * part)
    then = world.now(moment)
    assert then is not None and then.is_open(moment)
    # Others that begin in between may come first, and so may the topic of a burst in which most happened of late.
    if then.begins <= NOW and "burst" not in world.settings:
        assert (then.begins, then.ends, then.of) == (found.begins, found.ends, found.of)


@settings(max_examples=30, deadline=None)
@given(worlds())
def test_the_same_occasion_never_calls_twice(world: World) -> None:
    out: list[tuple[str, int]] = []
    for moment in range(NOW - 20 * DAY, NOW + 30 * DAY, 31 * HOUR):
        known = replace(world, rows=[row for row in world.rows if row[12] is None]).until(moment)
        answer = known.answer(moment)
        if answer.action == ACTION:
            found = known.now(moment)
            assert (found.of, found.begins) not in out
            out.append((found.of, found.begins))
            world = replace(world, decisions=[*world.decisions, answer.row()])


# --- as the service sees it ---------------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'nba.db'}") as opened:
        yield opened


def test_devices_and_events_of_the_store_call_and_are_named_once(store: Store) -> None:
    text = (
        "[actions.device]\nchannel = 'email'\nwhen = { asset = 'next_service_on', within = '14d' }\n"
        "[actions.fair]\nchannel = 'letter'\nwhen = { event = 'starts_at', from = '-21d', to = '-3d' }\n"
        "[points]\nkinds = { visit = 5 }\nthresholds = [{ from = 0, actions = ['device', 'fair'] }]\n"
        "[ranking]\nepsilon = 0.0\nholdout = 0.0\nsticky = '0d'\n"
    )
    found, known = catalogue(text), NOW - 90 * DAY
    with store.writing() as writing:
        writing.contacts([ContactRow(CONTACT, known, {"language": "de"})])
        writing.touchpoints([TouchpointRow(CONTACT, NOW - DAY, "t1", "visit", topics='["pumps"]')])
        device = {"identity": CONTACT, "product_id": "p", "next_service_on": "2026-06-25"}
        writing.records("assets", [RecordRow("saw", known, device)])
        fair = {"starts_at": "2026-07-01T09:00:00Z", "topics": ["pumps"], "language": "de", "place": "Bern"}
        writing.records("events", [RecordRow("fair", known, fair), RecordRow("later", NOW, {**fair, "starts_at": NOW})])
    rules = found.settings.touchpoints
    given = []
    for day in range(20):
        as_of = NOW + day * DAY
        past = Past.read(store, CONTACT, as_of, rules, memory_us=found.memory_us, counted=found.approach_rule)
        answer = decide(Request(CONTACT), past, None, found, as_of, Draw(b"a secret of tests"))
        if answer.recommendations:
            first = answer.recommendations[0].to_json(1)
            given.append((day, first["action"], first["asset_id"], first["event_id"], first["reasons"][0]))
            with store.writing() as writing:
                writing.decisions([answer.row()])
    assert given == [
        (0, "device", "saw", None, "next_service_on of saw is 2026-06-25"),
        (1, "fair", None, "fair", "fair (Bern) begins on 2026-07-01"),
    ]


def test_what_happened_at_the_moment_itself_does_not_call() -> None:
    world = World(toml('after = "download", from = "0d", to = "6d"'), every("2026-06-01", 1, 3, "download"))
    assert world.now("2026-06-01") is None
    assert world.until("2026-06-02").now("2026-06-02").about == "download on 2026-06-01"
