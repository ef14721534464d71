"""A journey world goes into a store whole, directly or by files, under settings that fit it."""

from pathlib import Path
from typing import get_args

import pytest

from features.lake.history import touchpoints_of
from features.store.store import Store
from features.times import DAY
from features.touchpoints.touchpoints import TouchpointRules
from nba.settings.settings import parse_settings
from training.past import read_past
from training.world.files import Format, settings_text, write_files, write_store
from training.world.world import STAGES, TOPICS, WINDOW_DAYS, JourneyWorld, world

TABLES = ("touchpoints", "contacts", "links", "accounts", "partners", "decisions")


@pytest.fixture(scope="module")
def small() -> JourneyWorld:
    return world(120, seed=8, days=125, n_actions=6)


@pytest.fixture(scope="module")
def stored(small: JourneyWorld, tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store.open(f"sqlite:///{tmp_path_factory.mktemp('world')}/nba.db")
    write_store(small, store)
    return store


def test_a_store_has_all_of_it_as_it_was(small: JourneyWorld, stored: Store) -> None:
    assert sorted(stored.touchpoint_rows()) == sorted(row[:14] for row in small.touchpoints)
    assert list(stored.contact_rows()) == sorted(small.contacts, key=lambda row: (row.key, row.known_at))
    assert sorted(stored.link_rows()) == sorted(small.links)
    assert list(stored.record_rows("accounts")) == small.accounts
    assert list(stored.record_rows("partners")) == small.partners
    assert sorted(stored.decision_rows(), key=lambda row: row.decision_id) == small.decisions


@pytest.mark.parametrize("form", get_args(Format))
def test_files_are_loaded_without_a_refusal_and_give_the_same_history(
    small: JourneyWorld, stored: Store, form: Format, tmp_path: Path
) -> None:
    from features.loading.loading import load_files

    paths = write_files(small, tmp_path, form)
    rules = TouchpointRules()
    with Store.open(f"sqlite:///{tmp_path}/nba.db") as store:
        for table in TABLES:
            report = load_files(store, table, [paths[table]], now_us=small.end, rules=rules)
            assert (report.quarantined, report.duplicate, report.notes) == (0, 0, ())
            assert report.stored > 0
        loaded, direct = (touchpoints_of(each, small.end, rules) for each in (store, stored))
        assert loaded.contacts == direct.contacts
        assert loaded.occurred_at.tolist() == direct.occurred_at.tolist()
        assert list(loaded.touchpoint_id) == list(direct.touchpoint_id)
        assert [loaded.topics[t] for t in loaded.topic] == [direct.topics[t] for t in direct.topic]
        by_id = {row.decision_id: row for row in store.decision_rows()}
        for row in small.decisions:
            found = by_id[row.decision_id]
            assert (found.identity, found.decided_at, found.action) == (row.identity, row.decided_at, row.action)
            assert (found.probability, found.allowed, found.topics) == (row.probability, row.allowed, row.topics)
        traits = {row.key: dict(row.body) for row in store.contact_rows()}
        assert traits == {row.key: dict(row.body) for row in small.contacts}


def test_the_settings_are_right_and_fit_the_world(small: JourneyWorld, stored: Store) -> None:
    settings = parse_settings(settings_text(small))
    assert settings.not_built_yet == parse_settings("").not_built_yet
    assert settings.goals["conversion"].horizon == WINDOW_DAYS * DAY
    assert settings.goals["churn"].is_absence
    assert settings.stages.names == STAGES
    assert tuple(settings.actions) == small.actions[1:]
    for lever in small.levers:
        assert settings.actions[lever.name].channel == lever.channel
        assert set(settings.actions[lever.name].topics) <= set(TOPICS)
    kinds = {kind for rule in settings.stages.rules.rules for kind in rule.seen}
    past = read_past(stored, settings, small.end)
    assert kinds <= set(past.recorded.kinds)
    assert len(past.decisions) == len(small.truth)
    assert past.groups is not None


def test_one_action_is_enough_for_settings() -> None:
    settings = parse_settings(settings_text(world(3, days=5, n_actions=1)))
    assert list(settings.actions) == ["sales_call"]
