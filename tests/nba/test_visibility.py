"""Claims about who sees what of a partner's contacts."""

import tomllib
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from features.partners import partners_of
from features.times import DAY, iso
from features.traits import Traits
from nba.partners.seen_answer import seen_answer, seen_profile
from nba.partners.visibility import (
    CARRIES_TRAIT,
    FIELDS,
    NOTHING,
    OWNER_SIDE,
    PARTS,
    WHOLE,
    Sight,
    Viewer,
    counted,
    may_see,
    needs_of,
    seen,
    sight_of,
)
from nba.settings import parse_settings
from nba.settings.people import Partners
from nba.tables.tables import Partner

DEALERS = ("north", "south", "west")
SETTINGS = Partners()
ANSWER: dict[str, Any] = {
    "decision_id": "d1",
    "contact_id": "crm:4711",
    "as_of": "2026-06-01T00:00:00Z",
    "stage": "evaluate",
    "stage_by_rule": "need",
    "stage_by_topic": {"pumps": "need"},
    "segments": ["loyal"],
    "propensities": {"conversion": {"probability": 0.31, "for": ["3 visits"], "against": ["no order"]}},
    "points": {"total": 265.0, "actions": ["call"], "log": [{"kind": "visit"}], "fit": 100, "schemes": {}},
    "recommendations": [
        {
            "rank": 1, "action": "mail", "channel": "email", "executor": "automation", "goal": "conversion",
            "topic": "pumps", "product_id": "P7", "content_id": None, "event_id": None, "asset_id": "A1",
            "priority": 106.8, "probability": 0.96,
            "evidence": "randomised", "not_before": "2026-06-01T00:00:00Z", "valid_until": None,
            "reasons": ["called the service line 2 days ago"], "inform": "north",
            "terms": {"propensity": 0.31, "without_action": 0.05, "value": 400.0, "lever": 1.2, "cost": 18.0},
        },
        {"rank": 2, "action": "call", "executor": "partner", "terms": {"cost": 250.0}, "priority": 3.0},
    ],
    "do_nothing": False,
    "again_at": None,
    "holdout": False,
    "mode": "learned",
    "degraded": False,
    "model_version": "3",
    "removed": [{"action": "letter", "rule": "paused", "detail": "3 x rejected"}],
    "left": {"actions": 3, "paused": 2},
    "drivers": [{"feature": "visits_7d"}],
}  # fmt: skip
TOML = """
[points.fit]
trait = "product_fit"
points = { A = 100 }
[segments.loyal]
points_from = 10
[segments.in_pumps]
topics = ["pumps"]
[segments.swiss]
traits = { country = ["CH"] }
[segments.nameless]
missing = ["vat_number"]
[actions.mail]
channel = "email"
[actions.call]
channel = "phone"
cost = { trait = "visit_cost", otherwise = 20 }
[actions.letter]
channel = "letter"
"""
OWN = parse_settings(tomllib.loads(TOML), folder=Path(), environ={})

moments = st.integers(0, 10)
words = st.lists(
    st.tuples(moments, st.dictionaries(st.just("partner"), st.none() | st.sampled_from(DEALERS), max_size=1)),
    max_size=6,
)
agreements = st.dictionaries(st.sampled_from(DEALERS), st.tuples(moments, moments), max_size=3)


@settings(deadline=None)
@given(words=words, agreements=agreements, at=st.integers(0, 12))
def test_a_partner_never_sees_another_ones_contact(words, agreements, at):
    rows = [("ann", day * DAY, body) for day, body in words]
    told = [
        (name, -DAY, {"agreement_from": iso(begin * DAY), "agreement_to": iso(end * DAY)})
        for name, (begin, end) in agreements.items()
    ]
    partners = {
        name: Partner(name, agreement_from=b * DAY, agreement_to=e * DAY) for name, (b, e) in agreements.items()
    }
    traits = Traits(rows).known("ann", at * DAY)
    holder = partners_of(rows, told).value_of("ann", at * DAY)
    seeing = [name for name in DEALERS if may_see(Viewer(partner=name), traits, partners, SETTINGS, at * DAY)]
    assert seeing == ([] if holder is None else [holder])
    assert may_see(OWNER_SIDE, traits, partners, SETTINGS, at * DAY) == (holder is None)


@settings(deadline=None)
@given(day=moments, at=st.integers(0, 12))
def test_another_dealer_moves_sight_from_that_moment_on(day, at):
    told = Traits([("ann", -DAY, {"partner": "north"}), ("ann", day * DAY, {"partner": "south"})])
    moved_at, as_of = day * DAY, at * DAY
    for viewer, sees in (("north", as_of <= moved_at), ("south", as_of > moved_at), ("west", False)):
        known = told.known("ann", as_of)
        assert sight_of(Viewer(partner=viewer), known, {}, SETTINGS, as_of) == (WHOLE if sees else NOTHING)


