import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import orjson
import pytest

from features.errors import UserError
from features.feature_set import FeatureSet
from models.bundle import Bundle
from models.kept import Kept
from models.local import FOLDER, STANDING, local_champion
from models.registry.registry import Registry
from models.registry.training_run import PastTraining
from serving.sync import FIRST_PAUSE, LONGEST_PAUSE, Noting, Sync
from serving.sync_child import SyncChild, SyncPlan
from serving.tries import Tries


class Shelf:
    """A registry in a folder."""

    tracking_uri = "http://127.0.0.1:1"

    def __init__(self, folder):
        self.folder = folder
        self.versions = {}
        self.named = None
        self.fetched = 0
        self.is_away = False

    def add(self, version):
        manifest = {
            "created_at": version,
            "features": FeatureSet(kinds=(), channels=(), topics=()).to_json(),
            "goals": {},
            "policies": {"serves": "points", "evidence": "none"},
        }
        path = self.folder / version
        self.versions[version] = Bundle(manifest).save(path).sha256
        self.named = version
        return path

    def champion(self):
        if self.is_away:
            raise UserError("MLflow does not answer")
        return self.named and (self.named, self.versions[self.named])

    def fetch(self, version, destination):
        if self.is_away:
            raise UserError("MLflow does not answer")
        self.fetched += 1
        return shutil.copytree(self.folder / version, destination)


@pytest.fixture
def shelf(tmp_path):
    (tmp_path / "shelf").mkdir()
    return Shelf(tmp_path / "shelf")


def version_here(folder: Path) -> str | None:
    found = local_champion(folder)
    return found and found[1]


def test_the_champion_is_brought_here_once(tmp_path, shelf):
    sync = Sync(shelf, tmp_path)
    assert sync.look()["state"] == "no champion"
    for version in ("1", "2"):
        shelf.add(version)
        assert sync.look() == {"state": "up to date", "version": version}
        assert sync.look() == {"state": "up to date", "version": version}
        assert local_champion(tmp_path) == (tmp_path / "bundles" / shelf.versions[version], version)
    assert shelf.fetched == 2
    shelf.named = "1"
    sync.look()
    assert version_here(tmp_path) == "1"


def test_a_registry_that_is_away_changes_nothing(tmp_path, shelf):
    sync = Sync(shelf, tmp_path)
    shelf.add("1")
    sync.look()
    shelf.is_away = True
    assert sync.look()["state"] == "registry away"
    assert version_here(tmp_path) == "1"
    shelf.is_away = False
    assert sync.look()["state"] == "up to date"


def test_a_damaged_bundle_is_refused_once_and_leaves_nothing_behind(tmp_path, shelf):
    sync = Sync(shelf, tmp_path)
    shelf.add("1")
    sync.look()
    (shelf.add("2") / "golden.json").write_text("{}")
    for _ in range(3):
        found = sync.look()
        assert (found["state"], found["version"]) == ("refused", "2")
    assert shelf.fetched == 2
    assert version_here(tmp_path) == "1"
    assert len([path for path in (tmp_path / "bundles").iterdir() if path.is_dir()]) == 1


def test_a_bundle_whose_process_was_ended_is_tried_again_after_a_pause(tmp_path, shelf, monkeypatch):
    now = 0.0
    sync = Sync(shelf, tmp_path)
    sync._tries = Tries(FIRST_PAUSE, LONGEST_PAUSE, lambda: now)
    killed = tmp_path / "python"
    killed.write_text("#!/bin/sh\nkill -KILL $$\n")
    killed.chmod(0o755)
    shelf.add("1")
    with monkeypatch.context() as patched:
        patched.setattr(sys, "executable", str(killed))
        for _ in range(3):
            found = sync.look()
            assert found["state"] == "refused" and "SIGKILL" in found["detail"]
    assert shelf.fetched == 1
    now = FIRST_PAUSE
    assert sync.look()["state"] == "up to date"
    assert (shelf.fetched, version_here(tmp_path)) == (2, "1")


def test_a_registry_that_was_never_made_is_not_made_here(tmp_path, shelf):
    shelf.tracking_uri = f"sqlite:///{tmp_path}/mlflow.db"
    assert Sync(shelf, tmp_path).look()["state"] == "no registry"
    assert not (tmp_path / "mlflow.db").exists()


class Told(Registry):
    """A registry that counts how often it is asked for everything."""

    def __init__(self):
        self.named = {"champion": ("1", "a" * 64), "challenger": ("1", "a" * 64)}
        self.asked, self.is_away = 0, False

    def aliased(self, alias):
        if self.is_away:
            raise UserError("MLflow does not answer")
        return self.named[alias]

    def training(self, version):
        self.asked += 1
        return PastTraining(version, (), 1, {"promoted_by": "ann"}, {}, "7", "run")

    def report(self, version):
        return None


def test_what_the_registry_says_is_noted_when_it_changes(tmp_path):
    registry = Told()
    noting, standing = Noting(registry, tmp_path), Kept(tmp_path / FOLDER / STANDING)
    noting.look()
    noting.look()
    assert registry.asked == 1
    kept = standing.read() or {}
    assert kept["challenger"] is None
    assert (kept["champion"]["version"], kept["champion"]["promoted_by"]) == ("1", "ann")
    registry.named["challenger"] = ("2", "b" * 64)
    noting.look()
    assert (standing.read() or {})["challenger"]["version"] == "2"
    registry.is_away = True
    noting.look()
    assert (standing.read() or {})["challenger"]["version"] == "2"


def plan(folder):
    return SyncPlan(folder, f"sqlite:///{folder}/mlflow.db", "nba", folder / "mlartifacts", 0.05)


def is_alive(pid):
    try:
        # A zombie has ended; only its parent has not looked yet.
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def until(holds, seconds=60):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


def test_the_child_says_what_it_found_and_is_started_again_when_killed(tmp_path, monkeypatch):
    monkeypatch.setattr("serving.sync_child._FIRST_PAUSE", 0.01)
    child = SyncChild(plan(tmp_path))

    async def journey():
        running = asyncio.create_task(child.run())
        await until(lambda: child.report()["state"] == "no registry")
        first = child.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await until(lambda: child.pid not in (None, first) and child.report()["state"] == "no registry")
        second = child.pid
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return first, second

    first, second = asyncio.run(journey())
    assert not is_alive(first) and not is_alive(second)


def test_the_child_ends_when_its_parent_is_killed(tmp_path):
    program = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-m', 'serving.sync'], stdin=subprocess.PIPE,"
        " stdout=subprocess.PIPE)\n"
        "child.stdin.write(sys.argv[1].encode() + b'\\n'); child.stdin.flush()\n"
        "child.stdout.readline()\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    line = orjson.dumps(orjson.loads(plan(tmp_path).line())).decode()
    with subprocess.Popen([sys.executable, "-c", program, line], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_alive(pid)
        parent.kill()
    asyncio.run(until(lambda: not is_alive(pid)))
