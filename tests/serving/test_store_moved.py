"""The file of a store is moved under a running service: nothing that was acknowledged goes with it."""

import asyncio
import shutil
import sqlite3
import time
from contextlib import closing

import httpx
import pytest

from features.store.patience import Patience
from features.store.store import Store, StoreAwayError
from features.times import DAY
from serving.process import ServerProcess
from tests.serving.test_store_away import recommend, stored_again

ALL = ("nba.db", "nba.db-wal", "nba.db-shm")


def moved(folder, to):
    to.mkdir()
    for name in ALL:
        if (folder / name).exists():
            (folder / name).rename(to / name)


async def told(local, client, name):
    answer = await client.post("/v1/touchpoints", json=local.touchpoint(name))
    assert answer.status_code == 200, answer.text
    return (await recommend(client, "crm:1", f"d-{name}")).json()


def stored(folder):
    with Store.open(f"sqlite:///{folder}/nba.db") as store:
        ids = sorted(row[2] for row in store.history("crm:1", 2**62 // DAY * DAY))
        return ids, [n for n in ("before", "meanwhile", "after") if store.decision(f"d-{n}") is not None]


@pytest.mark.parametrize("is_put_back", [True, False])
def test_what_comes_meanwhile_is_kept_and_stored_in_the_file_that_is_there_then(local, tmp_path, is_put_back):
    async def journey(client):
        assert not (await told(local, client, "before"))["degraded"]
        # A copy of the store, as a backup is.
        with sqlite3.connect(tmp_path / "nba.db") as source, sqlite3.connect(tmp_path / "backup") as target:
            source.backup(target)
        moved(tmp_path, tmp_path / "elsewhere")
        await told(local, client, "meanwhile")
        ready = (await client.get("/readyz")).json()
        assert ready["status"] == "degraded" and "was moved" in str(ready), ready
        assert (await recommend(client, "crm:1")).json()["degraded"]
        assert not (tmp_path / "nba.db").exists(), "a service makes no store anew in the place of one"
        if is_put_back:
            moved_back(tmp_path)
        else:
            shutil.copy(tmp_path / "backup", tmp_path / "nba.db")
        await stored_again(client)
        assert not (await told(local, client, "after"))["degraded"]

    local.run(lambda client: asyncio.wait_for(journey(client), 60))
    assert stored(tmp_path) == (["after", "before", "meanwhile"], ["before", "meanwhile", "after"])


def test_a_command_stores_nothing_in_a_file_that_was_moved(tmp_path):
    for patience in (None, Patience(1.0)):
        with Store.open(f"sqlite:///{tmp_path}/nba.db", patience) as store:
            moved(tmp_path, tmp_path / f"elsewhere-{patience is None}")
            with pytest.raises(StoreAwayError, match=r"nba\.db' was moved, removed or replaced while it was open"):
                with store.writing():
                    raise AssertionError("it must not come to this")
        assert not (tmp_path / "nba.db").exists()


def put(path, what):
    if what == "nothing":
        path.touch()
    elif what == "another program's":
        with sqlite3.connect(path) as other:
            other.execute("CREATE TABLE bookmarks (url TEXT)")
    else:
        path.write_text("a letter")


@pytest.mark.parametrize("what", ["nothing", "another program's", "a letter"])
def test_what_is_no_store_does_not_take_the_place_of_one(tmp_path, what):
    with Store.open(f"sqlite:///{tmp_path}/nba.db", Patience(1.0)) as store:
        moved(tmp_path, tmp_path / "elsewhere")
        with pytest.raises(StoreAwayError), store.writing():
            pass
        with pytest.raises(StoreAwayError, match=r"was moved, .* it is looked for all the time"):
            store.counts()
        assert (store.look(), "moved" in str(store.why_out)) == (False, True)
        put(tmp_path / "nba.db", what)
        assert not store.look()
        before = (tmp_path / "nba.db").read_bytes()
        assert not store.look() and (tmp_path / "nba.db").read_bytes() == before
        (tmp_path / "nba.db").unlink()
        moved_back(tmp_path)
        assert store.look()
        assert store.counts()["touchpoints"] == 0


def moved_back(folder):
    for name in ALL:
        if (folder / "elsewhere" / name).exists():
            (folder / "elsewhere" / name).rename(folder / name)


def test_who_only_reads_notices_it_too_and_reads_what_is_there_then(local, tmp_path):
    async def seen(client):
        return (await client.get("/v1/contacts/crm:1")).status_code

    async def journey(client):
        await told(local, client, "before")
        with sqlite3.connect(tmp_path / "nba.db") as source, sqlite3.connect(tmp_path / "backup") as target:
            source.backup(target)
            target.execute("DELETE FROM touchpoints")
            target.execute("DELETE FROM packed")
            target.execute("DELETE FROM decisions")
        # What was deleted is in the file, and not in a log beside it.
        target.close()
        assert await seen(client) == 200
        moved(tmp_path, tmp_path / "elsewhere")
        shutil.copy(tmp_path / "backup", tmp_path / "nba.db")
        while await seen(client) != 404:
            await asyncio.sleep(0.1)
        assert {await seen(client) for _ in range(20)} == {404}

    local.run(lambda client: asyncio.wait_for(journey(client), 60))


def test_a_copy_of_an_older_schema_is_brought_to_the_newest(tmp_path):
    with Store.open(f"sqlite:///{tmp_path}/nba.db", Patience(1.0)) as store:
        moved(tmp_path, tmp_path / "elsewhere")
        with closing(sqlite3.connect(tmp_path / "elsewhere" / "nba.db")) as source:
            with closing(sqlite3.connect(tmp_path / "nba.db")) as target:
                source.backup(target)
                for name in ("owner_sights_of_owner", "owner_sights_marked"):
                    target.execute(f"DROP INDEX {name}")
                target.execute("UPDATE nba_store SET version = 7")
                target.commit()
        store.notice()
        assert store.is_out and store.look()
    with closing(sqlite3.connect(tmp_path / "nba.db")) as found:
        assert found.execute("SELECT version FROM nba_store").fetchone()[0] > 7


def test_where_the_log_is_taken_away_everything_is_kept_for_the_next_start(tmp_path):
    config = tmp_path / "nba.toml"
    config.write_text("")

    def tell(client, name):
        touchpoint = {"touchpoint_id": name, "identity": "crm:1", "occurred_at": "2025-10-01", "kind": "visit"}
        assert client.post("/v1/touchpoints", json=touchpoint).status_code == 200
        assert client.post("/v1/recommend", json={"contact": "crm:1", "decision_id": f"d-{name}"}).status_code == 200

    with ServerProcess(config) as server, httpx.Client(base_url=server.address, trust_env=False) as client:
        tell(client, "before")
        for name in ALL[1:]:
            (tmp_path / name).unlink()
        tell(client, "meanwhile")
        ready = client.get("/readyz").json()
        assert ready["status"] == "degraded" and ready["journal"]["records"] >= 2, ready
        server.stop()
    with ServerProcess(config) as server, httpx.Client(base_url=server.address, trust_env=False) as client:
        while client.get("/readyz").json()["status"] != "ready":
            time.sleep(0.1)
    ids, decisions = stored(tmp_path)
    # What was in the log alone may have gone with it.
    assert "meanwhile" in ids and "meanwhile" in decisions


def test_a_store_that_is_named_by_an_address_is_watched_as_well(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Store.open("sqlite:///file:nba.db?uri=true") as store:
        moved(tmp_path, tmp_path / "elsewhere")
        with pytest.raises(StoreAwayError, match="moved"), store.writing():
            raise AssertionError("it must not come to this")
    assert not (tmp_path / "nba.db").exists()
