"""Claims about a model's text: what LightGBM writes passes, and what would lead it out of its memory does not."""

import re

import lightgbm
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.sound_trees import check_trees
from models.trees import averaged, side_by_side

CHANGES = {
    "set that is none": (r"^threshold=\d+ ", "threshold=9.5 ", "by set 9.5 of"),
    "set past the last": (r"^threshold=\d+ ", "threshold=7 ", "by set 7 of"),
    "column": (r"^split_feature=\d+", "split_feature=4", "column 4 of 4"),
    "column below": (r"^split_feature=\d+", "split_feature=-1", "column -1 of 4"),
    "child": (r"^left_child=\S+", "left_child=99", "has the child 99"),
    "loop": (r"^right_child=\S+", "right_child=0", "has the child 0"),
    "leaf": (r"^left_child=\S+", "left_child=-99", "has the child -99"),
    "leaf twice": (r"^(left_child=[^\n]*?-)(\d+)([^\n]*?-)\d+", r"\1\2\3\2", "two splits have the same child"),
    "leaves": (r"^num_leaves=\d+", "num_leaves=2000000000", "left_child has"),
    "no leaves": (r"^num_leaves=\d+", "num_leaves=0", "left_child has"),
    "kind": (r"^decision_type=\d+", "decision_type=77", "decision_type 77"),
    "sets": (r"^num_cat=\d+", "num_cat=900", "cat_boundaries has"),
    "boundaries": (r"^cat_boundaries=0 \d+", "cat_boundaries=0 900", "cat_boundaries do not part"),
    "line lost": (r"^left_child=.*\n", "", "left_child has 0 numbers"),
    "line twice": (r"^(leaf_value=.*)$", r"\1\nleaf_value=1", "leaf_value stands there twice"),
    "linear": (r"^is_linear=0", "is_linear=1", "is_linear"),
    "outputs": (r"^num_class=1", "num_class=3", "must be one number"),
    "sizes": (r"^tree_sizes=\d+", "tree_sizes=99999999", "tree_sizes"),
    "letters": (r"^version=v4", "version=vé", "letters that no model has"),
    "columns in all": (r"^max_feature_idx=\d+", "max_feature_idx=x", "max_feature_idx is 'x'"),
}


@pytest.fixture(scope="module")
def text():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(900, 4))
    X[:, 3] = rng.integers(0, 40, 900)
    y = (rng.random(900) < 1 / (1 + np.exp(-X[:, 0] - np.sin(X[:, 3])))).astype(float)
    data = lightgbm.Dataset(X, y, categorical_feature=[3])
    params = {"objective": "binary", "verbosity": -1, "num_leaves": 8, "min_data_per_group": 5, "cat_smooth": 1}
    found = lightgbm.train(params, data, 12).model_to_string(num_iteration=-1)
    assert re.search(r"^num_cat=[1-9]", found, re.MULTILINE)
    return found


def test_what_is_grown_averaged_or_put_side_by_side_is_sound(text):
    for each in (text, averaged([text, text]), side_by_side([None, text, averaged([text, text])])):
        check_trees(each)


@pytest.mark.parametrize("name", CHANGES)
def test_what_leads_nowhere_is_named_with_its_tree(text, name):
    pattern, to, said = CHANGES[name]
    changed = re.sub(pattern, to, text, count=1, flags=re.MULTILINE)
    assert changed != text
    with pytest.raises(ValueError, match=re.escape(said)):
        check_trees(changed)


@given(st.data())
def test_whatever_is_cut_or_changed_is_refused_with_a_sentence_or_passes(text, data):
    at = data.draw(st.integers(0, len(text) - 1))
    changed = data.draw(st.sampled_from([text[:at], text[:at] + data.draw(st.characters()) + text[at + 1 :]]))
    try:
        check_trees(changed)
    except ValueError as refusal:
        assert str(refusal)
