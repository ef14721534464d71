"""``again_at``: nothing new is allowed before it by the clock alone, and something may be at it."""

import json
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import settings as tried

from features.times import DAY, HOUR, iso, parse_time
from features.touchpoints.touchpoints import TouchpointRules, Touchpoints
from nba.actions import DO_NOTHING, Catalogue
from nba.again import again_at
from nba.past import Past
from nba.request import Request
from nba.settings import parse_settings
from nba.tables.tables import Event
from nba.weighing import weigh
from tests.nba.occasion_worlds import CONTACT, Around, World, catalogue, touch, us
from tests.nba.policy_dice import Surroundings, seeds, some_life, some_policy, some_traits, written
from tests.nba.policy_oracle import ACTIONS, Chosen
from tests.nba.policy_oracle import World as Rules

START = parse_time("2026-04-01T06:00:00Z")
FAR = 60 * DAY
POINTS = "[points]\nkinds = { visit = 5 }\nthresholds = [{ from = 0, actions = ['act'] }]\n"
RANKING = "[ranking]\nepsilon = 0.0\nholdout = 0.0\nsticky = '7d'\n"


def plain(policy: str = "", action: str = "", more: str = "") -> str:
    return f"[actions.act]\nchannel = 'email'\n{action}\n{POINTS}{RANKING}{more}[contact_policy]\n{policy}"


NOW = us("2026-06-15T10:00:00Z")
COMPLAINT = touch(NOW - DAY, "complaint")
HOLD = "holds = [{ open = 'complaint', until = 'complaint_closed' }]\n"


def test_what_is_held_back_does_not_come_with_the_end_of_a_lesser_rule() -> None:
    sent = touch(NOW - DAY, "email_sent")
    capped = plain(f"{HOLD}caps = [{{ per = '9d', count = 1 }}]\n")
    assert World(capped, [sent]).answer(NOW).again_at == NOW + 8 * DAY + 1
    assert World(capped, [COMPLAINT, sent]).answer(NOW).again_at is None, "a complaint is closed by a touchpoint"


@pytest.mark.parametrize(
    ("policy", "action", "rows", "again"),
    [
        ("caps = [{ per = '9d', count = 1 }, { per = '20d', count = 1 }]", "", [touch(NOW - DAY, "email_sent")],
         NOW + 19 * DAY + 1),
        ("pauses = [{ outcome = 'rejected', count = 1, pause = '30d', scope = 'action' }]", "",
         [touch(NOW - DAY, "rejected", action="act")], NOW + 29 * DAY),
        ("quiet = { from = '12:00', to = '13:30' }", "", [], us("2026-06-15T11:30:00Z")),
        ("calendar = { days = ['tue'], freeze = ['2026-06-01/2026-07-01'] }", "", [], us("2026-07-06T22:00:00Z")),
        ("", "valid = { from = '2026-09-01' }", [], us("2026-09-01")),
        ("calendar = { days = ['sat'] }", "valid = { to = '2026-06-18' }", [], None),
        ("", "needs = { tenure_from = '100d' }", [touch(NOW - DAY)], NOW + 99 * DAY),
        ("", "stages = ['unaware']", [touch(NOW - DAY, "page_view")], NOW + 89 * DAY + 1),
        ("", "needs = { revenue_from = 50 }",
         [touch(NOW - 20 * DAY, "return", value=60.0), touch(NOW - DAY, "order", value=100.0)], NOW + 345 * DAY + 1),
        ("", "needs = { seen = ['download'] }", [], None),
        ("caps = [{ per = '2d', count = 0 }]", "", [], None),
    ],
)  # fmt: skip
def test_every_rule_with_a_known_end_tells_it(policy, action, rows, again) -> None:
    world = World(plain(policy, action), [touch(NOW - 300 * DAY, "visit"), *rows] if not action else rows)
    answer = world.answer(NOW)
    assert answer.action == DO_NOTHING
    assert answer.again_at == again, answer.again_at and iso(answer.again_at)
    if again is not None:
        assert world.refusal(again - 1) is not None and world.refusal(again) is None


