"""A real Dask cluster of processes, one of them killed at work: every byte is as it is without any."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from distributed import Client

from features.own_rows import own_of
from nba.settings.scale import Scale
from tests.training import scale_worlds
from tests.training.scale_worlds import belief, settings
from training import parallel
from training.parallel import ScaleError, Work, run
from training.past import Past
from training.rows.matrix_parts import matrix_of
from training.score_tasks import score_partition
from training.scoring import score_table

DASK = [sys.executable, "-m", "dask"]
PATIENCE = 120


class Cluster:
    """A scheduler and its workers, each a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.address = f"tcp://127.0.0.1:{probe.getsockname()[1]}"
        self.processes = [self._start("scheduler", "--host", self.address, "--no-dashboard")]
        self.workers: list[subprocess.Popen[bytes]] = []

    def _start(self, *args: str) -> subprocess.Popen[bytes]:
        number = len(getattr(self, "processes", ()))
        with (self.folder / f"{number}.log").open("wb") as log:
            return subprocess.Popen([*DASK, *args], stdout=log, stderr=log, cwd=self.folder)

    def grow(self, to: int) -> None:
        """Start workers until so many are there, and wait for them."""
        self.workers = [worker for worker in self.workers if worker.poll() is None]
        while len(self.workers) < to:
            self.workers.append(
                self._start("worker", self.address, "--no-nanny", "--nthreads", "1", "--no-dashboard",
                            "--local-directory", str(self.folder))
            )  # fmt: skip
            self.processes.append(self.workers[-1])
        with self.client() as client:
            client.wait_for_workers(to, timeout=PATIENCE)

    def client(self) -> Client:
        return Client(self.address, timeout=PATIENCE, set_as_default=False)

    def end(self) -> None:
        for process in self.processes[::-1]:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    found = Cluster(tmp_path_factory.mktemp("dask"))
    try:
        yield found
    finally:
        found.end()


class Killer:
    """Kills the first worker that is seen at work."""

    def __init__(self, cluster: Cluster) -> None:
        self.killed: int | None = None
        self._cluster = cluster
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Killer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join(PATIENCE)

    def _watch(self) -> None:
        with self._cluster.client() as client:
            pids: dict[str, int] = client.run(os.getpid)
            while self.killed is None and not self._is_over.wait(0.005):
                busy = [worker for worker, tasks in client.processing().items() if tasks and worker in pids]
                if busy:
                    self.killed = pids[busy[0]]
                    os.kill(self.killed, signal.SIGKILL)


@pytest.fixture(scope="module")
def past() -> Past:
    return scale_worlds.past()


def ignore(n: int) -> None:
    """Nobody looks at the progress here."""


@pytest.mark.slow
@pytest.mark.parametrize("partitions", [1, 4, 64])
def test_scores_are_the_same_when_a_worker_is_killed(cluster: Cluster, past: Past, partitions: int) -> None:
    cluster.grow(to=2)
    wanted = score_table(past, settings(), belief(), advance=ignore)
    with Killer(cluster) as killer:
        found = score_table(past, settings("dask", partitions, cluster.address), belief(), advance=ignore)
    assert killer.killed is not None
    assert found.equals(wanted)


@pytest.mark.slow
@pytest.mark.parametrize("partitions", [1, 4, 64])
def test_features_are_the_same_when_a_worker_is_killed(cluster: Cluster, past: Past, partitions: int) -> None:
    cluster.grow(to=2)
    rows = scale_worlds.rows(past)
    about = own_of(past.touchpoints, rows.own)
    wanted = matrix_of(past, rows, scale_worlds.OWN, about, Scale("sequential"), advance=ignore)
    scale = Scale("dask", partitions, cluster.address)
    with Killer(cluster) as killer:
        found = matrix_of(past, rows, scale_worlds.OWN, about, scale, advance=ignore)
    assert killer.killed is not None
    assert found.tobytes() == wanted.tobytes()


@pytest.mark.slow
def test_a_cluster_without_workers_is_said_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "_CONNECT_SECONDS", 5)
    empty = Cluster(tmp_path)
    try:
        with empty.client():
            scale = Scale("dask", 4, empty.address)
            with pytest.raises(ScaleError, match="has no workers; start some with `dask worker tcp://"):
                list(run(Work(score_partition, b"", lambda i: b"", 2, 1), scale))
    finally:
        empty.end()


@pytest.mark.slow
def test_a_cluster_that_goes_away_is_said_in_a_sentence(tmp_path: Path, past: Past) -> None:
    brief = Cluster(tmp_path)
    try:
        brief.grow(to=1)

        def end_it(n: int) -> None:
            brief.end()

        with pytest.raises(ScaleError, match=r"the Dask cluster tcp://.* went away"):
            score_table(past, settings("dask", 8, brief.address), belief(), advance=end_it)
    finally:
        brief.end()
