"""Every action is offered or told with the rule that removed it, and an offer says from when on it may be done."""

import pytest

from features.times import DAY, HOUR, iso, parse_time
from nba.draw import Draw
from nba.engine import decide
from nba.request import Request

NOW = parse_time("2026-06-15T10:00:00Z")
ACTIONS = """
[actions.mail]
channel = "email"
cost = 0.5
[actions.letter]
channel = "letter"
cost = 4.0
[actions.call]
channel = "phone"
cost = 18.0
executor = "sales"
[actions.text]
channel = "phone"
[points]
kinds = { visit = 5, service_call = 250 }
thresholds = [
  { from = 1, actions = ["call", "letter"] }, { from = 0, actions = ["mail"] }, { from = 250, actions = ["text"] },
]
[ranking]
epsilon = 0.0
holdout = 0.0
"""
RULES = {
    "eligibility", "suitability", "consent", "partner", "hold", "quiet", "calendar", "paused", "owned", "season",
    "preference", "capacity", "excluded",
}  # fmt: skip


@pytest.fixture
def ask(catalogue_of, past_of, row):
    def run(toml: str = ACTIONS, as_of: int = NOW, decisions=(), kinds=("visit",), **asked):
        past = past_of(*(row("2026-06-01", kind) for kind in kinds), decisions=decisions)
        request = Request.from_json({"contact": "crm:1", "explain": True, "limit": 9, **asked})
        return decide(request, past, None, catalogue_of(toml), as_of, Draw(b"secret"))

    return run


def told(decision) -> dict[str, str]:
    return {each["action"]: each["rule"] for each in decision.to_json()["removed"]}


def test_where_the_points_table_chooses_it_ranks_and_says_what_it_does_not_call_for(ask) -> None:
    found = ask()
    assert [each.action for each in found.recommendations] == ["call", "letter", "mail"], "the table's order"
    removed = found.to_json()["removed"]
    detail = "the points table calls for it from 250 points; the contact has 5"
    assert removed == [{"action": "text", "rule": "eligibility", "detail": detail}]
    assert found.verdict.refusals == () and found.to_json()["left"]["excluded"] == 4


@pytest.mark.parametrize(
    "asked",
    [
        {}, {"limit": 1}, {"exclude": ["call", "letter"]}, {"exclude": ["call", "letter", "mail", "text"]},
        {"kinds": ()}, {"placement": "infocenter"}, {"kinds": ("visit", "complaint")},
    ],
)  # fmt: skip
@pytest.mark.parametrize("epsilon", ["0.0", "1.0"])
def test_no_action_is_neither_offered_nor_removed(ask, asked, epsilon) -> None:
    toml = ACTIONS.replace("epsilon = 0.0", f"epsilon = {epsilon}")
    toml += "[contact_policy]\nholds = [{ open = 'complaint', until = 'closed' }]\n"
    for n in range(6):
        found = ask(toml, NOW + n * DAY, **asked)
        offered, removed = [each.action for each in found.recommendations], told(found)
        assert {*offered, *removed} == {"mail", "letter", "call", "text"} and not {*offered} & {*removed}
        assert set(removed.values()) <= RULES
        assert len(found.to_json()["removed"]) == len(removed), "each once"


def test_what_the_request_has_no_room_for_it_leaves_out(ask) -> None:
    found = ask(limit=1)
    assert told(found) == {"letter": "excluded", "mail": "excluded", "text": "eligibility"}


OFFICE = """[contact_policy]
timezone = "Europe/Zurich"
quiet = { from = "20:00", to = "08:00", channels = ["phone"] }
calendar = { days = ["mon", "tue", "wed", "thu", "fri"] }
"""
SATURDAY, MONDAY = parse_time("2026-11-21T10:00:00Z"), parse_time("2026-11-23T07:00:00Z")


def test_people_are_told_on_a_saturday_what_to_do_on_monday_and_software_waits(ask) -> None:
    found = ask(ACTIONS + OFFICE, SATURDAY)
    (call,) = found.recommendations
    assert (call.action, iso(call.not_before)) == ("call", "2026-11-23T07:00:00Z")
    assert iso(call.valid_until) == "2026-11-23T19:00:00Z", "the end of the first day on which it may be done"
    assert told(found) == dict.fromkeys(("mail", "letter", "text"), "calendar")
    on_monday = ask(ACTIONS + OFFICE, MONDAY + HOUR, decisions=(found.row(),))
    assert not on_monday.is_new and on_monday.recommendations[0].not_before == MONDAY + HOUR


def test_an_offer_that_would_be_over_before_it_may_begin_is_none(ask) -> None:
    season = ACTIONS.replace('executor = "sales"', 'executor = "sales"\nvalid = { to = "2026-11-22" }')
    assert told(ask(season + OFFICE, SATURDAY))["call"] == "calendar"
    frozen = OFFICE.replace('"fri"]', '"fri"], freeze = ["2026-11-20/2026-12-06"]')
    found = ask(ACTIONS + frozen, SATURDAY)
    assert told(found)["call"] == "calendar" and found.action == "do_nothing"
    opens = parse_time("2026-12-07T07:00:00Z")
    assert found.again_at == opens - 7 * DAY + 1, "from here on a choice lasts until it may be done"
    assert [each.action for each in ask(ACTIONS + frozen, found.again_at).recommendations] == ["call"]
    assert ask(ACTIONS + frozen, found.again_at - 1).recommendations == ()
