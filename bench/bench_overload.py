"""Ten times more calls than the service can answer, and what becomes of those it takes and of those it refuses.

The server runs on one core and the load on another, in one run: what it can do with 16 connections that each ask again
at once; a quiet time at half of that, evenly spread over as many connections; then ten times what it can do, over ten
times as many connections; and a quiet time again, a few seconds later. A refusal comes with ``Retry-After`` and is not
obeyed. ``--unpaced`` has the many connections ask for all they can instead, which is more than ten times as much where
refusals are quick: each of them asks again as soon as it is refused.

``accepted`` are answers with 200; quantiles are of them, from the moment a call is sent to the last byte of its
answer. ``--intake`` floods with batches of touchpoints instead, beside recommendations at the quiet rate. Before that
the service is let do what it does once after its start, in processes beside it: they would take turns on its core.

``--soak HOURS`` asks at half of what the service can do, and prints once in each sixtieth of the time what memory the
processes of the service hold that stay: the least of several looks, and the most; and beside it what those hold that it
begins now and then and that end by themselves. The least is to be flat within 5 % after the first 15 minutes, in which
caches fill; in a soak of less than an hour, after the first quarter of it.

``--strict`` exits with 1 where the p99 of accepted calls is more than three times the quiet one, a refusal takes more
than 20 ms at its p99, memory is not flat, or a call fails.
"""

from __future__ import annotations

import argparse
import gc
import math
import os
import select
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bench.http_load import Connection, load, post
from bench.http_world import batches, fill, make_bundle, questions, serve_with, write_settings
from features.store.store import Store
from nba.door import now_us
from serving.process import ServerProcess

CONNECTIONS = 16
TIMES = 10
WORST_ACCEPTED = 3.0
WORST_REFUSED_MS = 20.0
SETTLED = 100.0
"""Seconds after its start by which the service has counted, reported and put down who sees whom; minutes pass before it
does so again."""
PARTS = 60
WARM_UP_MINUTES = 15.0
FLAT = 1.05
LOOK_SECONDS = 5.0
LONGEST_HOURS = 168.0


@dataclass
class Calls:
    """What came of calls: milliseconds by status."""

    seconds: float = 0.0
    took: dict[int, list[float]] = field(default_factory=dict)
    odd: Counter[str] = field(default_factory=Counter)

    def rate(self, status: int | None = None) -> float:
        """Answers a second, all or with one status."""
        n = sum(len(took) for key, took in self.took.items() if status in (None, key))
        return n / self.seconds

    def ms(self, part: float, *, refused: bool = False) -> float:
        """Quantile of the milliseconds of those that were accepted, or refused; NaN where there are none."""
        found = [took for status, times in self.took.items() if (status != 200) == refused for took in times]
        return float(np.quantile(found, part)) if found else float("nan")

    def line(self) -> str:
        """Say it all in one line."""
        statuses = ", ".join(f"{status}: {len(took):,}" for status, took in sorted(self.took.items()))
        refused = f"; refused p50 {self.ms(0.5, refused=True):.1f} p99 {self.ms(0.99, refused=True):.1f} ms"
        return (
            f"{self.rate():,.0f} calls/s, {self.rate(200):,.0f} accepted/s; accepted p50 {self.ms(0.5):.1f} "
            f"p99 {self.ms(0.99):.1f} ms{refused if len(self.took) > 1 else ''} ({statuses})"
        )


def ask(address: str, requests: Iterator[bytes], connections: int, seconds: float, rate: float | None = None) -> Calls:
    """Ask for some seconds: at a rate, evenly spread; or with every connection again at once."""
    found, poll = Calls(), select.epoll()
    asking = {each.socket.fileno(): each for each in (Connection(address) for _ in range(connections))}
    for number in asking:
        poll.register(number, select.EPOLLIN)
    idle = list(asking)
    gc.collect()
    gc.disable()
    began = time.perf_counter()
    asked, until = 0, began + seconds
    while (now := time.perf_counter()) < until or len(idle) < connections:
        if now > until + 30:
            raise TimeoutError("a call was not answered within 30 s")
        while idle and now < until and (rate is None or asked <= rate * (now - began)):
            asking[idle.pop()].ask(next(requests))
            asked += 1
        for number, _ in poll.poll(0.001 if rate else 0.1):
            answer = asking[number].answer()
            if answer is not None:
                status = int(answer[9:12])
                found.took.setdefault(status, []).append(1e3 * (time.perf_counter() - asking[number].asked_at))
                if status not in (200, 429, 503) or (status != 200 and b"retry-after" not in answer):
                    found.odd[bytes(answer[:300]).decode(errors="replace")] += 1
                idle.insert(0, number)
    found.seconds = time.perf_counter() - began
    gc.enable()
    poll.close()
    for each in asking.values():
        each.socket.close()
    return found


