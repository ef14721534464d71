"""Claims about effects, over seeds, in worlds whose effects are known."""

import json
import os

import numpy as np
import pytest

from models.effect.effect import Effects, NotEnoughDecisions
from models.effect.nuisance import TRIMMED, Log, cut_folds, fit_outcomes, taken_chances
from models.effect.trees import ALL, Binned, Task, grow_family
from tests.models.effect_worlds import ACTIONS, COLUMNS, decided


def covered(seeds, **world):
    hits = []
    for seed in seeds:
        w = decided(seed, **world)
        found = w.fit(seed)
        for i, each in enumerate(found.average.values()):
            low, high = each["interval"]
            hits.append(low <= w.effect[:, i].mean() <= high)
    return np.array(hits)


def test_intervals_of_average_effects_cover_the_truth_in_most_worlds():
    hits = covered(range(40), targeted=0.7)
    # 80 intervals of 95 %: fewer than 68 hits would come by chance once in ten thousand times.
    assert hits.mean() >= 0.85


@pytest.mark.slow
def test_intervals_of_average_effects_cover_the_truth_in_95_of_100_worlds():
    hits = covered(range(1000, 1200), targeted=0.7, differs=0.1)
    assert 0.90 <= hits.mean() <= 0.99


def test_effects_that_do_not_differ_are_the_average_for_everybody():
    spreads = []
    for seed in range(6):
        found = decided(seed, 3000).fit(seed).predict(decided(99, 500).X)
        spreads.append(found.effect[:, 0].std())
    # The signal that differs=.1 would be has a spread of .1.
    assert np.median(spreads) <= 0.01
    assert max(spreads) <= 0.04


@pytest.mark.parametrize("seed", range(3))
def test_effects_that_differ_are_found_and_ordered(seed):
    w, fresh = decided(seed, 8000, differs=0.12, targeted=0.5), decided(seed + 50, 2000, differs=0.12)
    found = w.fit(seed).predict(fresh.X)
    assert np.corrcoef(found.effect[:, 0], fresh.effect[:, 0])[0, 1] >= 0.75
    assert np.abs(found.effect[:, 0] - fresh.effect[:, 0]).mean() <= 0.06
    covers = np.abs(found.effect[:, 0] - fresh.effect[:, 0]) <= 1.96 * found.error[:, 0]
    assert covers.mean() >= 0.85


@pytest.mark.parametrize("worlds", [1, pytest.param(4, marks=pytest.mark.slow)])
def test_what_nobody_logged_is_estimated_and_called_observational(worlds):
    biased, honest = [], []
    for seed in range(worlds):
        w = decided(seed, 6000, average=(0.0, 0.0), targeted=1.2)
        found = w.fit(seed, known=False)
        assert set(found.evidence.values()) == {"observational"}
        biased.append(w.y[w.action == 1].mean() - w.y[w.action == 0].mean())
        honest.append(found.average["call"]["value"])
    # Who needs something orders anyway, and was called: by comparing alone the call seems to work.
    assert np.mean(biased) >= 0.02
    assert abs(np.mean(honest)) <= 0.5 * np.mean(biased)


def test_the_evidence_is_named_by_action():
    w = decided(0, targeted=0.5)
    assert set(w.fit().evidence.values()) == {"logged"}
    probability = w.chances[np.arange(len(w.y)), w.action]
    probability[w.action == 2] = np.nan
    mixed = Effects.fit(w.X, w.action, w.y, actions=ACTIONS, columns=COLUMNS, probability=probability)
    assert mixed.evidence == {"call": "logged", "mail": "observational"}
    assert set(decided(0).fit().evidence.values()) == {"randomised"}


