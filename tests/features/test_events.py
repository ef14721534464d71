"""Claims about what the kernel is handed: any memory a column may lie in says the same."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from features.feature_set import FeatureSet
from features.matrix import History
from features.times import DAY
from features.touchpoints.touchpoints import TouchpointRules, Touchpoints

NOW, N = 20_000 * DAY, 40
FEATURES = FeatureSet(kinds=("order",), channels=("web",), topics=("pumps",), rules=TouchpointRules())


def known() -> Touchpoints:
    rng = np.random.default_rng(0)
    return Touchpoints.from_columns(
        ["ann"], np.zeros(N, dtype=int), np.sort(NOW - rng.integers(1, 400 * DAY, N)),
        kind=rng.integers(0, 2, N), kinds=["order", "visit"], channel=rng.integers(0, 2, N), channels=["web", "email"],
        value=rng.random(N), outbound=rng.random(N) < 0.3, topic=rng.integers(-1, 1, N), topics=["pumps"],
    )  # fmt: skip


def features(t: Touchpoints) -> bytes:
    return History(t, FEATURES).matrix(np.zeros(1, dtype=np.int64), np.array([NOW])).tobytes()


def read_only(column: np.ndarray) -> np.ndarray:
    column = column.copy()
    column.flags.writeable = False
    return column


IN_OTHER_MEMORY = {
    "read-only": read_only,
    "every second of twice as many": lambda column: np.repeat(column, 2)[::2],
    "in the other direction": lambda column: column[::-1].copy()[::-1],
}


@pytest.mark.parametrize("how", IN_OTHER_MEMORY)
@pytest.mark.parametrize("name", ["occurred_at", "kind", "channel", "outbound", "value", "topic", "topic_start"])
def test_a_column_says_the_same_in_any_memory(name, how):
    t = known()
    assert features(replace(t, **{name: IN_OTHER_MEMORY[how](getattr(t, name))})) == features(t)


@pytest.mark.parametrize(("name", "dtype"), [("kind", np.int64), ("value", np.float32), ("channel", np.int16)])
def test_a_column_of_another_type_is_converted(name, dtype):
    t = known()
    column = getattr(t, name).astype(dtype)
    same = replace(t, **{name: column.astype(getattr(t, name).dtype)})
    assert features(replace(t, **{name: column})) == features(same)


@pytest.mark.parametrize(("name", "value"), [("value", 5.0), ("value", np.nan), ("channel", np.int32(-1))])
def test_one_value_in_the_memory_of_one_is_that_value_each_time(name, value):
    t = known()
    column = np.full(N, value, dtype=getattr(t, name).dtype)
    once: Any = {name: np.broadcast_to(column[:1], N)}
    each: Any = {name: column}
    assert features(replace(t, **once)) == features(replace(t, **each))


def test_what_is_absent_or_never_outbound_has_no_entries():
    t = known()
    bare = replace(
        t, value=np.broadcast_to(np.float64(np.nan), N), outbound=np.zeros(N, dtype=np.bool_), topic=t.topic[:0],
        topic_start=np.zeros(N + 1, dtype=np.int64),
    )  # fmt: skip
    events = History(bare, FEATURES).events
    assert not events.has_outbound
    assert [len(events[name]) for name in ("value", "outbound", "topic_start", "answers", "kind")] == [0, 0, 0, 0, N]
