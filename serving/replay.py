"""Putting what the journal kept into the store, in its order and once, as soon as the store takes it."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from features.rows.row_types import QuarantineRow
from features.rows.schema import TOUCHPOINTS
from features.store.store import Store, StoreAwayError, StoreError
from serving.deed import Deed
from serving.journal.journal import Entry, Journal, JournalFullError, Part
from serving.metrics import Metrics

QUARANTINED_FROM = "journal"
"""The file that the quarantine names for what was kept and cannot be stored."""
_MOST_AT_ONCE = 256
_LOOK_SECONDS = 0.25
_ADOPT_SECONDS = 2.0
_ANSWER_SECONDS = 5.0

log = logging.getLogger("nba.serving")


class Replay:
    """A thread that looks for the store while it is away, and for what other processes left behind.

    Parameters
    ----------
    store, journal
        Where to, and where from.
    deed_of
        Makes a deed of its record again; a ValueError says that it cannot.
    metrics
        Where it is counted.
    now_us
        The present moment.
    """

    def __init__(
        self,
        store: Store,
        journal: Journal,
        deed_of: Callable[[bytes], Deed[Any]],
        metrics: Metrics | None = None,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self.journal = journal
        self._store, self._deed_of, self._now_us = store, deed_of, now_us
        self._metrics = metrics or Metrics()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="replay")
        self._is_replaying = False
        self._why_out: str | None = None
        self._trouble: str | None = None

    def open(self) -> None:
        """Take over what was left behind, and begin."""
        self.journal.adopt()
        self._thread.start()

    def close(self) -> None:
        """Stop; what is kept stays for whoever comes next."""
        self._ended.set()
        self._thread.join()
        self.journal.close()

    async def emptied(self, seconds: float) -> bool:
        """Wait until the store has everything, for so long at most and while it is there; says whether it has."""
        until = time.monotonic() + seconds
        while self.journal.is_pending and not self._store.is_out and time.monotonic() < until:
            await asyncio.sleep(_LOOK_SECONDS / 10)
        return not self.journal.is_pending

    def keep(self, entries: Sequence[Entry]) -> JournalFullError | None:
        """Keep records, on the disk when this returns; returns the error where they cannot be."""
        try:
            self.journal.append(entries)
        except JournalFullError as error:
            return error
        self._metrics.journaled(len(entries))
        self._metrics.journal(self.journal.size)
        return None

    def report(self) -> dict[str, Any]:
        """Say what is kept, and whether the store is taking it."""
        found = self.journal.report()
        if self._is_replaying and found["state"] == "collecting":
            found["state"] = "replaying"
        return found

    def _run(self) -> None:
        self._store.patience.bound(_ANSWER_SECONDS)
        adopted_at = time.monotonic()
        while not self._ended.is_set():
            trouble = None
            try:
                self._round()
                if time.monotonic() - adopted_at >= _ADOPT_SECONDS:
                    adopted_at = time.monotonic()
                    self.journal.adopt()
            except Exception as error:
                # Whatever it is, such as a disk that fails for a moment: who else would look for the store again?
                trouble = _told(error)
                if trouble != self._trouble:
                    log.error("what the journal kept cannot be put back now: %s", trouble)
            self._trouble = trouble
            self._ended.wait(_LOOK_SECONDS)

    def _round(self) -> None:
        self._store.notice()
        if self.journal.is_pending or self._store.is_out:
            self._put_back()
        if not self.journal.is_pending and not self._store.is_out:
            self.journal.recovered()

    def _put_back(self) -> None:
        """Replay as long as the store takes it."""
        if self._store.is_out and not self._looked():
            return
        while not self._ended.is_set() and (part := self.journal.part(_MOST_AT_ONCE)) is not None:
            try:
                self._store_all(part.records)
            except StoreAwayError:
                return
            except StoreError as error:
                log.error("what the journal kept cannot be stored: %s", type(error).__name__)
                return
            finally:
                self._is_replaying = False
            self._done(part)

    def _looked(self) -> bool:
        found, why = self._store.look(), self._store.why_out
        if why is not None and why != self._why_out:
            log.error("the store is looked for: %s", why)
        self._why_out = why
        return found

    def _done(self, part: Part) -> None:
        self.journal.done(part)
        self._metrics.replayed(len(part.records))
        self._metrics.journal(self.journal.size)
        if not self.journal.is_pending:
            log.info("the store has everything that the journal kept")

    def _store_all(self, records: Sequence[bytes]) -> None:
        try:
            with self._store.writing() as writing:
                self._is_replaying = True
                for record in records:
                    self._deed_of(record)(writing)
        except StoreAwayError:
            raise
        except Exception as error:
            if len(records) > 1:
                # One fault must not cost the others: each goes alone.
                for record in records:
                    self._store_all([record])
            else:
                self._put_aside(records[0], error)

    def _put_aside(self, record: bytes, error: Exception) -> None:
        log.error("something that was kept cannot be stored (%s); the quarantine has it", type(error).__name__)
        with self._store.writing() as writing:
            row = QuarantineRow(
                table=TOUCHPOINTS.name,
                # Text and no row, so that nobody tries it as one again; escaped, so that no database can refuse it.
                raw=json.dumps(record.decode()),
                reason=f"was acknowledged while the store was away, and is refused by it: {type(error).__name__}",
                rule="cannot be stored",
                refused_at=self._now_us(),
                file=QUARANTINED_FROM,
            )
            writing.quarantine([row])


def _told(error: Exception) -> str:
    """Say what it was; only the message of the operating system's errors is sure to name nobody."""
    return str(error.strerror) if isinstance(error, OSError) and error.strerror else type(error).__name__
