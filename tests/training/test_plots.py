"""Claims about the pictures: they are PNGs, the same for the same rows, and do not fail on empty ones."""

import numpy as np
import pytest

from training.plots.plots import calibration_plot, lift_plot

rng = np.random.default_rng(0)
p = rng.beta(1, 8, 3000)
y = (rng.random(3000) < p).astype(int)


@pytest.mark.parametrize(("truth", "score"), [(y, p), ([], []), ([0, 0], [0.1, 0.2]), ([1], [0.5])])
def test_every_set_of_rows_gives_a_png(truth, score):
    for png in (
        calibration_plot(truth, score, "conversion"),
        lift_plot(truth, {"model": score}, "conversion"),
    ):
        assert png.startswith(b"\x89PNG")


def test_same_rows_give_the_same_bytes():
    scores = {"model": p, "points": np.round(p, 1)}
    assert lift_plot(y, scores, "a") == lift_plot(y, scores, "a")
    assert calibration_plot(y, p, "a") == calibration_plot(y, p, "a")
