"""What the store does not take the journal keeps, and puts there once and in order when it does."""

import asyncio
import queue
import sqlite3
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import orjson
import pytest

from features.frozen import Frozen
from features.rows.row_types import ContactRow, DecisionRow, LinkRow, OutcomeRow, RecordRow, TouchpointRow
from features.store.patience import Patience
from features.store.store import Store, StoreError
from nba.partners.visibility import Viewer
from nba.settings import parse_settings
from serving.deed import key_of
from serving.deeds import Activate, Arrive, Decide, Learn, Meant, Stored, decision_in, deed_of
from serving.intake.delivery import Delivery, Message, Refusal
from serving.journal.journal import Entry, Journal, JournalFullError
from serving.journal.segment import Segment
from serving.replay import QUARANTINED_FROM, Replay
from serving.writer import Writer
from tests.serving.conftest import SETTINGS

ROW = DecisionRow(
    "d-1",
    "crm:1",
    1_000,
    "newsletter_topic",
    probability=0.25,
    allowed=("do_nothing", "newsletter_topic"),
    topics=("pumps",),
    chances={"newsletter_topic": 0.25, "do_nothing": 0.75},
    terms={"newsletter_topic": {"priority": 1.5}},
    answer='{"contact_id":"crm:ü"}'.encode(),
    request_hash="h",
    as_of=1_000,
)


@pytest.fixture
def settings(tmp_path):
    return parse_settings(SETTINGS, folder=tmp_path, environ={})


@pytest.fixture
def store(tmp_path):
    with Store.open(f"sqlite:///{tmp_path}/nba.db", Patience(0.1)) as found:
        yield found


def arrival(settings, *names, refused=()):
    messages = [
        Message(n, name.encode(), "shop", TouchpointRow("crm:1", 1_000 + n, name, "visit", source="shop"))
        for n, name in enumerate(names)
    ]
    return Arrive(Delivery(True, messages, list(refused)), settings, 5_000, "POST /v1/touchpoints", False)


def deeds(settings):
    told = Message(
        1,
        b'{"userId": "crm:1"}',
        "shop",
        message_id="m-1",
        contacts=(ContactRow("crm:1", 5, {"size": 3}),),
        accounts=(RecordRow("acme", 5, Frozen({"name": "Acme"})),),
        links=(LinkRow("crm:1", "cookie:2", 5, "login", 0.5),),
        left_out=("owner is left out",),
    )
    refused = Refusal(2, b"\xff", "is \ud800 odd", "is odd", False)
    whole = arrival(settings, "t-1")
    whose = replace(whole, delivery=replace(whole.delivery, belongings=[ContactRow("c@owner:jo", 5, {"owner": "jo"})]))
    return [
        Decide(ROW, settings, waiting="d-1@partner:north"),
        replace(whole, delivery=Delivery(True, [*whole.delivery.messages, told], [refused])),
        Learn(OutcomeRow("f-1", "d-1", "clicked", 5, 6, value=0.1), settings),
        Activate("d-1", 7),
        whose,
        *(Meant(each, Viewer(owner="jo"), settings, 9) for each in (whose, Activate("d-1", 7))),
    ]


def test_deeds_are_the_same_after_the_journal(settings):
    for deed in deeds(settings):
        again = deed_of(deed.record(), settings)
        assert again.record() == deed.record()
        assert key_of(deed.record()) == deed.key
    first = deed_of(deeds(settings)[0].record(), settings)
    assert isinstance(first, Decide)
    assert list((first.row.chances or {}).items()) == list((ROW.chances or {}).items())
    assert decision_in(first.record()) == ROW
    assert decision_in(Activate("d", 1).record()) is None
    with pytest.raises(ValueError, match="another version"):
        deed_of(b'["dance",null,{}]', settings)


def test_a_decision_that_shows_a_deferred_one_does_so_also_out_of_the_journal(settings, store):
    first = DecisionRow("d-0", "crm:1", 1, "sales_call", probability=1.0, deferred=True)
    with store.writing() as writing:
        writing.decisions([first])
        deed_of(Decide(ROW, settings, shown="d-0").record(), settings)(writing)
    assert store.decision("d-0").activated_at == ROW.decided_at
    name, key, told = orjson.loads(Decide(ROW, settings, shown="d-0").record())
    del told["shown"]
    older = deed_of(orjson.dumps([name, key, told]), settings)
    assert older.record() == Decide(ROW, settings).record(), "a journal of an earlier version"


