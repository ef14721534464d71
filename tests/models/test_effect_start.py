"""Claims about what the owner believes of an action at the start, and how the log takes over; and about bundles."""

import json

import numpy as np
import pytest

from models.bundle import Bundle, BundleError
from models.effect.effect import Effects
from models.effect.start import expected, fill_effects
from models.estimate import Candidate, Start
from models.verify import verify
from tests.models.effect_worlds import decided


@pytest.fixture(scope="module")
def learnt():
    return decided(0, 6000, average=(0.1, 0.0), differs=0.1).fit()


def asked(effects, X, action="call", start=None):
    found = expected(effects, X, [Candidate(action, "phone", "conversion", start=start)])
    return found.without + found.effect[:, 0], found.effect[:, 0], found.error[:, 0]


def test_a_new_action_begins_at_its_start(learnt):
    X = decided(7, 4000).X
    base = float(np.mean([each.base for each in learnt.actions]))
    propensity, effect, error = asked(learnt, X, "new", Start(base, 100))
    assert np.abs(effect).max() <= 1e-12
    propensity, effect, error = asked(learnt, X, "new", Start(0.6, 100))
    assert abs(propensity.mean() - 0.6) <= 0.02
    assert error[0] == pytest.approx(np.sqrt(0.6 * 0.4 / 101))


def test_what_is_known_of_neither_changes_nothing(learnt):
    _, effect, error = asked(learnt, decided(7, 50).X, "new")
    assert (effect == 0).all() and np.isnan(error).all()


@pytest.mark.parametrize("evidence", [0, 20, 2000, 2_000_000])
def test_an_action_moves_from_its_start_to_the_data_as_decisions_come_in(learnt, evidence):
    X = decided(7, 500).X
    by_log = asked(learnt, X)[1]
    by_start = asked(learnt, X, "new", Start(0.9, 100))[1]
    _, effect, error = asked(learnt, X, "call", Start(0.9, evidence))
    part = learnt.actions[0].taken / (learnt.actions[0].taken + evidence)
    assert np.allclose(effect, part * by_log + (1 - part) * by_start, atol=1e-9)
    assert (error > 0).all()


def test_only_candidates_of_a_learnt_goal_are_filled_in(learnt):
    X = decided(7, 10).X
    candidates = [Candidate("call", "phone", "churn"), Candidate("call", "phone", "conversion")]
    propensity, without, error = np.full((3, 10, 2), np.nan)
    fill_effects({"conversion": learnt}, X, candidates, propensity, without, error)
    assert np.isnan(propensity[:, 0]).all() and np.isnan(error[:, 0]).all()
    assert np.allclose(propensity[:, 1] - without[:, 1], learnt.predict(X).effect[:, 0])


def test_a_bundle_keeps_effects_and_a_changed_digit_is_refused(learnt, tmp_path):
    Bundle({"created_at": "2026-11-21T10:00:00Z"}, effects={"Kauf & mehr": learnt}).save(tmp_path / "made")
    verify(tmp_path / "made")
    read = Bundle.load(tmp_path / "made")
    X = decided(7, 100).X
    assert np.array_equal(read.effects["Kauf & mehr"].predict(X).effect, learnt.predict(X).effect)
    described = tmp_path / "made" / "effects.json"
    described.write_text(described.read_text().replace('"reach": ', '"reach": 1', 1))
    with pytest.raises(BundleError, match=r"effects\.json"):
        Bundle.load(tmp_path / "made")


def test_effects_that_say_otherwise_than_where_they_were_made_are_refused(learnt, tmp_path):
    Bundle({}, effects={"conversion": learnt}).save(tmp_path / "made")
    plain = learnt.to_json()
    plain["actions"][0]["reach"] += 0.01
    other = Bundle({}, effects={"conversion": Effects.from_json(plain, learnt.texts)})
    with pytest.raises(BundleError, match="effects on conversion differs"):
        other.check_golden(tmp_path / "made")


def test_a_bundle_without_effects_has_none(tmp_path):
    Bundle({}).save(tmp_path / "made")
    assert dict(Bundle.load(tmp_path / "made").effects) == {}
    assert "effects.json" not in json.loads((tmp_path / "made" / "manifest.json").read_text())["files"]
