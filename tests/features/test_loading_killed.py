"""A load that is killed at a random moment stores everything or nothing."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from features.loading import intake
from features.loading.loading import load_files
from features.store.store import Store
from features.times import parse_time
from features.touchpoints.touchpoints import TouchpointRules

NOW = parse_time("2026-01-01")


def rows_with_faults(good: int, bad: int) -> str:
    rows = [f"crm:{n % 500},2025-01-01T10:{n % 60:02},visit{n}\n" for n in range(good)]
    return "identity,occurred_at,kind\n" + "".join(rows) + "".join(f"crm:{n},soon,visit\n" for n in range(bad))


KILLED = """
import sys
from pathlib import Path
from features.loading.loading import load_files
from features.store.store import Store
from features.touchpoints.touchpoints import TouchpointRules

with Store.open(sys.argv[1]) as store:
    print("open", flush=True)
    load_files(store, "touchpoints", [Path(sys.argv[2])], now_us=int(sys.argv[3]), rules=TouchpointRules())
"""


def kill_and_check(folder: Path, times: int) -> None:
    (folder / "a.csv").write_text(rows_with_faults(20_000, 20))
    url = f"sqlite:///{folder / 'nba.db'}"
    argv = [sys.executable, "-c", KILLED, url, str(folder / "a.csv"), str(NOW)]
    rng = random.Random(times)
    for _ in range(times):
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, cwd=Path(intake.__file__).parents[1])
        with process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(rng.uniform(0, 0.8))
            os.kill(process.pid, signal.SIGKILL)
        with Store.open(url) as store:
            found = store.counts()
            assert (found["touchpoints"], found["quarantined"]) in {(0, 0), (20_000, 20)}
            assert store._all("PRAGMA integrity_check") == [("ok",)]
    with Store.open(url) as store:
        load_files(store, "touchpoints", [folder / "a.csv"], now_us=NOW, rules=TouchpointRules())
        assert store.counts()["touchpoints"] == 20_000


def test_a_killed_load_leaves_nothing_half(tmp_path: Path) -> None:
    kill_and_check(tmp_path, 3)


@pytest.mark.slow
def test_a_load_killed_twenty_times_leaves_nothing_half(tmp_path: Path) -> None:
    kill_and_check(tmp_path, 20)