@contextmanager
def flood(address: str, seconds: float) -> Iterator[list[Calls]]:
    """Send batches of touchpoints from a process of its own meanwhile."""
    found: list[Calls] = []
    requests = (post(address, "/v1/touchpoints", body) for body in batches())
    thread = threading.Thread(target=lambda: found.append(ask(address, requests, TIMES * CONNECTIONS, seconds)))
    thread.start()
    yield found
    thread.join()


def overload(address: str, seconds: float, *, by_intake: bool, unpaced: bool) -> bool:
    """Measure and print; whether all that should hold does."""
    requests = (post(address, "/v1/recommend", body) for body in questions("outbound"))
    load(address, requests, CONNECTIONS, 2.0)
    most = load(address, requests, CONNECTIONS, 5.0).rate
    print(f"capacity    {most:,.0f} answers/s with {CONNECTIONS} connections")
    before = ask(address, requests, CONNECTIONS, 10.0, rate=most / 2)
    print(f"quiet       {before.line()}")
    if by_intake:
        with flood(address, seconds) as flooding:
            found = ask(address, requests, CONNECTIONS, seconds, rate=most / 4)
        print(f"intake      {flooding[0].line()}")
    else:
        rate = None if unpaced else TIMES * most
        found = ask(address, requests, TIMES * CONNECTIONS, seconds, rate=rate)
    print(f"overload    {found.line()}")
    time.sleep(5.0)
    after = ask(address, requests, CONNECTIONS, 10.0, rate=most / 2)
    print(f"afterwards  {after.line()}")
    times, slow = found.ms(0.99) / before.ms(0.99), found.ms(0.99, refused=True)
    print(f"p99 of accepted calls, overload / quiet    {times:.2f}  (at most {WORST_ACCEPTED:g})")
    print(f"p99 of refusals                            {slow:.1f} ms  (at most {WORST_REFUSED_MS:g})")
    print(f"p99 afterwards / quiet                     {after.ms(0.99) / before.ms(0.99):.2f}")
    for what, n in (before.odd + found.odd + after.odd).items():
        print(f"{n} answers are neither accepted nor told when to come again, such as {what!r}")
    is_quiet = set(before.took) == set(after.took) == {200}
    return is_quiet and times <= WORST_ACCEPTED and not slow > WORST_REFUSED_MS and not found.odd