def test_who_sells_sees_those_that_name_it_and_a_partners_only_as_the_owner_does():
    partners = {"north": Partner("north", visible=("stage",))}
    own, others = {"owner": "anna"}, {"owner": "bert"}
    assert sight_of(Viewer(owner="anna"), own, partners, SETTINGS, 0) == WHOLE
    assert sight_of(Viewer(owner="anna"), others, partners, SETTINGS, 0) == NOTHING
    assert sight_of(Viewer(owner="anna"), {}, partners, SETTINGS, 0) == NOTHING
    dealt = sight_of(Viewer(owner="anna"), own | {"partner": "north"}, partners, SETTINGS, 0)
    assert dealt.shows("stage") and not dealt.shows("points")


def test_the_terms_say_what_the_owner_sees():
    def sight(visible, usual="aggregate"):
        rows = {"north": Partner("north", visible=visible)}
        return sight_of(OWNER_SIDE, {"partner": "north"}, rows, Partners(visible_to_owner=usual), 0)

    assert sight(None).is_nothing and sight(None, "contact").is_whole
    assert sight((), "contact").is_nothing and sight(("aggregate",), "contact").is_nothing
    assert sight(("contact",)).is_whole
    listed = sight(("stage", "p_churn", "aggregate"))
    assert [listed.shows(name) for name in ("contact_id", "stage", "stage_by_topic", "p_churn", "p_conversion")] == [
        True, True, False, True, False,
    ]  # fmt: skip
    assert not listed.shows("name") and not listed.shows("action_1") and not listed.shows("timeline")


def test_a_record_is_whole_in_part_or_not_there():
    record = {"contact_id": "ann", "stage": "use", "p_churn": 0.2, "action_1": "call", "name": "Ann"}
    assert seen(record, WHOLE) == record and seen(record, NOTHING) is None
    part = seen(record, Sight(frozenset({"propensities"})))
    assert part == {"contact_id": "ann", "stage": None, "p_churn": 0.2, "action_1": None, "name": None}


def test_fewer_than_five_are_not_counted():
    assert [counted(n) for n in (0, 4, 5, 6)] == [None, None, 5, 6]


def test_nothing_of_an_answer_is_left_but_what_the_owner_may_do():
    found = seen_answer(ANSWER, Sight(frozenset(), is_told=True), "cookie:9", OWN)
    assert found.keys() == ANSWER.keys()
    assert (found["contact_id"], found["mode"], found["stage"], found["model_version"]) == (
        "cookie:9", "default", None, None,
    )  # fmt: skip
    assert found["points"]["total"] == 0 and found["propensities"] == {} and found["drivers"] == []
    [only] = found["recommendations"]
    assert {key for key, value in only.items() if value not in (None, [])} - {"terms"} == {
        "rank", "action", "channel", "executor", "goal", "evidence", "not_before", "inform",
    }  # fmt: skip
    assert set(only["terms"].values()) == {None}
    assert only["evidence"] == "none" and not found["do_nothing"]
    assert {each["action"]: each["rule"] for each in found["removed"]} == {"call": "partner", "letter": "partner"}
    assert found["left"] == {}


def test_what_to_read_would_tell_of_interests():
    slot = {**ANSWER["recommendations"][0], "action": "infocenter", "content_id": "pump-guide"}
    found = seen_answer({**ANSWER, "recommendations": [slot]}, Sight(frozenset(), is_told=True), "crm:4711", OWN)
    assert found["recommendations"] == [] and found["do_nothing"]


def test_what_the_partner_is_to_do_is_for_the_partner():
    first = {**ANSWER, "recommendations": ANSWER["recommendations"][1:]}
    for sight in (Sight(frozenset(), is_told=True), NOTHING, Sight(frozenset({"stage"}), is_told=True)):
        found = seen_answer(first, sight, "crm:4711", OWN)
        assert found["recommendations"] == [] and found["do_nothing"]
    assert seen_answer(ANSWER, NOTHING, "crm:4711", OWN)["recommendations"] == []
    assert seen_answer(ANSWER, WHOLE, "cookie:9", OWN) == ANSWER


def part(*listed: str, answer: dict[str, Any] = ANSWER) -> dict[str, Any]:
    return seen_answer(answer, Sight(frozenset(listed), is_told=True), "cookie:9", OWN)


def test_listed_parts_of_an_answer_are_seen():
    found = part("stage", "points")
    assert (found["contact_id"], found["stage"], found["mode"]) == ("crm:4711", "evaluate", "learned")
    assert found["points"] == {**ANSWER["points"], "fit": None}
    assert found["propensities"] == {} and found["holdout"] is False
    assert [each["action"] for each in found["recommendations"]] == ["mail"]
    whole = part(*PARTS, "product_fit", "visit_cost", "country", "vat_number")
    assert whole == ANSWER


