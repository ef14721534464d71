"""What is filled in after the fact is named, and what is merely good is not."""

import numpy as np
import pytest

from training.rows.telling_columns import alone


@pytest.fixture
def label():
    return np.random.default_rng(3).random(2000) < 0.2


def test_a_column_filled_in_for_winners_only_is_found(label):
    assert alone(np.where(label, 5.0, np.nan), label, categorical=False) == 1.0
    assert alone(np.where(label, 2.0, np.nan), label, categorical=True) == 1.0


def test_a_status_set_by_the_outcome_is_found(label):
    noise = np.random.default_rng(4).random(len(label)) < 0.02
    assert alone(np.where(label ^ noise, 1.0, 0.0), label, categorical=True) > 0.95


def test_a_good_column_is_no_leak(label):
    score = label + np.random.default_rng(5).normal(size=len(label))
    assert 0.7 < alone(score, label, categorical=False) < 0.85


def test_many_rare_categories_do_not_look_like_one(label):
    codes = np.random.default_rng(6).permutation(len(label)).astype(float)
    assert alone(codes, label, categorical=True) < 0.6
