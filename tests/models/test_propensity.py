"""Claims about propensities: they rank, they come true, they repeat, and all choices stay inside the rows."""

import json
from functools import cache
from typing import Any, TypedDict

import numpy as np
import pytest

from features.times import DAY
from models.propensity import FEWEST, NotEnoughData, Propensity
from models.time_folds import contact_folds, time_folds
from models.trees import averaged
from training.metrics import auc, ece

COLUMNS = ("recency", "visits", "noise", "revenue", "channel")


class Rows(TypedDict):
    X: np.ndarray
    y: np.ndarray
    as_of: np.ndarray
    until: np.ndarray
    contact: np.ndarray


def world(seed: int, n: int = 4000, base: float = -2.0) -> Rows:
    """Rows of 17 fortnights whose true log-odds are known; the channel is a code."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 5)).astype(np.float32)
    X[:, 4] = rng.integers(0, 6, n)
    odds = base + 1.2 * X[:, 0] + 0.8 * X[:, 1] + 1.0 * np.isin(X[:, 4], (1, 4))
    y = (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(float)
    as_of = np.sort(rng.integers(0, 17, n)) * 14 * DAY
    X[rng.random(X.shape) < 0.05] = np.nan
    return {"X": X, "y": y, "as_of": as_of, "until": as_of + 28 * DAY, "contact": rng.integers(0, n // 8, n)}


def fit(rows: Rows, **changes: Any) -> Propensity:
    quick = {"learning_rate": 0.15, "num_leaves": 7, "feature_fraction": 0.6, "min_data_in_leaf": 40}
    return Propensity.fit(**rows, columns=COLUMNS, categorical=("channel",), params=quick, **changes)


def measured(metric: float | None) -> float:
    assert metric is not None
    return metric


@cache
def fitted() -> Propensity:
    return fit(world(0))


def test_it_ranks_and_comes_true_on_rows_it_has_not_seen():
    later = world(1)
    p = fitted().predict(later["X"])
    assert measured(auc(later["y"], p)) > 0.80
    assert measured(ece(later["y"], p)) < 0.03
    assert p.mean() == pytest.approx(later["y"].mean(), abs=0.02)


def test_the_drivers_are_what_drives():
    names = [name for name, _ in fitted().drivers()]
    assert names[:2] == ["recency", "visits"]
    assert sum(share for _, share in fitted().drivers()) == pytest.approx(1)


def test_contributions_explain_the_difference_between_two_contacts():
    X = world(1)["X"][:50]
    raw = fitted().booster.predict(X, raw_score=True)
    added = fitted().contributions(X)
    assert added.shape == (50, 5)
    assert added.sum(axis=1) - raw == pytest.approx(np.full(50, (added.sum(axis=1) - raw)[0]), abs=1e-9)


def test_one_row_keeps_its_axis_and_its_number():
    X = world(1)["X"][:20]
    together = fitted().predict(X)
    assert [fitted().predict(row[None])[0] for row in X] == together.tolist()
    assert fitted().predict(X[:0]).shape == (0,)


def test_single_and_double_precision_of_the_same_numbers_agree():
    X = world(1)["X"][:200]
    assert (fitted().predict(X) == fitted().predict(X.astype(np.float64))).all()


def test_an_unseen_category_is_no_failure():
    row = world(1)["X"][:1].copy()
    row[0, 4] = 77
    assert 0 < fitted().predict(row)[0] < 1


def test_the_same_rows_and_seed_give_the_same_bytes():
    rows = world(2, 1500)
    assert fit(rows).text == fit(rows).text
    assert fit(rows, seed=1).text != fit(rows).text


def test_refit_makes_the_same_choices_on_more_rows():
    more = world(3, 6000)
    again = fitted().refit(more["X"], more["y"])
    assert (again.params, again.rounds, again.calibration) == (
        fitted().params,
        fitted().rounds,
        fitted().calibration,
    )
    assert again.base_rate == pytest.approx(more["y"].mean())
    assert again.text != fitted().text


def test_json_and_text_give_it_back_to_the_last_bit():
    again = Propensity.from_json(json.loads(json.dumps(fitted().to_json())), fitted().text)
    assert again == fitted()
    X = world(1)["X"]
    assert (again.predict(X) == fitted().predict(X)).all()


@pytest.mark.parametrize("positives", [0, FEWEST - 1])
@pytest.mark.parametrize("flip", [False, True])
def test_too_few_rows_of_a_class_make_no_model(positives, flip):
    rows = world(4, 500)
    rows["y"] = np.zeros(500)
    rows["y"][:positives] = 1
    rows["y"] = 1 - rows["y"] if flip else rows["y"]
    with pytest.raises(NotEnoughData, match="40 of each"):
        fit(rows)


def test_just_enough_rows_make_one():
    rows = world(4, 2000, base=-9)
    rows["y"][:] = 0
    rows["y"][:: 2000 // FEWEST] = 1
    p = fit(rows).predict(rows["X"])
    assert p.mean() == pytest.approx(0.02, abs=0.01)


def test_rows_of_one_moment_are_divided_by_contact_and_never_calibrated():
    rows = world(5)
    model = fit(rows | {"as_of": np.zeros(4000, dtype=np.int64), "until": np.full(4000, 28 * DAY)})
    assert model.folds == "contacts"
    assert model.calibration.method == "none"
    assert measured(auc(rows["y"], model.predict(rows["X"]))) > 0.8


def test_labels_without_any_relation_give_the_base_rate_to_everybody():
    rows = world(6)
    rows["y"] = np.random.default_rng(0).permutation(rows["y"])
    later = world(7)
    p = fit(rows).predict(later["X"])
    assert 0.45 < measured(auc(np.random.default_rng(1).permutation(later["y"]), p)) < 0.55
    assert p.std() < 0.05


@pytest.mark.parametrize("shape", [(3, 4), (3, 6)])
def test_a_matrix_of_another_width_is_refused(shape):
    with pytest.raises(ValueError, match=r"\(n, 5\)"):
        fitted().predict(np.zeros(shape))


def test_truths_or_columns_that_do_not_fit_are_refused():
    rows = world(8, 200)
    with pytest.raises(ValueError, match="matrix has shape"):
        fit(rows | {"y": rows["y"][:-1]})
    with pytest.raises(ValueError, match="'colour'"):
        Propensity.fit(**rows, columns=COLUMNS, categorical=("colour",))


@pytest.mark.parametrize("horizon", [1, 28, 90])
def test_what_a_fold_learns_has_ended_before_what_it_judges_begins(horizon):
    rows = world(9)
    until = rows["as_of"] + horizon * DAY
    folds = time_folds(rows["y"], rows["as_of"], until)
    assert len(folds) > 1
    for fold in folds:
        assert until[fold.learn].max() <= rows["as_of"][fold.judge].min()
    judged = np.concatenate([fold.judge for fold in folds])
    assert len(np.unique(judged)) == len(judged)
    assert rows["as_of"][judged].max() == rows["as_of"].max()


def test_judged_rows_span_a_whole_year_where_there_is_one():
    as_of = np.sort(np.random.default_rng(0).integers(0, 900, 6000)) * DAY
    y = (np.arange(6000) % 7 == 0).astype(float)
    judged = np.concatenate([fold.judge for fold in time_folds(y, as_of, as_of + 30 * DAY)])
    assert as_of[judged].max() - as_of[judged].min() >= 360 * DAY


def test_no_fold_where_nothing_matures():
    y = (np.arange(400) % 2).astype(float)
    as_of = np.arange(400) * DAY
    assert time_folds(y, as_of, as_of + 4000 * DAY) == []
    assert time_folds(np.empty(0), np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)) == []


def test_a_contact_stands_on_one_side_only():
    rows = world(10)
    for fold in contact_folds(rows["y"], rows["contact"], 0):
        assert not set(rows["contact"][fold.learn]) & set(rows["contact"][fold.judge])


def test_averaged_trees_give_the_mean_of_the_log_odds():
    import lightgbm as lgb

    rows = world(11, 1000)
    data = lgb.Dataset(rows["X"], rows["y"], categorical_feature=[4], free_raw_data=False, params={"verbosity": -1})
    settings = {
        "objective": "binary",
        "verbosity": -1,
        "bagging_fraction": 0.5,
        "bagging_freq": 1,
        "num_threads": 1,
    }
    texts = [lgb.train(settings | {"seed": seed}, data, 20).model_to_string() for seed in range(3)]
    each = [lgb.Booster(model_str=text) for text in texts]
    merged = lgb.Booster(model_str=averaged(texts))
    odds = np.mean([booster.predict(rows["X"], raw_score=True) for booster in each], axis=0)
    assert merged.predict(rows["X"], raw_score=True) == pytest.approx(odds, abs=1e-12)
    parts = np.mean([booster.predict(rows["X"], pred_contrib=True) for booster in each], axis=0)
    assert merged.predict(rows["X"], pred_contrib=True) == pytest.approx(parts, abs=1e-9)
    assert merged.num_trees() == 60
    assert lgb.Booster(model_str=merged.model_to_string()).num_trees() == 60
