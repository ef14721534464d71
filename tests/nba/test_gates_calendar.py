import pytest

from features.times import DAY, HOUR, iso, parse_time
from nba.draw import Draw
from nba.engine import decide
from nba.request import Request

TWO = '[actions.mail]\nchannel = "email"\n[actions.call]\nchannel = "phone"\n'
OFFICE = (
    TWO + "[actions.recall]\nchannel = 'letter'\nclass = 'mandatory'\n"
    "[contact_policy]\ntimezone = 'Europe/Zurich'\n"
    "quiet = { from = '20:00', to = '08:00', channels = ['phone'] }\n"
    "calendar = { holidays = 'CH-ZH', days = ['mon', 'tue', 'wed', 'thu', 'fri'], "
    "freeze = ['2026-12-24/2027-01-03'] }\n"
)
FRIDAY, SATURDAY = parse_time("2026-06-12T10:00:00Z"), parse_time("2026-06-13T10:00:00Z")


def rules(verdict) -> dict[str, str]:
    return {refusal.action: refusal.rule for refusal in verdict.refusals}


def test_on_a_closed_day_nothing_goes_out_duties_neither(judge) -> None:
    assert rules(judge(OFFICE, as_of=FRIDAY)) == {}
    verdict = judge(OFFICE, as_of=SATURDAY)
    assert rules(verdict) == dict.fromkeys(("mail", "call", "recall"), "calendar")
    assert [iso(refusal.until) for refusal in verdict.refusals] == [
        "2026-06-14T22:00:00Z",
        "2026-06-15T06:00:00Z",
        "2026-06-14T22:00:00Z",
    ]
    assert "sat 2026-06-13 is not among mon" in verdict.refusals[0].detail
    assert judge(OFFICE, as_of=SATURDAY, request={"placement": "infocenter"}).refusals[0].rule == "eligibility"


@pytest.mark.parametrize(
    ("clock", "words"),
    [
        ("2026-08-01T10:00:00Z", "sat 2026-08-01 is not among"),
        ("2028-08-01T10:00:00Z", "public holiday in CH-ZH"),
        ("2026-12-29T10:00:00Z", "in the freeze until 2027-01-04"),
    ],
)
def test_holidays_and_freezes_close_a_day(judge, clock: str, words: str) -> None:
    verdict = judge(OFFICE, as_of=parse_time(clock))
    assert set(rules(verdict).values()) == {"calendar"}
    assert words in verdict.refusals[0].detail


def test_the_days_are_those_of_the_contacts_own_time_zone(judge) -> None:
    sunday_evening_in_zurich = parse_time("2026-06-14T20:30:00Z")
    assert rules(judge(OFFICE, as_of=sunday_evening_in_zurich))["mail"] == "calendar"
    in_tokyo = judge(OFFICE, as_of=sunday_evening_in_zurich, traits={"timezone": "Asia/Tokyo"})
    assert rules(in_tokyo) == {"call": "quiet"}
    last_day = parse_time("2026-12-23T20:00:00Z")
    assert rules(judge(OFFICE, as_of=last_day)) == {"call": "quiet"}
    assert rules(judge(OFFICE, as_of=last_day, traits={"timezone": "Asia/Tokyo"}))["mail"] == "calendar"


def test_quiet_hours_before_a_closed_day_end_when_work_begins_again(judge) -> None:
    verdict = judge(OFFICE, as_of=parse_time("2026-06-12T19:00:00Z"))
    assert rules(verdict) == {"call": "quiet"}
    assert iso(verdict.refusals[0].until) == "2026-06-15T06:00:00Z"


@pytest.fixture
def ask(catalogue_of, past_of, row):
    def run(toml: str, as_of: int, **asked):
        request = Request.from_json({"contact": "crm:1", "limit": 9, **asked})
        return decide(request, past_of(row("2026-06-01", "visit")), None, catalogue_of(toml), as_of, Draw(b"secret"))

    return run


POINTS = "[points]\nthresholds = [{ from = 0, actions = ['call', 'mail'] }]\n[ranking]\nepsilon = 0.0\nholdout = 0.0\n"


def test_an_offer_ends_with_the_working_time_for_its_channel(ask) -> None:
    toml = POINTS + OFFICE.replace("[actions.recall]\nchannel = 'letter'\nclass = 'mandatory'\n", "")
    offered = {each.action: each for each in ask(toml, FRIDAY).recommendations}
    assert {name: iso(each.not_before) for name, each in offered.items()} == dict.fromkeys(offered, iso(FRIDAY))
    assert {name: iso(each.valid_until) for name, each in offered.items()} == {
        "call": "2026-06-12T18:00:00Z",
        "mail": "2026-06-12T22:00:00Z",
    }
    monday = ask(toml, parse_time("2026-06-15T06:00:00Z"))
    assert iso(monday.recommendations[1].valid_until) == "2026-06-19T22:00:00Z"


def test_nothing_to_do_on_a_closed_day_asks_again_when_work_begins(ask) -> None:
    toml = POINTS + OFFICE.replace("class = 'mandatory'", "needs = { points_from = 9 }")
    answer = ask(toml, SATURDAY).to_json()
    assert answer["do_nothing"] and answer["again_at"] == "2026-06-14T22:00:00Z"


def test_again_at_is_an_hour_at_which_it_may_go(ask, catalogue_of, past_of, row) -> None:
    toml = POINTS + OFFICE.replace("quiet =", "caps = [{ per = '1d', count = 1 }]\nquiet =")
    toml = toml.replace("[actions.recall]\nchannel = 'letter'\nclass = 'mandatory'\n", "")
    sent = row(FRIDAY - HOUR, "email_sent", channel="email")
    answer = decide(Request("crm:1"), past_of(sent), None, catalogue_of(toml), FRIDAY, Draw(b"secret"))
    assert {refusal.until for refusal in answer.verdict.refusals} == {FRIDAY - HOUR + DAY + 1}
    assert answer.to_json()["again_at"] == "2026-06-14T22:00:00Z", "Saturday has room and is closed"
