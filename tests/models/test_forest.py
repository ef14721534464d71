"""The forest says of every row what LightGBM says, to the last bit, and leaves alone what it does not understand."""

import logging
import math
import pickle
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.boosting import lightgbm
from models.calibration import Calibration
from models.forest.chances import Chances, planted
from models.forest.forest import Forest
from models.forest.model_text import NotUnderstood, read_model
from models.propensity import Propensity
from models.trees import averaged

COLUMNS = 5
ODD = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-40, -1e-36, 1e-35, -0.5, -1.0, 0.5, 99.0, 3e9], dtype=np.float32)
SHAPES = (
    {"num_leaves": 7},
    {"num_leaves": 15, "extra_trees": True},
    {"num_leaves": 31, "zero_as_missing": True},
    {"num_leaves": 31, "use_missing": False},
    {"num_leaves": 63, "max_cat_to_onehot": 1},
    {"num_leaves": 64, "boosting": "dart"},
)
OBJECTIVES = ("binary", "regression", "regression_l1", "poisson", "cross_entropy")


def rows_of(rng, count):
    """Rows with codes of categories in the last column, and with everything that is odd in any."""
    X = np.round(rng.normal(size=(count, COLUMNS)), 1).astype(np.float32)
    X[:, 0] *= 10.0 ** rng.integers(-38, 38)
    X[:, -1] = rng.integers(0, 70, count)
    odd = rng.random(X.shape) < 0.2
    X[odd] = rng.choice(ODD, odd.sum())
    return X


def grown(seed, shape, objective="binary", rounds=12):
    rng = np.random.default_rng(seed)
    X = rows_of(rng, 1200)
    # LightGBM counts categories from 0 and warns of others.
    X[:, -1] = np.where(X[:, -1] >= 0, np.minimum(X[:, -1], 200), np.nan)
    signal = np.nan_to_num(X[:, 1], posinf=2, neginf=-2) + np.nan_to_num(X[:, -1]) % 3 + rng.normal(size=len(X))
    params = {
        "objective": objective, "verbosity": -1, "min_data_in_leaf": 3, "min_data_per_group": 3, "cat_smooth": 1.0,
        "seed": seed, "num_threads": 1, "max_bin": 500, **shape,
    }  # fmt: skip
    y = np.exp(np.clip(signal, -3, 3)) if objective == "poisson" else (signal > 1).astype(float)
    data = lightgbm().Dataset(X, y, categorical_feature=[COLUMNS - 1], params=params)
    text = lightgbm().train(params, data, num_boost_round=rounds).model_to_string(num_iteration=-1)
    return text, lightgbm().Booster(model_str=text)


def propensity(text, **changes):
    plain = Propensity(("a", "b", "c", "d", "e"), ("e",), text, Calibration(), 0.5, 12, {})
    return replace(plain, **changes)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32 - 1), shape=st.sampled_from(SHAPES), objective=st.sampled_from(OBJECTIVES))
def test_every_row_has_the_same_bits_as_by_lightgbm(seed, shape, objective):
    text, booster = grown(seed, shape, objective)
    rows = rows_of(np.random.default_rng(seed + 1), 400)
    forest = Forest([read_model(text)])
    raw = booster.predict(rows, raw_score=True, num_threads=1)
    assert np.array([forest.raw(row[None, :])[0] for row in rows]).tobytes() == raw.tobytes()
    if objective == "binary":
        p = booster.predict(rows, num_threads=1)
        assert np.array([forest(row[None, :])[0] for row in rows]).tobytes() == p.tobytes()


def forest_of(models):
    found = planted(models)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def some():
    """Models with trees of several sizes, one of them the mean of three."""
    texts = [averaged([grown(seed, {"num_leaves": 9}, rounds=20)[0] for seed in (1, 2, 3)])]
    texts += [grown(4, {"num_leaves": 40})[0], grown(5, {"num_leaves": 2})[0], grown(5, {"min_data_in_leaf": 5000})[0]]
    return {f"goal {i}": propensity(text) for i, text in enumerate(texts)}


def test_several_models_are_asked_in_one_pass_by_several_threads(some):
    rows = rows_of(np.random.default_rng(9), 2000)
    names, forest = forest_of(some)
    assert names == tuple(some)
    with ThreadPoolExecutor(4) as pool:
        found = np.array(list(pool.map(lambda row: forest(row[None, :]), rows)))
    assert found.tolist() == np.column_stack([m.booster.predict(rows, num_threads=1) for m in some.values()]).tolist()
    assert pickle.loads(pickle.dumps(forest))(rows[:1]) == found[0].tolist()


def test_chances_are_calibrated_and_each_goal_has_its_row(some):
    models = some | {"goal 1": replace(some["goal 1"], calibration=Calibration("platt", (0.7,), (-0.2,)))}
    row, other = rows_of(np.random.default_rng(3), 2)[:, None, :]
    chances = Chances(models, ["goal 2", "goal 7"])
    own = {"goal 2": other}
    assert chances(row, own) == [float(m.predict(own.get(goal, row))[0]) for goal, m in models.items()]
    without = chances(row, {"goal 2": other[:0]})
    assert without[:2] == chances(row, own)[:2]
    assert math.isnan(without[2])


