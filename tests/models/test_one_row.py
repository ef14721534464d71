"""One row is answered as many are, to the last bit."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from models.boosting import Sample, grow, lightgbm
from models.one_row import OneRow

PARAMS = {"num_leaves": 7, "learning_rate": 0.2, "min_data_in_leaf": 5, "cat_smooth": 1.0}


@pytest.fixture(scope="module")
def grown():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(900, 6)).astype(np.float32)
    X[:, 5] = rng.integers(0, 6, 900)
    X[rng.random(X.shape) < 0.2] = np.nan
    y = (rng.random(900) < 1 / (1 + np.exp(-np.nan_to_num(X[:, 0]) - (np.nan_to_num(X[:, 5]) > 2)))).astype(float)
    sample = Sample(X, y, tuple("abcdef"), ("f",))
    return lightgbm().Booster(model_str=grow(sample, PARAMS, 60, 0, 2)), X


def test_every_row_has_the_same_bits_alone(grown):
    booster, X = grown
    odd = np.array([[np.inf, -np.inf, 0, -0.0, 1e-40, 99], [np.nan] * 6, [0, 0, 0, 0, 0, -1]], dtype=np.float32)
    rows = np.vstack([X, odd])
    alone = OneRow(booster, 6)
    assert [alone(row[None, :]) for row in rows] == booster.predict(rows, num_threads=1).tolist()


def test_several_threads_get_their_own_answers(grown):
    booster, X = grown
    alone = OneRow(booster, 6)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda row: alone(row[None, :]), X))
    assert found == booster.predict(X, num_threads=1).tolist()


def test_it_is_made_anew_where_it_is_sent(grown):
    booster, X = grown
    assert pickle.loads(pickle.dumps(OneRow(booster, 6)))(X[:1]) == booster.predict(X[:1], num_threads=1)[0]
