"""Claims about Qini curves, coefficients and groups of predicted effects."""

import numpy as np
import pytest

from models.qini import effect_groups, qini, qini_curve, total_error


def coefficient(*given) -> float:
    found = qini(*given)
    assert found is not None
    return found


def distance(groups) -> float:
    found = total_error(groups)
    assert found is not None
    return found


def experiment(seed, n=4000):
    rng = np.random.default_rng(seed)
    effect = rng.choice([0.0, 0.3], n)
    treated = rng.random(n) < 0.5
    y = (rng.random(n) < 0.2 + effect * treated).astype(float)
    return effect, treated, y


@pytest.mark.parametrize("seed", range(5))
def test_the_true_order_is_better_than_chance_and_a_perfect_one_has_1(seed):
    effect, treated, y = experiment(seed)
    true, turned, none = (coefficient(score, treated, y) for score in (effect, -effect, np.zeros(len(y))))
    assert qini(y * treated - y * ~treated, treated, y) == pytest.approx(1.0)
    assert true > 0.03
    assert turned < -0.03
    assert none == pytest.approx(0.0, abs=1e-12)
    shuffled = [coefficient(np.random.default_rng(i).permutation(effect), treated, y) for i in range(40)]
    assert abs(np.mean(shuffled)) <= 0.01


def test_the_curve_ends_at_what_the_action_brought_about():
    effect, treated, y = experiment(1)
    count, gained = qini_curve(effect, treated, y)
    expected = (y[treated].mean() - y[~treated].mean()) * treated.sum()
    assert (count[0], gained[0], count[-1]) == (0, 0, len(y))
    assert gained[-1] == pytest.approx(expected)


def test_weights_undo_a_log_that_treated_some_more_often():
    rng = np.random.default_rng(0)
    n = 200_000
    effect = rng.choice([0.0, 0.3], n)
    chance = np.where(effect > 0, 0.9, 0.2)
    treated = rng.random(n) < chance
    y = (rng.random(n) < 0.2 + effect * treated).astype(float)
    fair = rng.random(n) < 0.5
    weighted = qini(effect, treated, y, 1 / np.where(treated, chance, 1 - chance))
    drawn = qini(effect, fair, (rng.random(n) < 0.2 + effect * fair).astype(float))
    assert weighted == pytest.approx(drawn, abs=0.02)


def test_without_a_comparison_there_is_no_coefficient():
    effect, treated, y = experiment(0, 100)
    assert qini(effect, np.ones(100, bool), y) is None
    assert qini(effect, treated, np.zeros(100)) is None


def test_groups_cover_what_they_measure_and_tell_a_wrong_prediction():
    hits, errors, wrong = [], [], []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        effect = rng.normal(0.05, 0.05, 2000)
        stand_in = effect + rng.normal(0, 1, 2000)
        groups = effect_groups(effect, stand_in, np.arange(2000))
        hits += [group.interval[0] <= group.predicted <= group.interval[1] for group in groups]
        errors.append(distance(groups))
        wrong.append(distance(effect_groups(effect + 0.3, stand_in, np.arange(2000))))
    assert 0.90 <= np.mean(hits) <= 0.99
    assert max(errors) < min(wrong)
    assert len(effect_groups(np.zeros(10), np.ones(10), np.arange(10))) == 1


def test_rows_of_one_contact_widen_a_groups_interval():
    rng = np.random.default_rng(0)
    effect, stand_in = np.zeros(500), np.repeat(rng.normal(size=100), 5)
    alone, together = (
        effect_groups(effect, stand_in, c)[0].interval for c in (np.arange(500), np.repeat(range(100), 5))
    )
    assert together[1] - together[0] > 1.8 * (alone[1] - alone[0])
