import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from features.times import DAY, HOUR, parse_time
from models.estimate import Candidate, Estimate
from models.points import total
from nba.actions import DO_NOTHING
from nba.draw import Draw, in_holdout
from nba.engine import decide
from nba.request import Request

NOW = parse_time("2026-06-15T10:00:00Z")
SECRET = Draw(b"secret", "key")
TOML = """
[goals.conversion]
kinds = ["order"]
horizon = "30d"
[goals.churn]
absence_of = ["order"]
horizon = "60d"
[points]
kinds = { visit = 5, download = 100, service_call = 250 }
thresholds = [{ below = 250, actions = ["mail"] }, { from = 250, actions = ["call"] }]
[actions.mail]
channel = "email"
topics = ["pumps", "valves"]
cost = 0.05
[actions.call]
channel = "phone"
cost = 18.0
value = 400.0
executor = "partner"
[actions.rescue]
channel = "phone"
goal = "churn"
cost = { trait = "visit_cost", otherwise = 20 }
[ranking]
holdout = 0.0
[ranking.levers]
call = 20
"""


@dataclass
class FakeBelief:
    """As much of a belief as the engine asks for."""

    serves: str = "learned"
    version: str | None = "3"
    stage: str | None = "evaluate"
    propensities: dict[str, float] = field(default_factory=lambda: {"conversion": 0.31, "churn": 0.08})
    propensity: tuple[float, ...] = (0.06, 0.31, 0.08)
    without: tuple[float, ...] = (0.05, 0.05, 0.12)
    manifest: dict[str, Any] = field(
        default_factory=lambda: {"goals": {"conversion": {"success_value": 250.0}, "churn": {}}}
    )
    error: Exception | None = None
    asked: list[Candidate] = field(default_factory=list)

    def estimate(self, touchpoints, traits, as_of, candidates, *, explain=False) -> Estimate:
        if self.error is not None:
            raise self.error
        self.asked[:] = candidates
        return Estimate(
            stage=self.stage,
            propensities=self.propensities,
            grades={"conversion": "A", "churn": "low"},
            propensity=np.array(self.propensity),
            without_action=np.array(self.without),
            evidence=("randomised",) * len(self.propensity),
        )


@pytest.fixture
def ask(catalogue_of, past_of, row):
    known = (
        row("2026-06-13", "service_call", channel="phone", topics=["pumps"]),
        row("2026-06-10", "order", value=1000.0, topics=["valves"]),
        row("2026-06-01", "visit"),
    )

    def run(belief=None, *, toml=TOML, rows=known, traits=None, decisions=(), as_of=NOW, **asked):
        degraded = asked.pop("degraded", False)
        report = asked.pop("report", None)
        request = Request.from_json({"contact": "crm:1", "limit": 9, **asked})
        past = past_of(*rows, traits=traits, decisions=decisions)
        return decide(request, past, belief, catalogue_of(toml), as_of, SECRET, degraded=degraded, report=report)

    return run


def test_the_best_action_comes_first_with_terms_that_add_up(ask) -> None:
    answer = ask(FakeBelief(), toml=TOML.replace("holdout = 0.0", "holdout = 0.0\nepsilon = 0.0")).to_json()
    assert [each["action"] for each in answer["recommendations"]] == ["call", "rescue", "mail"]
    first = answer["recommendations"][0]
    assert first["terms"] == {
        "propensity": 0.31,
        "without_action": 0.05,
        "value": 400.0,
        "lever": 1.2,
        "context": 1.0,
        "cost": 18.0,
    }
    assert first["priority"] == pytest.approx(106.8, abs=1e-9)
    assert first["evidence"] == "randomised"
    assert answer["mode"] == "learned"
    assert answer["model_version"] == "3"
    assert answer["stage"] == "evaluate"
    assert answer["stage_by_rule"] == "purchase"
    churn = answer["propensities"]["churn"]
    assert (churn["probability"], churn["risk"], churn["trend"]) == (0.08, "low", None)
    assert "nba score" in churn["trend_why"]
    assert answer["propensities"]["conversion"]["grade"] == "A"
    assert [each["probability"] is None for each in answer["recommendations"]] == [False, True, True]
    json.dumps(answer, allow_nan=False)


def test_the_churn_goal_is_worth_the_margin_of_a_year_that_is_kept(ask) -> None:
    rescue = ask(FakeBelief()).terms["rescue"]
    assert (rescue.value, rescue.cost) == (1000.0, 20.0)
    assert rescue.priority == pytest.approx((0.12 - 0.08) * 1000 - 20, abs=1e-9)
    dear = ask(FakeBelief(), traits={"visit_cost": 35.5}).terms["rescue"]
    assert dear.cost == 35.5


