"""The HTTP service beside an empty route of FastAPI and beside ``mlflow models serve``, in one run on one machine.

The server runs on one core; the load, and PostgreSQL as another machine would, on another. The empty route reads a
request of the same size, answers with as many bytes, and runs in the same web server with the same options.

============== ========================================================================================================
``empty``      an empty route of FastAPI
``sqlite``     ``POST /v1/recommend``, complete: contact, history of 200 touchpoints, features, three models, twenty
               actions through every kind of rule, draw, decision stored durably, answer; on SQLite
``postgresql`` the same on PostgreSQL
``mlflow``     ``mlflow models serve`` with the same three models, asked with ready features as ``dataframe_split``
``intake``     ``POST /v1/touchpoints`` with 100 touchpoints each, acknowledged once they are durable, on SQLite
``ceiling``    what the load itself can ask, of a responder that does nothing
============== ========================================================================================================

All are asked by turns, round after round, and what is compared is from the same round: ratios are medians over the
rounds, quantiles of all rounds together. Run it with ``make bench-http``; ``ARGS=--strict`` exits with 1 where a floor
is missed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bench.bench_one import postgresql
from bench.http_load import Measured, load, post
from bench.http_mlflow import mlflow_server
from bench.http_world import batches, fill, make_bundle, publish, questions, ready_features, serve_with, write_settings
from features.store.store import Store
from nba.door import now_us
from serving.process import ServerProcess

CONNECTIONS = 16
OF_A_RECOMMENDATION = ("sqlite", "postgresql")
FLOORS = {"sqlite": 0.15, "postgresql": 0.12}
"""Of the empty route's answers a second."""
SLOWEST = 6.0
"""Times the empty route's p50 and p99 at one connection, on SQLite."""
FASTER_THAN_MLFLOW = 2.5


