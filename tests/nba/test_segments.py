"""Claims about segments: decided from what is known now, of nobody who objects, and needed by actions."""

import pytest

from features.times import DAY, parse_time
from nba.consent import Ledger
from nba.draw import Draw
from nba.engine import decide
from nba.past import Past
from nba.request import Request
from nba.segments import LEAST_INTEREST, interest
from nba.situation import Situation

NOW = parse_time("2026-06-15")
HALF_LIFE = 30 * DAY
TOML = """
[goals.conversion]
kinds = ["order"]
horizon = "30d"
[goals.churn]
absence_of = ["order"]
horizon = "30d"
[points]
kinds = { visit = 5, download = 100 }
[stages]
names = ["unaware", "need", "evaluate"]
rules = { evaluate = { seen = ["download"], within = "20d" }, need = { seen = ["visit"], within = "90d" } }
[segments]
pumps = { topics = ["pumps", "valves/steel"], stages = ["need", "evaluate"], points_from = 10 }
loyal_at_risk = { churn_from = 0.5, revenue_from = 100, tenure_from = "365d" }
swiss = { traits = { country = "CH" }, missing = ["blocked"], without = ["cancelled"] }
likely = { propensity_from = 0.4, seen = ["visit"] }
[actions.call]
channel = "phone"
needs = { segment = ["pumps", "swiss"] }
[actions.mail]
channel = "email"
"""


@pytest.fixture
def segments_of(catalogue_of, past_of):
    def run(*rows, traits=None, objects=False, points=50.0, stage="need", **facts):
        past = past_of(*rows, traits=traits)
        known = Past.nothing() if objects else past
        ledger = Ledger(past.touchpoints, NOW, {})
        situation = Situation(
            catalogue_of(TOML), Request("crm:1"), past, known, NOW, ledger, points=points, stage=stage, **facts
        )
        return situation.segments

    return run


def test_everything_that_a_segment_asks_must_hold(segments_of, row) -> None:
    visit = row(NOW - DAY, "visit", topics=["pumps"])
    assert segments_of(visit) == ("pumps",)
    assert segments_of(visit, points=9.9) == ()
    assert segments_of(visit, stage="unaware") == ()
    assert segments_of(visit, stage="three", rule_stage="evaluate") == ("pumps",)
    assert segments_of(row(NOW - DAY, "visit", topics=["saws"])) == ()


def test_a_segment_of_loyalty_needs_revenue_time_and_a_model(segments_of, row) -> None:
    orders = [row(NOW - 400 * DAY, "order", value=900.0), row(NOW - 20 * DAY, "order", value=100.0)]
    assert segments_of(*orders, propensities={"churn": 0.5}) == ("loyal_at_risk",)
    assert segments_of(*orders, propensities={"churn": 0.49}) == ()
    assert segments_of(*orders) == ()
    assert segments_of(*orders[1:], propensities={"churn": 0.5}) == ()
    assert segments_of(*orders, row(NOW - DAY, "return", value=1.0), propensities={"churn": 0.5}) == ()


def test_traits_seen_and_the_usual_goal(segments_of, row) -> None:
    assert segments_of(traits={"country": "CH"}) == ("swiss",)
    assert segments_of(traits={"country": "CH", "blocked": True}) == ()
    assert segments_of(row(NOW - DAY, "cancelled"), traits={"country": "CH"}) == ()
    visit = row(NOW - DAY, "visit")
    assert segments_of(visit, propensities={"conversion": 0.4, "churn": 0.0}) == ("likely",)
    assert segments_of(row(NOW - DAY, "download"), propensities={"conversion": 0.9}) == ()


def test_who_objects_to_profiling_is_in_none(segments_of, row) -> None:
    rows = [row(NOW - DAY, "visit", topics=["pumps"])]
    assert segments_of(*rows, traits={"country": "CH"}) == ("pumps", "swiss")
    assert segments_of(*rows, traits={"country": "CH"}, objects=True) == ()


@pytest.mark.parametrize(
    ("topic", "is_in"),
    [("pumps", True), ("pumps/industrial", True), ("pumps-used", False), ("valves", False), ("valves/steel/x", True)],
)
def test_a_part_of_a_topic_is_about_the_topic_and_not_the_other_way_round(segments_of, row, topic, is_in) -> None:
    assert segments_of(row(NOW - DAY, "visit", topics=[topic])) == (("pumps",) if is_in else ())


def test_interest_fades_and_is_the_contacts_own(segments_of, row, past_of) -> None:
    assert segments_of(row(NOW - 3 * HALF_LIFE, "visit", topics=["pumps"])) == ("pumps",)
    old = NOW - 3 * HALF_LIFE - 1
    assert segments_of(row(old, "visit", topics=["pumps"])) == ()
    assert segments_of(row(old, "visit", topics=["pumps"]), row(old, "visit", topics=["pumps/x"])) == ("pumps",)
    assert segments_of(row(NOW - DAY, "email_sent", topics=["pumps"])) == ()
    twice = past_of(row(NOW - HALF_LIFE, "visit", topics=["pumps", "valves"]), row(NOW, "visit", topics=["pumps"]))
    assert interest(twice, ["pumps", "valves"], NOW, HALF_LIFE) == 1.5
    assert interest(Past.nothing(), ["pumps"], NOW, HALF_LIFE) == 0.0 < LEAST_INTEREST


def test_answers_show_segments_and_actions_may_need_one(catalogue_of, past_of, row) -> None:
    visits = [row(NOW - i * DAY, "visit", topics=["pumps"]) for i in (1, 2)]
    for rows, wanted, removed in ((visits, ["pumps"], set()), (visits[:1], [], {"call"})):
        request = Request("crm:1", explain=True)
        decision = decide(request, past_of(*rows), None, catalogue_of(TOML), NOW, Draw(b"k"))
        answer = decision.to_json()
        assert answer["segments"] == wanted
        assert {each.action for each in decision.verdict.refusals} == removed
        for each in answer["removed"][: len(removed)]:
            assert (each["rule"], each["detail"]) == ("eligibility", "needs the segment pumps or swiss")


def test_settings_without_segments_ask_nothing(catalogue_of, past_of, row) -> None:
    catalogue = catalogue_of('[actions.mail]\nchannel = "email"')
    decision = decide(Request("crm:1"), past_of(row(NOW - DAY, "visit")), None, catalogue, NOW, Draw(b"k"))
    assert catalogue.segments == () and decision.to_json()["segments"] == []
