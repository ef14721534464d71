import pytest

from features.times import DAY, HOUR, parse_time
from nba.contact_policy import Verdict

NOW = parse_time("2026-06-15T10:00:00Z")
TOML = """
[actions.mail]
channel = "email"
placements = ["outbound", "infocenter"]
[actions.service_due]
channel = "email"
class = "transactional"
[actions.recall]
channel = "letter"
class = "mandatory"
[contact_policy]
holds = [{ open = "complaint", until = "complaint_closed", except = ["service_due"] }, { kind = "hands_off" }]
"""
EVERYTHING = {"mail", "service_due", "recall"}


def held(verdict: Verdict) -> set[str]:
    assert {refusal.rule for refusal in verdict.refusals} <= {"hold"}
    return {refusal.action for refusal in verdict.refusals}


def test_while_a_complaint_is_open_nothing_else_goes_out(judge, row) -> None:
    opened = row(NOW - 9 * DAY, "complaint")
    verdict = judge(TOML, opened)
    assert held(verdict) == {"mail", "recall"}
    assert verdict.refusals[0].detail == "complaint of 2026-06-06 10:00 UTC holds it back until complaint_closed"
    assert verdict.refusals[0].until is None
    assert held(judge(TOML, opened, row(NOW - DAY, "complaint_closed"))) == set()
    assert held(judge(TOML, opened, row(NOW - DAY, "complaint_closed"), row(NOW - HOUR, "complaint"))) != set()
    assert held(judge(TOML, row(NOW - 99 * DAY, "complaint_closed"), opened)) != set()
    assert judge(TOML).refusals == ()


def test_a_word_that_hands_are_kept_off_holds_for_good_and_for_everything(judge, row) -> None:
    assert held(judge(TOML, row(NOW - 999 * DAY, "hands_off"))) == EVERYTHING
    assert held(judge(TOML, row(NOW - 999 * DAY, "hands_off"), row(NOW - DAY, "complaint_closed"))) == EVERYTHING


def test_a_hold_holds_where_the_contact_comes_by_itself_too(judge, row) -> None:
    verdict = judge(TOML, row(NOW - DAY, "complaint"), request={"placement": "infocenter"})
    assert {refusal.action: refusal.rule for refusal in verdict.refusals}["mail"] == "hold"


@pytest.mark.parametrize(
    ("said", "still_open"),
    [
        ([("complaint", "1"), ("complaint", "2"), ("complaint_closed", "1")], True),
        ([("complaint", "1"), ("complaint", "2"), ("complaint_closed", "1"), ("complaint_closed", "2")], False),
        ([("complaint", "1"), ("complaint_closed", "2")], True),
        ([("complaint", "1"), ("complaint", "2"), ("complaint_closed", None)], False),
        ([("complaint", None), ("complaint_closed", "1")], True),
        ([("complaint", "1"), ("complaint_closed", "1"), ("complaint", "1")], True),
        ([("complaint", 7), ("complaint_closed", "7")], False),
    ],
)
def test_cases_are_closed_one_by_one_where_they_are_named(judge, row, said, still_open: bool) -> None:
    rows = [
        row(NOW - (30 - day) * DAY, kind, **({} if case is None else {"case_id": case}))
        for day, (kind, case) in enumerate(said)
    ]
    assert ("mail" in held(judge(TOML, *rows))) is still_open


def test_what_was_opened_and_closed_at_once_is_closed(judge, row) -> None:
    pair = row(NOW - DAY, "complaint"), row(NOW - DAY, "complaint_closed")
    assert held(judge(TOML, *pair)) == held(judge(TOML, *reversed(pair))) == set()
