"""Claims about calibration: rising, bounded, kept only when later rows say so."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from models.calibration import LOWEST, Calibration, choose, fitted, row_losses
from models.logistic import logit, rising_curve, sigmoid


def world(seed: int, n: int, slope: float = 1.0, shift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities, and truths whose log-odds are `slope` times theirs plus `shift`."""
    rng = np.random.default_rng(seed)
    p = sigmoid(rng.normal(-1.5, 1.2, n))
    return p, (rng.random(n) < sigmoid(slope * logit(p) + shift)).astype(float)


rows = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 1)), min_size=4, max_size=50).filter(
    lambda listed: 0 < sum(r[1] for r in listed) < len(listed)
)


@settings(deadline=None)
@given(rows, st.sampled_from(["none", "platt", "isotonic"]))
def test_every_calibration_rises_and_is_bounded(listed, method):
    p, y = np.array(listed).T
    curve = fitted(method, p, y).apply(np.linspace(0, 1, 200))
    assert (np.diff(curve) >= -1e-15).all()
    assert (curve >= LOWEST).all()
    assert (curve <= 1 - LOWEST).all()


@settings(deadline=None)
@given(rows, st.sampled_from(["none", "platt", "isotonic"]), st.floats(0, 1) | st.just(np.nan))
def test_one_alone_is_calibrated_as_among_others(listed, method, one):
    calibration = fitted(method, *np.array(listed).T)
    assert np.array_equal(calibration.apply_one(one), calibration.apply(np.array([0.5, one]))[1], equal_nan=True)


@settings(deadline=None)
@given(rows, st.sampled_from(["none", "platt", "isotonic"]))
def test_json_keeps_every_bit(listed, method):
    p, y = np.array(listed).T
    calibration = fitted(method, p, y)
    again = Calibration.from_json(json.loads(json.dumps(calibration.to_json())))
    assert again == calibration
    assert (again.apply(p) == calibration.apply(p)).all()


@settings(max_examples=30, deadline=None)
@given(rows)
def test_steps_are_those_of_isotonic_regression(listed):
    p, y = np.array(listed).T
    p = np.clip(p, LOWEST, 1 - LOWEST)
    calibration = Calibration.isotonic(p, y)
    steps = IsotonicRegression(out_of_bounds="clip").fit(p, y).predict(np.array(calibration.x))
    weight = np.array(
        [np.isclose(IsotonicRegression(out_of_bounds="clip").fit(p, y).predict(p), s).sum() for s in steps]
    )
    assert np.array(calibration.y) == pytest.approx(np.maximum.accumulate((weight * steps + y.mean()) / (weight + 1)))


def test_the_curve_is_the_logistic_regressions():
    p, y = world(0, 5000, slope=0.6, shift=-0.4)
    slope, intercept = rising_curve(logit(p), y)
    oracle = LogisticRegression(C=1e9, tol=1e-10).fit(logit(p)[:, None], y)
    assert slope == pytest.approx(oracle.coef_[0, 0], rel=0.02)
    assert intercept == pytest.approx(oracle.intercept_[0], abs=0.02)


def test_a_score_that_separates_far_apart_still_converges():
    x = np.concatenate([np.full(500, -1e6), np.full(500, 1e6)])
    slope, intercept = rising_curve(x, np.repeat([0.0, 1.0], 500))
    p = sigmoid(slope * x + intercept)
    assert p[0] == pytest.approx(1 / 502, rel=1e-3)
    assert p[-1] == pytest.approx(501 / 502, rel=1e-3)


@pytest.mark.parametrize(("slope", "shift"), [(0.4, 0.0), (1.0, 1.0), (2.5, 0.5)])
def test_a_model_that_is_wrong_is_calibrated(slope, shift):
    p, y = world(1, 4000, slope, shift)
    later_p, later_y = world(2, 4000, slope, shift)
    method = choose(p, y, later_p, later_y, np.arange(4000))
    assert method != "none"
    better = fitted(method, p, y).apply(later_p)
    truth = sigmoid(slope * logit(later_p) + shift)
    assert np.abs(better - truth).mean() < 0.02 < np.abs(later_p - truth).mean()


def test_a_season_that_does_not_last_calibrates_nothing():
    p, y = world(3, 4000, shift=1.5)
    later_p, later_y = world(4, 4000)
    assert choose(p, y, later_p, later_y, np.arange(4000)) == "none"


def test_a_model_that_is_right_is_nearly_always_left_alone():
    chosen = []
    for seed in range(60):
        p, y = world(seed, 1500)
        later_p, later_y = world(seed + 1000, 1500)
        chosen.append(choose(p, y, later_p, later_y, np.arange(1500)))
    assert np.mean([method == "none" for method in chosen]) >= 0.8


def test_no_later_rows_or_one_class_means_none():
    p, y = world(5, 200)
    none = np.empty(0)
    assert choose(p, y, none, none, np.empty(0, dtype=np.int64)) == "none"
    assert choose(p, np.zeros(200), p, y, np.arange(200)) == "none"


def test_the_noise_of_one_contact_is_not_taken_for_a_gain():
    p, y = world(6, 2000, slope=0.4)
    assert choose(p, y, p, y, np.zeros(2000, dtype=np.int64)) == "none"
    assert choose(p, y, p, y, np.arange(2000)) != "none"


@pytest.mark.parametrize(
    ("method", "x", "y"),
    [("magic", (), ()), ("platt", (), ()), ("isotonic", (1.0,), ()), ("platt", (np.nan,), (0.0,))],
)
def test_what_is_no_calibration_is_refused(method, x, y):
    with pytest.raises(ValueError, match="calibration"):
        Calibration(method, x, y)


def test_losses_of_rows_are_their_surprise():
    assert row_losses(np.array([1.0, 0.0]), np.array([0.25, 0.25])) == pytest.approx([np.log(4), -np.log(0.75)])
