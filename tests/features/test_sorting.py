"""Claims about sorting by counting: by contact, then time, then as it was."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.sorting import gather, in_parts, sort_order


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-3, 3)), max_size=80), st.booleans())
def test_the_order_is_that_of_a_stable_sort(rows, is_log):
    contact = np.array([c for c, _ in rows], dtype=np.int32)
    at = np.array([t for _, t in (sorted(rows, key=lambda r: r[1]) if is_log else rows)], dtype=np.int64)
    order, start = sort_order(contact, at, 4)
    assert order.tolist() == np.lexsort((at, contact)).tolist()
    assert start.tolist() == [0, *np.cumsum(np.bincount(contact, minlength=4)).tolist()]
    assert gather(at, order).tolist() == at[order].tolist()


def test_many_rows_are_sorted_side_by_side():
    rng = np.random.default_rng(0)
    contact, at = rng.integers(0, 50, 200_000).astype(np.int32), rng.integers(0, 10**6, 200_000)
    order, _ = sort_order(contact, at, 50)
    assert (order == np.lexsort((at, contact))).all()
    assert (gather(at, order) == at[order]).all()


@pytest.mark.parametrize("n", [0, 1, 5, 100])
def test_ranges_cover_everything_once(n):
    done = np.zeros(n, dtype=np.int64)

    def do(low: int, high: int) -> None:
        done[low:high] += 1

    in_parts(do, n, work=10**9, threads=3)
    assert (done == 1).all()
