"""The journal: what was acknowledged while the store could not take it, in order, until the store has it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from features.durable import sync
from features.errors import UserError
from features.store.store import StoreAwayError
from features.times import iso
from serving.journal.segment import Segment, left_behind
from serving.journal.stores import kept_for_others

FOLDER = "journal"
MEBIBYTE = 1024 * 1024
MOST_BYTES = 512 * MEBIBYTE
"""NBA_JOURNAL_MB changes it."""
_LARGE = 16 * MEBIBYTE
"""From here on a file grows no more, so that room is given back while the rest still waits."""

log = logging.getLogger("nba.serving")


class JournalFullError(StoreAwayError):
    """The journal has no room, or its disk fails; nothing of this was taken."""


class JournalRoomError(UserError):
    """The room that the environment gives the journal is none."""


def room_of(environ: Mapping[str, str]) -> int:
    """Return how many bytes the journal may take, by NBA_JOURNAL_MB.

    Raises
    ------
    JournalRoomError
        Where that is no number of mebibytes from 1 to 1,000,000.

    Examples
    --------
    >>> room_of({"NBA_JOURNAL_MB": "64"}) == 64 * MEBIBYTE, room_of({}) == MOST_BYTES
    (True, True)
    """
    text = environ.get("NBA_JOURNAL_MB")
    if text is None:
        return MOST_BYTES
    if not text.isascii() or not text.isdigit() or len(text) > 7 or not 1 <= int(text) <= 1_000_000:
        raise JournalRoomError(f"NBA_JOURNAL_MB {text[:40]!r} is not a whole number of mebibytes from 1 to 1000000")
    return int(text) * MEBIBYTE


@dataclass(frozen=True)
class Entry:
    """A record with the id that it can be found by; None: by none."""

    record: bytes
    key: str | None = None


@dataclass(frozen=True)
class Part:
    """The oldest records that wait; ``Journal.done`` says that the store has them."""

    segment: Segment
    first: int
    records: tuple[bytes, ...]


class Journal:
    """Records of one process, and of those before it that ended before the store had theirs.

    Safe to use from several threads. Nothing is made on the disk before something has to be kept.

    Parameters
    ----------
    folder
        Where the files lie.
    unbound
        Where more may have been left that tells of no store; None: nowhere.
    key_of
        Returns the id by which a record can be found.
    most_bytes
        How much it takes at most.
    now_us
        The present moment.
    """

    def __init__(
        self,
        folder: Path,
        key_of: Callable[[bytes], str | None],
        most_bytes: int = MOST_BYTES,
        now_us: Callable[[], int] = lambda: 0,
        *,
        unbound: Path | None = None,
    ) -> None:
        self._folder, self._key_of, self._now_us = folder, key_of, now_us
        self._unbound = unbound
        self.most_bytes = most_bytes
        self._lock = threading.Lock()
        self._segments: list[Segment] = []
        self._finished: list[Segment] = []
        self._read = 0
        self._keys: dict[str, tuple[Segment, int]] = {}
        self._since: int | None = None
        self._trouble: str | None = None

    @property
    def is_pending(self) -> bool:
        """Whether anything waits for the store."""
        return bool(self._segments)

    @property
    def holds_others(self) -> bool:
        """Whether something waits that another process kept."""
        with self._lock:
            return any(segment.was_adopted for segment in self._segments)

    @property
    def size(self) -> int:
        """How many bytes its files have."""
        with self._lock:
            return sum(segment.bytes for segment in self._segments)

    def adopt(self) -> int:
        """Take over what processes left behind that are gone; says how many records wait in it."""
        found = 0
        there = left_behind(self._folder) + ([] if self._unbound is None else left_behind(self._unbound))
        with self._lock:
            self._remove()
            own = {segment.path for segment in (*self._segments, *self._finished)}
            for path in sorted(there, key=lambda one: one.name):
                if path not in own and (segment := _adopted(path)) is not None:
                    self._take(segment)
                    found += len(segment.places)
            # In the order of their age, and before anything that this process has yet to keep.
            self._segments[1:] = sorted(self._segments[1:], key=lambda one: one.path.name)
        return found

    def append(self, entries: Sequence[Entry]) -> None:
        """Keep records, all of them or none; on the disk when this returns.

        Raises
        ------
        JournalFullError
            Where there is no room for them, or they cannot be written.
        """
        needed = sum(len(entry.record) + 64 for entry in entries)
        with self._lock:
            there = sum(segment.bytes for segment in self._segments)
            if there + needed > self.most_bytes:
                self._trouble = "full"
                raise JournalFullError(
                    f"the store is away, and the journal is full ({there:,} of {self.most_bytes:,} bytes); "
                    "bring the store back, or give the journal more room by NBA_JOURNAL_MB"
                )
            try:
                segment, first = self._appended([entry.record for entry in entries])
            except OSError as error:
                self._trouble = "unusable"
                raise JournalFullError(
                    f"the store is away, and the journal in {self._folder} cannot be written ({error.strerror}); "
                    "make room on its disk, or let this user write to it"
                ) from error
            self._trouble = None
            for number, entry in enumerate(entries, start=first):
                if entry.key is not None:
                    self._keys.setdefault(entry.key, (segment, number))

    def holds(self, key: str) -> bool:
        """Whether a record waits under an id."""
        return key in self._keys

    def find(self, key: str) -> bytes | None:
        """Return the first record that waits under an id."""
        if key not in self._keys:
            return None
        with self._lock:
            found = self._keys.get(key)
            return None if found is None else found[0].read(found[1])

    def part(self, most: int) -> Part | None:
        """Return the oldest records that wait, at most so many; None where none do."""
        with self._lock:
            if not self._segments:
                return None
            segment = self._segments[0]
            last = min(self._read + most, len(segment.places))
            return Part(segment, self._read, tuple(segment.read(number) for number in range(self._read, last)))

    def done(self, part: Part) -> None:
        """Forget records that the store has; a file is removed with its last one."""
        with self._lock:
            if not self._segments or self._segments[0] is not part.segment:
                return
            self._read = part.first + len(part.records)
            for record in part.records:
                key = self._key_of(record)
                if key is not None and self._keys.get(key, (None, 0))[0] is part.segment:
                    del self._keys[key]
            if self._read >= len(part.segment.places):
                self._finished.append(self._segments.pop(0))
                self._read = 0
                if not self._segments:
                    self._since = None
                self._remove()

    def recovered(self) -> None:
        """Take note that the store takes everything again: what could not be kept before says nothing any more."""
        with self._lock:
            if not self._segments:
                self._trouble = None

    def close(self) -> None:
        """Let go of the files; what waits in them is for whoever comes next."""
        with self._lock:
            for segment in (*self._segments, *self._finished):
                segment.close()
            self._segments.clear()
            self._finished.clear()
            self._keys.clear()

    def report(self) -> dict[str, Any]:
        """Say how much waits, and since when, and what waits for other stores."""
        others = [] if self._unbound is None else kept_for_others(self._folder)
        with self._lock:
            waiting = sum(len(segment.places) for segment in self._segments) - self._read
            return {
                "state": self._trouble or ("collecting" if waiting else "empty"),
                "records": waiting,
                "bytes": sum(segment.bytes for segment in self._segments),
                "most_bytes": self.most_bytes,
                "since": None if self._since is None else iso(self._since),
                "for_other_stores": [str(each) for each in others],
            }

    def _appended(self, records: Sequence[bytes]) -> tuple[Segment, int]:
        """Append to the newest file; returns it and the number of the first record."""
        last = self._segments[-1] if self._segments else None
        if last is not None and last.may_grow and last.bytes < _LARGE:
            first = len(last.places)
            last.append(records)
            return last, first
        if not self._folder.is_dir():
            self._folder.mkdir(parents=True, exist_ok=True)
            for above in (self._folder.parent, self._folder.parent.parent):
                sync(above)
        segment = Segment.make(self._folder)
        try:
            segment.append(records)
        except BaseException:
            segment.remove()
            raise
        self._segments.append(segment)
        if self._since is None:
            self._since = self._now_us()
        return segment, 0

    def _take(self, segment: Segment) -> None:
        if not segment.is_sound:
            log.error("part of %s cannot be read; the file is kept aside once the rest is stored", segment.path.name)
        if not segment.places:
            self._finished.append(segment)
            self._remove()
            return
        self._segments.append(segment)
        if self._since is None:
            self._since = self._now_us()
        for number in range(len(segment.places)):
            key = self._key_of(segment.read(number))
            if key is not None:
                self._keys.setdefault(key, (segment, number))

    def _remove(self) -> None:
        """Remove the files that nobody needs any more; one that cannot be removed is tried again later.

        Until then it stays locked, so that nobody takes it up as left behind.
        """
        left = []
        for segment in self._finished:
            try:
                segment.remove()
            except OSError as error:
                left.append(segment)
                log.error("the journal %s cannot be removed: %s", segment.path.name, error.strerror or error)
            else:
                self._trouble = None if self._trouble == "full" else self._trouble
        self._finished = left


def _adopted(path: Path) -> Segment | None:
    try:
        return Segment.adopt(path)
    except OSError as error:
        log.error("the journal %s cannot be read: %s", path.name, error.strerror)
        return None
