"""Claims about where values come from: exactly what is in a window, parts that add up, and enough to give the value."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from numpy.typing import NDArray

from features import explain as explaining
from features.explain import Explained, explain
from features.matrix import History
from features.times import DAY, HOUR
from features.touchpoints.touchpoints import Touchpoints
from tests.examples import examples
from tests.features.worlds import FEATURES, NOW, RULES, Row, histories, odd_world, row

COLUMNS = replace(FEATURES, own=False)


def touchpoints_of(rows: list[Row]) -> Touchpoints:
    return Touchpoints.from_rows(rows, RULES)


def values_of(rows: list[Row]) -> NDArray[np.float32]:
    contact = np.array([0 if rows else -1])
    found: NDArray[np.float32] = History(touchpoints_of(rows), COLUMNS).matrix(contact, np.array([NOW]))[0]
    return found


def told(rows: list[Row]) -> dict[str, Explained]:
    return {found.feature.name: found for found in explain(touchpoints_of(rows), COLUMNS, NOW)}


def in_order(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda each: each[:3])


def is_outbound(each: Row) -> bool:
    return RULES.is_outbound(each[3], each[5])


ADDING_UP = (
    "n_kind_", "faded_kind_", "n_channel_", "interest_topic_", "faded_topic_", "n_inbound_", "n_outbound_",
    "active_days_", "faded_inbound_", "change_30d", "change_90d", "n_season_30d", "n_channels_", "n_kinds_ever",
    "interest_total", "n_orders_", "revenue_30d", "revenue_90d", "revenue_365d", "revenue_ever", "revenue_faded_30d",
    "margin_365d", "returns_365d", "n_returns_365d", "dwell_30d", "dwell_90d",
)  # fmt: skip

one_contact = histories(contacts=("ann",))


@settings(max_examples=examples(60), deadline=None)
@given(one_contact)
def test_of_a_window_exactly_what_lies_in_it_is_told(rows):
    rows, found = in_order(rows), told(rows)
    for days in (7, 30, 90, 365):
        inside = [NOW - days * DAY <= each[1] < NOW for each in rows]

        def those(test, inside=inside):
            return [i for i, each in enumerate(rows) if inside[i] and test(each)]

        assert found[f"n_inbound_{days}d"].touchpoints.tolist() == those(lambda each: not is_outbound(each))
        assert found[f"n_outbound_{days}d"].touchpoints.tolist() == those(is_outbound)
        for kind in COLUMNS.kinds:
            expected = those(lambda each, kind=kind: each[3] == kind)
            assert found[f"n_kind_{kind}_{days}d"].touchpoints.tolist() == expected
        rest = those(lambda each: each[4] is not None and each[4] not in COLUMNS.channels)
        assert found[f"n_channel_(other)_{days}d"].touchpoints.tolist() == rest


@settings(max_examples=examples(60), deadline=None)
@given(one_contact)
def test_parts_add_up_to_the_value(rows):
    for name, found in told(rows).items():
        if name.startswith(ADDING_UP):
            assert found.shares is not None, name
        if found.shares is not None:
            size = np.abs(found.shares).sum()
            assert found.shares.sum() == pytest.approx(found.value, abs=1e-6 + 1e-5 * size), name
            assert len(found.shares) == len(found.touchpoints)


@settings(max_examples=examples(60), deadline=None)
@given(one_contact)
def test_what_is_told_alone_gives_the_same_value(rows):
    rows = in_order(rows)
    columns = {name: i for i, name in enumerate(COLUMNS.columns)}
    whole = values_of(rows)
    for name, found in told(rows).items():
        i = columns[name]
        np.testing.assert_equal(found.value, np.float64(whole[i]))
        alone = values_of([rows[at] for at in found.touchpoints])
        if not np.isnan(whole[i]):
            assert alone[i] == pytest.approx(whole[i], rel=1e-4, abs=1e-4), name
        else:
            assert len(found.touchpoints) == 0


def test_nothing_at_or_after_the_moment_is_told():
    rows = [row("ann", NOW + shift, i, "order", value=5.0) for i, shift in enumerate((-DAY, 0, DAY))]
    assert {at for found in told(rows).values() for at in found.touchpoints.tolist()} == {0}


def test_who_did_nothing_has_values_that_came_from_nothing():
    for rows in ([], [row("ann", NOW + DAY, 1, "order")]):
        found = told(rows)
        assert len(found) == len(COLUMNS.columns)
        assert all(len(each.touchpoints) == 0 for each in found.values())
        assert found["n_inbound_ever"].value == 0 and np.isnan(found["tenure_days"].value)


def test_first_and_last_come_from_the_first_and_the_last():
    found = told([row("ann", NOW - days * DAY, 100 - days) for days in (9, 5, 2)])
    assert found["tenure_days"].touchpoints.tolist() == [0]
    assert found["recency_inbound_days"].touchpoints.tolist() == [2]
    assert found["tenure_days"].shares is None


def test_touchpoints_that_stand_for_each_other_are_told_together():
    same_instant = [row("ann", NOW - 9 * DAY, 1), row("ann", NOW - 2 * DAY, 2), row("ann", NOW - 2 * DAY, 3)]
    assert told(same_instant)["recency_inbound_days"].touchpoints.tolist() == [1, 2]
    all_answered = [
        row("ann", NOW - 9 * DAY, 1, "email_sent", "email"),
        row("ann", NOW - 8 * DAY, 2, "email_open", "email"),
        row("ann", NOW - 5 * DAY, 3, "email_sent", "email"),
        row("ann", NOW - 4 * DAY, 4, "email_open", "email"),
    ]
    found = told(all_answered)
    assert found["answer_rate"].touchpoints.tolist() == [0, 1, 2, 3]
    assert found["recency_answer_days"].touchpoints.tolist() == [2, 3]


def test_of_what_counts_once_the_first_is_told():
    twice_a_day = [
        row("ann", NOW // DAY * DAY - days * DAY + HOUR * h, h + 9 * days) for days in (1, 2) for h in (1, 2)
    ]
    found = told(twice_a_day)["active_days_30d"]
    assert (found.value, found.touchpoints.tolist()) == (2, [0, 2])
    np.testing.assert_array_equal(found.shares, [1, 1])
    once = told([row("ann", NOW - days * DAY, 9 - days, "order", value=1.0) for days in (3, 2, 1)])["points"]
    assert once.touchpoints.tolist() == [0] and once.shares == pytest.approx([once.value])


def test_topics_of_a_hierarchy_come_from_what_lies_within_them():
    rows = [
        row("ann", NOW - 3 * DAY, 1, topics=("saws/band",)),
        row("ann", NOW - 2 * DAY, 2, topics=("saws",)),
        row("ann", NOW - DAY, 3, topics=("drills",)),
    ]
    assert told(rows)["interest_topic_saws"].touchpoints.tolist() == [0, 1]


def test_how_many_histories_are_held_at_a_time_changes_nothing(monkeypatch):
    rows = [each for each in odd_world(3, 400, 12)[0] if each[0] == "c011"]
    expected = told(rows)
    monkeypatch.setattr(explaining, "_AT_ONCE", 100)
    found = told(rows)
    for name, each in expected.items():
        np.testing.assert_array_equal(found[name].touchpoints, each.touchpoints, err_msg=name)
        np.testing.assert_array_equal(found[name].value, each.value)


def test_what_a_little_old_touchpoint_does_not_add_is_no_share_of_it():
    """The strongest topic is the narrow one: what was seen of the wider one a year ago is no part of it."""
    rows = [
        row("ann", NOW - 350 * DAY, 1, "page_view", topics=("saws",)),
        row("ann", NOW - 350 * DAY, 2, "page_view", topics=("saws",)),
        row("ann", NOW - DAY, 3, "page_view", topics=("saws/band",)),
    ]
    assert told(rows)["interest_top_1"].touchpoints.tolist() == [2]
    assert told(rows)["interest_total"].touchpoints.tolist() == [0, 1, 2]
