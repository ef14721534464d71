"""The value of policies on a log, against worlds whose truth is known, and what must hold on every log."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from nba.evaluation import switch
from nba.valuation import Gain, Log, contributions, gain_of, switched, value_of

WORLDS = 200
ACTIONS = ("do_nothing", "mail", "call")
Floats = NDArray[np.float64]


def log_of(seed: int, n: int = 600, *, wrong: bool = False) -> tuple[Log, Floats, Floats]:
    """A log, the chances it was drawn with and the true expected rewards, each (n, 3); ``wrong`` guesses at random."""
    rng = np.random.default_rng([seed, 5])
    x = rng.random(n)
    chances = np.column_stack([0.2 + 0.4 * x, np.full(n, 0.2), 0.6 - 0.4 * x])
    action = (chances.cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    truth = np.column_stack([np.full(n, 0.2), 0.2 + 0.5 * x, 0.5 - 0.3 * x])
    rows = np.arange(n)
    reward = (rng.random(n) < truth[rows, action]).astype(np.float64)
    expected = rng.random((n, 3)) if wrong else truth + rng.normal(0, 0.05, (n, 3))
    return Log(ACTIONS, action, reward, chances[rows, action], expected, rows), chances, truth


def constant(n: int, column: int) -> Floats:
    return np.asarray(np.eye(3)[np.full(n, column)])


def best(truth: Floats) -> Floats:
    return np.asarray(np.eye(3)[truth.argmax(axis=1)])


TRUTHS = {
    # Means over x uniform in [0, 1]; mail is better than call from x = 3/8 on.
    "mail": 0.2 + 0.5 / 2,
    "call": 0.5 - 0.3 / 2,
    "best": (0.5 * 0.375 - 0.15 * 0.375**2) + (0.2 * 0.625 + 0.25 * (1 - 0.375**2)),
}


@pytest.mark.parametrize("wrong", [False, True], ids=["models that are near", "models that guess"])
@pytest.mark.parametrize("policy", ["mail", "call", "best"])
def test_intervals_of_values_cover_the_truth(policy: str, wrong: bool) -> None:
    hits = []
    for seed in range(WORLDS):
        log, _, truth = log_of(seed, wrong=wrong)
        target = best(truth) if policy == "best" else constant(len(log), ACTIONS.index(policy))
        bounds = value_of(log, target).interval
        hits.append(bounds is not None and bounds[0] <= TRUTHS[policy] <= bounds[1])
    assert 0.90 <= np.mean(hits) <= 0.99  # nominal 95 %


def test_intervals_of_gains_cover_the_truth_and_are_narrower_than_those_of_values() -> None:
    hits, narrower = [], []
    for seed in range(WORLDS):
        log, _, truth = log_of(seed)
        one, other = best(truth), constant(len(log), 1)
        gain, value = gain_of(log, one, other), value_of(log, one)
        assert gain.interval is not None and value.interval is not None
        hits.append(gain.interval[0] <= TRUTHS["best"] - TRUTHS["mail"] <= gain.interval[1])
        narrower.append(np.ptp(gain.interval) < np.ptp(value.interval))
    assert 0.90 <= np.mean(hits) <= 0.99
    assert np.mean(narrower) > 0.95


def test_rows_of_one_contact_count_as_one() -> None:
    log, _, truth = log_of(1, 300)
    five = np.repeat(np.arange(300), 5)
    again = Log(ACTIONS, log.action[five], log.reward[five], log.logged[five], log.expected[five], five)
    once = gain_of(log, best(truth), constant(300, 1))
    told = gain_of(again, best(truth)[five], constant(1500, 1))
    assert told.interval == pytest.approx(once.interval, abs=1e-9)


@given(seed=st.integers(0, 10_000), level=st.floats(-5, 5))
def test_the_logging_policy_is_worth_the_mean_reward(seed: int, level: float) -> None:
    """Exactly so where the model says the same of every action: all weights are one."""
    log, _, _ = log_of(seed, 60)
    logging = np.eye(3)[log.action]
    flat = replace(log, logged=np.ones(60), expected=np.full((60, 3), level))
    assert np.mean(contributions(flat, logging)) == pytest.approx(np.mean(log.reward), abs=1e-9)


@pytest.mark.parametrize("seed", range(10))
def test_the_logging_policy_is_worth_the_mean_reward_within_its_interval(seed: int) -> None:
    log, chances, _ = log_of(seed, 2000)
    found = value_of(log, chances)
    assert found.interval is not None and found.mean_weight == pytest.approx(1.0, abs=1e-12)
    # Both look at the same rewards, so they differ by much less than either from the truth.
    assert found.dr == pytest.approx(np.mean(log.reward), abs=0.5 * np.ptp(found.interval))


@given(seed=st.integers(0, 10_000), order=st.permutations(range(80)))
def test_the_order_of_the_rows_does_not_matter(seed: int, order: list[int]) -> None:
    log, _, truth = log_of(seed, 80)
    log = replace(log, cluster=log.cluster // 3)
    mixed = Log(
        ACTIONS, log.action[order], log.reward[order], log.logged[order], log.expected[order], log.cluster[order]
    )
    one, other = best(truth), np.full((80, 3), 1 / 3)
    found, again = gain_of(log, one, other), gain_of(mixed, one[order], other[order])
    assert (found.value is None) == (again.value is None)
    if found.value is not None and found.interval is not None:
        assert again.value == pytest.approx(found.value, abs=1e-12)
        assert again.interval == pytest.approx(found.interval, abs=1e-12)


@given(seed=st.integers(0, 10_000))
def test_a_gain_turned_round_is_a_loss_and_over_itself_nothing(seed: int) -> None:
    log, _, truth = log_of(seed, 400)
    one, other = best(truth), np.full((400, 3), 1 / 3)
    there, back = gain_of(log, one, other), gain_of(log, other, one)
    assert there.value is not None and back.value == pytest.approx(-there.value, abs=1e-12)
    assert gain_of(log, one, one) == Gain(0.0, (0.0, 0.0))
    assert not gain_of(log, one, one).is_shown


def test_what_was_never_taken_cannot_be_judged() -> None:
    log, _, truth = log_of(3)
    never = replace(log, action=np.where(log.action == 2, 1, log.action))
    found = value_of(never, constant(600, 2))
    assert found.verdict == "refused" and "call, which was never taken" in found.why
    assert (found.ips, found.snips, found.dr, found.interval) == (None, None, None, None)
    assert gain_of(never, constant(600, 1), constant(600, 2)) == Gain()
    rarely = np.eye(3)[np.where(np.arange(600) == 7, 2, 1)]
    assert value_of(never, rarely).verdict == "refused"
    assert value_of(never, constant(600, 1)).verdict != "refused"
    assert truth.shape == (600, 3)


def test_what_had_no_chance_cannot_be_judged() -> None:
    log, _, _ = log_of(4)
    impossible = np.zeros((600, 3), dtype=np.bool_)
    impossible[:100, 2] = True
    found = value_of(replace(log, impossible=impossible), constant(600, 2))
    assert found.verdict == "refused" and "17%" in found.why and "epsilon" in found.why
    assert value_of(replace(log, impossible=impossible), constant(600, 1)).verdict != "refused"


def test_few_decisions_of_the_policy_are_refused() -> None:
    log, _, _ = log_of(5, 60)
    assert value_of(log, constant(60, 1)).verdict == "refused"


def test_shapes_that_disagree_are_named() -> None:
    log, _, _ = log_of(6)
    with pytest.raises(ValueError, match="600 decisions among 3 actions, but reward"):
        replace(log, reward=log.reward[:5])
    with pytest.raises(ValueError, match="expected"):
        replace(log, expected=log.expected[:, :2])


def rare_log(seed: int, n: int = 4000) -> tuple[Log, float]:
    """A log in which mail was hardly ever sent to some, with a model that is nearly right; and mail's true value."""
    rng = np.random.default_rng([seed, 6])
    x, rows = rng.random(n), np.arange(n)
    mail = np.where(rng.random(n) < 0.3, 0.02, 0.6)
    chances = np.column_stack([np.full(n, 0.2), mail, 0.8 - mail])
    action = (chances.cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    truth = np.column_stack([np.full(n, 0.2), 0.2 + 0.5 * x, 0.5 - 0.3 * x])
    reward = (rng.random(n) < truth[rows, action]).astype(np.float64)
    expected = truth + rng.normal(0, 0.05, (n, 3))
    return Log(ACTIONS, action, reward, chances[rows, action], expected, rows), TRUTHS["mail"]


def test_where_a_good_model_stands_in_for_large_weights_the_error_is_smaller() -> None:
    errors = []
    for seed in range(WORLDS // 4):
        log, value = rare_log(seed)
        found, plain = switched(log, constant(len(log), 1)), value_of(log, constant(len(log), 1))
        if found is not None and plain.dr is not None:
            errors.append((found.value - value, plain.dr - value))
    assert len(errors) == WORLDS // 4
    switch_error, dr_error = np.sqrt(np.mean(np.square(errors), axis=0))
    assert switch_error < 0.8 * dr_error
    assert switch_error < 0.02


def test_switching_at_no_weight_is_doubly_robust_and_at_every_weight_the_model() -> None:
    log, _, truth = log_of(1)
    found = switched(log, best(truth))
    assert found is not None
    rows = np.arange(len(log))
    weight = best(truth)[rows, log.action] / log.logged
    model = (log.expected[rows, log.action], np.sum(best(truth) * log.expected, axis=1))
    assert switch(log.reward, weight, *model, np.inf) == pytest.approx(contributions(log, best(truth)), abs=1e-12)
    assert switch(log.reward, weight, *model, 0.0) == pytest.approx(model[1], abs=1e-12)
    assert found.value == pytest.approx(switch(log.reward, weight, *model, found.most).mean(), abs=1e-12)


def test_what_cannot_be_judged_is_not_switched_either() -> None:
    log, _, _ = log_of(3, n=40)
    assert switched(log, constant(len(log), 1)) is None
