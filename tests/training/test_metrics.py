"""Claims about the metrics: equal to an independent library, and intervals that cover."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

from training import metrics

rows = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 20)), min_size=2, max_size=60)


@settings(deadline=None)
@given(rows)
def test_ranking_metrics_equal_an_independent_library_with_ties(listed):
    y, p = np.array([r[0] for r in listed]), np.array([r[1] for r in listed]) / 20
    if 0 < y.sum() < len(y):
        assert metrics.auc(y, p) == pytest.approx(oracle.roc_auc_score(y, p), abs=1e-12)
        assert metrics.average_precision(y, p) == pytest.approx(oracle.average_precision_score(y, p), abs=1e-12)
        assert metrics.log_loss(y, p) == pytest.approx(oracle.log_loss(y, np.clip(p, 1e-15, 1 - 1e-15)), abs=1e-9)
    assert metrics.brier(y, p) == pytest.approx(np.mean((p - y) ** 2), abs=1e-12)


@settings(max_examples=30, deadline=None)
@given(rows, st.integers(0, 99))
def test_no_metric_depends_on_the_order_of_the_rows(listed, seed):
    y, p = np.array([r[0] for r in listed]), np.array([r[1] for r in listed]) / 20
    cluster, order = np.arange(len(y)) // 3, np.random.default_rng(seed).permutation(len(y))
    one, other = metrics.summary(y, p, cluster), metrics.summary(y[order], p[order], cluster[order])
    for name, value in one.items():
        assert value == other[name] or value == pytest.approx(other[name], abs=1e-9), name


@pytest.mark.parametrize("name", ["auc", "auc_interval", "average_precision", "lift_at_10"])
def test_what_needs_positives_is_none_without_them(name):
    assert getattr(metrics, name)([0, 0, 0], [0.1, 0.2, 0.3]) is None


@pytest.mark.parametrize("name", ["auc", "auc_interval", "average_precision", "brier", "ece", "lift_at_10", "log_loss"])
def test_nothing_is_computed_from_no_rows(name):
    assert getattr(metrics, name)([], []) is None


def test_auc_and_its_interval_are_none_without_negatives():
    assert metrics.auc([1, 1], [0.1, 0.2]) is None
    assert metrics.auc_interval([1, 1], [0.1, 0.2]) is None


def test_one_contact_alone_gives_no_interval():
    assert metrics.auc_interval([0, 1, 0, 1], [0.1, 0.9, 0.3, 0.2], cluster=["a"] * 4) is None


@pytest.mark.parametrize(
    ("y", "p", "says"),
    [
        ([0, 2], [0.1, 0.2], "0 or 1"),
        ([0, 1], [0.1, np.nan], "1 scores are NaN"),
        ([0, 1], [0.1], "shape"),
        ([[0, 1]], [[0.1, 0.2]], "shape"),
    ],
)
def test_what_is_no_prediction_is_refused(y, p, says):
    with pytest.raises(ValueError, match=says):
        metrics.auc(y, p)


def interval(y, p, cluster=None) -> tuple[float, float]:
    found = metrics.auc_interval(y, p, cluster)
    assert found is not None
    return found


def test_a_perfect_ranking_is_not_taken_as_certain():
    low, high = interval([0] * 5 + [1] * 5, np.arange(10))
    assert high == 1.0
    assert low == pytest.approx(0.025**0.2)
    assert metrics.auc_interval([1] * 5 + [0] * 5, np.arange(10)) == pytest.approx((0.0, 1 - low))


def test_a_constant_score_ranks_nothing():
    y = [0, 1, 0, 1, 1]
    assert metrics.auc(y, [0.3] * 5) == 0.5
    assert metrics.auc_interval(y, [0.3] * 5) == (0.5, 0.5)
    assert metrics.lift_at_10(y, [0.3] * 5) == pytest.approx(1.0)


def test_ece_is_the_gap_of_ten_bins_of_equal_mass():
    p = np.linspace(0, 1, 1000)
    y = (np.random.default_rng(0).random(1000) < p).astype(int)
    by_hand = np.mean([abs(a.mean() - b.mean()) for a, b in zip(np.split(p, 10), np.split(y, 10), strict=True)])
    assert metrics.ece(y, p) == pytest.approx(by_hand, abs=1e-12)
    assert metrics.ece(y, np.full(1000, 0.25)) == pytest.approx(abs(y.mean() - 0.25))


def test_lift_is_that_of_the_best_tenth():
    y, p = np.zeros(100), np.arange(100) / 100
    y[[95, 96, 50, 51]] = 1
    assert metrics.lift_at_10(y, p) == pytest.approx(0.5 / 0.1)


def test_without_clusters_the_variance_is_delongs():
    rng = np.random.default_rng(3)
    y, p = np.repeat([1, 0], [40, 60]), np.concatenate([rng.normal(1, 1, 40), rng.normal(0, 1, 60)])
    wins = (p[:40, None] > p[None, 40:]) + 0.5 * (p[:40, None] == p[None, 40:])
    variance = wins.mean(axis=1).var(ddof=1) / 40 + wins.mean(axis=0).var(ddof=1) / 60
    low, high = interval(y, p)
    half = metrics.Z_95 * np.sqrt(variance) / (wins.mean() * (1 - wins.mean()))
    assert np.log(high / (1 - high)) - np.log(low / (1 - low)) == pytest.approx(2 * half, rel=1e-9)


def world(seed: int, repeated: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Binormal scores with a true AUC of .76; with `repeated`, up to 12 correlated rows a contact."""
    rng = np.random.default_rng(seed)
    size = rng.integers(1, 13, 120) if repeated else np.ones(500, dtype=int)
    cluster = np.repeat(np.arange(len(size)), size)
    y = (rng.random(len(size)) < 0.3)[cluster] ^ (rng.random(len(cluster)) < 0.1 * repeated)
    own, shared = rng.normal(size=len(cluster)), rng.normal(size=len(size))[cluster]
    noise = np.sqrt(0.7) * shared + np.sqrt(0.3) * own if repeated else own
    return y.astype(int), y + noise, cluster


@pytest.mark.parametrize("repeated", [False, True])
def test_interval_covers_the_true_auc(repeated):
    truth = 0.7602499  # of two normals one standard deviation apart
    hits = []
    for seed in range(200):
        y, p, cluster = world(seed, repeated)
        low, high = interval(y, p, cluster)
        hits.append(low <= truth <= high)
    assert 0.90 <= np.mean(hits) <= 0.99


def test_ignoring_the_clusters_would_not_cover():
    truth, hits = 0.7602499, []
    for seed in range(200):
        y, p, _ = world(seed, repeated=True)
        low, high = interval(y, p)
        hits.append(low <= truth <= high)
    assert np.mean(hits) < 0.85
