"""The gate: what may not be promoted, and that chance alone is not held against a model."""

import numpy as np
import pytest

from training import metrics
from training.gate import calibration_noise, paired_gain


@pytest.mark.parametrize("share", [0.05, 0.3])
def test_calibration_noise_is_what_a_perfect_model_shows(share):
    rng = np.random.default_rng(0)
    rows, found = 2000, []
    for _ in range(60):
        p = np.clip(rng.normal(share, share / 3, rows), 0.001, 0.999)
        error = metrics.ece((rng.random(rows) < p).astype(float), p)
        assert error is not None
        found.append(error)
    expected = calibration_noise(rows, round(share * rows))
    assert 0.8 * expected < np.mean(found) < 1.2 * expected


def test_a_gain_lies_within_its_error_for_equal_models_and_beyond_it_for_a_better_one():
    rng = np.random.default_rng(1)
    beyond = []
    for _ in range(60):
        contact = rng.integers(0, 300, 1500)
        truth = rng.normal(size=1500)
        label = truth + rng.normal(size=1500) > 1.0
        a, b = (truth + rng.normal(size=1500) for _ in range(2))
        gain, error = paired_gain(label, a, b, contact)
        beyond.append(abs(gain) > 1.96 * error)
    # Ten folds give a rough error: at most one false alarm in six, against one in twenty in the limit.
    assert np.mean(beyond) <= 1 / 6
    gain, error = paired_gain(label, truth, b, contact)
    assert gain > 1.96 * error > 0