def test_no_part_tells_what_another_one_keeps():
    by_topic = "stage_by_topic"
    assert part("stage")[by_topic] == {} and part("stage", "interests")[by_topic] == {"pumps": "need"}
    assert part("points")["points"]["fit"] is None and part("points", "product_fit")["points"]["fit"] == 100
    chances = part("propensities")["propensities"]["conversion"]
    assert chances == {"probability": 0.31, "for": [], "against": []} and part("propensities")["drivers"] == []
    assert part("propensities", "reasons")["propensities"] == ANSWER["propensities"]
    assert part("propensities", "reasons")["drivers"] == ANSWER["drivers"]


def test_a_segment_tells_of_the_topics_and_traits_it_is_made_of():
    answer = {**ANSWER, "segments": ["loyal", "in_pumps", "swiss", "nameless", "of_before"]}
    assert part("segments", answer=answer)["segments"] == ["loyal"]
    assert part("segments", "interests", answer=answer)["segments"] == ["loyal", "in_pumps"]
    assert part("segments", "country", "vat_number", answer=answer)["segments"] == ["loyal", "swiss", "nameless"]
    assert part("interests", "country", answer=answer)["segments"] == []


def test_a_recommendation_is_seen_without_what_led_to_it():
    mail, call = part("recommendations")["recommendations"]
    gone = {"topic", "product_id", "asset_id", "content_id", "event_id"}
    assert all(mail[name] is None for name in gone) and mail["reasons"] == []
    assert mail["terms"] == {"propensity": None, "without_action": None, "value": None, "lever": 1.2, "cost": 18.0}
    assert call["terms"] == {"cost": None}
    assert part("recommendations", "visit_cost")["recommendations"][1]["terms"] == {"cost": 250.0}
    assert {name for name, value in mail.items() if value is not None} >= {"priority", "probability", "evidence"}
    [removed] = part("recommendations")["removed"]
    assert (removed["action"], removed["rule"]) == ("letter", "paused") and "rejected" not in removed["detail"]
    told = part("recommendations", "interests", "assets", "reasons", "propensities")["recommendations"][0]
    assert told == ANSWER["recommendations"][0]


def test_something_to_read_is_an_interest():
    slot = {**ANSWER["recommendations"][0], "action": "infocenter", "content_id": "pump-guide"}
    answer = {**ANSWER, "recommendations": [slot]}
    found = part("recommendations", answer=answer)
    assert found["recommendations"] == [] and found["do_nothing"]
    assert part("recommendations", "interests", answer=answer)["recommendations"][0]["content_id"] == "pump-guide"


def test_a_field_that_nobody_classified_is_seen_by_nobody_in_part():
    new = {**ANSWER, "shoe_size": 43, "points": {**ANSWER["points"], "shoe_size": 43}}
    found = part(*PARTS, answer=new)
    assert (found["shoe_size"], found["points"]["shoe_size"]) == (None, None)
    assert part(*PARTS, "shoe_size", answer=new)["shoe_size"] == 43


@settings(deadline=None)
@given(
    less=st.frozensets(st.sampled_from([*PARTS, "product_fit", "visit_cost", "country"])),
    more=st.frozensets(st.sampled_from([*PARTS, "product_fit", "visit_cost", "country"])),
)
def test_who_may_see_more_sees_what_others_see_too(less, more):
    def told(listed):
        return [field for field in FIELDS if Sight(listed).shows(field, trait="product_fit")]

    if less:
        assert set(told(less)) <= set(told(less | more))


def test_everything_that_must_be_listed_can_be_listed():
    single = {"owner", "partner"}
    assert {need for needs in FIELDS.values() for need in needs} == {*PARTS, *single}
    assert CARRIES_TRAIT <= FIELDS.keys()
    assert all(needs_of(field) == needs for field, needs in FIELDS.items())


def test_a_profile_has_listed_parts_and_is_empty_else():
    profile = {
        "contact_id": "crm:1", "as_of": "now", "identities": ["a", "b"], "stage": "use", "timeline": [1],
        "touchpoints": 7, "interests": {"pumps": 1.0}, "partner": {"partner": "north"}, "points": {"total": 9},
    }  # fmt: skip
    found = seen_profile(profile, Sight(frozenset({"stage"})), OWN)
    assert found["stage"] == "use" and found["partner"] == {"partner": "north"}
    assert (found["identities"], found["timeline"], found["interests"]) == ([], [], {})
    assert "touchpoints" not in found and found["points"]["total"] == 0
    assert seen_profile(profile, WHOLE, OWN) == profile
