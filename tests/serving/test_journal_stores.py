"""What was acknowledged for one store never gets into another, and waits where it is told."""

import asyncio
import logging
import re

import pytest

from features.store.place import place_of
from features.store.store import Store
from features.times import DAY
from nba.privacy.erasure import naming_files
from serving.journal.stores import folder_of, kept_for_others
from tests.serving.conftest import SETTINGS, Local


def service(folder, name):
    return Local(folder, SETTINGS + f'[store]\nurl = "sqlite:///{folder}/{name}"\n')


def kept_while_away(folder):
    """Acknowledge a touchpoint while the store of production is away; returns the journal's only file."""
    production = service(folder, "production.db")

    async def journey(client):
        (folder / "production.db").rename(folder / "away.db")
        answer = await client.post("/v1/touchpoints", json=production.touchpoint("t"))
        assert answer.status_code == 200, answer.text

    production.run(journey)
    (folder / "away.db").rename(folder / "production.db")
    (path,) = (folder / "journal").glob("*/*.journal")
    return path


def stored(folder, name):
    with Store.open(f"sqlite:///{folder}/{name}") as store:
        return [row[2] for row in store.history("crm:1", 2**62 // DAY * DAY)]


async def ready(client):
    return (await client.get("/readyz")).json()


def test_what_was_acknowledged_for_another_store_waits_for_it_and_is_told(tmp_path, caplog):
    path = kept_while_away(tmp_path)

    async def told(client):
        # Long enough for two looks at what others left behind.
        await asyncio.sleep(4.5)
        return await ready(client)

    with caplog.at_level(logging.WARNING, "nba.serving"):
        found = service(tmp_path, "trial.db").run(told)
    said = r"journal/production\.db-[0-9a-f]+ holds 1 files .* another store.*start once with that store's store\.url"
    assert found["status"] == "degraded" and re.search(said, found["says"][0])
    assert found["journal"]["for_other_stores"] == found["says"] and found["journal"]["records"] == 0
    assert [each for each in caplog.messages if re.search(said, each)]
    assert path.exists() and stored(tmp_path, "trial.db") == []
    assert service(tmp_path, "production.db").run(ready)["status"] == "ready"
    assert stored(tmp_path, "production.db") == ["t"] and not path.exists()


def test_what_tells_of_no_store_is_taken_as_it_was_by_versions_before(tmp_path):
    path = kept_while_away(tmp_path)
    path.rename(path.parent.parent / path.name)
    assert service(tmp_path, "moved.db").run(ready)["status"] == "ready"
    assert stored(tmp_path, "moved.db") == ["t"]
    assert not list((tmp_path / "journal").rglob("*.journal"))


def test_a_folder_is_named_by_its_store_and_looked_at_by_the_others(tmp_path):
    mine, others = (folder_of(tmp_path / "journal", f"postgresql://h:5432/{name}") for name in ("m y/ä", "b"))
    assert re.fullmatch(r"_-[0-9a-f]{16}", mine.name) and re.fullmatch(r"b-[0-9a-f]{16}", others.name)
    assert kept_for_others(mine) == []
    others.mkdir(parents=True)
    (others / "1-a.damaged").write_bytes(b"12345")
    assert kept_for_others(mine) == []
    (others / "1-b.journal").write_bytes(b"12345")
    assert [(each.folder, each.files, each.bytes) for each in kept_for_others(mine)] == [(others, 1, 5)]
    assert kept_for_others(others) == []


@pytest.mark.parametrize("name", ["nba.db", ".nba.db"])
def test_an_erasure_finds_whom_a_journal_of_another_store_names(tmp_path, name):
    folder = folder_of(tmp_path / "journal", f"sqlite:////elsewhere/{name}")
    folder.mkdir(parents=True)
    (folder / "1-a.journal").write_bytes(b"..crm:4711..")
    assert naming_files(tmp_path, {"crm:4711"}) == [folder / "1-a.journal"]


def test_a_file_is_one_store_however_it_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link.db").symlink_to("nba.db")
    spelt = ("nba.db", f"{tmp_path}/nba.db", f"{tmp_path}/x/../nba.db", "link.db", "file:nba.db?uri=true")
    assert {place_of(f"sqlite:///{name}") for name in spelt} == {f"sqlite:///{tmp_path}/nba.db"}


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ann:secret@db.example.com/nba",
        "postgresql+psycopg://ben:other@DB.example.com:5432/nba?sslmode=require",
        "postgresql:///nba?host=db.example.com&port=5432&options=-c statement_timeout%3D5s",
    ],
)
def test_a_database_is_one_store_whoever_asks_it(url):
    pytest.importorskip("psycopg")
    assert place_of(url) == "postgresql://db.example.com:5432/nba"


def test_servers_databases_and_schemas_are_told_apart(monkeypatch):
    pytest.importorskip("psycopg")
    named = (
        "postgresql://u@db/nba",
        "postgresql://u@db:5433/nba",
        "postgresql://u@db2/nba",
        "postgresql://u@db/trial",
        "postgresql://u@db/nba?options=-csearch_path%3Dtrial",
        "postgresql:///nba?host=/run/a",
    )
    assert len({place_of(url) for url in named}) == len(named)
    assert place_of("postgresql://u@127.0.0.1/nba") == place_of("postgresql://u@localhost/nba")
    monkeypatch.setenv("PGHOST", "db")
    monkeypatch.setenv("PGPORT", "5433")
    assert place_of("postgresql:///nba") == place_of("postgresql://u@db:5433/nba")