def soak(server: ServerProcess, hours: float) -> bool:
    """Ask at half of what the service can do; whether its memory is flat after its caches have filled."""
    requests = (post(server.address, "/v1/recommend", body) for body in questions("outbound"))
    load(server.address, requests, CONNECTIONS, 2.0)
    rate = load(server.address, requests, CONNECTIONS, 5.0).rate / 2
    warm = min(math.ceil(WARM_UP_MINUTES / hours), PARTS // 4)
    print(f"{60 * hours:g} min at {rate:,.0f} calls/s; the first {warm * hours:.2f} min fill caches and do not count")
    stay = [server.pid, *begun_by(server.pid)]
    held, failed = [], 0
    for part in range(PARTS):
        with watched(server.pid, stay) as looks:
            found = ask(server.address, requests, CONNECTIONS, hours * 3600 / PARTS, rate=rate)
        held.append(min(look[0] for look in looks))
        failed += sum(found.odd.values())
        what = "warming up" if part < warm else "soak"
        memory = f"{held[-1]:.1f} MB, at most {max(look[0] for look in looks):.1f}"
        beside = max(look[1] for look in looks)
        memory += f"; {beside:.1f} in what it does beside" if beside else ""
        print(f"{what:11} {(part + 1) * hours:.2f} min  {memory}; {found.line()}", flush=True)
    low, high = min(held[warm:]), max(held[warm:])
    is_flat = high <= FLAT * low
    apart = f"{100 * (high / low - 1):.1f} % apart  (at most {100 * (FLAT - 1):.0f})"
    print(f"memory after {warm * hours:.2f} min   {low:.1f} to {high:.1f} MB, {apart}: {'' if is_flat else 'NOT '}flat")
    print(f"calls that failed           {failed}")
    return is_flat and not failed


@contextmanager
def watched(pid: int, stay: Collection[int]) -> Iterator[list[tuple[float, float]]]:
    """Look at the memory of a service now and then: of processes that stay, and of what it has begun meanwhile."""
    looks, ended = [], threading.Event()

    def look_once() -> None:
        looks.append((megabytes(stay), megabytes(set(begun_by(pid)) - set(stay))))

    def look() -> None:
        while not ended.wait(LOOK_SECONDS):
            look_once()

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield looks
    finally:
        ended.set()
        thread.join()
        look_once()


def megabytes(pids: Iterable[int]) -> float:
    """Resident memory of processes; pages that they share count for each.

    Examples
    --------
    >>> megabytes([os.getpid()]) > 1.0
    True
    """
    pages = 0
    for each in pids:
        # A process may end between two looks at it.
        with suppress(FileNotFoundError, ProcessLookupError):
            pages += int(Path(f"/proc/{each}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def begun_by(pid: int) -> list[int]:
    """Find the processes that a process has started, and those that they have."""
    found = []
    with suppress(FileNotFoundError, ProcessLookupError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += [int(child) for child in (task / "children").read_text().split()]
    return found + [each for child in found for each in begun_by(child)]


def main() -> None:
    """Print what becomes of calls that are too many."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=_some(3600.0), default=30.0, help="of the overload")
    parser.add_argument("--settled", type=_some(3600.0), default=SETTLED, help="seconds after the start to wait first")
    parser.add_argument("--core", type=int, default=0, help="where the server runs")
    parser.add_argument("--load-core", type=int, default=1)
    parser.add_argument("--intake", action="store_true", help="flood with touchpoints")
    parser.add_argument("--unpaced", action="store_true", help="ask for all that the connections can")
    parser.add_argument("--soak", type=_some(LONGEST_HOURS), metavar="HOURS", help="look at the memory instead")
    parser.add_argument("--strict", action="store_true", help="exit with 1 where something should be better")
    options = parser.parse_args()
    if options.soak and (options.intake or options.unpaced):
        parser.error("--soak asks at half load; it goes with neither --intake nor --unpaced")
    for core in (options.core, options.load_core):
        if core not in os.sched_getaffinity(0):
            parser.error(f"there is no core {core} here; take some of {sorted(os.sched_getaffinity(0))}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = write_settings(folder, f"sqlite:///{folder}/nba.db")
        now = now_us()
        with Store.open(f"sqlite:///{folder}/nba.db") as store:
            fill(store, now)
        serve_with(folder, make_bundle(folder, now)[0])
        os.sched_setaffinity(0, {options.core})
        with ServerProcess(config) as server:
            os.sched_setaffinity(0, {options.load_core})
            print(f"waiting {options.settled:.0f} s for what the service does after its start", flush=True)
            time.sleep(options.settled)
            if options.soak:
                is_kept = soak(server, options.soak)
            else:
                is_kept = overload(server.address, options.seconds, by_intake=options.intake, unpaced=options.unpaced)
    sys.exit(options.strict and not is_kept)


def _some(most: float) -> Callable[[str], float]:
    """Read a number greater than 0."""

    def number(said: str) -> float:
        found = float(said)
        if not 0.0 < found <= most:
            raise argparse.ArgumentTypeError(f"{said} is no number greater than 0 and at most {most:g}")
        return found

    return number


if __name__ == "__main__":
    main()