def test_a_deed_done_twice_changes_nothing(settings, store):
    for _ in range(2):
        for deed in deeds(settings):
            with store.writing() as writing:
                deed(writing)
    assert [row[2] for row in store.history("crm:1", 10_000)] == ["f-1", "t-1"]
    assert [row.decision_id for row in store.decision_rows()] == ["d-1"]
    assert len(list(store.outcome_rows())) == 1
    assert sorted(row.rule for row in store.quarantine_rows()) == ["is odd", "owner is left out"]
    assert store.traits("crm:1", 10) == {"size": 3}


@contextmanager
def locked(tmp_path):
    """Somebody else writes, and does not stop."""
    other = sqlite3.connect(tmp_path / "nba.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


def journey(work, store, settings, tmp_path, most_bytes=1 << 20, jobs=None):
    """Run ``work(writer)`` with a journal."""

    async def inside():
        journal = Journal(tmp_path / "journal", key_of, most_bytes)
        replay = Replay(store, journal, partial(deed_of, settings=settings))
        writer = Writer(store, replay=replay)
        writer._jobs = jobs or writer._jobs
        writer.open()
        try:
            return await work(writer, replay)
        finally:
            await asyncio.to_thread(writer.close)

    return asyncio.run(inside())


def test_what_is_locked_out_is_kept_and_stored_later_in_order(store, settings, tmp_path):
    async def work(writer, replay):
        assert (await writer.write(arrival(settings, "a"))).stored == 1
        with locked(tmp_path):
            kept = await asyncio.gather(*(writer.write(arrival(settings, "a", f"b{n}")) for n in range(20)))
            assert {each.stored for each in kept} == {2}
            assert await writer.write(Decide(ROW, settings)) is Stored.NOW
            assert writer.keeps and writer.kept("d-1") is not None
            with pytest.raises(StoreError, match="another process"):
                await writer.write(lambda writing: writing.unpack_all([]))
            assert store.counts()["touchpoints"] == 1
            assert writer.report()["records"] == 21
        assert await replay.emptied(20)
        assert (await writer.write(arrival(settings, "b3", "c"))).stored == 1

    journey(work, store, settings, tmp_path)
    assert store.counts()["touchpoints"] == 22
    assert store.decision("d-1") == ROW
    assert list((tmp_path / "journal").iterdir()) == []


def test_of_two_decisions_under_one_id_the_second_is_told_that_it_is_not_kept(store, settings, tmp_path):
    other = replace(ROW, identity="crm:2", request_hash="another")

    async def work(writer, replay):
        with locked(tmp_path):
            both = await asyncio.gather(*(writer.write(Decide(row, settings)) for row in (ROW, other)))
            later = await writer.write(Decide(other, settings))
            assert (*both, later) == (Stored.NOW, Stored.BEFORE, Stored.BEFORE)
            assert decision_in(writer.kept("d-1")) == ROW
        assert await replay.emptied(20)

    journey(work, store, settings, tmp_path)
    assert list(store.decision_rows()) == [ROW]


def test_what_waits_too_long_for_the_store_is_kept_while_it_waits(store, settings, tmp_path):
    store.patience.busy = 30.0

    async def work(writer, replay):
        writer._wait = 0.1
        with locked(tmp_path):
            # The writer stands before the lock, and everybody has been told all the same.
            kept = await asyncio.wait_for(writer.write(arrival(settings, "a")), 20)
            assert kept.stored == 1
            assert (await asyncio.wait_for(writer.write(arrival(settings, "b")), 20)).stored == 1
        assert await replay.emptied(20)

    journey(work, store, settings, tmp_path)
    assert store.counts()["touchpoints"] == 2


def test_what_comes_while_packing_is_locked_out_is_kept(store, settings, tmp_path, monkeypatch):
    store.patience.busy = 30.0
    pack, began, may_end = store.pack_some, threading.Event(), threading.Event()

    def locked_out():
        if began.is_set():
            return pack()
        with locked(tmp_path):
            began.set()
            may_end.wait(20)
        return pack()

    monkeypatch.setattr(store, "pack_some", locked_out)

    async def work(writer, replay):
        writer._wait = 0.1
        assert (await writer.write(arrival(settings, "a"))).stored == 1
        await asyncio.to_thread(began.wait, 20)
        assert (await asyncio.wait_for(writer.write(arrival(settings, "b")), 10)).stored == 1
        assert writer.keeps
        may_end.set()
        assert await replay.emptied(20)

    journey(work, store, settings, tmp_path)
    assert store.counts()["touchpoints"] == 2


def test_the_writer_knows_of_what_another_thread_keeps_before_it_goes_on(settings, tmp_path, monkeypatch):
    packed: list[str] = []

    async def work(writer, replay):
        writer._wait, keep = 0.1, replay.keep

        def slowly(entries):
            # Meanwhile the writer finds that the store is locked, and that somebody has taken its jobs.
            time.sleep(0.5)
            return keep(entries)

        monkeypatch.setattr(replay, "keep", slowly)
        await writer.write(arrival(settings, "a"))
        packed.clear()
        with locked(tmp_path):
            assert (await writer.write(arrival(settings, "b"))).stored == 1
            assert writer.keeps
            assert packed == []
        assert await replay.emptied(20)

    # Longer than the writer's callers wait, and shorter than keeping takes.
    with Store.open(f"sqlite:///{tmp_path}/nba.db", Patience(0.3)) as store:
        monkeypatch.setattr(store, "pack_some", lambda: packed.append("under the lock"))
        journey(work, store, settings, tmp_path)


class LettingIn(queue.SimpleQueue[object]):
    """Lets another thread in whenever the writer is about to take what it has seen."""

    def __init__(self):
        super().__init__()
        self.let_in = None

    def _let_in(self):
        if self.let_in is not None and threading.current_thread().name == "writer":
            let_in, self.let_in = self.let_in, None
            let_in()

    def empty(self):
        found = super().empty()
        self._let_in()
        return found

    def get_nowait(self):
        self._let_in()
        return super().get_nowait()


def test_who_keeps_what_the_writer_was_about_to_take_stops_nobody(store, settings, tmp_path):
    async def work(writer, replay):
        writer._jobs.let_in = writer._keep_waiting
        both = asyncio.gather(*(writer.write(arrival(settings, name)) for name in ("a", "b")))
        assert [each.stored for each in await asyncio.wait_for(both, 20)] == [1, 1]
        assert await replay.emptied(20)

    journey(work, store, settings, tmp_path, jobs=LettingIn())
    assert store.counts()["touchpoints"] == 2


def test_a_disk_that_fails_for_a_moment_ends_no_replay(store, settings, tmp_path, monkeypatch):
    read = Segment.read
    failing = threading.Event()

    def broken(segment, number):
        if not failing.is_set():
            failing.set()
            raise OSError(5, "Input/output error")
        return read(segment, number)

    async def work(writer, replay):
        with locked(tmp_path):
            await writer.write(arrival(settings, "a"))
            monkeypatch.setattr(Segment, "read", broken)
            assert await asyncio.to_thread(failing.wait, 20)
        assert await replay.emptied(20)

    journey(work, store, settings, tmp_path)
    assert failing.is_set() and store.counts()["touchpoints"] == 1


def test_a_journal_that_was_full_is_well_again_once_the_store_is(store, settings, tmp_path):
    async def work(writer, replay):
        with locked(tmp_path), pytest.raises(JournalFullError):
            await writer.write(arrival(settings, "a"))
        assert replay.report()["state"] == "full"
        while replay.report()["state"] != "empty":
            await asyncio.sleep(0.05)

    journey(lambda *given: asyncio.wait_for(work(*given), 20), store, settings, tmp_path, most_bytes=10)


def test_a_store_that_goes_out_is_looked_for_at_once(store, settings, tmp_path, monkeypatch):
    looked = threading.Event()
    monkeypatch.setattr(store, "look", looked.set)

    async def work(writer, replay):
        # Long enough that it has nothing to do and rests.
        await asyncio.sleep(0.5)
        store._dialect.why_out = "nobody is there"
        assert await asyncio.to_thread(looked.wait, 1)

    journey(work, store, settings, tmp_path)


def test_what_cannot_be_stored_goes_to_the_quarantine_and_costs_no_other(store, settings, tmp_path):
    journal = Journal(tmp_path / "journal", key_of)
    wrong = Learn(OutcomeRow("f-1", "d-1", "clicked", 5, 6, action="sales_call"), settings)
    good = arrival(settings, "a"), Decide(ROW, settings), wrong, arrival(settings, "b")
    journal.append([Entry(deed.record(), deed.key) for deed in good] + [Entry(b'["dance",null,{}]')])
    journal.close()

    async def work(writer, replay):
        assert await replay.emptied(20)

    journey(work, store, settings, tmp_path)
    assert store.counts()["touchpoints"] == 2
    kept = list(store.quarantine_rows())
    assert [row.file for row in kept] == [QUARANTINED_FROM] * 2
    assert any("sales_call" in row.raw for row in kept)


def test_a_full_journal_refuses_and_loses_nothing(store, settings, tmp_path):
    async def work(writer, replay):
        taken = []
        with locked(tmp_path):
            for n in range(100):
                try:
                    await writer.write(arrival(settings, f"t{n}"))
                except JournalFullError:
                    break
                taken.append(f"t{n}")
            assert 1 <= len(taken) < 50
        assert await replay.emptied(20)
        return taken

    taken = journey(work, store, settings, tmp_path, most_bytes=4_000)
    assert sorted(row[2] for row in store.history("crm:1", 10_000)) == sorted(taken)
