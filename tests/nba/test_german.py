"""In a German answer no English is left, and what programs read is the same in every language."""

from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from features.times import DAY, parse_time
from models.saying.tongues import say
from nba.decision import Decision
from nba.draw import Draw
from nba.engine import decide
from nba.privacy.reasoning import in_words
from nba.request import Request
from tests.german import english_in, english_only, sentences_of
from tests.nba.occasion_worlds import World, toml, touch
from tests.nba.policy_oracle import ACTIONS
from tests.nba.test_policy_machine import Machine

NAMES = (
    *ACTIONS, "email", "phone", "visit", "letter", "pumps", "valves", "contract", "north", "rejected", "no_need",
    "opt_in", "double_opt_in", "opt_out", "presumed", "complaint", "complaint_closed", "hands_off", "outbound",
    "infocenter", "recalled", "true", "false", "America/New_York", "Asia/Tokyo", "Europe/Zurich",
)  # fmt: skip


def test_the_words_that_give_english_away_are_known():
    assert {"the", "of", "is", "until", "needs", "contact", "about", "ago"} <= english_only()
    assert english_in("seit 3 Tagen of nichts") == {"of"} and not english_in("Besuch vor 2 Tagen")


class German(Machine):
    """The contact to whom anything may happen, asked about in German."""

    def ask(self, asked: dict[str, Any]) -> Decision:
        request, belief = Request.from_json({"contact": self.contact, "explain": True, **asked}), cast(Any, self.belief)
        found, other = (
            decide(
                replace(request, language=language), self.past(), belief, self.catalogue, self.now, Draw(b"secret"),
                report=lambda error: None,
            )
            for language in ("de", "en")
        )  # fmt: skip
        for text in sentences_of(found.to_json()):
            assert text and not english_in(text, NAMES), text
        assert coded(found) == coded(other)
        assert not english_in(in_words(found.row(), "de"), NAMES)
        return found


def coded(found: Decision) -> Any:
    """What programs read of an answer, and what is logged."""
    answer = found.to_json()
    removed = [(each["action"], each["rule"]) for each in answer["removed"]]
    offers = [{**offer, "reasons": len(offer["reasons"])} for offer in answer["recommendations"]]
    return removed, offers, found.row(), answer["mode"], answer["left"]


def test_no_english_is_left_whatever_happens_to_a_contact():
    few = settings(max_examples=2, stateful_step_count=10, deadline=None, phases=(Phase.generate,))
    run_state_machine_as_test(German, settings=settings(few, suppress_health_check=list(HealthCheck)))


NOW = parse_time("2026-06-15T10:00:00Z")
VISITS = [touch("2026-06-15T10:00:00Z", "visit", topics=["pumps"])] + [
    touch(NOW - n * DAY, "download", topics=["pumps"]) for n in (1, 1, 2, 2, 3, 30, 40, 50)
]
OCCASIONS = {
    "trait = 'due_on', within = '14d'": {"due_on": "2026-06-20"},
    "trait = 'gone_on', within = '14d'": {"gone_on": "2020-06-20"},
    "trait = 'born_on', every = '1y', within = '3d'": {"born_on": "1980-06-16"},
    "after = 'download', from = '1d', to = '10d'": {},
    "after = 'fair_visit', from = '1d', to = '10d'": {},
    "falls = 'revenue', by = 0.3, within = '90d'": {},
    "silent = 2.0": {},
    "burst = 'any topic'": {},
    "stage_to = 'renew'": {},
    "points_pass = 250": {},
    "points_pass = 700": {},
    "event = 'starts_at', from = '-21d', to = '-3d'": {},
    "asset = 'next_service_on', within = '14d'": {},
}
OCCASION_NAMES = (*NAMES, "due_on", "gone_on", "born_on", "download", "fair_visit", "revenue", "any topic", "renew",
                  "next_service_on")  # fmt: skip


@pytest.mark.parametrize("when", OCCASIONS)
def test_what_calls_for_an_action_or_is_waited_for_is_told_in_german(when):
    more = "[serving]\nlanguage = 'de'\n[stages]\nnames = ['need', 'renew']\nrules = {}\n"
    world = World(toml(when, more), VISITS, traits=OCCASIONS[when])
    for days in (-40, -1, 0, 1, 5, 20, 60):
        answer = world.answer(NOW + days * DAY, explain=True).to_json()
        told = list(sentences_of(answer))
        assert told and not any(english_in(text, OCCASION_NAMES) for text in told), told


def test_a_reader_may_wish_another_language_than_the_settings(catalogue_of, past_of, row):
    toml_ = "[actions.mail]\nchannel = 'email'\n[points]\nthresholds = [{ from = 0, actions = ['mail'] }]\n"
    past = past_of(row(NOW - 2 * DAY, "order"))

    def reason(settings_: str, language: str | None) -> str:
        request = Request("crm:1", language=language)
        found = decide(request, past, None, catalogue_of(toml_ + settings_), NOW, Draw(b"secret"))
        return str(found.recommendations[0].reasons[-1])

    german, there = "Bestellung vor 2 Tagen", "ordered 2 days ago"
    assert [reason("", None), reason("", "de")] == [there, german]
    in_german = "[serving]\nlanguage = 'de'\n[ranking]\nholdout = 0.0\n"
    assert [reason(in_german, None), reason(in_german, "en")] == [german, there]
    assert say("as it is", "de") == "as it is"
