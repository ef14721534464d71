"""What is done beside the service ends with it, also where it is killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PARENT = """
import asyncio, sys
import uvloop
from serving.child import nba_beside

async def go():
    doing = asyncio.ensure_future(nba_beside(None, "serve", "--port", "0"))
    await asyncio.sleep({seconds})
    doing.cancel()
    await asyncio.gather(doing, return_exceptions=True)

# The loop that the service runs in: it takes fewer arguments than Python's own.
uvloop.run(go())
"""


def begun(tmp_path: Path, seconds: float) -> subprocess.Popen[bytes]:
    (tmp_path / "nba.toml").write_text("")
    home = str(Path(__file__).parents[2])
    environ = {**os.environ, "PYTHONPATH": home}
    return subprocess.Popen([sys.executable, "-c", PARENT.format(seconds=seconds)], cwd=tmp_path, env=environ)


def children_of(folder: Path) -> list[int]:
    """Processes that work in a folder, this one's own left out."""
    found = []
    for each in Path("/proc").iterdir():
        try:
            if each.name.isdecimal() and Path(os.readlink(each / "cwd")) == folder:
                found.append(int(each.name))
        except OSError:
            continue
    return found


def wait_for(is_so):
    until = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="looks for processes where Linux lists them")
@pytest.mark.parametrize("is_killed", [True, False])
def test_what_is_begun_beside_ends_with_who_began_it(tmp_path, is_killed):
    parent = begun(tmp_path, 600 if is_killed else 1)
    try:
        wait_for(lambda: len(children_of(tmp_path)) == 2)
        if is_killed:
            parent.send_signal(signal.SIGKILL)
        assert parent.wait(60) == (-signal.SIGKILL if is_killed else 0)
        wait_for(lambda: children_of(tmp_path) == [])
    finally:
        parent.kill()


@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="looks for processes where Linux lists them")
def test_what_is_begun_beside_stands_back(tmp_path):
    parent = begun(tmp_path, 600)
    try:
        wait_for(lambda: len(children_of(tmp_path)) == 2)
        (child,) = set(children_of(tmp_path)) - {parent.pid}
        wait_for(lambda: os.getpriority(os.PRIO_PROCESS, child) == 15)
        # Niceness counts inside one session only, and a group of one's own is what it is ended by.
        assert os.getsid(child) == os.getsid(parent.pid)
        assert os.getpgid(child) == child
    finally:
        parent.kill()
        parent.wait(60)
        wait_for(lambda: children_of(tmp_path) == [])
