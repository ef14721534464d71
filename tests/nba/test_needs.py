import pytest

from features.times import DAY, parse_time
from models.saying.tongues import say
from nba.consent import Ledger
from nba.needs import unmet
from nba.past import Past
from nba.request import Request
from nba.situation import Situation

NOW = parse_time("2026-06-15")
GOALS = (
    '[goals.conversion]\nkinds = ["order"]\nhorizon = "30d"\n'
    '[goals.churn]\nabsence_of = ["order"]\nhorizon = "30d"\n'
    "[segments.s]\npoints_from = 1\n"
)


@pytest.fixture
def check(catalogue_of, past_of):
    def run(needs: str, *rows, traits=None, objects=False, goal="conversion", **facts) -> str | None:
        toml = GOALS + f'[actions.a]\nchannel = "email"\ngoal = "{goal}"\nneeds = {{ {needs} }}\n'
        catalogue, past = catalogue_of(toml), past_of(*rows, traits=traits)
        known = Past.nothing() if objects else past
        ledger = Ledger(past.touchpoints, NOW, {})
        situation = Situation(catalogue, Request("crm:1"), past, known, NOW, ledger, **facts)
        found = unmet(catalogue.action(1), situation)
        return None if found is None else say(found)

    return run


@pytest.mark.parametrize(
    ("needs", "facts", "is_met"),
    [
        ("points_from = 100", {"points": 100.0}, True),
        ("points_from = 100", {"points": 99.99}, False),
        ("propensity_from = 0.3", {"propensities": {"conversion": 0.3, "churn": 0.0}}, True),
        ("propensity_from = 0.3", {"propensities": {"conversion": 0.2, "churn": 0.9}}, False),
        ("propensity_from = 0.3", {}, False),
        ("churn_from = 0.5", {"propensities": {"conversion": 0.9, "churn": 0.4}}, False),
        ("churn_from = 0.5", {"propensities": {"churn": 0.5}}, True),
        ("churn_from = 0.5", {}, False),
    ],
)
def test_scores(check, needs: str, facts: dict[str, object], is_met: bool) -> None:
    assert (check(needs, **facts) is None) is is_met


def test_propensity_of_an_action_against_churn_is_that_of_the_usual_goal(check) -> None:
    chances = {"conversion": 0.4, "churn": 0.01}
    assert check("propensity_from = 0.3", goal="churn", propensities=chances) is None


def test_revenue_counts_a_year_and_returns_count_against_it(check, row) -> None:
    orders = [row(NOW - 365 * DAY, "order", value=100.0), row(NOW - DAY, "return", value=40.0)]
    assert check("revenue_from = 60", *orders) is None
    assert check("revenue_from = 60.01", *orders) == "needs a revenue of 60.01 in the last 365 days, has 60"
    assert check("revenue_from = 1", row(NOW - 365 * DAY - 1, "order", value=100.0)) is not None


def test_tenure_counts_from_the_first_touchpoint(check, row) -> None:
    assert check("tenure_from = '30d'", row(NOW - 30 * DAY, "visit")) is None
    assert check("tenure_from = '30d'", row(NOW - 30 * DAY + 1, "visit")) is not None
    assert check("tenure_from = '0d'") is not None


@pytest.mark.parametrize(
    ("wanted", "found", "is_met"),
    [
        ("'CH'", "CH", True),
        ("['CH', 'DE']", "DE", True),
        ("'CH'", "FR", False),
        ("'CH'", None, False),
        ("5", 5, True),
        ("5", 5.0, True),
        ("5", "5", True),
        ("'5'", 5, True),
        ("5", "five", False),
        ("true", True, True),
        ("true", "true", True),
        ("true", False, False),
        ("true", 1, False),
        ("1", True, False),
    ],
)
def test_traits(check, wanted: str, found: object, is_met: bool) -> None:
    traits = {} if found is None else {"country": found}
    assert (check(f"traits = {{ country = {wanted} }}", traits=traits) is None) is is_met


def test_seen_without_and_missing(check, row) -> None:
    declined = row(NOW - DAY, "declined")
    assert check("seen = ['demo', 'declined']", declined) is None
    assert check("seen = ['demo']", declined) == "needs one of demo before"
    assert check("without = ['declined']", declined) == "is not for contacts with declined before"
    assert check("without = ['demo']", declined) is None
    assert check("missing = ['owner_since']", traits={"owner_since": "2020-01-01"}) is not None
    assert check("missing = ['owner_since']") is None


def test_what_forbids_is_looked_up_for_who_objects_to_profiling_and_what_qualifies_is_not(check, row) -> None:
    declined = row(NOW - DAY, "declined")
    assert check("without = ['declined']", declined, objects=True) is not None
    assert check("missing = ['industry']", traits={"industry": "food"}, objects=True) is not None
    assert check("seen = ['declined']", declined, objects=True) is not None
    assert check("traits = { industry = 'food' }", traits={"industry": "food"}, objects=True) is not None


def test_partner_and_segment(check) -> None:
    assert check("partner = true", traits={"partner": "p1"}) is None
    assert check("partner = true") == "needs a partner"
    assert check("partner = false", traits={"partner": "p1"}) is not None
    assert check("partner = ['p2', 'p1']", traits={"partner": "p1"}) is None
    assert check("partner = 'p2'", traits={"partner": "p1"}) is not None
    assert check("segment = 's'", points=5.0) is None
    assert check("segment = 's'", points=0.5) == "needs the segment s"
