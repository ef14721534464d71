import pytest

from features.times import DAY, HOUR, parse_time
from nba.contact_policy import Verdict

NOW = parse_time("2026-06-15T10:00:00Z")
TOML = """
[actions.mail]
channel = "email"
topics = ["pumps/industrial"]
placements = ["outbound", "infocenter"]
[actions.other_mail]
channel = "email"
topics = ["valves"]
[actions.call]
channel = "phone"
[actions.recall]
channel = "email"
class = "mandatory"
"""


def unwanted(verdict: Verdict) -> set[str]:
    assert {refusal.rule for refusal in verdict.refusals} <= {"preference", "eligibility"}
    return {refusal.action for refusal in verdict.refusals if refusal.rule == "preference"}


@pytest.mark.parametrize(
    ("wish", "removed"),
    [
        ({"channel": "email"}, {"mail", "other_mail", "recall"}),
        ({"topic": "pumps"}, {"mail"}),
        ({"channel": "phone", "topic": "pumps"}, set()),
        ({}, {"mail", "other_mail", "call", "recall"}),
        ({"channel": "phone", "at_most": "never"}, {"call"}),
        ({"channel": "phone", "at_most": "0/1d"}, {"call"}),
        ({"channel": "phone", "at_most": "seldom"}, {"call"}),
        ({"channel": "phone", "at_most": "any"}, set()),
        ({"channel": "phone", "at_most": "1/30d"}, set()),
        ({"topics": ["pumps", "valves"]}, {"mail", "other_mail"}),
        ({"topics": ["pumps"], "topic": "valves"}, {"other_mail"}),
        ({"channel": "web", "topic": "pumps"}, {"mail"}),
        ({"channel": "phone", "topic": " "}, {"call"}),
    ],
)
def test_what_a_contact_does_not_wish_is_not_offered(judge, row, wish: dict[str, str], removed: set[str]) -> None:
    assert unwanted(judge(TOML, row(NOW - DAY, "preference", **wish))) == removed


def test_the_last_word_about_the_same_holds(judge, row) -> None:
    never = row(NOW - 3 * DAY, "preference", channel="email")
    lifted = row(NOW - 2 * DAY, "preference", channel="email", at_most="any")
    assert unwanted(judge(TOML, never, lifted)) == set()
    assert unwanted(judge(TOML, lifted, row(NOW - DAY, "preference", channel="email"))) != set()
    about_pumps = row(NOW - DAY, "preference", topic="pumps", at_most="any")
    assert unwanted(judge(TOML, never, about_pumps)) != set()


def test_a_rhythm_counts_every_sender_and_ends_when_there_is_room(judge, row) -> None:
    wish = row(NOW - 90 * DAY, "preference", channel="email", at_most="2/30d")
    sent = [row(NOW - days * DAY, "email_sent", channel="email") for days in (40, 20, 10)]
    verdict = judge(TOML, wish, *sent)
    assert unwanted(verdict) == {"mail", "other_mail"}, "a duty does not wait"
    assert verdict.refusals[0].until == NOW + 10 * DAY + 1
    assert unwanted(judge(TOML, wish, *sent, as_of=NOW + 10 * DAY)) != set()
    assert unwanted(judge(TOML, wish, *sent, as_of=NOW + 10 * DAY + 1)) == set()
    assert unwanted(judge(TOML, wish, *sent, request={"placement": "infocenter"})) == set()
    assert unwanted(judge(TOML, wish, row(NOW - HOUR, "call_made", channel="phone"), *sent[:2])) == set()


def test_a_rhythm_about_a_topic_counts_what_was_about_it(judge, row) -> None:
    wish = row(NOW - 90 * DAY, "preference", topic="pumps", at_most="1/30d")
    about = row(NOW - DAY, "email_sent", channel="email", topics=["pumps/garden"])
    other = row(NOW - DAY, "email_sent", channel="email", topics=["valves"])
    by_action = row(NOW - DAY, "email_sent", action="mail")
    assert unwanted(judge(TOML, wish, about)) == unwanted(judge(TOML, wish, by_action)) == {"mail"}
    assert unwanted(judge(TOML, wish, other)) == set()