def test_a_row_of_another_shape_is_refused(some):
    forest = forest_of(some)[1]
    with pytest.raises(ValueError, match=r"shape \(1, 4\); this forest wants \(1, 5\)"):
        forest(np.zeros((1, 4), dtype=np.float32))
    with pytest.raises(ValueError, match="look at the same columns"):
        Forest([read_model(some["goal 0"].text), replace(read_model(some["goal 1"].text), columns=9)])


UNKNOWN = {
    "a mean of trees": (r"^feature_names", "average_output\nfeature_names", "says 'average_output'"),
    "a newer format": (r"^version=v4", "version=v9", "says 'version=v9'"),
    "several outputs": (r"^num_class=1", "num_class=3", "says 'num_class=3'"),
    "linear leaves": (r"^is_linear=0", "is_linear=1", "leaves are linear"),
    "something new in a tree": (r"^is_linear=0", "is_linear=0\nis_odd=1", "a tree says 'is_odd'"),
    "a column that is none": (r"^split_feature=\d+", "split_feature=99", "on no column"),
    "no threshold": (r"^threshold=\S+", "threshold=nan", "has no threshold"),
    "a kind that is none": (r"^decision_type=\d+", "decision_type=12", "of the kind 1[2-9]"),
    "a negative kind": (r"^decision_type=\d+", "decision_type=-2", "of the kind"),
    "a leaf too few": (r"^leaf_value=\S+ ", "leaf_value=", "leaves"),
    "a child that is none": (r"^left_child=\S+", "left_child=99999", "is no model"),
    "a leaf that is none": (r"^left_child=\S+", "left_child=-99999", "twice, or lacks one"),
    "a loop": (r"^left_child=\S+", "left_child=0", "twice, or lacks one"),
    "a child too many": (r"^left_child=", "left_child=1 ", "left_child has"),
    "no word": (r"^cat_threshold=.*", "cat_threshold=", "cat_threshold has"),
    "bounds that fall": (r"^cat_boundaries=0 ", "cat_boundaries=9 ", "categories|cat_threshold"),
    "no tree": (r"(?s)^Tree=0.*", "", "has no trees"),
    "not a number": (r"^num_leaves=\d+", "num_leaves=x", "is no model"),
}


@pytest.fixture(scope="module")
def sound():
    return grown(6, {"num_leaves": 8, "max_cat_to_onehot": 1})[0]


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_it_does_not_know_is_not_understood(name, sound):
    pattern, to, reason = UNKNOWN[name]
    changed = re.sub(pattern, to, sound, count=1, flags=re.MULTILINE)
    assert changed != sound
    with pytest.raises(NotUnderstood, match=reason):
        read_model(changed)


def test_more_leaves_than_a_word_has_bits_are_not_understood():
    with pytest.raises(NotUnderstood, match="a tree has 65 leaves; up to 64 are read"):
        read_model(grown(7, {"num_leaves": 65}, rounds=1)[0])


def test_what_it_does_not_understand_is_answered_by_lightgbm_and_said_why(some, caplog):
    caplog.set_level(logging.INFO)
    row = np.full((1, COLUMNS), 0.25, dtype=np.float32)
    linear = propensity(grown(8, {"linear_tree": True, "num_leaves": 5})[0])
    large, regression = propensity(grown(7, {"num_leaves": 65})[0]), propensity(grown(8, {}, "regression")[0])
    models = {"linear": linear, "large": large, "regression": regression, **some}
    assert Chances(models, [])(row, {}) == [float(model.predict(row)[0]) for model in models.values()]
    assert forest_of(models)[0] == tuple(some)
    assert planted({"linear": linear}) is None
    assert "LightGBM answers for linear itself: its leaves are linear" in caplog.messages
    assert "LightGBM answers for regression itself: its sums are no log-odds of a row's" in caplog.messages
    assert any(re.search(r"large itself: a tree has \d+ leaves", message) for message in caplog.messages)


def test_a_model_that_lightgbm_answers_for_otherwise_is_left_to_it(some, caplog):
    wrong = replace(some["goal 1"])
    # A leaf in the text that is not the booster's.
    object.__setattr__(wrong, "text", re.sub(r"^leaf_value=\S+", "leaf_value=9", wrong.text, flags=re.MULTILINE))
    row = np.full((1, COLUMNS), 0.25, dtype=np.float32)
    models = some | {"goal 1": wrong}
    assert forest_of(models)[0] == ("goal 0", "goal 2", "goal 3")
    assert Chances(models, [])(row, {}) == [model.predict(row)[0] for model in some.values()]
    assert "LightGBM answers for goal 1 itself: the forest says something else" in caplog.messages
