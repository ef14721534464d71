"""Drift: chance is not called drift, a shift is, and words say which way."""

import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from features.catalogue import Feature
from features.times import DAY
from training.drift.drift import HAS_MOVED, HAS_MOVED_FAR, STEADY, compare
from training.drift.reference import Rate, Reference, Sample
from training.rows.bins import Bins, shift

COLUMNS = 40
FEATURES = tuple(Feature(f"n_{i}_30d", "count", "30d", f"Count {i}.") for i in range(COLUMNS))


COLUMN_SET: Any = SimpleNamespace(columns=tuple(f.name for f in FEATURES), categorical=("n_3_30d",))


def rows(rng, n, *, repeats=1, shift_of=0.0, rate=0.1):
    """Rows of contacts that come ``repeats`` times each, nearly alike: counts, codes, and columns full of gaps."""
    normal = rng.normal(size=(n, COLUMNS)) + shift_of
    X = np.floor(np.exp(normal)).astype(np.float32)
    X[:, 3] = rng.integers(0, 14, n)
    X[:, :10][rng.random((n, 10)) < 0.3] = np.nan
    X[:, 10:20] = normal[:, 10:20]
    X, contact = np.repeat(X, repeats, axis=0), np.repeat(np.arange(n), repeats)
    X[:, 30:] += rng.integers(0, 2, (len(X), 10))
    p = np.repeat(1 / (1 + np.exp(-normal[:, 10] + 2)), repeats)
    return Sample(X, contact, score=p, label=np.repeat(rng.random(n) < rate, repeats))


def reference(sample, *, records=1000 * DAY):
    return Reference.of(sample, COLUMN_SET, np.full(10, 2000 * DAY), 2000 * DAY - records)


LARGER = [pytest.param(1500, 200, 3, marks=pytest.mark.slow), pytest.param(1500, 1500, 1, marks=pytest.mark.slow)]


@pytest.mark.parametrize(("n", "m", "repeats"), [(400, 60, 6), *LARGER])
def test_chance_alone_is_hardly_ever_called_drift(n, m, repeats):
    alarms = 0
    for seed in range(120):
        rng = np.random.default_rng(seed)
        found = compare(reference(rows(rng, n, repeats=repeats)), rows(rng, m), FEATURES)
        alarms += found["level"] != STEADY
    assert alarms <= 10  # which a chance of 5 % stays below in 19 of 20 runs of 120


@pytest.mark.parametrize("times", [75, pytest.param(300, marks=pytest.mark.slow)])
def test_the_rate_of_outcomes_is_hardly_ever_called_moved_by_chance(times):
    alarms = []
    for seed in range(times):
        rng = np.random.default_rng(seed)
        before, after = rows(rng, 1000, repeats=4), rows(rng, 500, repeats=2)
        found = compare(reference(before), after, FEATURES)["outcome"]
        alarms.append(found["meaning"] != STEADY)
    assert np.mean(alarms) <= 0.04


@pytest.mark.parametrize("independent", [(500, 500), (2000, 100)])
def test_the_index_of_equal_distributions_is_what_chance_is_said_to_give(independent):
    rng = np.random.default_rng(5)
    parts = np.full(10, 0.1)
    n, m = independent
    found = [shift(rng.multinomial(n, parts), rng.multinomial(m, parts)) for _ in range(400)]
    assert np.mean([each.psi for each in found]) == pytest.approx(found[0].chance, rel=0.08)
    assert 0.02 <= np.mean([each.p_value < 0.05 for each in found]) <= 0.075


def test_what_has_moved_is_named_with_its_direction_and_its_weight():
    rng = np.random.default_rng(1)
    before, after = rows(rng, 3000), rows(rng, 3000)
    after.X[:, 12] += 0.42
    after.X[:, 14] -= 1.5
    after.X[:, 5][rng.random(3000) < 0.4] = np.nan
    found = compare(reference(before), after, FEATURES, {"n_14_30d": 0.4, "n_12_30d": 0.1})
    told = {row["feature"]: (row["meaning"], row["how"]) for row in found["features"]}
    assert told["n_12_30d"] == (HAS_MOVED, "higher")
    assert told["n_14_30d"] == (HAS_MOVED_FAR, "lower")
    assert told["n_5_30d"][1].startswith("missing more often (32% to")
    assert len(told) == 3 and found["features"][0]["feature"] == "n_14_30d"
    assert found["moved_gain"] == pytest.approx(0.5)
    assert found["level"] == HAS_MOVED and "most n_14_30d (lower" in found["sentence"]


def test_other_categories_and_scores_and_rates_are_told():
    rng = np.random.default_rng(2)
    before, after = rows(rng, 2000), rows(rng, 2000, shift_of=0.9, rate=0.2)
    found = compare(reference(before), after, FEATURES)
    assert found["score"]["meaning"] == HAS_MOVED_FAR and found["score"]["how"] == "higher"
    assert found["outcome"]["meaning"] == HAS_MOVED_FAR and found["outcome"]["change"] > 0.5
    assert found["level"] == HAS_MOVED_FAR and "nba train run" in found["sentence"]
    within = compare(reference(before), after, FEATURES, within=True)
    assert within["level"] == HAS_MOVED_FAR and "etrain" not in within["sentence"], "it has just been trained"
    after.X[:, 3] = np.where(np.isnan(after.X[:, 3]), np.nan, 13)
    only = {row["feature"]: row["how"] for row in compare(reference(before), after, FEATURES[:4])["features"]}
    assert only["n_3_30d"] == "other values"


def test_what_grows_because_the_records_are_young_is_no_alarm():
    rng = np.random.default_rng(3)
    before, after = rows(rng, 2000), rows(rng, 2000)
    after.X[:, 12] += 3
    young = reference(before, records=20 * DAY)
    found = compare(young, after, FEATURES)
    assert (found["moved_far"], found["by_themselves"], found["level"]) == (0, 1, STEADY)


def test_without_scores_or_outcomes_nothing_is_said_of_them():
    rng = np.random.default_rng(4)
    found = compare(reference(rows(rng, 100)), Sample(rows(rng, 100).X, np.arange(100)), FEATURES)
    assert found["score"] is None and found["outcome"] is None and found["level"] == STEADY


def test_a_reference_survives_json_and_is_small():
    rng = np.random.default_rng(6)
    kept = reference(rows(rng, 2000))
    text = json.dumps(kept.to_json(), allow_nan=False)
    assert Reference.from_json(json.loads(text)) == kept
    assert len(text) < 250 * COLUMNS


def test_a_rate_without_a_single_positive_is_not_certain():
    assert Rate.of(np.zeros(100, dtype=bool), np.arange(100)).error > 0.005


NUMBERS = st.sampled_from([-1e9, -1.5, 0, 0.1, 1, 2, 1e9, np.nan])
values = arrays.arrays(np.float64, st.integers(0, 60), elements=NUMBERS)


@given(values, values, st.booleans())
def test_every_row_is_counted_once_whatever_comes_later(before, after, is_category):
    bins = Bins.of(before, is_category=is_category)
    assert sum(bins.counts) == len(before) and bins.counts[-1] == np.isnan(before).sum()
    counts = bins.count(after)
    assert len(counts) == len(bins.counts) and counts.sum() == len(after)
    assert Bins.from_json(json.loads(json.dumps(bins.to_json()))) == bins
    found = shift(bins.counts, counts)
    assert found.psi >= 0 and 0 <= found.p_value <= 1
    assert shift(bins.counts, bins.counts).psi == 0
