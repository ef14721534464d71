"""Claims about the space of stages: the same for one row and many, and what is far apart in it is far in behaviour."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.stages.space import LIMIT, StageSpace

KINDS = ("view", "search", "order")
COLUMNS = (*(f"n_kind_{kind}_{window}" for kind in KINDS for window in ("7d", "30d", "90d")), "recency_days", "money")


def rows(n: int = 400, seed: int = 0) -> np.ndarray:
    """Nested counts of three kinds, days since the last and money."""
    rng = np.random.default_rng(seed)
    new = rng.poisson(rng.gamma(1.0, 2.0, (n, 3))[:, :, None] * np.array([0.3, 0.7, 1.4]))
    counts = new.cumsum(axis=2).reshape(n, 9).astype(float)
    days = np.where(rng.random(n) < 0.3, np.nan, rng.exponential(30.0, n))
    return np.column_stack([counts, days, rng.lognormal(3.0, 1.0, n)])


SPACE = StageSpace.fit(rows(), COLUMNS, kinds=3)


def test_shares_are_square_roots_that_lie_on_a_sphere():
    points = SPACE.points(rows(seed=1))
    assert points.shape == (400, SPACE.width) == (400, 5)
    np.testing.assert_allclose((points[:, :3] ** 2).sum(axis=1), 1.0, rtol=1e-12)


def test_who_did_nothing_lately_has_the_usual_mix():
    idle = rows(1)
    idle[0, :9] = 0
    np.testing.assert_allclose(SPACE.points(idle)[0, :3] ** 2, SPACE.usual, rtol=1e-12)


def test_the_mix_counts_and_not_how_much_there_is_of_it():
    few, many = np.zeros((1, 11)), np.zeros((1, 11))
    few[0, 0:3], many[0, 0:3] = 20, 200
    one, other = SPACE.points(few)[0, :3], SPACE.points(many)[0, :3]
    few[0, 0:3], few[0, 3:6] = 0, 20
    assert np.abs(one - other).max() < 0.15 < 0.5 < np.abs(one - SPACE.points(few)[0, :3]).max()


def test_a_touchpoint_of_this_week_says_more_than_one_of_last_month():
    recent, old = np.zeros((1, 11)), np.zeros((1, 11))
    recent[0, 0:3] = 5
    recent[0, 4:6] = 5  # another kind, in 30 days but not in 7
    old[0, 1:3] = 5
    old[0, 4:6] = 5
    assert SPACE.points(recent)[0, 0] > SPACE.points(old)[0, 0]


def test_never_is_longer_ago_than_any_time():
    X = rows(2)
    X[:, 9] = [np.nan, 5.0]
    never, lately = SPACE.points(X)[:, 3]
    assert never >= SPACE.points(rows())[:, 3].max() > lately


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 399), st.integers(1, 40))
def test_a_row_alone_has_the_point_that_it_has_among_others(first, n):
    X = rows()[first : first + n]
    assert np.array_equal(SPACE.points(X), np.concatenate([SPACE.points(row[None]) for row in X]))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.one_of(st.floats(width=32), st.just(np.nan)), min_size=11, max_size=11))
def test_no_row_lies_nowhere_or_far_outside(values):
    point = SPACE.points(np.array([values], dtype=np.float64))
    assert np.isfinite(point).all()
    assert np.abs(point).max() <= max(1.0, LIMIT)


def test_json_keeps_every_bit():
    again = StageSpace.from_json(json.loads(json.dumps(SPACE.to_json())))
    assert again.same(COLUMNS) and not again.same(COLUMNS[1:])
    assert np.array_equal(again.points(rows(seed=2)), SPACE.points(rows(seed=2)))


def test_a_space_from_before_there_was_a_mix_is_read_as_it_was():
    plain = {name: [0.5, 1.0] for name in ("median", "centre", "scale")} | {"columns": ["a", "b"], "logged": [0, 1]}
    space = StageSpace.from_json(plain)
    X = np.array([[2.0, np.e - 1], [np.nan, 0.0]])
    np.testing.assert_allclose(space.points(X), [[3.0, 0.0], [0.0, -1.0]], atol=1e-12)


@pytest.mark.parametrize("change", [{"usual": [0.5]}, {"weight": [1.0]}, {"logged": []}, {"columns": ["a"]}])
def test_arrays_that_do_not_fit_are_refused(change):
    with pytest.raises(ValueError, match="shape"):
        StageSpace.from_json(SPACE.to_json() | change)


def test_rows_made_for_points_lie_about_there():
    points = SPACE.points(rows(seed=4))
    back = SPACE.points(SPACE.rows(points))
    assert np.median(np.abs(back - points)) < 0.05


@pytest.mark.parametrize(("factor", "fits"), [(1.0, True), (1.3, True), (0.7, True), (30.0, False), (0.02, False)])
def test_a_space_fits_while_most_columns_lie_about_where_they_lay(factor, fits):
    rng = np.random.default_rng(0)
    X = rng.normal(5.0, 1.0, (500, 6))
    space = StageSpace.fit(X, list("abcdef"))
    moved = X.copy()
    moved[:, :3] *= factor
    newer = StageSpace.fit(moved, list("abcdef"))
    assert space.fits(space)
    assert space.fits(newer) == fits
    moved = X.copy()
    moved[:, 0] *= 30.0  # one source that changed is no other world
    assert space.fits(StageSpace.fit(moved, list("abcdef")))
