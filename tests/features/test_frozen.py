"""A frozen mapping behaves like the dict it was made of, and stays as it is."""

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.frozen import Frozen


@given(st.dictionaries(st.text(), st.integers()))
def test_it_is_the_mapping_it_was_made_of(items: dict[str, int]) -> None:
    frozen = Frozen(items)
    assert frozen == items and list(frozen) == list(items) and len(frozen) == len(items)
    assert pickle.loads(pickle.dumps(frozen)) == frozen == copy.deepcopy(frozen)
    assert hash(frozen) == hash(Frozen(dict(reversed(items.items()))))


def test_it_keeps_no_tie_to_what_it_was_made_of() -> None:
    items = {"a": 1}
    frozen = Frozen(items)
    items["a"] = 2
    assert frozen["a"] == 1
    with pytest.raises(TypeError):
        frozen["a"] = 3  # type: ignore[index]
