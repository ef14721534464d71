"""A model that is held to what can only rise never goes down where such a column goes up."""

import numpy as np
import pytest

from features.catalogue import CATALOGUE, RISING
from features.times import DAY
from models.propensity import Propensity


def test_what_rises_stands_in_the_catalogue():
    assert {feature.name for feature in CATALOGUE} >= RISING


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))])
def test_more_of_it_never_lowers_the_chance(seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(3000, 3)).astype(np.float32)
    # Beyond 1 the truth goes down, which a free model learns.
    odds = 1.5 * np.minimum(X[:, 0], 2 - X[:, 0]) + X[:, 1] - 1
    y = (rng.random(3000) < 1 / (1 + np.exp(-odds))).astype(float)
    as_of = np.sort(rng.integers(0, 12, 3000)) * 14 * DAY
    grid = np.repeat(X[:50], 40, axis=0)
    grid[:, 0] = np.tile(np.linspace(-3, 3, 40), 50)
    falls = []
    for held in (None, {"monotone_constraints": [1, 0, 0]}):
        model = Propensity.fit(
            X, y, as_of, as_of + 14 * DAY, np.arange(3000), columns=("match", "b", "c"), seed=seed, params=held
        )
        falls.append(float(np.diff(model.predict(grid).reshape(50, 40), axis=1).min()))
    assert falls[0] < -0.01 and falls[1] >= -1e-12
