import asyncio
import threading
from collections.abc import Callable

import pytest

from features.rows.row_types import TouchpointRow
from features.store.store import Store, StoreError
from features.store.writing import Writing
from features.touchpoints.touchpoints import TouchpointRules
from serving.writer import Writer, WriterClosedError


@pytest.fixture
def store(tmp_path):
    with Store.open(f"sqlite:///{tmp_path}/nba.db") as found:
        yield found


def touchpoint(name):
    return TouchpointRow("crm:1", 1_000, name, "visit")


def storing(name: str) -> Callable[[Writing], int]:
    return lambda writing: writing.touchpoints([touchpoint(name)])


def test_what_is_acknowledged_is_committed(store):
    async def journey():
        writer = Writer(store)
        writer.open()
        for n in range(5):
            assert await writer.write(storing(f"t{n}")) == 1
            assert len(store.history("crm:1", 2_000)) == n + 1
        writer.close()

    asyncio.run(journey())


def test_concurrent_writes_share_commits(store, monkeypatch):
    commits = []
    writing = store.writing

    def counted():
        commits.append(threading.get_ident())
        return writing()

    monkeypatch.setattr(store, "writing", counted)

    async def journey():
        writer = Writer(store)
        writer.open()
        jobs = [writer.write(storing(f"t{n}")) for n in range(200)]
        assert sum(await asyncio.gather(*jobs)) == 200
        writer.close()

    asyncio.run(journey())
    assert len(commits) < 100
    assert len(set(commits)) == 1


def test_what_comes_in_one_round_of_the_loop_is_one_commit(store, monkeypatch):
    commits = []
    writing = store.writing

    def counted():
        commits.append(1)
        return writing()

    monkeypatch.setattr(store, "writing", counted)

    async def journey():
        writer = Writer(store)
        writer.open()
        for commit in range(1, 4):
            jobs = [asyncio.create_task(writer.write(storing(f"t{commit}-{n}"))) for n in range(20)]
            assert sum(await asyncio.gather(*jobs)) == 20
            assert len(commits) == commit
        writer.close()

    asyncio.run(journey())


def test_a_faulty_job_costs_no_other(store):
    def faulty(w):
        w.touchpoints([touchpoint("lost")])
        raise ValueError("this one is at fault")

    async def journey():
        writer = Writer(store)
        writer.open()
        jobs = [writer.write(storing(f"t{n}")) for n in range(20)]
        found = await asyncio.gather(*jobs[:10], writer.write(faulty), *jobs[10:], return_exceptions=True)
        writer.close()
        return found

    found = asyncio.run(journey())
    assert [type(each) for each in found].count(ValueError) == 1
    assert isinstance(found[10], ValueError)
    assert {row[2] for row in store.history("crm:1", 2_000)} == {f"t{n}" for n in range(20)}


def test_what_the_store_refuses_is_told_and_not_stored(store):
    async def journey():
        writer = Writer(store)
        writer.open()
        with pytest.raises(StoreError):
            await writer.write(lambda w: w.touchpoints([TouchpointRow("crm:1", 1, "t", None)]))  # type: ignore[arg-type]
        writer.close()

    asyncio.run(journey())
    assert store.counts()["touchpoints"] == 0


def test_what_was_read_from_rows_is_packed_when_nobody_waits(store):
    with store.writing() as writing:
        writing.touchpoints([TouchpointRow("crm:1", at, f"t{at}", "visit") for at in range(20)])

    async def journey():
        writer = Writer(store)
        writer.open()
        store.touchpoints("crm:1", 2_000, TouchpointRules())
        await writer.write(lambda w: 1)
        for _ in range(500):
            if store.packed("crm:1"):
                break
            await asyncio.sleep(0.01)
        assert await writer.write(storing("later")) == 1
        writer.close()

    asyncio.run(journey())
    assert store.packed("crm:1") is not None
    assert store.touchpoints("crm:1", 2_000, TouchpointRules()).touchpoint_id[-1] == "later"


def test_closing_writes_what_waits_and_takes_no_more(store):
    async def journey():
        writer = Writer(store)
        writer.open()
        waiting = [asyncio.create_task(writer.write(storing(f"t{n}"))) for n in range(50)]
        await asyncio.sleep(0)
        writer.close()
        assert sum(await asyncio.gather(*waiting)) == 50
        with pytest.raises(WriterClosedError):
            await writer.write(lambda w: 1)

    asyncio.run(journey())
    assert store.counts()["touchpoints"] == 50


def test_who_no_longer_waits_does_not_disturb_the_others(store):
    async def journey():
        writer = Writer(store)
        writer.open()
        gone = asyncio.create_task(writer.write(storing("gone")))
        stays = asyncio.create_task(writer.write(storing("stays")))
        await asyncio.sleep(0)
        gone.cancel()
        assert await stays == 1
        writer.close()

    asyncio.run(journey())
    assert store.counts()["touchpoints"] == 2
