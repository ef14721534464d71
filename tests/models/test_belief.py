"""Belief: a goal is answered from what its model was trained on: an action, a touchpoint, or the history."""

from dataclasses import replace

import numpy as np
import pytest

from features.feature_set import FeatureSet
from features.times import DAY
from features.touchpoints.touchpoints import TouchpointRules, Touchpoints
from models.belief import Belief
from models.bundle import Bundle
from models.estimate import Candidate, Start
from models.propensity import Propensity

AS_OF = 100 * DAY
BASE = FeatureSet(kinds=("visit", "lead"), channels=("web",), topics=())
OWN = replace(BASE, own=True, types=("campaign_a", "lead"), own_channels=("web",), numbers=("size",))


def touchpoints(*kinds):
    rows = [
        ("crm:1", (10 + n) * DAY, f"t{n}", kind, "web", None, None, None, None, None, None, None, None, '{"size": 3}')
        for n, kind in enumerate(kinds)
    ]
    return Touchpoints.from_rows(rows, TouchpointRules())


def fitted(features):
    rng = np.random.default_rng(0)
    X = rng.exponential(3.0, (400, len(features.columns))).astype(np.float32)
    y = rng.random(400) < 0.3
    as_of = np.sort(rng.integers(0, 12, 400)) * 14 * DAY
    return Propensity.fit(X, y, as_of, as_of + DAY, np.arange(400), columns=features.columns, params={"num_leaves": 4})


@pytest.fixture(scope="module")
def models():
    return {"conversion": fitted(BASE), "deal": fitted(OWN)}


def belief(models, *, linked=False, effects=None):
    def goal(own):
        return {
            "is_absence": False,
            "linked": linked,
            "horizon_us": DAY,
            "base_rate": 0.3,
            "success_value": 1.0,
            "grades": [0.1, 0.2, 0.3],
            "own": own,
            "after_kind": "lead" if own else None,
            "effects": effects or {},
        }

    own = {"types": list(OWN.types), "own_channels": list(OWN.own_channels), "numbers": list(OWN.numbers)}
    manifest = {
        "features": BASE.to_json(),
        "goals": {"conversion": goal(None), "deal": goal(own)},
        "actions": {"campaign_a": {"topics": [], "numbers": {"size": 9.0}}},
        "policies": {"serves": "points", "evidence": "observational"},
    }
    return Belief(Bundle(manifest, models))


def test_a_goal_about_a_touchpoint_is_answered_by_the_contacts_last_one(models):
    found = belief(models).estimate(touchpoints("visit", "lead"), {}, AS_OF, [Candidate("call", "phone", "deal")])
    assert set(found.propensities) == {"conversion", "deal"}
    # An action the model has not seen changes nothing that is known.
    assert found.propensity[0] == found.without_action[0] == found.propensities["deal"]


def test_without_such_a_touchpoint_it_is_not_answered(models):
    found = belief(models).estimate(touchpoints("visit"), {}, AS_OF, [Candidate("call", "phone", "deal")])
    assert set(found.propensities) == {"conversion"}
    assert np.isnan(found.propensity[0])


def test_a_touchpoint_at_as_of_is_not_known_yet(models):
    found = belief(models).estimate(touchpoints("visit", "lead"), {}, 11 * DAY, [])
    assert set(found.propensities) == {"conversion"}


def test_an_action_the_model_was_trained_on_is_asked_about(models):
    candidates = [Candidate("campaign_a", "web", "deal"), Candidate("call", "phone", "deal")]
    found = belief(models, linked=True).estimate(touchpoints("visit"), {}, AS_OF, candidates)
    assert found.without_action[0] == 0.0  # what is linked to an action cannot happen without it
    assert found.propensity[0] == found.propensities["deal"]
    assert np.isnan(found.propensity[1])
    assert found.evidence == ("observational", "none")


def test_a_start_moves_the_odds_by_its_own_against_the_base_rate(models):
    candidates = [
        Candidate("call", "phone", "conversion", start=Start(0.5, 200.0)),
        Candidate("mail", "mail", "conversion"),
    ]
    found = belief(models).estimate(touchpoints("visit"), {}, AS_OF, candidates)
    p = found.propensities["conversion"]
    odds = p / (1 - p) * (0.5 / 0.5) / (0.3 / 0.7)
    assert found.propensity[0] == pytest.approx(odds / (1 + odds), rel=1e-9)
    assert found.propensity[1] == found.without_action[1] == p


def test_reasons_name_features_and_follow_the_likeliest(models):
    found = belief(models).estimate(touchpoints("visit", "lead"), {}, AS_OF, [], explain=True)
    assert {driver.goal for driver in found.drivers} <= {"conversion", "deal"}
    sizes = [abs(driver.contribution) for driver in found.drivers]
    assert sizes == sorted(sizes, reverse=True) and sizes[0] > 0
