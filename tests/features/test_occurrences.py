from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from features.rows.occurrences import Occurrences


@given(st.lists(st.lists(st.integers(0, 9), max_size=20), max_size=12))
def test_counts_what_came_before_in_any_chunks(chunks: list[list[int]]) -> None:
    seen, expected, found = Occurrences(), [], []
    before: Counter[int] = Counter()
    for chunk in chunks:
        found += seen.nth(np.array(chunk, dtype=np.uint64)).tolist()
        for key in chunk:
            expected.append(before[key])
            before[key] += 1
    assert found == expected


def test_few_runs_hold_many_keys() -> None:
    seen = Occurrences()
    for start in range(0, 100_000, 1000):
        assert not seen.nth(np.arange(start, start + 1000, dtype=np.uint64)).any()
    assert len(seen._runs) <= 8
    assert seen.nth(np.arange(100_000, dtype=np.uint64)).tolist() == [1] * 100_000