def test_an_event_to_come_is_waited_for_and_slots_of_hours_are_too() -> None:
    events = Around([Event("fair", NOW + 40 * DAY)])
    world = World(plain(action='when = { event = "starts_at", from = "-21d", to = "-3d" }'), around=events)
    assert world.answer(NOW).again_at == NOW + 19 * DAY
    taken = Around(taken_at=[NOW - 5 * HOUR, NOW - HOUR])
    slots = World(plain(action="capacity = { per = '6h', count = 2 }"), around=taken).answer(NOW).again_at
    assert NOW + HOUR - 6 * HOUR // 32 <= slots <= NOW + HOUR + 1


def test_a_choice_among_several_is_drawn_anew_when_it_ends() -> None:
    toml = plain().replace("from = 0, actions", "from = 99, actions")
    assert World(toml, [touch(NOW - DAY)]).answer(NOW).again_at == NOW + 7 * DAY


def world_of(seed: int) -> tuple[Rules, Catalogue]:
    """Rules and a life as dice would have them, and the settings that they make."""
    dice = Random(seed)
    world = Rules(some_policy(seed), 7 * DAY, "partner_first", traits=some_traits(seed))
    world.facts = some_life(dice, START, 20 * 24)
    last = START + 20 * DAY
    for _ in range(dice.choice([0, 3])):
        ago = dice.randrange(3 * DAY)
        world.colleagues.append((last - ago, dice.choice(["email", "phone"])))
        world.others.append(Chosen("of another", last - ago, dice.choice(["call", "seat"])))
    settings = written(dict(world.rules), {"sticky": "7d", "epsilon": 0.0, "holdout": 0.0}, "partner_first")
    for action, needs in (("mail", {"tenure_from": "30d"}), ("letter", {"stage": ["unaware"]})):
        if dice.random() < 0.5:
            settings["actions"] = {**settings["actions"], action: {**ACTIONS[action], "needs": needs}}
    return world, Catalogue.of(parse_settings(settings))


def allowed_at(world: Rules, under: Catalogue, now: int):
    rows = [
        (
            CONTACT, fact.at, f"t{n:05}", fact.kind, fact.channel, "outbound" if fact.outbound else "inbound", None,
            None, None, None, None, fact.decision, fact.action, json.dumps(fact.properties),
        )
        for n, fact in enumerate(world.facts)
    ]  # fmt: skip
    around = Surroundings(world, now)
    past = Past(
        Touchpoints.from_rows(rows, TouchpointRules()), dict(world.traits), traits_changed_at=None, around=around
    )
    return weigh(Request(CONTACT), past, None, under, now).judged


@given(seeds)
@tried(max_examples=60, deadline=None)
def test_nothing_new_is_allowed_before_it(seed: int) -> None:
    world, found_in = world_of(seed)
    dice, now = Random(seed + 1), START + 20 * DAY + 1
    found = allowed_at(world, found_in, now)
    again = again_at(found.situation, found.verdict, now)
    may, ends = set(found.verdict.columns), now + FAR if again is None else min(again, now + FAR)
    known = [each.until for each in found.verdict.refusals if each.until is not None and each.until < ends]
    moments = [ends - 1, *known, *(dice.randrange(now, ends) for _ in range(6))]
    for moment in moments:
        then = allowed_at(world, found_in, moment)
        assert set(then.verdict.columns) <= may, (iso(moment), again and iso(again))
    if again is not None:
        assert again > now
        later = allowed_at(world, found_in, again)
        following = again_at(later.situation, later.verdict, again)
        assert not set(later.verdict.columns) <= may or following is None or following > again


def test_what_a_model_says_is_looked_at_again_when_the_choice_ends() -> None:
    world = World(plain(action="stages = ['renew']"), [touch(NOW - DAY, "page_view")])
    found = weigh(Request(CONTACT), world.past(NOW), None, catalogue(world.settings), NOW).judged
    modelled = replace(found.situation, model_version="1")
    assert again_at(modelled, found.verdict, NOW + 7 * DAY) == NOW + 7 * DAY
