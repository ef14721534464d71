import asyncio
import json
import subprocess
import sys

import pytest

from features.feature_set import FeatureSet
from models.bundle import Bundle
from models.local import install
from serving.bundles import FIRST_PAUSE, LONGEST_PAUSE, Bundles
from serving.tries import Tries


def made(folder, name):
    """A whole bundle without a fitted model, which is made and verified quickly."""
    manifest = {
        "created_at": name,
        "features": FeatureSet(kinds=("visit",), channels=(), topics=()).to_json(),
        "goals": {},
        "actions": {},
        "policies": {"serves": "points", "evidence": "none"},
    }
    path = folder / f"made-{name}"
    return path, Bundle(manifest).save(path).sha256


@pytest.fixture
def installed(tmp_path):
    def put(name, version):
        path, sha256 = made(tmp_path, name)
        install(tmp_path, path, version, sha256)
        return sha256

    return put


def look(bundles):
    asyncio.run(bundles.look())
    return bundles.report()


def test_without_a_bundle_points_serve(tmp_path):
    assert look(Bundles(tmp_path))["serves"] == "points"


def test_a_champion_is_taken_and_a_newer_one_swapped_in(tmp_path, installed):
    bundles = Bundles(tmp_path)
    first = installed("a", "1")
    assert look(bundles)["sha256"] == first
    belief = bundles.current
    assert look(bundles)["version"] == "1" and bundles.current is belief
    second = installed("b", "2")
    assert look(bundles)["version"] == "2"
    assert bundles.current is not None and bundles.current.sha256 == second


@pytest.mark.parametrize("damage", ["changed", "missing", "manifest", "gone", "unsigned"])
def test_a_damaged_champion_leaves_the_one_before_serving(tmp_path, installed, damage):
    bundles = Bundles(tmp_path)
    installed("a", "1")
    look(bundles)
    place = tmp_path / "bundles" / installed("b", "2")
    if damage == "changed":
        (place / "golden.json").write_text("{}")
    elif damage == "missing":
        (place / "golden.json").unlink()
    elif damage == "manifest":
        (place / "manifest.json").write_text('{"schema": 999, "files": {}, "propensities": {}}')
    elif damage == "unsigned":
        (place / "more.txt").write_text("")
    else:
        place.rename(tmp_path / "elsewhere")
    found = look(bundles)
    assert found["version"] == "1"
    assert found["refused"]
    installed("c", "3")
    found = look(bundles)
    assert (found["version"], found["refused"]) == ("3", None)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"version": "1"}', "null"])
def test_a_broken_pointer_is_no_champion(tmp_path, installed, content):
    bundles = Bundles(tmp_path)
    installed("a", "1")
    look(bundles)
    (tmp_path / "bundles" / "champion.json").write_text(content)
    assert look(bundles)["version"] == "1"


def test_a_bundle_that_names_no_features_is_refused(tmp_path):
    path = tmp_path / "odd"
    sha256 = Bundle({"goals": {}}).save(path).sha256
    install(tmp_path, path, "1", sha256)
    assert "KeyError" in look(Bundles(tmp_path))["refused"]


class Clock:
    """A clock of its own for the pauses of bundles."""

    def __init__(self, bundles):
        self.now = 0.0
        bundles._tries = Tries(FIRST_PAUSE, LONGEST_PAUSE, lambda: self.now)


def test_what_a_machine_lacks_for_a_moment_is_no_verdict_about_a_bundle(tmp_path, installed, monkeypatch):
    bundles = Bundles(tmp_path)
    clock, real, tried = Clock(bundles), subprocess.run, []

    def run(*words, **options):
        tried.append(clock.now)
        if len(tried) < 3:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        return real(*words, **options)

    monkeypatch.setattr(subprocess, "run", run)
    installed("a", "1")
    for clock.now in range(20):
        found = look(bundles)
        if len(tried) < 3:
            assert (
                found["serves"] == "points" and "Resource temporarily unavailable (tried again in" in found["refused"]
            )
    assert tried == [0, 5, 15] and (found["version"], found["refused"]) == ("1", None)


def test_a_bundle_that_ends_its_process_every_time_is_tried_ever_more_seldom(tmp_path, installed, monkeypatch):
    bundles = Bundles(tmp_path)
    installed("a", "1")
    look(bundles)
    clock, crashing, real = Clock(bundles), tmp_path / "python", sys.executable
    crashing.write_text(f"#!/bin/sh\necho >> {tmp_path}/tried\nkill -ABRT $$\n")
    crashing.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(crashing))
    installed("b", "2")

    async def an_hour():
        for clock.now in range(3600):
            await bundles.look()

    asyncio.run(an_hour())
    found = bundles.report()
    assert (tmp_path / "tried").read_text().count("\n") == 12
    assert found["version"] == "1" and "SIGABRT" in found["refused"]
    # Another one need not wait for it.
    monkeypatch.setattr(sys, "executable", real)
    installed("c", "3")
    assert look(bundles)["version"] == "3"


def test_a_bundle_that_was_found_no_good_is_not_tried_again(tmp_path, installed, monkeypatch):
    bundles = Bundles(tmp_path)
    clock, tried = Clock(bundles), []
    (tmp_path / "bundles" / installed("a", "1") / "golden.json").write_text("{}")
    monkeypatch.setattr(bundles._metrics, "bundle_refused", lambda: tried.append(clock.now))
    for clock.now in (0.0, 1e6):
        assert "golden.json" in look(bundles)["refused"]
    assert tried == [0.0]


def test_the_watch_swaps_by_itself(tmp_path, installed, monkeypatch):
    monkeypatch.setattr("serving.bundles.LOOK_SECONDS", 0.01)
    bundles = Bundles(tmp_path)

    async def journey():
        watch = asyncio.create_task(bundles.watch())
        await asyncio.to_thread(installed, "a", "1")
        while bundles.current is None:
            await asyncio.sleep(0.01)
        watch.cancel()

    asyncio.run(asyncio.wait_for(journey(), 60))
    assert json.loads((tmp_path / "bundles" / "champion.json").read_text())["version"] == "1"
