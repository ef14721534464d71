"""The journal: in order, once, bounded, and taken over from processes that are gone."""

import multiprocessing
import os
from pathlib import Path

import pytest

from serving.journal.journal import Entry, Journal, JournalFullError, JournalRoomError, room_of
from serving.journal.segment import DAMAGED, SUFFIX


def key_of(record):
    return record.decode() if record.startswith(b"k") else None


def journal(folder, most_bytes=1 << 20):
    return Journal(folder / "journal", key_of, most_bytes)


def entries(*names):
    return [Entry(name.encode(), name if name.startswith("k") else None) for name in names]


def drained(found, most=2):
    """Everything that waits, in parts."""
    records = []
    while (part := found.part(most)) is not None:
        records += part.records
        found.done(part)
    return [record.decode() for record in records]


def files(folder):
    return sorted(path.suffix for path in (folder / "journal").iterdir())


def test_nothing_is_made_before_something_has_to_be_kept(tmp_path):
    found = journal(tmp_path)
    assert found.adopt() == 0
    assert found.report()["state"] == "empty"
    assert list(tmp_path.iterdir()) == []


def test_records_come_back_in_order_and_once(tmp_path):
    found = journal(tmp_path)
    found.append(entries("a", "b", "c"))
    found.append(entries("d"))
    assert found.is_pending
    assert (found.report()["state"], found.report()["records"]) == ("collecting", 4)
    part = found.part(2)
    assert part is not None
    # What is kept while a part is stored comes behind it.
    found.append(entries("e"))
    found.done(part)
    assert [*(record.decode() for record in part.records), *drained(found)] == ["a", "b", "c", "d", "e"]
    assert not found.is_pending
    assert files(tmp_path) == []


def test_what_is_not_done_is_read_again(tmp_path):
    found = journal(tmp_path)
    found.append(entries("a", "b"))
    assert found.part(9) == found.part(9)
    assert drained(found) == ["a", "b"]


def test_a_record_is_found_by_its_id_while_it_waits(tmp_path):
    found = journal(tmp_path)
    found.append(entries("k1", "a", "k2"))
    assert (found.find("k2"), found.find("k3")) == (b"k2", None)
    drained(found)
    assert found.find("k2") is None


def test_what_a_process_left_behind_is_taken_over_in_its_order(tmp_path):
    first = journal(tmp_path)
    first.append(entries("a", "k1"))
    first.close()
    second = journal(tmp_path)
    assert second.adopt() == 2
    assert second.find("k1") == b"k1"
    second.append(entries("b"))
    assert drained(second) == ["a", "k1", "b"]
    assert files(tmp_path) == []


def test_two_processes_never_share_a_file(tmp_path):
    one, other = journal(tmp_path), journal(tmp_path)
    one.append(entries("a"))
    other.append(entries("b"))
    assert (one.adopt(), other.adopt()) == (0, 0)
    assert (drained(one), drained(other)) == (["a"], ["b"])


def keep_and_die(folder):
    journal(Path(folder)).append(entries("a", "b"))
    os.kill(os.getpid(), 9)


def test_what_a_killed_process_kept_is_taken_over_by_one_that_runs(tmp_path):
    found = journal(tmp_path)
    found.append(entries("mine"))
    process = multiprocessing.get_context("spawn").Process(target=keep_and_die, args=(str(tmp_path),))
    process.start()
    process.join()
    assert process.exitcode == -9
    assert found.adopt() == 2
    assert sorted(drained(found)) == ["a", "b", "mine"]


def test_a_torn_end_costs_nothing_before_it_and_is_kept_aside(tmp_path):
    first = journal(tmp_path)
    first.append(entries("a", "b"))
    first.close()
    (path,) = (tmp_path / "journal").iterdir()
    path.write_bytes(path.read_bytes() + b"\x05\0\0\0torn")
    second = journal(tmp_path)
    assert second.adopt() == 2
    assert drained(second) == ["a", "b"]
    assert files(tmp_path) == [DAMAGED]
    assert journal(tmp_path).adopt() == 0


def test_an_empty_file_of_a_process_that_died_at_once_is_removed(tmp_path):
    (tmp_path / "journal").mkdir()
    (tmp_path / "journal" / f"1-a{SUFFIX}").write_bytes(b"")
    found = journal(tmp_path)
    assert found.adopt() == 0
    assert (files(tmp_path), found.is_pending) == ([], False)


def test_when_it_is_full_nothing_more_is_taken_and_all_that_was_is_kept(tmp_path):
    found = journal(tmp_path, most_bytes=2_000)
    kept = []
    with pytest.raises(JournalFullError, match="NBA_JOURNAL_MB"):
        for n in range(100):
            found.append(entries(f"{n:0100}"))
            kept.append(f"{n:0100}")
    assert 5 < len(kept) < 20
    assert found.size <= 2_000
    assert found.report()["state"] == "full"
    assert drained(found) == kept
    assert found.report()["state"] == "empty"
    found.append(entries("again"))
    assert found.report()["state"] == "collecting"


def test_whoever_finds_every_new_file_taken_is_told_so(tmp_path, monkeypatch):
    def taken(*given):
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr("serving.journal.segment.fcntl.flock", taken)
    with pytest.raises(
        JournalFullError, match=r"cannot be written \(each of \d+ new files was taken by another process"
    ):
        journal(tmp_path).append(entries("a"))


def test_a_disk_that_fails_is_said_and_costs_nothing_that_was_kept(tmp_path, monkeypatch):
    found = journal(tmp_path)
    found.append(entries("a"))

    def full(*given):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fdatasync", full)
        with pytest.raises(JournalFullError, match="No space left"):
            found.append(entries("lost"))
        assert found.report()["state"] == "unusable"
    found.append(entries("b"))
    assert drained(found) == ["a", "b"]
    assert files(tmp_path) == []


def test_what_nothing_could_be_kept_in_is_forgotten_once_the_store_takes_everything(tmp_path):
    found = journal(tmp_path, most_bytes=10)
    with pytest.raises(JournalFullError):
        found.append(entries("a"))
    assert found.report()["state"] == "full"
    found.recovered()
    assert found.report()["state"] == "empty"


def test_a_file_that_cannot_be_removed_is_stored_once_and_removed_later(tmp_path, monkeypatch):
    found = journal(tmp_path)
    found.append(entries("a", "b"))

    def denied(*given, **named):
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", denied)
        assert drained(found) == ["a", "b"]
        assert not found.is_pending and found.report()["records"] == 0
        # Neither this journal nor another process takes it for something left behind.
        assert (found.adopt(), journal(tmp_path).adopt()) == (0, 0)
        found.append(entries("c"))
        assert drained(found) == ["c"]
        assert files(tmp_path) == [SUFFIX, SUFFIX]
    assert found.adopt() == 0
    assert files(tmp_path) == []


def test_large_files_are_given_back_while_the_rest_waits(tmp_path, monkeypatch):
    monkeypatch.setattr("serving.journal.journal._LARGE", 300)
    found = journal(tmp_path)
    for n in range(10):
        found.append(entries(f"{n:0100}"))
    assert len(files(tmp_path)) > 2
    size = found.size
    part = found.part(3)
    assert part is not None
    found.done(part)
    assert found.size < size
    assert [int(name) for name in drained(found)] == list(range(len(part.records), 10))


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5", "many", "10000000", "²"])
def test_a_room_that_is_none_is_refused(text):
    with pytest.raises(JournalRoomError, match="NBA_JOURNAL_MB"):
        room_of({"NBA_JOURNAL_MB": text})
