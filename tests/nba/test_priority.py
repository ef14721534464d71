from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.times import DAY, parse_time
from models.estimate import Estimate
from nba.consent import Ledger
from nba.priority import terms_of
from nba.request import Request
from nba.situation import Situation

NOW = parse_time("2026-06-15")
chance = st.floats(0, 1)


@pytest.fixture(scope="session")
def situation_of(catalogue_of, past_of):
    def make(toml, *rows, traits=None, context=None) -> Situation:
        catalogue, past = catalogue_of(toml), past_of(*rows, traits=traits)
        request = Request("crm:1", context=context or {})
        return Situation(catalogue, request, past, past, NOW, Ledger(past.touchpoints, NOW, catalogue.channel_of))

    return make


def estimate(*pairs: tuple[float, float]) -> Estimate:
    with_, without = np.array(pairs).T
    return Estimate(None, {}, {}, with_, without, ("logged",) * len(pairs))


CHURN = '[goals.churn]\nabsence_of = ["order"]\nhorizon = "60d"\n[actions.a]\nchannel = "x"\n'
BUY = '[goals.conversion]\nkinds = ["order"]\nhorizon = "60d"\n[actions.a]\nchannel = "x"\n'


@given(
    with_=chance,
    without=chance,
    value=st.floats(0, 1e6),
    lever=st.floats(-100, 300),
    cost=st.floats(0, 1e4),
    topic=st.sampled_from(["pumps", "valves"]),
    keeps=st.booleans(),
)
def test_the_printed_terms_add_up_to_the_printed_priority(
    situation_of, with_, without, value, lever, cost, topic, keeps
) -> None:
    toml = (CHURN if keeps else BUY) + f"topics = ['pumps']\nvalue = {value!r}\ncost = {cost!r}\n"
    toml += f"[ranking.levers]\na = {lever!r}\n"
    situation = situation_of(toml, context={"topic": topic})
    (terms,) = terms_of(situation, estimate((with_, without)), {})
    t = terms.to_json()
    gain = t["without_action"] - t["propensity"] if keeps else t["propensity"] - t["without_action"]
    added_up = gain * t["value"] * t["lever"] * t["context"] - t["cost"]
    assert terms.priority == pytest.approx(added_up, abs=1e-9, rel=1e-12)
    assert t["context"] == (1.2 if topic == "pumps" else 1.0)
    assert t["lever"] == pytest.approx(1 + lever / 100, abs=1e-6)


def test_worth_of_a_conversion(situation_of, row) -> None:
    orders = [row(NOW - d * DAY, "order", value=v) for d, v in ((10, 100.0), (500, 300.0))]
    known = estimate((0.5, 0.25))
    assert terms_of(situation_of(BUY + "value = 7\n", *orders), known, {"conversion": 80.0})[0].value == 7
    assert terms_of(situation_of(BUY, *orders), known, {"conversion": 80.0})[0].value == 80
    assert terms_of(situation_of(BUY, *orders), known, {})[0].value == 200
    assert terms_of(situation_of(BUY), known, {})[0].value == 0
    fixed = BUY.replace('horizon = "60d"', 'horizon = "60d"\nvalue = 12.5')
    assert terms_of(situation_of(fixed, *orders), known, {"conversion": 80.0})[0].value == 12.5


def test_worth_of_what_is_kept_is_the_margin_of_the_year_before(situation_of, row) -> None:
    rows = [
        row(NOW - 365 * DAY, "order", value=100.0),
        row(NOW - 365 * DAY - 1, "order", value=10_000.0),
        row(NOW - 20 * DAY, "order", value=300.0, margin=60.0),
        row(NOW - 10 * DAY, "return", value=50.0),
        row(NOW - 5 * DAY, "visit", value=999.0),
        row(NOW - 4 * DAY, "order", value=999.0, direction="outbound"),
    ]
    assert terms_of(situation_of(CHURN, *rows), None, {})[0].value == 110
    (terms,) = terms_of(situation_of(CHURN, *rows), estimate((0.2, 0.3)), {})
    assert terms.priority == pytest.approx(11, abs=1e-9)


@pytest.mark.parametrize(("found", "cost"), [(None, 9), (3, 3), (2.5, 2.5), ("3", 9), (True, 9), (-1, 9), (0, 0)])
def test_a_cost_may_be_a_trait(situation_of, found, cost) -> None:
    toml = BUY + "cost = { trait = 'visit_cost', otherwise = 9 }\n"
    traits = {} if found is None else {"visit_cost": found}
    assert terms_of(situation_of(toml, traits=traits), None, {})[0].cost == cost


def test_without_a_model_the_belief_at_the_start_counts(situation_of) -> None:
    started = terms_of(situation_of(BUY + "start = { propensity = 0.2 }\nvalue = 10\n"), None, {})[0]
    assert (started.propensity, started.without_action, started.evidence) == (0.2, 0.0, "none")
    assert started.priority == pytest.approx(2, abs=1e-9)
    kept = terms_of(situation_of(CHURN + "start = { propensity = 0.2 }\nvalue = 10\n"), None, {})[0]
    assert kept.priority == pytest.approx(2, abs=1e-9)


def test_the_error_of_a_priority_is_that_of_the_effect_in_money(situation_of) -> None:
    found = replace(estimate((0.3, 0.1)), effect_error=np.array([0.02]))
    situation = situation_of(
        BUY + "topics = ['pumps']\nvalue = 50.0\ncost = 9.0\n[ranking.levers]\na = 20", context={"topic": "pumps"}
    )
    (terms,) = terms_of(situation, found, {})
    assert terms.error == 0.02
    assert terms.spread == pytest.approx(0.02 * 50.0 * 1.2 * 1.2)


@pytest.mark.parametrize(
    ("start", "evidence"), [("", 200), ("start = { evidence = 20 }", 20), ("start = { evidence = 0 }", 0)]
)
@pytest.mark.parametrize("error", [None, np.array([np.nan])])
def test_what_no_decision_tells_is_as_unsure_as_the_start(situation_of, start: str, evidence: int, error) -> None:
    (terms,) = terms_of(situation_of(BUY + start), replace(estimate((0.3, 0.1)), effect_error=error), {})
    assert terms.error == pytest.approx((0.3 * 0.7 / (evidence + 1)) ** 0.5, abs=1e-8)
    (believed,) = terms_of(situation_of(BUY + start), None, {})
    assert believed.error == pytest.approx((0.03 * 0.97 / (evidence + 1)) ** 0.5, abs=1e-8)


def test_an_effect_that_could_not_be_learnt_is_that_of_the_start(situation_of) -> None:
    unknown = replace(estimate((np.nan, np.nan)), effect_error=np.array([np.nan]))
    (terms,), (believed,) = (terms_of(situation_of(BUY), found, {}) for found in (unknown, None))
    assert terms == believed