def test_a_success_is_worth_the_action_s_value_else_the_learnt_mean_margin(ask) -> None:
    terms = ask(FakeBelief()).terms
    assert (terms["call"].value, terms["mail"].value) == (400.0, 250.0)


def test_the_topic_of_the_moment_favours_actions_about_it_and_is_named(ask) -> None:
    answer = ask(FakeBelief(), context={"topic": "valves/ball"}).to_json()
    mail = next(each for each in answer["recommendations"] if each["action"] == "mail")
    assert (mail["terms"]["context"], mail["topic"]) == (1.2, "valves")
    assert all(e["terms"]["context"] == 1.0 for e in answer["recommendations"] if e["action"] != "mail")


def test_without_a_model_points_choose_and_the_score_is_the_sum_of_its_log(ask) -> None:
    decision = ask()
    answer = decision.to_json()
    assert (answer["mode"], answer["model_version"], answer["degraded"]) == ("points", None, False)
    assert answer["points"]["total"] == total(answer["points"]["log"]) == 255
    assert answer["recommendations"][0]["action"] == "call"
    assert decision.chances["call"] == pytest.approx(0.98 + 0.02 / 4)
    assert answer["propensities"] == {}


@pytest.mark.parametrize(
    ("serves", "mode", "favourite"),
    [
        ("points", "points", "call"),
        ("constant:mail", "constant", "mail"),
        ("constant:gone", "points", "call"),
    ],
)
def test_what_the_gate_lets_serve_is_mixed_with_epsilon(ask, serves: str, mode: str, favourite: str) -> None:
    decision = ask(FakeBelief(serves))
    assert decision.mode == mode
    assert decision.chances[favourite] == pytest.approx(0.98 + 0.02 / 4)
    assert sum(decision.chances.values()) == pytest.approx(1, abs=1e-12)


def test_greedy_does_nothing_when_nothing_is_worth_it_and_says_when_to_ask_again(ask) -> None:
    toml = TOML.replace("holdout = 0.0", 'holdout = 0.0\npolicy = "greedy"')
    decision = ask(FakeBelief(propensity=(0.05, 0.05, 0.12)), toml=toml)
    answer = decision.to_json()
    assert answer["do_nothing"] and answer["recommendations"] == []
    assert parse_time(answer["again_at"]) == NOW + 7 * DAY
    assert decision.chances == {DO_NOTHING: 1.0, "mail": 0.0, "call": 0.0, "rescue": 0.0}


@pytest.mark.parametrize(
    "belief",
    [
        FakeBelief(error=RuntimeError("broken")),
        FakeBelief(propensity=(0.1, 1.7, 0.2)),
        FakeBelief(propensity=(0.1,), without=(0.1,)),
        FakeBelief(propensities={"conversion": float("nan")}),
    ],
)
def test_a_broken_model_is_reported_and_points_answer(ask, belief: FakeBelief) -> None:
    told: list[Exception] = []
    decision = ask(belief, report=told.append)
    assert (decision.mode, decision.degraded, decision.model_version) == ("points", True, None)
    assert len(told) == 1
    assert decision.chances == ask().chances


def test_a_missed_deadline_is_points_too(ask) -> None:
    decision = ask(None, degraded=True)
    assert (decision.mode, decision.degraded) == ("points", True)


def test_a_goal_that_could_not_be_learnt_falls_back_on_the_belief_at_the_start(ask) -> None:
    nan = float("nan")
    terms = ask(FakeBelief(propensity=(nan, 0.31, nan), without=(nan, 0.05, nan))).terms
    assert (terms["mail"].propensity, terms["mail"].without_action, terms["mail"].evidence) == (
        0.03,
        0.0,
        "none",
    )
    assert (terms["rescue"].propensity, terms["rescue"].without_action) == (0.0, 0.03)


def test_an_unknown_contact_gets_what_zero_points_call_for_and_nothing_is_tried_out(ask) -> None:
    decision = ask(FakeBelief(error=RuntimeError("is not asked")), rows=())
    assert (decision.mode, decision.degraded, decision.action) == ("default", False, "mail")
    assert decision.chances == {DO_NOTHING: 0.0, "mail": 1.0, "call": 0.0, "rescue": 0.0}


def test_who_objects_to_profiling_is_not_looked_at(ask, row) -> None:
    rows = (row("2026-06-01", "service_call"), row("2026-06-02", "objection", channel="profiling"))
    answer = ask(FakeBelief(error=RuntimeError("is not asked")), rows=rows, traits={"visit_cost": 1}).to_json()
    assert (answer["mode"], answer["degraded"], answer["stage"]) == ("default", False, None)
    assert answer["points"]["total"] == 0 and answer["points"]["log"] == []
    assert answer["stage_by_rule"] is None and answer["propensities"] == {}
    assert answer["recommendations"][0]["reasons"] == ["chosen without knowing anything of the contact"]
    assert answer["stage_by_topic"] == {}
    later = (*rows, row("2026-06-03", "objection"))
    assert ask(None, rows=later).to_json()["do_nothing"]


