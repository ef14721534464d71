"""The writer: one thread that owns writing, so that concurrent requests share a commit."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from features.store.store import Store, StoreError, Writing

T = TypeVar("T")
_Job = tuple[Callable[[Writing], Any], "asyncio.Future[Any]"]

MOST_AT_ONCE = 256
"""How many jobs share a commit at most: enough to hide its cost, few enough to keep the wait short."""


class WriterClosedError(RuntimeError):
    """Something was to be written while the service was going down."""


class Writer:
    """Writes to the store, durably before it says so.

    Whatever arrives while a commit is under way waits for the next, which takes all of it.

    Parameters
    ----------
    store
        Where to; one transaction for all jobs that came together.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="writer")
        self._is_open = False

    def open(self) -> None:
        """Begin to write."""
        self._thread.start()
        self._is_open = True

    def close(self) -> None:
        """Write what is waiting, then stop."""
        if self._is_open:
            self._is_open = False
            self._jobs.put(None)
            self._thread.join()

    async def write(self, job: Callable[[Writing], T]) -> T:
        """Do a job inside a transaction; what it returns, once that is committed.

        Parameters
        ----------
        job
            Called in the writer's thread. It may be called a second time, in a transaction of its own, when
            another job of its group has failed; so it must do nothing but write.

        Raises
        ------
        StoreError
            Where the store would not take it; then nothing of this job is stored.
        WriterClosedError
            After ``close``.
        """
        if not self._is_open:
            raise WriterClosedError("the service is going down and takes no more writes")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._jobs.put((job, future))
        return await future

    def _run(self) -> None:
        closing = False
        while not closing:
            job = self._jobs.get()
            group = [] if job is None else [job]
            closing = job is None
            while len(group) < MOST_AT_ONCE and not self._jobs.empty():
                job = self._jobs.get()
                if job is None:
                    closing = True
                else:
                    group.append(job)
            if group:
                self._write_together(group)
            if self._jobs.empty() and not closing:
                self._pack()

    def _pack(self) -> None:
        # Nobody waits for it, and what is not packed now is read from its rows and noted again.
        with suppress(StoreError):
            self._store.pack_some()

    def _write_together(self, group: list[_Job]) -> None:
        try:
            with self._store.writing() as writing:
                done = [job(writing) for job, _ in group]
        except Exception as error:
            if len(group) == 1:
                _settle([(group[0][1], None, error)])
                return
            # One job's fault must not cost the others: each goes alone, and only the faulty one is told.
            for job in group:
                self._write_together([job])
            return
        _settle([(future, result, None) for (_, future), result in zip(group, done, strict=True)])


def _settle(results: list[tuple[asyncio.Future[Any], Any, Exception | None]]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any, Exception | None]]] = {}
    for result in results:
        by_loop.setdefault(result[0].get_loop(), []).append(result)
    for loop, own in by_loop.items():
        # A loop that has been closed has nobody left who waits.
        if not loop.is_closed():
            loop.call_soon_threadsafe(_resolve, own)


def _resolve(results: list[tuple[asyncio.Future[Any], Any, Exception | None]]) -> None:
    for future, result, error in results:
        if future.done():
            continue
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)
