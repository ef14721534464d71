"""Claims about who sees what of a partner's contacts."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from features.partners import partners_of
from features.times import DAY, iso
from features.traits import Traits
from nba.seen_answer import seen_answer, seen_profile
from nba.settings.people import Partners
from nba.tables import Partner
from nba.visibility import NOTHING, OWNER_SIDE, WHOLE, Sight, Viewer, counted, may_see, seen, sight_of

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
    "propensities": {"conversion": {"probability": 0.31}},
    "points": {"total": 265.0, "actions": ["call"], "log": [{"kind": "visit"}], "fit": 100, "schemes": {}},
    "recommendations": [
        {
            "rank": 1, "action": "mail", "channel": "email", "executor": "automation", "goal": "conversion",
            "topic": "pumps", "product_id": "P7", "content_id": None, "event_id": None, "asset_id": "A1",
            "priority": 106.8, "terms": {"propensity": 0.31, "cost": 18.0}, "probability": 0.96,
            "evidence": "randomised", "not_before": "2026-06-01T00:00:00Z", "valid_until": None,
            "reasons": ["called the service line 2 days ago"], "inform": "north",
        },
        {"rank": 2, "action": "call", "executor": "partner", "terms": {}, "priority": 3.0},
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
ACTIONS = ("mail", "call", "letter")

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
        True, True, True, True, False,
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
    found = seen_answer(ANSWER, Sight(frozenset(), is_told=True), "cookie:9", ACTIONS)
    assert found.keys() == ANSWER.keys()
    assert (found["contact_id"], found["mode"], found["stage"], found["model_version"]) == (
        "cookie:9", "default", None, None,
    )  # fmt: skip
    assert found["points"]["total"] == 0 and found["propensities"] == {} and found["drivers"] == []
    [only] = found["recommendations"]
    assert {key for key, value in only.items() if value not in (None, [], {"propensity": None, "cost": None})} == {
        "rank", "action", "channel", "executor", "goal", "evidence", "not_before", "inform",
    }  # fmt: skip
    assert only["evidence"] == "none" and not found["do_nothing"]
    assert {each["action"]: each["rule"] for each in found["removed"]} == {"call": "partner", "letter": "partner"}
    assert found["left"] == {}


def test_what_to_read_would_tell_of_interests():
    slot = {**ANSWER["recommendations"][0], "action": "infocenter", "content_id": "pump-guide"}
    found = seen_answer({**ANSWER, "recommendations": [slot]}, Sight(frozenset(), is_told=True), "crm:4711", ACTIONS)
    assert found["recommendations"] == [] and found["do_nothing"]


def test_what_the_partner_is_to_do_is_for_the_partner():
    first = {**ANSWER, "recommendations": ANSWER["recommendations"][1:]}
    for sight in (Sight(frozenset(), is_told=True), NOTHING, Sight(frozenset({"stage"}), is_told=True)):
        found = seen_answer(first, sight, "crm:4711", ACTIONS)
        assert found["recommendations"] == [] and found["do_nothing"]
    assert seen_answer(ANSWER, NOTHING, "crm:4711", ACTIONS)["recommendations"] == []
    assert seen_answer(ANSWER, WHOLE, "cookie:9", ACTIONS) == ANSWER


def test_listed_parts_of_an_answer_are_seen():
    found = seen_answer(ANSWER, Sight(frozenset({"stage", "points"})), "cookie:9", ACTIONS)
    assert (found["contact_id"], found["stage"], found["points"], found["mode"]) == (
        "crm:4711", "evaluate", ANSWER["points"], "learned",
    )  # fmt: skip
    assert found["propensities"] == {} and found["recommendations"] == []
    all_of_it = seen_answer(ANSWER, Sight(frozenset({"recommendations"})), "cookie:9", ACTIONS)
    assert all_of_it["recommendations"] == ANSWER["recommendations"] and all_of_it["removed"] == ANSWER["removed"]


def test_a_profile_has_listed_parts_and_is_empty_else():
    profile = {
        "contact_id": "crm:1", "as_of": "now", "identities": ["a", "b"], "stage": "use", "timeline": [1],
        "touchpoints": 7, "interests": {"pumps": 1.0}, "partner": {"partner": "north"}, "points": {"total": 9},
    }  # fmt: skip
    found = seen_profile(profile, Sight(frozenset({"stage"})))
    assert found["stage"] == "use" and found["partner"] == {"partner": "north"}
    assert (found["identities"], found["timeline"], found["interests"]) == ([], [], {})
    assert "touchpoints" not in found and found["points"]["total"] == 0
    assert seen_profile(profile, WHOLE) == profile
