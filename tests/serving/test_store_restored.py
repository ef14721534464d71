"""A copy takes the place of a store's file under a running service: nothing of the one before is left, in whose numbers
the copy would be old news."""

import asyncio
import logging
import sqlite3
from contextlib import closing

from features.rows.row_types import DecisionRow, RecordRow, ScoreRow, SettingsVersion
from features.store.patience import Patience
from features.store.published import publish_settings
from features.store.store import Store
from features.times import DAY
from features.touchpoints.touchpoints import TouchpointRules
from nba.in_line import in_line
from nba.privacy.erasure import erase
from nba.privacy.person import person_of
from nba.tables.memory import tables_of
from nba.tables.taken import count_taken
from serving.acts import Acts
from serving.in_force import take_up
from serving.leads import tallies
from tests.serving.conftest import NOW


def copied(folder):
    with closing(sqlite3.connect(folder / "nba.db")) as source, closing(sqlite3.connect(folder / "copy")) as target:
        source.backup(target)


def restored(folder, store):
    """Put the copy there, and have it found as a service does."""
    for name in ("nba.db-wal", "nba.db-shm"):
        (folder / name).unlink(missing_ok=True)
    (folder / "copy").replace(folder / "nba.db")
    store.notice()
    assert store.is_out or store.generation
    while store.is_out:
        store.look()


def opened(folder):
    return Store.open(f"sqlite:///{folder}/nba.db", Patience(5.0))


def test_another_file_is_counted_and_the_same_one_is_not(tmp_path):
    with opened(tmp_path) as store:
        copied(tmp_path)
        (tmp_path / "nba.db").rename(tmp_path / "away")
        store.notice()
        assert not store.look()
        (tmp_path / "away").rename(tmp_path / "nba.db")
        assert store.look() and store.generation == 0
        restored(tmp_path, store)
        assert store.generation == 1


def test_catalogues_and_counts_are_those_of_the_copy(tmp_path):
    with opened(tmp_path) as store:
        with store.writing() as writing:
            writing.records("partners", [RecordRow("old", 1, {"name": "Old"})])
        copied(tmp_path)
        with store.writing() as writing:
            writing.records("partners", [RecordRow("new", 1, {"name": "New"})])
            rows = [DecisionRow(str(n), f"crm:{n}", NOW - DAY, "call", chances={"call": 1.0}) for n in range(3)]
            writing.decisions(rows)
        asked = store, "call", NOW - 2 * DAY, NOW, None, TouchpointRules()
        # What was asked about twice is counted once for a while.
        assert [count_taken(*asked) for _ in range(3)] == [3, 3, 3]
        assert sorted(tables_of(store, NOW).partners) == ["new", "old"]
        restored(tmp_path, store)
        assert sorted(tables_of(store, NOW + 1).partners) == ["old"]
        assert count_taken(*asked) == 0


def publish(store, number):
    with store.writing() as writing:
        assert publish_settings(writing, SettingsVersion(number, number, "ann", "try", {"points.kinds.visit": number}))


def test_what_the_copy_has_published_is_in_force_and_said_once(local, tmp_path, caplog):
    caplog.set_level(logging.INFO, "nba.serving")

    async def journey(client):
        store = local.service.store
        publish(store, 1)
        copied(tmp_path)
        publish(store, 2)
        found = [await take_up(local.app), local.service.settings.source.number]
        await asyncio.to_thread(restored, tmp_path, store)
        found += [await take_up(local.app), local.service.settings.source.number, await take_up(local.app)]
        # The same number again, of other words.
        copied(tmp_path)
        with closing(sqlite3.connect(tmp_path / "copy")) as other:
            other.execute("UPDATE settings_versions SET changes = replace(changes, '1', '9')")
            other.commit()
        await asyncio.to_thread(restored, tmp_path, store)
        return found, await take_up(local.app), local.service.settings.points.kinds["visit"]

    assert local.run(journey) == ([True, 2, True, 1, False], True, 9)
    assert sum("of the settings is in force" in text for text in caplog.messages) == 3


