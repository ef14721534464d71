"""Claims about spans: half-open, one contact's only, and what is tallied in them."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from features.spans import spans, tally

times = st.integers(-5, 5)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(times, max_size=6), min_size=1, max_size=4), st.data())
def test_spans_and_tallies_equal_a_loop(histories, data):
    histories = [sorted(h) for h in histories]
    start = np.concatenate([[0], np.cumsum([len(h) for h in histories])]).astype(np.int64)
    at = np.array([t for h in histories for t in h], dtype=np.int64)
    n = len(at)
    flag = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)), dtype=np.bool_)
    link = np.array(data.draw(st.lists(st.integers(-1, 1), min_size=n, max_size=n)), dtype=np.int32)
    rows = data.draw(
        st.lists(
            st.tuples(st.integers(0, len(histories) - 1), times, times, st.integers(-2, 1), st.integers(-1, n)),
            max_size=5,
        )
    )
    contact, from_, to, wanted, skip = np.array(rows, dtype=np.int64).reshape(-1, 5).T.copy()
    low, high = spans(start, at, contact, from_, to)
    count, total, last = tally((low, high), flag, weight=at / 2, link=link, wanted=wanted, skip=skip)
    for i, (c, f, t, w, s) in enumerate(rows):
        inside = [j for j in range(start[c], start[c + 1]) if f <= at[j] < t]
        assert list(range(low[i], high[i])) == inside
        counted = [j for j in inside if flag[j] and j != s and (w == -1 or link[j] == w)]
        assert (count[i], last[i]) == (len(counted), counted[-1] if counted else -1)
        assert total[i] == sum(at[j] / 2 for j in counted)


def test_one_moment_serves_all_rows():
    low, high = spans(np.array([0, 2, 3]), np.array([1, 5, 2]), np.array([0, 1]), 2, 6)
    assert (low.tolist(), high.tolist()) == ([1, 2], [2, 3])
