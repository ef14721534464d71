"""Claims about long histories: weighed in blocks, and with a base that moves on, they are what plain sums say."""

import numpy as np
import pytest

from features.feature_set import FeatureSet, PointWeights
from features.kernel.scratch import lay_out, memory_for
from features.matrix import History
from features.times import DAY
from features.touchpoints.touchpoints import TouchpointRules, Touchpoints

NOW = 20_000 * DAY
FEATURES = FeatureSet(
    kinds=("visit",), channels=(), topics=("pumps",), rules=TouchpointRules(),
    points=PointWeights({"visit": 2.0}, half_life=5 * DAY), topic_half_life=DAY,
)  # fmt: skip


def long_history(n: int, days: int, **more) -> Touchpoints:
    at = np.sort(NOW - np.random.default_rng(n).integers(1, days * DAY, n))
    return Touchpoints.from_columns(
        ["ann"], np.zeros(n, dtype=int), at, kind=np.zeros(n, dtype=int), kinds=["visit"],
        topic=np.zeros(n, dtype=int), topics=["pumps"], **more,
    )  # fmt: skip


def row_of(t: Touchpoints, as_of: int) -> dict[str, float]:
    found = History(t, FEATURES).matrix(np.zeros(1, dtype=np.int64), np.array([as_of]))
    return dict(zip(FEATURES.columns, found[0].tolist(), strict=True))


@pytest.mark.parametrize("n", [1, 2, 63, 64, 65, 128, 129, 500])
@pytest.mark.parametrize("days", [30, 900, 9000])
def test_sums_over_long_histories_are_plain_sums(n, days):
    t = long_history(n, days)
    age, found = (NOW - t.occurred_at) / DAY, row_of(t, NOW)
    assert found["n_inbound_ever"] == n
    for half_life in (7, 30, 90):
        assert found[f"faded_inbound_{half_life}d"] == pytest.approx(np.exp2(-age / half_life).sum(), rel=1e-6)
    assert found["interest_topic_pumps"] == pytest.approx(np.exp2(-age).sum(), rel=1e-6, abs=1e-30)
    assert found["points"] == pytest.approx(2.0 * np.exp2(-age / 5).sum(), rel=1e-6, abs=1e-30)
    if n > 2:
        gaps = -np.diff(age)
        assert found["gap_mean_days"] == pytest.approx(gaps.mean(), rel=1e-6)
        assert found["gap_std_days"] == pytest.approx(gaps.std(), rel=1e-6)


@pytest.mark.parametrize("days", [30, 9000])
def test_a_row_is_the_same_whatever_other_rows_cut_its_history_in_pieces(days):
    t = long_history(300, days)
    moments = np.concatenate([t.occurred_at[::7], [NOW]])
    history = History(t, FEATURES)
    many = history.matrix(np.zeros(len(moments), dtype=np.int64), moments)
    for row, moment in zip(many, moments, strict=True):
        assert history.matrix(np.zeros(1, dtype=np.int64), np.array([moment])).tobytes() == row.tobytes()


@pytest.mark.parametrize("days", [30, 9000])
def test_what_is_hidden_leaves_no_trace_in_a_block(days):
    n = 300
    hidden = np.random.default_rng(1).random(n) < 0.5
    t = long_history(n, days, visible_from=np.full(n, -(2**62)), visible_to=np.where(hidden, 0, 2**62))
    at = t.occurred_at[~hidden]
    codes = np.zeros(len(at), dtype=int)
    seen = Touchpoints.from_columns(
        ["ann"], codes, at, kind=codes, kinds=["visit"], topic=codes, topics=["pumps"],
    )  # fmt: skip
    assert np.array(list(row_of(t, NOW).values())).tobytes() == np.array(list(row_of(seen, NOW).values())).tobytes()


@pytest.mark.parametrize("sizes", [(1, 1, 1, 0, 0, 0), (13, 9, 13, 5, 4, 30), (2, 3, 40, 7, 1, 2)])
def test_the_sums_fill_their_memory_exactly(sizes):
    memory = memory_for(*sizes)
    parts = lay_out(memory, *sizes)
    ends = [part.ctypes.data + part.nbytes for part in parts]
    assert min(part.ctypes.data for part in parts) == memory.ctypes.data
    assert max(ends) == memory.ctypes.data + memory.nbytes
    # Views of the same sums aside, each part begins where another ends.
    starts = {part.ctypes.data for part in parts}
    assert starts - {memory.ctypes.data} <= set(ends)
