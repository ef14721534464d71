"""The writer: one thread that owns writing, so that concurrent requests share a commit."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from features.store.store import Store, StoreAwayError, StoreError, Writing
from serving.deed import Deed
from serving.held_up import HeldUp
from serving.journal.journal import Entry
from serving.metrics import Metrics
from serving.replay import Replay

T = TypeVar("T")

MOST_AT_ONCE = 256
"""How many jobs share a commit at most: enough to hide its cost, few enough to keep the wait short."""
LONGEST_WAIT = 5.0
"""Seconds that what waits for other writers waits before it is kept in the journal. Not the deadline: what is kept
cannot be compared with what others decided at the same moment, and caps would not hold under mere load."""
_LOOK_SECONDS = 0.05
_ANSWER_SECONDS = LONGEST_WAIT + 1.0
"""How long the writer waits for any one answer of a server; by then the callers have been told."""


class WriterClosedError(RuntimeError):
    """Something was to be written while the service was going down."""


class _Job:
    """Something to be done in a transaction, and who waits for it."""

    __slots__ = ("_is_taken", "future", "work")

    def __init__(self, work: Callable[[Writing], Any], future: asyncio.Future[Any]) -> None:
        self.work, self.future = work, future
        self._is_taken = False

    def take(self) -> bool:
        """Say that one tells its caller what became of it; false where another does already."""
        with _TAKING:
            is_first, self._is_taken = not self._is_taken, True
        return is_first


_TAKING = threading.Lock()
_Result = tuple[_Job, Any, Exception | None]


class Writer:
    """Writes to the store, durably before it says so.

    Whatever arrives while a commit is under way waits for the next, which takes all of it. So does what arrives in one
    round of a loop, before the end of which nobody could be told. Where the store does not take a deed, or not soon,
    the journal keeps it, and its caller is told so much; what follows goes the same way until the store has everything
    that was kept, in its order.

    Parameters
    ----------
    store
        Where to; one transaction for all jobs that came together.
    metrics
        Where it is noted how many share one, and how long it takes.
    replay
        What keeps deeds while the store is away, and puts them there later; None: then they are refused.
    wait
        Seconds after which what waits for the store is kept; where the store has gone it is at once.
    """

    def __init__(
        self, store: Store, metrics: Metrics | None = None, replay: Replay | None = None, wait: float = LONGEST_WAIT
    ) -> None:
        self._store = store
        self._metrics = metrics or Metrics()
        self._replay = replay
        self._wait = wait
        self.held_up = HeldUp()
        """For how long nothing could be written."""
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._coming: deque[_Job] = deque()
        self._underway: tuple[float, Sequence[_Job]] | None = None
        self._thread = threading.Thread(target=self._run, name="writer")
        self._keeper = threading.Thread(target=self._watch, name="keeper")
        self._is_open = False
        self._ended = threading.Event()
        self._keeping = threading.Lock()

    def open(self) -> None:
        """Begin to write; first of all what was kept before."""
        if self._replay is not None:
            self._replay.open()
            self._keeper.start()
        self._thread.start()
        self._is_open = True

    def close(self) -> None:
        """Write what is waiting, or keep it, then stop."""
        if not self._is_open:
            return
        self._is_open = False
        self._hand_over()
        self._jobs.put(None)
        self._thread.join()
        self._ended.set()
        if self._replay is not None:
            self._keeper.join()
            self._replay.close()

    @property
    def waiting(self) -> int:
        """How many jobs wait for the next commit, about."""
        return self._jobs.qsize() + len(self._coming)

    @property
    def keeps(self) -> bool:
        """Whether what is written now waits behind what the store does not have yet."""
        return self._replay is not None and (self._replay.journal.is_pending or self._store.is_out)

    @property
    def keeps_others(self) -> bool:
        """Whether something waits that another process kept, so that this one does not know what it is."""
        return self._replay is not None and self._replay.journal.is_pending and self._replay.journal.holds_others

    def kept(self, key: str) -> bytes | None:
        """Return the record that waits under an id."""
        return None if self._replay is None else self._replay.journal.find(key)

    def report(self) -> dict[str, Any] | None:
        """Say what the journal holds; None where there is none."""
        return None if self._replay is None else self._replay.report()

    async def write(self, job: Callable[[Writing], T]) -> T:
        """Do a job inside a transaction; what it returns, once that is committed.

        Parameters
        ----------
        job
            Called in the writer's thread. It may be called a second time, in a transaction of its own, when
            another job of its group has failed; so it must do nothing but write. A ``Deed`` is kept where the store
            does not take it: then what it presumes is returned, once that is on the disk.

        Raises
        ------
        StoreError
            Where the store would not take it; then nothing of this job is stored.
        JournalFullError
            Where it could not even be kept.
        WriterClosedError
            After ``close``.
        """
        if not self._is_open:
            raise WriterClosedError("the service is going down and takes no more writes")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._coming.append(_Job(job, future))
        # Woken at once, its thread would commit each alone while this one computes the next.
        loop.call_soon(self._hand_over)
        return await future

    def _hand_over(self) -> None:
        """Give the thread what has come in this round of the loop."""
        with suppress(IndexError):
            while True:
                self._jobs.put(self._coming.popleft())

    def _run(self) -> None:
        self._store.patience.bound(_ANSWER_SECONDS)
        closing = False
        while not closing:
            job = self._jobs.get()
            group = [] if job is None else [job]
            closing = job is None
            # What waits may be taken by who keeps it at any moment.
            with suppress(queue.Empty):
                while len(group) < MOST_AT_ONCE:
                    job = self._jobs.get_nowait()
                    if job is None:
                        closing = True
                    else:
                        group.append(job)
            if group:
                began = time.perf_counter()
                with self.held_up.writing():
                    self._write(group)
                self._metrics.committed(len(group), time.perf_counter() - began, self._jobs.qsize())
            if self._jobs.empty() and not closing and not self.keeps:
                self._pack()

    def _pack(self) -> None:
        # Nobody waits for it, and what is not packed now is read from its rows and noted again. But while it waits for
        # other writers, whatever comes waits behind it.
        self._underway = time.monotonic(), ()
        with suppress(StoreError), self.held_up.writing():
            self._store.pack_some()
        self._underway = None

    def _write(self, group: Sequence[_Job]) -> None:
        if self.keeps:
            group = self._keep(group)
        if group:
            self._underway = time.monotonic(), group
            self._write_together(group)
            self._underway = None

    def _write_together(self, group: Sequence[_Job]) -> None:
        try:
            with self._store.writing() as writing:
                done = [job.work(writing) for job in group]
        except StoreAwayError as error:
            _settle([(job, None, error) for job in self._keep(group)])
            return
        except Exception as error:
            if len(group) == 1:
                _settle([(group[0], None, error)])
                return
            # One job's fault must not cost the others: each goes alone, and only the faulty one is told.
            for job in group:
                self._write_together([job])
            return
        _settle([(job, result, None) for job, result in zip(group, done, strict=True)])

    def _keep(self, jobs: Sequence[_Job]) -> list[_Job]:
        """Keep the deeds among jobs whose callers have not been told yet; returns the jobs that are none."""
        if self._replay is None:
            return list(jobs)
        # Who finds that another thread has taken them goes on when they are kept, and knows that something is.
        with self._keeping:
            return self._keep_untold(jobs, self._replay)

    def _keep_untold(self, jobs: Sequence[_Job], replay: Replay) -> list[_Job]:
        entries: list[Entry] = []
        kept: list[_Result] = []
        ids: set[str] = set()
        for job in jobs:
            if isinstance(job.work, Deed) and job.take():
                deed, key = job.work, job.work.key
                if key is not None and (key in ids or replay.journal.holds(key)):
                    # The store would take the first only, long after this caller was told that it has taken this.
                    kept.append((job, deed.repeated(), None))
                    continue
                try:
                    entries.append(Entry(deed.record(), key))
                    kept.append((job, deed.presumed(), None))
                except ValueError as error:
                    _tell([(job, None, error)])
                else:
                    ids.update([] if key is None else [key])
        full = replay.keep(entries) if entries else None
        _tell(kept if full is None else [(job, None, full) for job, _, _ in kept])
        return [job for job in jobs if not isinstance(job.work, Deed)]

    def _watch(self) -> None:
        """Keep what has waited too long for the store, and what has come since."""
        while not self._ended.wait(_LOOK_SECONDS):
            underway = self._underway
            if underway is not None and (self._store.is_out or time.monotonic() - underway[0] >= self._wait):
                self._keep(underway[1])
                self._keep_waiting()

    def _keep_waiting(self) -> None:
        waiting: list[_Job | None] = []
        with suppress(queue.Empty):
            while True:
                waiting.append(self._jobs.get_nowait())
        others = self._keep([job for job in waiting if job is not None])
        for job in [*others, *(job for job in waiting if job is None)]:
            self._jobs.put(job)


def _settle(results: Sequence[_Result]) -> None:
    """Tell the callers who have not been told by somebody else."""
    _tell([result for result in results if result[0].take()])


def _tell(results: Sequence[_Result]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[_Result]] = {}
    for result in results:
        by_loop.setdefault(result[0].future.get_loop(), []).append(result)
    for loop, own in by_loop.items():
        # A loop that has been closed has nobody left who waits.
        if not loop.is_closed():
            loop.call_soon_threadsafe(_resolve, own)


def _resolve(results: Sequence[_Result]) -> None:
    for job, result, error in results:
        if job.future.done():
            continue
        if error is not None:
            job.future.set_exception(error)
        else:
            job.future.set_result(result)
