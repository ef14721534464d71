"""Every contact is in one partition, the same on every machine, and survives the way to another process."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from features.partitions import members, partition_codes, partition_of
from features.touchpoints.touchpoints import Touchpoints
from features.touchpoints.wire import from_bytes, to_bytes
from tests.examples import examples
from tests.features.worlds import RULES, Row, histories, odd_world

names = st.lists(st.text(max_size=8), max_size=30)


@given(names=names, partitions=st.integers(1, 9))
def test_every_name_is_in_exactly_one_partition(names: list[str], partitions: int) -> None:
    parts = members(names, partitions)
    assert sorted(place for part in parts for place in part.tolist()) == list(range(len(names)))
    assert all(len({partition_of(names[i], partitions) for i in part.tolist()}) == 1 for part in parts)
    assert all(part.tolist() == sorted(part.tolist()) for part in parts)


def test_partitions_are_those_of_every_other_language() -> None:
    # The CRC-32 that zlib, PostgreSQL, Java and Spark compute, of the UTF-8.
    assert partition_of("123456789", 2**32) == 0xCBF43926
    assert partition_codes(["", "Zürich"], 64).tolist() == [0, partition_of("Zürich", 64)]


def assert_sent(touchpoints: Touchpoints) -> None:
    for properties in (True, False):
        found = from_bytes(to_bytes(touchpoints, properties=properties))
        assert found.contacts == touchpoints.contacts and found.kinds == touchpoints.kinds
        for name in ("start", "occurred_at", "kind", "channel", "outbound", "value", "margin", "duration", "topic"):
            np.testing.assert_array_equal(getattr(found, name), getattr(touchpoints, name))
        assert list(found.properties) == (list(touchpoints.properties) if properties else [None] * len(found))
        assert decisions(found) == decisions(touchpoints)


def decisions(t: Touchpoints) -> list[str | None]:
    return [t.decisions[code] if code >= 0 else None for code in t.decision.tolist()]


@settings(max_examples=examples(100), deadline=None)
@given(rows=histories())
def test_touchpoints_arrive_as_they_were_sent(rows: list[Row]) -> None:
    assert_sent(Touchpoints.from_rows(rows, RULES))


def test_some_contacts_arrive_with_no_more_than_is_theirs() -> None:
    rows, _, _ = odd_world(5)
    everybody = Touchpoints.from_rows(rows, RULES)
    some = everybody.take([2, 7])
    assert_sent(some)
    sent = to_bytes(some, properties=True)
    assert len(sent) < len(to_bytes(everybody, properties=True)) / 10
    assert set(from_bytes(sent).decisions) == {name for name in decisions(some) if name is not None}