def test_of_whom_the_service_knew_nobody_is_remembered_once_the_journal_is_stored(local, tmp_path):
    async def journey(client):
        for name in ("crm:1", "crm:2"):
            await client.post("/v1/touchpoints", json=local.touchpoint(name, contact=name))
            await client.post("/v1/recommend", json={"contact": name, "decision_id": f"d-{name}"})
        service, waits = local.service, [True]
        seen = Acts(service.store, service.recent, lambda: waits[0])
        await seen.heed()
        copied(tmp_path)
        await asyncio.to_thread(restored, tmp_path, service.store)
        await seen.heed()
        before = service.recent.names
        waits[0] = False
        await seen.heed()
        return before, service.recent.names, service.recent.decision("d-crm:1")

    assert local.run(journey) == ({"crm:1", "crm:2"}, frozenset(), None)


def test_an_erasure_in_the_copy_is_heeded_though_its_number_was_used_before(local, tmp_path):
    def erased(store, name):
        person = person_of(store, name, local.settings.touchpoints)
        erase(store, person, reason="asked", by="the office", now=local.now, folder=tmp_path / "none")

    async def journey(client):
        for name in ("crm:1", "crm:2", "crm:3"):
            await client.post("/v1/touchpoints", json=local.touchpoint(name, contact=name))
            await client.post("/v1/recommend", json={"contact": name})
        store, recent = local.service.store, local.service.recent
        copied(tmp_path)
        seen = Acts(store, recent, lambda: True)
        for name in ("crm:2", "crm:3"):
            await asyncio.to_thread(erased, store, name)
        await seen.heed()
        before = recent.names
        await asyncio.to_thread(restored, tmp_path, store)
        await asyncio.to_thread(erased, store, "crm:1")
        await seen.heed()
        return before, recent.names

    assert local.run(journey) == ({"crm:1"}, frozenset())


def test_what_is_told_of_partners_is_that_of_the_copy(local, tmp_path):
    def told(sentence, *rows):
        with closing(sqlite3.connect(tmp_path / "nba.db", timeout=10)) as other:
            other.executemany(sentence, rows)
            other.commit()

    async def journey(client):
        store = local.service.store
        rows = [(f"crm:{n}", f"crm:{n}", "north") for n in range(9)]
        told("INSERT INTO owner_sights (identity, contact_id, partner) VALUES (?, ?, ?)", *rows[:7])
        copied(tmp_path)
        told("INSERT INTO owner_sights (identity, contact_id, partner) VALUES (?, ?, ?)", *rows[7:])
        found = [each.contacts for each in tallies(local.service, local.now)]
        await asyncio.to_thread(restored, tmp_path, store)
        return found + [each.contacts for each in tallies(local.service, local.now)]

    assert local.run(journey) == [9, 7]


def test_rows_of_the_worklist_are_those_of_the_copy(local, tmp_path):
    row = ScoreRow("crm:1", NOW, "need", 250.0, {"action_1": "sales_call", "priority_1": 5.0}, None)

    async def names(client):
        return [each["name"] for each in (await client.get("/v1/worklist")).json()["contacts"]]

    async def journey(client):
        await client.post("/v1/touchpoints", json=local.touchpoint("t", "service_call"))
        with local.service.store.writing() as writing:
            writing.contacts([RecordRow("crm:1", 1, {"name": "Ann"})])
        local.service.store.save_scores([in_line(row, local.settings.actions, {})])
        copied(tmp_path)
        with closing(sqlite3.connect(tmp_path / "copy")) as other:
            other.execute("UPDATE touchpoints SET kind = 'visit'")
            other.execute("DELETE FROM packed")
            other.commit()
        before = await names(client)
        await asyncio.to_thread(restored, tmp_path, local.service.store)
        return before, await names(client)

    assert local.run(journey) == (["Ann"], [])
