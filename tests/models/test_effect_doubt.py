"""What more decisions would take away of an effect's error, and what individual effects hang on in a narrow log."""

import numpy as np
import pytest

from models.effect.start import fill_effects
from models.estimate import Candidate
from tests.models.effect_worlds import Decided, decided


def _narrow(seed, n):
    """Decisions of a log that does what it believes in and all else with a chance of one in a hundred."""
    rng, given = np.random.default_rng([seed, 5]), decided(seed, n, average=(0.1, 0.0))
    wish = np.exp(np.column_stack([np.zeros(n), 6.0 * given.X[:, 0], -6.0 * given.X[:, 0]]))
    chances = 0.97 * wish / wish.sum(axis=1, keepdims=True) + 0.01
    action = (chances.cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    y = rng.random(n) < given.p[np.arange(n), action]
    return Decided(given.X, given.p, chances, action, y)


def _root_mean_square(values):
    return float(np.sqrt(np.mean(np.square(values))))


def test_doubt_is_the_part_of_the_error_that_decisions_take_away():
    few, many = (decided(0, n, average=(0.1, 0.0), differs=0.1).fit() for n in (1500, 9000))
    X = decided(9, 500).X
    seen = few.predict(X), many.predict(X)
    for rows in seen:
        assert (rows.doubt > 0).all()
        assert (rows.doubt <= rows.error).all()
    assert seen[1].doubt[:, 0].mean() < 0.6 * seen[0].doubt[:, 0].mean()


def test_who_chooses_is_told_the_doubt():
    effects = decided(0, 1500, average=(0.1, 0.0)).fit()
    X = decided(9, 20).X
    propensity, without, error = np.full((3, 20, 1), np.nan)
    fill_effects({"conversion": effects}, X, [Candidate("call", "phone", "conversion")], propensity, without, error)
    assert np.array_equal(error[:, 0], effects.predict(X).doubt[:, 0])


def test_where_actions_hardly_had_a_chance_effects_are_steadier_than_the_average():
    """Single decisions move the average, and not everybody's effect with it."""
    by_average, by_effects, doubts = [], [], []
    for seed in range(6):
        log = _narrow(seed, 2000)
        effects, truth = log.fit(), log.effect.mean(axis=0)
        by_average.append([each["value"] for each in effects.average.values()] - truth)
        by_effects.append(effects.predict(log.X).effect.mean(axis=0) - truth)
        doubts.append([each.anchor_error for each in effects.actions])
    assert _root_mean_square(by_effects) < 0.8 * _root_mean_square(by_average)
    assert _root_mean_square(by_effects) < 2.0 * _root_mean_square(doubts)


@pytest.mark.parametrize("seed", range(2))
def test_where_chances_were_even_effects_hang_on_the_average(seed):
    effects = decided(seed, 3000, average=(0.1, 0.0)).fit()
    for each in effects.actions:
        assert each.anchor == pytest.approx(each.average, abs=0.2 * each.average_error)
        assert each.anchor_error == pytest.approx(each.average_error, rel=0.1)
