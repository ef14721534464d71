"""What the compiled pass counts is what a reader would count."""

from collections import defaultdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.times import DAY, parse_time
from features.touchpoints.touchpoints import TouchpointRules, Touchpoints
from nba.tallies import WINDOWS, by_kind, by_topic, warm_up

NOW = parse_time("2026-06-15")
KINDS, TOPICS = ("visit", "order", "unsubscribed", "email_sent"), ("pumps", "pumps/used", "valves")
AGES = st.integers(1, 400 * DAY) | st.sampled_from([DAY * days + more for days in WINDOWS for more in (-1, 0, 1)])
TOUCHPOINTS = st.lists(
    st.tuples(AGES, st.sampled_from(KINDS), st.lists(st.sampled_from(TOPICS), max_size=4)), max_size=12
)


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    """Hypothesis would take the time of the compiler for that of a test."""
    warm_up()


def touchpoints(told) -> Touchpoints:
    rows = [
        ("crm:1", NOW - age, f"t{i}", kind, None, None, str(topics).replace("'", '"'), *[None] * 7)
        for i, (age, kind, topics) in enumerate(told)
    ]
    return Touchpoints.from_rows(sorted(rows, key=lambda each: each[1]), TouchpointRules())


def counted(t: Touchpoints, speaks: set[str], topics: set[str] | None) -> list[tuple[Any, ...]]:
    """Count with lists of ages, the newest touchpoint first."""
    ages: defaultdict[tuple[Any, ...], list[int]] = defaultdict(list)
    for row in reversed(range(len(t))):
        kind, age = t.kinds[t.kind[row]], int(NOW - t.occurred_at[row])
        if kind in speaks and not t.outbound[row] and age <= WINDOWS[-1] * DAY:
            codes = t.topic[t.topic_start[row] : t.topic_start[row + 1]].tolist()
            for topic in [None] if topics is None else [t.topics[code] for code in codes if t.topics[code] in topics]:
                ages[kind, topic].append(age)
    return [
        (*key, found[0], tuple(sum(age <= days * DAY for age in found) for days in WINDOWS))
        for key, found in ages.items()
    ]


@given(told=TOUCHPOINTS, speaks=st.sets(st.sampled_from(KINDS)), topics=st.sets(st.sampled_from(TOPICS)))
def test_touchpoints_are_counted_by_kind_and_by_topic(told, speaks: set[str], topics: set[str]) -> None:
    t = touchpoints(told)
    flags = np.array([kind in speaks for kind in t.kinds], dtype=np.bool_)
    codes = [code for code, name in enumerate(t.topics) if name in topics]
    by_kinds = counted(t, speaks, None)
    assert (by_kind(t, NOW, flags), by_kind(t, NOW, flags, 2)) == (by_kinds, by_kinds[:2])
    assert by_topic(t, NOW, flags, codes) == counted(t, speaks, topics)
