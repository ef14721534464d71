"""Running one function on many tasks: in this process, on all cores, or on a Dask cluster; the results are the same."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from features.errors import UserError
from nba.settings.scale import DASK, LOKY, SEQUENTIAL, Scale

FEWEST = 20_000
"""Contacts from which on other processes are started: below, starting them takes longer than the work."""
_ATTEMPTS = 3
_CONNECT_SECONDS = 15
_WORKERLESS_SECONDS = 60
_POLL_SECONDS = 5


class ScaleError(UserError):
    """The workers could not do their work."""


@dataclass(frozen=True)
class Work:
    """The same function for many tasks.

    Attributes
    ----------
    function
        Of a module that workers have too: ``function(common, task)``, both bytes.
    common
        What all tasks need.
    task
        Makes the i-th task when it is its turn, and again where it got lost with its worker.
    n
        How many tasks there are.
    size
        How many contacts they are about in all.
    """

    function: Callable[[bytes, bytes], bytes]
    common: bytes
    task: Callable[[int], bytes]
    n: int
    size: int


def run(work: Work, scale: Scale) -> Iterator[bytes]:
    """Results of the tasks in their order, as they come.

    At most two tasks for each worker are under way. A task whose worker is killed is run again.

    Raises
    ------
    ScaleError
        Where the cluster does not answer, or workers die again and again.
    """
    backend = backend_for(work.size, scale)
    if backend == DASK:
        return _dask(work, scale.scheduler or "")
    return _loky(work) if backend == LOKY and work.n > 1 else _sequential(work)


def backend_for(size: int, scale: Scale) -> str:
    """Where work on so many contacts runs: small work on this machine stays in this process."""
    return SEQUENTIAL if scale.backend == LOKY and size < FEWEST else scale.backend


def _sequential(work: Work) -> Iterator[bytes]:
    for i in range(work.n):
        yield work.function(work.common, work.task(i))


def _loky(work: Work) -> Iterator[bytes]:
    from joblib import Parallel, delayed
    from joblib.externals.loky.process_executor import BrokenProcessPool

    done, lost = 0, 0
    while done < work.n:
        begun = done
        calls = (delayed(work.function)(work.common, work.task(i)) for i in range(done, work.n))
        try:
            # A task at a time, and a few ahead: what waits is held in memory.
            for result in Parallel(n_jobs=-1, return_as="generator", batch_size=1, pre_dispatch="2 * n_jobs")(calls):
                done += 1
                yield result
        except BrokenProcessPool as error:
            lost = 1 if done > begun else lost + 1
            if lost == _ATTEMPTS:
                raise ScaleError(
                    f"worker processes were killed {lost} times in a row, most likely for want of memory; "
                    'cut smaller with more partitions under [scale] in nba.toml, or set backend = "sequential"'
                ) from error


def _dask(work: Work, address: str) -> Iterator[bytes]:
    import dask
    from distributed import KilledWorker

    # Tasks carry their data, so that a scheduler that outlives its workers can give them to others.
    with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TiB"}), _cluster(address) as client:
        waiting: deque[Any] = deque()
        begun = 0
        try:
            while waiting or begun < work.n:
                while begun < work.n and len(waiting) < 2 * _threads(client):
                    waiting.append(
                        client.submit(work.function, work.common, work.task(begun), pure=False, retries=_ATTEMPTS)
                    )
                    begun += 1
                yield _result(client, waiting[0], address)
                waiting.popleft().release()
        except KilledWorker as error:
            raise ScaleError(
                f"a task killed every worker of {address} that took it, most likely for want of memory; "
                "cut smaller with more partitions under [scale] in nba.toml"
            ) from error
        except (CancelledError, OSError) as error:
            raise ScaleError(f"the Dask cluster {address} went away: {error}; start it, and run this again") from error
        finally:
            for future in waiting:
                future.release()


@contextmanager
def _cluster(address: str) -> Iterator[Any]:
    try:
        from distributed import Client
    except ImportError as error:
        raise ScaleError(
            'backend "dask" needs the package distributed; `pip install nba-service[distributed]` brings it'
        ) from error
    try:
        client: Any = Client(  # type: ignore[no-untyped-call]
            address, timeout=_CONNECT_SECONDS, set_as_default=False
        )
    except (OSError, ValueError, TimeoutError) as error:
        raise ScaleError(
            f"no Dask scheduler answers at {address} ({error}); start one with `dask scheduler`, "
            "or correct scheduler under [scale] in nba.toml"
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=_CONNECT_SECONDS)
        except TimeoutError as error:
            raise ScaleError(
                f"the Dask scheduler {address} has no workers; start some with `dask worker {address}`"
            ) from error
        yield client


def _threads(client: Any) -> int:
    """How many tasks run at once, at least one: workers may come and go."""
    found: int = sum(client.nthreads().values())
    return max(1, found)


def _result(client: Any, future: Any, address: str) -> bytes:
    """Wait for a result as long as there is anybody who may bring it."""
    alone = 0
    while True:
        try:
            found: bytes = future.result(timeout=_POLL_SECONDS)
            return found
        except TimeoutError:
            alone = 0 if client.nthreads() else alone + _POLL_SECONDS
            if alone >= _WORKERLESS_SECONDS:
                raise ScaleError(
                    f"all workers of {address} have been gone for {alone} s; start some with `dask worker {address}`"
                ) from None