def test_a_held_out_contact_is_given_points_and_logged_with_the_mixture(ask) -> None:
    toml = TOML.replace("holdout = 0.0", "holdout = 0.5")
    seen = set()
    for i in range(20):
        account = f"acme-{i}"
        decision = ask(FakeBelief(propensity=(0.9, 0.05, 0.12)), toml=toml, traits={"account": account})
        assert decision.chances["call"] == pytest.approx(0.5 + 0.5 * 0.005)
        assert decision.chances["mail"] == pytest.approx(0.5 * 0.985)
        assert decision.holdout == in_holdout("crm:1", account, NOW, 0.5)
        assert decision.mode == ("points" if decision.holdout else "learned")
        assert not decision.holdout or decision.action == "call"
        seen.add(decision.holdout)
    assert seen == {True, False}


def test_mandatory_actions_are_not_ranked(ask) -> None:
    toml = TOML + '[actions.recall]\nchannel = "letter"\ncost = 500\nclass = "mandatory"\n'
    belief = FakeBelief(propensity=(0.06, 0.31, 0.08, 0.0), without=(0.05, 0.05, 0.12, 0.0))
    decision = ask(belief, toml=toml)
    assert decision.action == "recall"
    assert decision.probability == 1.0
    assert decision.to_json()["recommendations"][0]["probability"] == 1.0


def test_the_row_logs_every_chance_and_the_same_question_gives_the_same_answer(ask) -> None:
    decision = ask(FakeBelief(), decision_id="mine", explain=True)
    row = decision.row(key="k", request_hash="h", answer=b"{}")
    assert decision == ask(FakeBelief(), decision_id="mine", explain=True)
    assert (row.decision_id, row.identity, row.decided_at, row.as_of) == ("mine", "crm:1", NOW, NOW)
    assert row.chances == decision.chances and row.allowed == tuple(row.chances)
    assert row.probability == row.chances[row.action]
    assert row.terms is not None and row.terms["call"]["priority"] == pytest.approx(106.8, abs=1e-9)
    assert row.policy == "learned"
    json.dumps(decision.to_json(), allow_nan=False)


def test_explain_adds_what_was_removed(ask) -> None:
    answer = ask(exclude=["mail"], explain=True).to_json()
    assert answer["removed"] == [
        {"action": "mail", "rule": "excluded", "detail": "the request excludes it"},
        {"action": "rescue", "rule": "eligibility", "detail": "the points table never calls for it"},
    ]
    assert answer["left"]["excluded"] == 2
    assert "removed" not in ask(exclude=["mail"]).to_json()


def test_candidates_ask_about_each_action_with_its_goal(ask) -> None:
    belief = FakeBelief()
    ask(belief)
    assert [(c.action, c.goal, c.topics) for c in belief.asked] == [
        ("mail", "conversion", ("pumps", "valves")),
        ("call", "conversion", None),
        ("rescue", "churn", None),
    ]


def test_the_executor_is_sales_where_there_is_no_partner(ask) -> None:
    assert ask().to_json()["recommendations"][0]["executor"] == "sales"
    assert ask(traits={"partner": "dealer:1"}).to_json()["recommendations"][0]["executor"] == "partner"


def test_an_offer_ends_with_the_season_the_quiet_hours_or_the_choice(ask) -> None:
    assert ask().recommendations[0].valid_until == NOW + 7 * DAY
    quiet = TOML + "[contact_policy]\nquiet = { from = '20:00', to = '08:00' }\n"
    assert ask(toml=quiet).recommendations[0].valid_until == NOW + 8 * HOUR
    season = TOML.replace("value = 400.0", "value = 400.0\nvalid = { to = '2026-06-15T12:00:00Z' }")
    assert ask(toml=season).recommendations[0].valid_until == NOW + 2 * HOUR


def test_stage_by_topic(ask) -> None:
    assert ask().to_json()["stage_by_topic"] == {"pumps": "unaware", "valves": "purchase"}


def test_the_stage_of_a_topic_looks_at_the_topics_within_it(ask, row) -> None:
    rows = (row("2026-06-10", "order", value=1.0, topics=["pumps/industrial"]),)
    assert ask(rows=rows).to_json()["stage_by_topic"] == {"pumps": "purchase", "pumps/industrial": "purchase"}
