import pytest

from features.times import DAY, HOUR, parse_time
from nba.reasons import Story
from nba.settings.actions import Action

NOW = parse_time("2026-06-15")
PLAIN, PUMPS = Action("a", "email"), Action("a", "email", topics=("pumps", "service"))


def said(action: Action, past, **more) -> list[str]:
    return Story(past, NOW).reasons(action, **{"points": 0.0, "by_points": False, **more})


def test_what_the_contact_did_last_comes_first(past_of, row) -> None:
    past = past_of(
        row(NOW - 2 * DAY, "service_call"),
        *(row(NOW - d * DAY, "download") for d in (3, 5, 20)),
        *(row(NOW - d * DAY, "fair_visit") for d in (40, 80)),
    )
    assert said(PLAIN, past) == [
        "called the service line 2 days ago",
        "2 downloads in the last 7 days",
        "2 fair visits in the last 90 days",
    ]


def test_touchpoints_about_the_actions_topics_come_before_others(past_of, row) -> None:
    past = past_of(
        *(row(NOW - d * DAY, "download", topics=["pumps/industrial"]) for d in (2, 4)),
        row(NOW - HOUR, "page_view", topics=["valves"]),
    )
    assert said(PUMPS, past) == [
        "2 downloads about pumps/industrial in the last 7 days",
        "viewed a page in the last 24 hours",
        "2 downloads in the last 7 days",
    ]


def test_points_and_silence_are_reasons_where_they_decide(past_of, row) -> None:
    past = past_of(row(NOW - 75 * DAY, "order"))
    assert said(PLAIN, past, points=250.0, by_points=True)[0] == "has 250 points, and the points table calls for this"
    assert said(PLAIN, past, misses=("order",))[0] == "last order 75 days ago"


def test_our_own_doing_consent_and_outcomes_are_no_reasons(past_of, row) -> None:
    ours = (
        row(NOW - DAY, "email_sent"),
        row(NOW - DAY, "consent_given", channel="email"),
        row(NOW - DAY, "rejected", action="a"),
    )
    assert said(PLAIN, past_of(*ours)) == ["nothing it did so far speaks for this or against it"]
    # What is old is said only where there is nothing else: with the day on which it was last.
    old = (row(NOW - 400 * DAY, "visit"), row(NOW - 366 * DAY, "order"))
    assert said(PLAIN, past_of(*ours, *old)) == ["last order 366 days ago"]
    assert said(PLAIN, past_of(*ours, *old, row(NOW - 3 * DAY, "visit"))) == ["visited 3 days ago"]


def test_only_of_a_stranger_it_is_said_that_nothing_is_known(past_of, row) -> None:
    stranger = ["chosen without knowing anything of the contact"]
    assert said(PLAIN, past_of()) == stranger
    assert said(PLAIN, past_of(traits={"account": "a1"})) != stranger
    assert said(PLAIN, past_of(row(NOW - 999 * DAY, "email_sent"))) != stranger


def test_traits_are_never_reasons(past_of, row) -> None:
    past = past_of(row(NOW - DAY, "visit"), traits={"gender": "f", "nationality": "CH", "industry": "food"})
    assert said(PLAIN, past) == ["visited 1 day ago"]


@pytest.mark.parametrize(
    ("kind", "many"),
    [("search", "searches"), ("inquiry", "inquiries"), ("survey", "surveys"), ("page_view", "page views")],
)
def test_plurals(past_of, row, kind: str, many: str) -> None:
    past = past_of(row(NOW - DAY, kind), row(NOW - 2 * DAY, kind))
    assert said(PLAIN, past) == [f"2 {many} in the last 7 days"]


def test_the_topic_is_the_moments_else_the_strongest_interest_else_the_first(past_of, row) -> None:
    nothing = past_of()
    served = past_of(row(NOW - DAY, "visit", topics=["service"]))
    assert Story(served, NOW).topic(PLAIN, "pumps") is None
    assert Story(nothing, NOW).topic(PUMPS, None) == "pumps"
    assert Story(served, NOW).topic(PUMPS, None) == "service"
    assert Story(served, NOW).topic(PUMPS, "pumps/used") == "pumps"
    assert Story(served, NOW).topic(PUMPS, "valves") == "service"
