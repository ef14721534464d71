"""Claims about published settings and kept figures in the store, in each database."""

from collections.abc import Iterator

import pytest

from features.rows.row_types import FigureRow, SettingsVersion
from features.store.figures import figures_of, latest_figure, store_figures
from features.store.published import (
    draft_of,
    drop_draft,
    keep_draft,
    newest_number,
    newest_settings,
    publish_settings,
    settings_versions,
)
from features.store.store import Store


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with Store.open(store_url) as opened:
        yield opened


def test_the_newest_version_counts_and_all_stay(store: Store) -> None:
    assert (newest_settings(store), newest_number(store), settings_versions(store)) == (None, 0, [])
    first = SettingsVersion(1, 10, "ann", "spring", {"points.thresholds[1].from": 250, "ranking.epsilon": None})
    second = SettingsVersion(2, 20, "ben", "back", {}, undoes=1)
    with store.writing() as writing:
        assert publish_settings(writing, second) and publish_settings(writing, first)
        assert not publish_settings(writing, first._replace(by="eve")), "who comes second with a number is told"
    assert settings_versions(store) == [first, second]
    assert (newest_settings(store), newest_number(store)) == (second, 2)


def test_a_draft_is_one_for_each_key(store: Store) -> None:
    with store.writing() as writing:
        keep_draft(writing, "k1", {"plan.capacity.phone": 20}, 1)
        keep_draft(writing, "k1", {"plan.capacity.phone": [1, "a", True]}, 2)
        keep_draft(writing, "k2", {}, 1)
    assert draft_of(store, "k1") == {"plan.capacity.phone": [1, "a", True]}
    assert (draft_of(store, "k2"), draft_of(store, "k3")) == ({}, None)
    with store.writing() as writing:
        drop_draft(writing, "k1")
    assert (draft_of(store, "k1"), draft_of(store, "k2")) == (None, {})


def test_figures_are_found_by_name_and_moment(store: Store) -> None:
    rows = [FigureRow("stages", at, {"need": at}) for at in (5, 15, 25)]
    with store.writing() as writing:
        store_figures(writing, [rows[2], rows[0], FigureRow("other", 15, {}), FigureRow("stages", 15, {"need": 0})])
        store_figures(writing, [rows[1]])
    assert figures_of(store, "stages", 5, 25) == rows[:2]
    assert latest_figure(store, "stages", 25) == rows[1]
    assert latest_figure(store, "stages", 5) is None