@dataclass
class Target:
    """Something to be asked, and what it said in each round."""

    address: str
    path: str
    bodies: Iterator[bytes]
    many: list[Measured] = field(default_factory=list)
    one: list[Measured] = field(default_factory=list)

    def measure(self, seconds: float) -> None:
        """Ask for one round, with many connections and with one."""
        requests = (post(self.address, self.path, body) for body in self.bodies)
        load(self.address, requests, CONNECTIONS, seconds / 10)
        self.many.append(load(self.address, requests, CONNECTIONS, seconds))
        self.one.append(load(self.address, requests, 1, seconds))

    @property
    def refused(self) -> list[Measured]:
        """Rounds with answers that were none."""
        return [each for each in (*self.many, *self.one) if each.refused]

    def quantile(self, part: float) -> float:
        """Quantile of the microseconds at one connection, all rounds together."""
        return Measured(1.0, [us for each in self.one for us in each.microseconds]).quantile(part)

    def rate(self) -> float:
        """Answers a second with many connections, the median of the rounds."""
        return statistics.median(each.rate for each in self.many)

    def share_of(self, other: Target) -> float:
        """Rate as a part of another's of the same round, the median of the rounds."""
        return statistics.median(mine.rate / theirs.rate for mine, theirs in zip(self.many, other.many, strict=True))


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Let what is started inside run on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def empty(what: str, size: int) -> Iterator[str]:
    """Address of an empty route, or of a bare responder."""
    command = [sys.executable, "-m", "bench.http_empty", what, str(size)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        try:
            yield str(child.stdout.readline()).strip() if child.stdout else ""
        finally:
            child.kill()


def service(folder: Path, store: str, bundle: Path, stack: ExitStack) -> str:
    """Address of a service with everybody in its store and the bundle in its place."""
    folder.mkdir()
    settings = write_settings(folder, store)
    with Store.open(store) as opened:
        fill(opened, now_us())
    serve_with(folder, bundle)
    return stack.enter_context(ServerProcess(settings)).address


def targets(folder: Path, stack: ExitStack, options: argparse.Namespace) -> dict[str, Target]:
    """Start everything."""
    found: dict[str, Target] = {}
    recommend = partial(Target, path="/v1/recommend")
    with on_core(options.load_core):
        server = stack.enter_context(postgresql()) if "postgresql" not in options.without else None
    print("making contacts and models", file=sys.stderr)
    bundle, X = make_bundle(folder, now_us())
    with on_core(options.core):
        url = f"sqlite:///{folder / 'sqlite' / 'nba.db'}"
        found["sqlite"] = recommend(service(folder / "sqlite", url, bundle, stack), bodies=questions("outbound"))
        size = _answer_size(found["sqlite"])
        found = {
            "ceiling": recommend(stack.enter_context(empty("bare", size)), bodies=questions("outbound")),
            "empty": recommend(stack.enter_context(empty("route", size)), bodies=questions("outbound")),
            **found,
        }
        if server is not None:
            address = service(folder / "postgresql", server, bundle, stack)
            found["postgresql"] = recommend(address, bodies=questions("outbound"))
        found["intake"] = Target(found["sqlite"].address, "/v1/touchpoints", batches())
    if "mlflow" not in options.without:
        uri = f"sqlite:///{folder}/mlflow.db"
        publish(bundle, uri, folder / "mlartifacts")
        with on_core(options.core):
            address = stack.enter_context(mlflow_server(folder, uri))
        found["mlflow"] = Target(address, "/invocations", ready_features(X))
    return found


def _answer_size(target: Target) -> int:
    """How many bytes an answer's body has."""
    requests = (post(target.address, target.path, body) for body in target.bodies)
    return load(target.address, requests, 1, 1.0).size


def floors(found: dict[str, Target]) -> list[tuple[str, float, float, bool]]:
    """Return what is compared, the figure, its floor or most, and whether that is kept."""
    base, lines = found["empty"], []
    for name in OF_A_RECOMMENDATION:
        if name in found:
            share = found[name].share_of(base)
            lines.append((f"{name} / empty, answers a second", share, FLOORS[name], share >= FLOORS[name]))
    for part in (0.5, 0.99):
        times = found["sqlite"].quantile(part) / base.quantile(part)
        lines.append((f"sqlite / empty, p{100 * part:g} of one connection", times, SLOWEST, times <= SLOWEST))
    if "mlflow" in found:
        faster = found["sqlite"].share_of(found["mlflow"])
        lines.append(("sqlite / mlflow, answers a second", faster, FASTER_THAN_MLFLOW, faster >= FASTER_THAN_MLFLOW))
    return lines


def report(found: dict[str, Target]) -> bool:
    """Print what was measured; whether every floor is kept."""
    print(f"\n{'':>12} {'answers/s':>10} {'of empty':>9} {'p50 us':>9} {'p99 us':>9} {'bytes':>7}")
    for name, each in found.items():
        shown = each.rate(), each.share_of(found["empty"]), each.quantile(0.5), each.quantile(0.99)
        print(f"{name:>12} {shown[0]:>10.0f} {shown[1]:>9.3f} {shown[2]:>9.0f} {shown[3]:>9.0f}", end=" ")
        print(f"{each.many[-1].size:>7}")
    print(f"\nintake: {100 * found['intake'].rate():,.0f} touchpoints a second, durable before they are acknowledged\n")
    is_kept = True
    for what, figure, floor, kept in floors(found):
        print(f"{what:>44} {figure:>8.3f}  {floor:>5.2f} {'kept' if kept else 'MISSED'}")
        is_kept = is_kept and kept
    for name, each in found.items():
        for measured in each.refused:
            print(f"{name}: {measured.refused} answers were refused, such as {measured.example[:400]!r}")
            is_kept = False
    return is_kept


def main() -> None:
    """Print how fast the service is beside what it is compared with."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement in a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--core", type=int, default=0, help="where servers run")
    parser.add_argument("--load-core", type=int, default=1, help="where the load runs, and PostgreSQL")
    parser.add_argument("--without", nargs="*", default=[], choices=["postgresql", "mlflow"], help="what to leave out")
    parser.add_argument("--strict", action="store_true", help="exit with 1 where a floor is missed")
    options = parser.parse_args()
    if not {options.core, options.load_core} <= os.sched_getaffinity(0):
        sys.exit(f"cores {options.core} and {options.load_core} are asked for, and this process may not use both")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        found = targets(Path(folder), stack, options)
        with on_core(options.load_core):
            for _ in range(options.rounds):
                for each in found.values():
                    each.measure(options.seconds)
        is_kept = report(found)
    sys.exit(options.strict and not is_kept)


if __name__ == "__main__":
    main()
