"""The file of a store is moved under a running service: nothing that was acknowledged goes with it."""

import asyncio
import shutil
import sqlite3

import pytest

from features.store.patience import Patience
from features.store.store import Store, StoreAwayError
from features.times import DAY
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
            for name in ALL:
                if (tmp_path / "elsewhere" / name).exists():
                    (tmp_path / "elsewhere" / name).rename(tmp_path / name)
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


def test_a_store_that_is_replaced_by_an_empty_file_is_made_ready(tmp_path):
    with Store.open(f"sqlite:///{tmp_path}/nba.db", Patience(1.0)) as store:
        moved(tmp_path, tmp_path / "elsewhere")
        with pytest.raises(StoreAwayError), store.writing():
            pass
        with pytest.raises(StoreAwayError, match="looked for all the time"):
            store.counts()
        assert (store.look(), "moved" in str(store.why_out)) == (False, True)
        (tmp_path / "nba.db").touch()
        assert store.look()
        with store.writing():
            pass
        assert store.counts()["touchpoints"] == 0
