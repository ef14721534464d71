"""What is counted while the service works, as Prometheus reads it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.process_collector import ProcessCollector

MEDIA_TYPE = CONTENT_TYPE_LATEST
SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""Names the folder through which several workers count together; it is read when this module is imported."""

# When a counter began is of use to nobody here, and doubles what is told.
disable_created_metrics()  # type: ignore[no-untyped-call]

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_GROUPS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """The counters of one service, in a registry of their own.

    Where `SHARED` is set, several processes count into files of one folder, and each of them tells the sums of all.
    Every method takes some microseconds at most and never fails for what it is told.

    Examples
    --------
    >>> metrics = Metrics()
    >>> metrics.intake(stored=2, duplicate=1)
    >>> b'nba_intake_events_total{verdict="stored"} 2.0' in metrics.text()
    True
    """

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._answered: dict[tuple[str, int], Counter] = {}
        self._took: dict[str, Histogram] = {}
        self._occupied: dict[str, tuple[tuple[Gauge, Gauge], tuple[int, int]]] = {}
        self._decided: dict[tuple[str, bool, str | None], Counter] = {}
        self._gates: dict[str, Counter] = {}
        self._serving: tuple[str, str] | None = None

        self._requests = _counter(registry, "nba_requests", "Answers by route and class of status.", "route", "status")
        self._seconds = Histogram(
            "nba_request_seconds", "From a request's head to its answer's end.", ("route",), registry=registry,
            buckets=_SECONDS,
        )  # fmt: skip
        self._refused = _counter(registry, "nba_overload_refusals", "Refused at once for want of a place.", "kind")
        self._inside = _gauge(registry, "nba_requests_inside", "Being worked on, by kind of call.", "kind")
        self._waiting = _gauge(registry, "nba_requests_waiting", "Waiting for their turn, by kind of call.", "kind")
        self._decisions = _counter(
            registry, "nba_decisions", "Decisions answered.", "mode", "degraded", "model_version"
        )
        self._removed = _counter(registry, "nba_actions_removed", "Actions not offered, by the gate.", "gate")
        self._events = _counter(
            registry, "nba_intake_events", "Touchpoints received, by what became of them.", "verdict"
        )
        self._journal_bytes = _gauge(registry, "nba_journal_bytes", "Waiting in the journal for the store.")
        self._replayed = _counter(registry, "nba_journal_replayed", "Entries of the journal taken into the store.")
        self._journaled = _counter(registry, "nba_journal_entries", "Entries written while the store was away.")
        self._swaps = _counter(registry, "nba_bundle_swaps", "Bundles taken to serve.")
        self._bundle_refusals = _counter(registry, "nba_bundle_refusals", "Bundles refused.")
        self._bundle = _gauge(registry, "nba_bundle_serves", "Workers that serve a bundle.", "model_version", "serves")
        self._group = Histogram(
            "nba_writer_group_size", "Jobs that shared a commit.", registry=registry, buckets=_GROUPS
        )
        self._commit = Histogram(
            "nba_writer_commit_seconds", "From the first job of a commit to its end.", registry=registry,
            buckets=_SECONDS,
        )  # fmt: skip
        self._queue = _gauge(registry, "nba_writer_queue", "Jobs that waited when the last commit ended.")
        if SHARED not in os.environ:
            ProcessCollector(registry=registry)

    def text(self) -> bytes:
        """Lay out everything in the text format of Prometheus; with several workers their sums."""
        folder = os.environ.get(SHARED)
        if folder is None:
            return generate_latest(self._registry)
        everybody = CollectorRegistry()
        MultiProcessCollector(everybody, folder)  # type: ignore[no-untyped-call]
        return generate_latest(everybody)

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Count an answer; ``route`` is a template such as ``GET /v1/contacts/{contact}``, never an address."""
        key = route, status // 100
        count = self._answered.get(key)
        if count is None:
            count = self._answered[key] = self._requests.labels(route, f"{status // 100}xx")
        count.inc()
        took = self._took.get(route)
        if took is None:
            took = self._took[route] = self._seconds.labels(route)
        took.observe(seconds)

    def refused(self, kind: str) -> None:
        """Count a call that found no place."""
        self._refused.labels(kind).inc()

    def turned_away(self, kind: str, route: str, status: int, n: int) -> None:
        """Count calls that were refused before anything was looked at; how long that takes is not measured."""
        self._refused.labels(kind).inc(n)
        self._requests.labels(route, f"{status // 100}xx").inc(n)

    def occupied(self, kind: str, inside: int, waiting: int) -> None:
        """Note how many calls of a kind are worked on and wait."""
        found = self._occupied.get(kind)
        if found is None:
            found = (self._inside.labels(kind), self._waiting.labels(kind)), (0, 0)
        gauges, before = found
        if before[0] != inside:
            gauges[0].set(inside)
        if before[1] != waiting:
            gauges[1].set(waiting)
        self._occupied[kind] = gauges, (inside, waiting)

    def decided(self, mode: str, degraded: bool, model_version: str | None, removed: Iterable[str]) -> None:
        """Count a decision and the gates that removed actions; what follows a colon in a gate's name is left out."""
        key = mode, degraded, model_version
        count = self._decided.get(key)
        if count is None:
            said = "true" if degraded else "false"
            count = self._decided[key] = self._decisions.labels(mode, said, model_version or "")
        count.inc()
        tally: dict[str, int] = {}
        for each in removed:
            tally[each] = tally.get(each, 0) + 1
        for gate, n in tally.items():
            count = self._gates.get(gate)
            if count is None:
                count = self._gates[gate] = self._removed.labels(gate.partition(":")[0])
            count.inc(n)

    def intake(self, *, stored: int = 0, duplicate: int = 0, quarantined: int = 0) -> None:
        """Count touchpoints by what became of them."""
        for verdict, n in (("stored", stored), ("duplicate", duplicate), ("quarantined", quarantined)):
            if n:
                self._events.labels(verdict).inc(n)

    def journal(self, waiting_bytes: int) -> None:
        """Note how much waits in the journal."""
        self._journal_bytes.set(waiting_bytes)

    def journaled(self, entries: int = 1) -> None:
        """Count entries written to the journal."""
        self._journaled.inc(entries)

    def replayed(self, entries: int) -> None:
        """Count entries of the journal that the store has taken."""
        self._replayed.inc(entries)

    def swapped(self, model_version: str | None, serves: str) -> None:
        """Count a bundle that serves from now on."""
        self._swaps.inc()
        if self._serving is not None:
            self._bundle.labels(*self._serving).set(0)
        self._serving = model_version or "", serves
        self._bundle.labels(*self._serving).set(1)

    def bundle_refused(self) -> None:
        """Count a bundle that was no good."""
        self._bundle_refusals.inc()

    def committed(self, jobs: int, seconds: float, waiting: int) -> None:
        """Note how many jobs shared a commit, how long it took, and how many wait for the next."""
        self._group.observe(jobs)
        self._commit.observe(seconds)
        self._queue.set(waiting)


def forget_worker(folder: Path, pid: int) -> None:
    """Take what a worker that has ended said of its present out of the sums; what it counted stays."""
    with suppress(OSError):
        mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]


def _counter(registry: CollectorRegistry, name: str, means: str, *labels: str) -> Counter:
    return Counter(name, means, labels, registry=registry)


def _gauge(registry: CollectorRegistry, name: str, means: str, *labels: str) -> Gauge:
    return Gauge(name, means, labels, registry=registry, multiprocess_mode="livesum")
