from dataclasses import dataclass

import pytest

from features.rows.row_types import DecisionRow
from features.times import DAY, HOUR, parse_time
from nba.actions import DO_NOTHING
from nba.contact_policy import Verdict
from nba.tables.surroundings import Alone
from nba.tables.tables import Asset

NOW = parse_time("2026-06-15T10:00:00Z")
OFFER = "[actions.offer]\nchannel = 'phone'\nunless_owned = 'service_contract'\n"
TWO = "[actions.mail]\nchannel = 'email'\n[actions.call]\nchannel = 'phone'\n"


@dataclass(frozen=True)
class Devices(Alone):
    """Somebody with these devices and contracts."""

    found: tuple[Asset, ...] = ()

    def assets(self):
        return self.found


def rules(verdict: Verdict) -> dict[str, str]:
    return {refusal.action: refusal.rule for refusal in verdict.refusals}


def decision(at: int, action: str) -> DecisionRow:
    return DecisionRow(f"d{at}", "crm:1", at, action, 0.5, chances={DO_NOTHING: 0.5, action: 0.5})


def test_a_device_or_contract_of_the_product_is_owned(judge) -> None:
    assert judge(OFFER).allowed[1]
    assert judge(OFFER, around=Devices((Asset("a1", "pump"),))).allowed[1]
    verdict = judge(OFFER, around=Devices((Asset("a1", "pump"), Asset("a2", "service_contract"))))
    assert rules(verdict) == {"offer": "owned"}
    assert verdict.refusals[0].detail == "service_contract: has it"


@pytest.mark.parametrize(
    ("value", "owned"), [(True, True), ("yes", True), (1, True), (False, False), ("no", False), ("since 2024", False)]
)
def test_a_trait_of_the_name_says_so_where_it_is_true(judge, value: object, owned: bool) -> None:
    assert judge(OFFER, traits={"service_contract": value}).allowed[1] is not owned


def test_what_was_bought_is_owned_until_it_is_given_back(judge, row) -> None:
    order = row(NOW - 9 * DAY, "order", product_id="service_contract")
    listed = row(NOW - 9 * DAY, "order", product_id=["pump", "service_contract"])
    back = row(NOW - 5 * DAY, "return", product_id="service_contract")
    assert rules(judge(OFFER, order)) == rules(judge(OFFER, listed)) == {"offer": "owned"}
    assert judge(OFFER, order, back).allowed[1]
    assert not judge(OFFER, order, back, row(NOW - DAY, "order", product_id="service_contract")).allowed[1]
    assert judge(OFFER, row(NOW - DAY, "order", product_id="pump")).allowed[1]
    assert judge(OFFER, row(NOW - DAY, "quote", product_id="service_contract")).allowed[1]


@pytest.mark.parametrize(
    ("kind", "more"),
    [("call_made", {}), ("done", {"direction": "outbound"}), ("accepted", {}), ("converted", {})],
)
def test_what_was_done_through_its_own_decision_is_not_offered_again(
    judge, row, kind: str, more: dict[str, str]
) -> None:
    made = decision(NOW - 2 * DAY, "call")
    done = row(NOW - DAY, kind, decision_id=made.decision_id, **more)
    verdict = judge(TWO, done, decisions=[made])
    assert rules(verdict) == {"call": "owned"}
    assert verdict.refusals[0].until == NOW + 6 * DAY
    assert not judge(TWO, done, decisions=[made], as_of=NOW + 6 * DAY - 1).allowed[2]
    assert judge(TWO, done, decisions=[made], as_of=NOW + 6 * DAY).allowed[2]


def test_the_touchpoint_may_name_the_action_itself(judge, row) -> None:
    done = row(NOW - DAY, "done", direction="outbound", decision_id="of another system", action="mail")
    assert rules(judge(TWO, done)) == {"mail": "owned"}


def test_something_new_from_the_contact_ends_it_and_an_answer_to_it_does_not(judge, row) -> None:
    made = decision(NOW - 2 * DAY, "mail")
    done = row(NOW - DAY, "email_sent", decision_id=made.decision_id)
    opened = row(NOW - HOUR, "opened", decision_id=made.decision_id)
    assert rules(judge(TWO, done, opened, decisions=[made])) == {"mail": "owned"}
    assert rules(judge(TWO, done, row(NOW - HOUR, "promo", direction="outbound"), decisions=[made]))
    assert judge(TWO, done, row(NOW - HOUR, "visit"), decisions=[made]).allowed[1]
    assert judge(TWO, done, row(NOW - HOUR, "opened", decision_id="another"), decisions=[made]).allowed[1]
    assert not judge(TWO, row(NOW - 2 * DAY, "visit"), done, decisions=[made]).allowed[1]


def test_no_answer_and_what_others_sent_do_not_count_as_done(judge, row) -> None:
    made = decision(NOW - 2 * DAY, "call")
    assert judge(TWO, row(NOW - DAY, "rejected", decision_id=made.decision_id), decisions=[made]).allowed[2]
    assert judge(TWO, row(NOW - DAY, "call_made", action="call"), decisions=[made]).allowed[2]
    assert judge(TWO, row(NOW - DAY, "done", direction="outbound", decision_id="unknown")).allowed == (True,) * 3


def test_a_duty_that_was_done_is_done(judge, row) -> None:
    toml = TWO + "[actions.recall]\nchannel = 'letter'\nclass = 'mandatory'\n"
    made = decision(NOW - 2 * DAY, "recall")
    done = row(NOW - DAY, "letter_sent", decision_id=made.decision_id)
    assert rules(judge(toml, done, decisions=[made])) == {"recall": "owned"}