def test_no_model_has_seen_the_rows_it_speaks_of_nor_others_of_their_contact():
    rng = np.random.default_rng(0)
    n = 1200
    X = np.repeat(rng.normal(size=(n // 2, 3)), 2, axis=0).astype(np.float32)
    y = np.repeat(rng.random(n // 2) < 0.4, 2).astype(np.float64)
    fold = cut_folds(np.repeat(np.arange(n // 2), 2), 0)
    assert (fold[0::2] == fold[1::2]).all()
    log = log_of(X, rng.integers(0, 3, n), y, fold)
    # Every row has its like in its own fold only: models that had seen one would know the other.
    unseen = np.corrcoef(fit_outcomes(log, 0).of_row(fold)[:, 0], y)[0, 1]
    assert abs(unseen) <= 0.15
    chance, each, estimated = taken_chances(log, 0)
    assert estimated.all() and chance.min() >= TRIMMED and chance.max() <= 1 - TRIMMED
    assert np.allclose(each.sum(axis=1), 1)


@pytest.mark.parametrize("seed", range(3))
def test_what_a_fold_is_told_does_not_depend_on_its_own_outcomes(seed):
    w = decided(seed, 2000, differs=0.1)
    fold = cut_folds(np.arange(2000), seed)
    binned, rows = Binned.of(w.X, []), np.arange(2000)

    def said(y):
        task = Task(rows, y, {j: np.zeros(2000) for j in (ALL, *range(5))}, {"objective": "binary"}, most=5)
        family = grow_family(binned, task, fold, 0)
        assert family.rounds == 5
        return family.raw

    y = w.y.astype(np.float64)
    turned = np.where((fold == 0) & (rows % 5 == 0), 1 - y, y)
    before, after = said(y), said(turned)
    assert np.array_equal(before[0], after[0])
    assert not np.array_equal(before[1], after[1])
    assert not np.array_equal(before[ALL], after[ALL])


def log_of(X, action, y, fold):
    n = len(y)
    return Log(Binned.of(X, []), action, y, np.full(n, np.nan), np.full((n, 3), np.nan), np.ones((n, 3), bool), fold)


def test_the_same_bytes_with_one_thread_and_with_two(monkeypatch):
    w = decided(1, 2500, differs=0.12)
    made = []
    for threads in (1, 2):
        monkeypatch.setattr(os, "cpu_count", lambda threads=threads: threads)
        found = w.fit(5)
        made.append((json.dumps(found.to_json()), dict(found.texts)))
    assert made[0] == made[1]
    assert w.fit(6).to_json() != json.loads(made[0][0])


def test_what_is_written_is_read_and_one_row_is_answered_as_many_are():
    w = decided(2, 6000, differs=0.15)
    found = w.fit()
    read = Effects.from_json(json.loads(json.dumps(found.to_json())), found.texts)
    many, again = found.predict(w.X[:200]), read.predict(w.X[:200])
    one = [read.predict(w.X[i : i + 1]) for i in range(200)]
    for name in ("without", "effect", "error"):
        assert np.array_equal(getattr(many, name), getattr(again, name))
        assert np.array_equal(np.concatenate([getattr(row, name) for row in one]), getattr(many, name))
    assert ((many.without[:, None] + many.effect > 0) & (many.without[:, None] + many.effect < 1)).all()


def test_actions_with_too_few_decisions_have_no_effect():
    w = decided(0)
    few = np.where((w.action == 2) & (np.arange(len(w.y)) > 40), 0, w.action)
    found = Effects.fit(w.X, few, w.y, actions=ACTIONS, columns=COLUMNS)
    assert found.names == ("call",)
    with pytest.raises(NotEnoughDecisions, match="nothing was done in 0 of"):
        Effects.fit(w.X, np.where(w.action == 0, 1, w.action), w.y, actions=ACTIONS, columns=COLUMNS)
    with pytest.raises(NotEnoughDecisions, match="no action was taken 40 times"):
        Effects.fit(w.X, np.zeros(len(w.y), int), w.y, actions=ACTIONS, columns=COLUMNS)


def test_an_effect_is_learnt_only_where_the_action_was_allowed():
    w = decided(4, 4000, average=(0.1, 0.0), differs=0.1)
    allowed = np.ones((len(w.y), 3), dtype=bool)
    allowed[:, 1] = w.X[:, 0] > 0
    action = np.where(~allowed[:, 1] & (w.action == 1), 0, w.action)
    y = w.y & ~((w.action == 1) & ~allowed[:, 1])
    found = Effects.fit(w.X, action, y, actions=ACTIONS, columns=COLUMNS, allowed=allowed)
    assert found.out_of_fold is not None
    assert np.isnan(found.out_of_fold.effect[~allowed[:, 1], 0]).all()
    # With need the call's effect is .2.
    low, high = found.average["call"]["interval"]
    assert low <= 0.2 <= high


@pytest.mark.parametrize("name", ["probability", "chances", "allowed", "cluster"])
def test_arguments_of_a_wrong_shape_are_named(name):
    w = decided(0, 300)
    with pytest.raises(ValueError, match=f"{name} has shape"):
        w.fit(known=False, **{name: np.ones(7)})
    with pytest.raises(ValueError, match="these effects want"):
        decided(0).fit().predict(w.X[:, :2])
