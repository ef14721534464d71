"""Claims about optional columns: what helps stays, what does not is left out, and nobody's matrix is changed."""

import numpy as np
import pytest

from features.times import DAY
from models.optional_columns import without
from models.propensity import Propensity

COLUMNS = ("a", "b", "stage")
PARAMS = {"num_leaves": 6, "learning_rate": 0.1}


def rows(seed: int, helps: bool) -> tuple[np.ndarray, ...]:
    """Rows whose truth hangs on ``a``, and on the optional column where it helps."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(2500, 3)).astype(np.float32)
    score = X[:, 0] + (1.5 * X[:, 2] if helps else 0.0)
    y = rng.random(2500) < 1 / (1 + np.exp(-score))
    as_of = np.sort(rng.integers(0, 20, 2500)) * 14 * DAY
    return X, y, as_of, as_of + 14 * DAY, rng.integers(0, 800, 2500)


def fitted(seed: int, helps: bool) -> Propensity:
    return Propensity.fit(*rows(seed, helps), columns=COLUMNS, params=PARAMS, seed=seed, optional=[("stage",)])


@pytest.mark.parametrize("seed", range(3))
def test_a_column_that_tells_something_stays(seed):
    assert fitted(seed, True).unused == ()


def test_a_column_of_noise_is_mostly_left_out_and_then_changes_no_prediction():
    models = [fitted(seed, False) for seed in range(5)]
    assert sum(model.unused == ("stage",) for model in models) >= 4
    model = next(model for model in models if model.unused)
    X = rows(9, False)[0]
    other = X.copy()
    other[:, 2] = 7.0
    assert np.array_equal(model.predict(X), model.predict(other))
    assert "stage" not in dict(model.drivers())


@pytest.mark.parametrize("seed", range(3))
def test_groups_are_judged_one_by_one(seed):
    """The noise does not throw the telling column out, nor does that one carry the noise in."""
    left_out = [
        Propensity.fit(*rows(seed, True), columns=COLUMNS, params=PARAMS, seed=seed, optional=groups).unused
        for groups in ([("b",), ("stage",)], [("stage",), ("b",)])
    ]
    assert all("stage" not in unused for unused in left_out)
    assert ("b",) in left_out


def test_the_choice_is_made_once_and_holds_when_fitted_again_and_read_again():
    X, y, *_ = rows(0, False)
    model = fitted(0, False)
    again = model.refit(X, y)
    assert again.unused == model.unused
    assert Propensity.from_json(again.to_json(), again.text).unused == model.unused
    if model.unused:
        assert "stage" not in dict(again.drivers())


def test_a_model_without_optional_columns_is_the_one_it_always_was():
    given = rows(1, True)
    plain = Propensity.fit(*given, columns=COLUMNS, params=PARAMS)
    assert Propensity.fit(*given, columns=COLUMNS, params=PARAMS, optional=[("other",)]).text == plain.text


def test_the_matrix_is_as_it_was_after_and_also_where_something_goes_wrong():
    X, y, *others = rows(0, True)
    kept = X.copy()
    Propensity.fit(X, y, *others, columns=COLUMNS, params=PARAMS, optional=[("stage",)])
    assert np.array_equal(X, kept)
    with pytest.raises(RuntimeError), without(X, [1]) as hidden:
        assert hidden is X and np.isnan(X[:, 1]).all()
        raise RuntimeError
    assert np.array_equal(X, kept)


def test_a_matrix_that_may_not_be_written_is_copied():
    X = np.zeros((3, 2))
    X.setflags(write=False)
    with without(X, [0]) as hidden:
        assert np.isnan(hidden[:, 0]).all() and (X == 0).all()
