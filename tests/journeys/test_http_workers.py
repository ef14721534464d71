"""Several processes at one address: one that dies is replaced, all are renewed, and what was acknowledged is there."""

import asyncio
import os
import signal
import time
from pathlib import Path

import httpx
import pytest

from features.store.store import Store
from serving.process import ServerProcess

SETTINGS = """
[actions.newsletter]
channel = "email"
[points]
kinds = { visit = 5 }
thresholds = [{ from = 5, actions = ["newsletter"] }]
"""

pytestmark = pytest.mark.slow


@pytest.fixture
def server(tmp_path):
    config = tmp_path / "nba.toml"
    config.write_text(SETTINGS)
    with ServerProcess(config, options=["--workers", "2"]) as found:
        until(lambda: len(workers(found)) == 2)
        yield found


def workers(server):
    """The processes that answer."""
    found = []
    for number in children(server.pid):
        try:
            command = Path(f"/proc/{number}/cmdline").read_bytes()
        except OSError:
            continue
        if b"serving.worker\0" in command:
            found.append(number)
    return found


def children(pid):
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def until(is_so, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class Writer:
    """Sends touchpoints and asks, through kills: what is not acknowledged is sent again."""

    def __init__(self, address):
        self.address = address
        self.stored, self.answers, self.statuses = set(), {}, set()
        self.is_over = False

    async def run(self, n):
        await asyncio.gather(*(self._write(f"w{w}") for w in range(n)))

    async def _write(self, name):
        turn = 0
        while not self.is_over:
            turn += 1
            async with httpx.AsyncClient(base_url=self.address, trust_env=False, timeout=30) as client:
                await self._once(client, f"{name}-{turn}")

    async def _once(self, client, name):
        visit = {"touchpoint_id": name, "identity": f"of-{name}", "occurred_at": "2025-10-01", "kind": "visit"}
        asked = {"contact": f"of-{name}", "decision_id": name}
        try:
            stored = await client.post("/v1/touchpoints", json=visit)
            answer = await client.post("/v1/recommend", json=asked)
        except httpx.TransportError:
            # The worker was killed between taking the call and answering it; whoever calls again finds another.
            return
        self.statuses |= {stored.status_code, answer.status_code}
        self.stored.add(name)
        self.answers[name] = answer.content


def test_a_worker_that_dies_is_replaced_and_nothing_acknowledged_is_lost(server, tmp_path):
    writer = Writer(server.address)

    async def journey():
        writing = asyncio.create_task(writer.run(4))
        for _ in range(3):
            before = workers(server)
            enough = len(writer.answers) + 20
            while len(writer.answers) < enough:
                await asyncio.sleep(0.01)
            os.kill(before[0], signal.SIGKILL)
            await asyncio.to_thread(
                until, lambda gone=before[0]: len(workers(server)) == 2 and gone not in workers(server)
            )
        writer.is_over = True
        await writing

    asyncio.run(journey())
    assert writer.statuses == {200}
    with httpx.Client(base_url=server.address, trust_env=False, timeout=30) as client:
        for name, answer in list(writer.answers.items())[:20]:
            assert client.post("/v1/recommend", json={"contact": f"of-{name}", "decision_id": name}).content == answer
        # Counts of dead workers are in the sums, and every worker tells the same.
        told = client.get("/metrics").text
    counted = [line for line in told.splitlines() if line.startswith('nba_intake_events_total{verdict="stored"}')]
    assert float(counted[0].split()[-1]) >= len(writer.stored)
    assert server.stop() == 0
    with Store.open(f"sqlite:///{tmp_path}/nba.db") as store:
        found = [row[2] for row in store.touchpoint_rows()]
        assert len(found) == len(set(found)) and writer.stored <= set(found)
        rows = {row.decision_id: row.answer for row in store.decision_rows()}
        assert {name: rows[name] for name in writer.answers} == writer.answers


def test_renewed_workers_read_the_settings_again_while_others_answer(server, tmp_path):
    before = set(workers(server))
    config = tmp_path / "nba.toml"
    config.write_text("[actions")
    os.kill(server.pid, signal.SIGHUP)
    until(lambda: "go on with the settings they have" in server.log.read_text())
    assert set(workers(server)) == before
    config.write_text(SETTINGS.replace("newsletter", "letter"))
    writer = Writer(server.address)

    async def journey():
        writing = asyncio.create_task(writer.run(2))
        os.kill(server.pid, signal.SIGHUP)
        await asyncio.to_thread(until, lambda: len(workers(server)) == 2 and not before & set(workers(server)))
        writer.is_over = True
        await writing

    asyncio.run(journey())
    assert writer.statuses == {200}
    with httpx.Client(base_url=server.address, trust_env=False, timeout=30) as client:
        asked = {"contact": "of-w0-1", "explain": True}
        assert "newsletter" not in client.post("/v1/recommend", json=asked).text


def test_workers_end_with_their_parent(server):
    alive = workers(server)
    server.kill()
    until(lambda: not any(Path(f"/proc/{number}/cmdline").exists() and is_running(number) for number in alive))


def is_running(number):
    try:
        return Path(f"/proc/{number}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


def test_what_cannot_start_ends_with_a_sentence(tmp_path):
    config = tmp_path / "nba.toml"
    config.write_text(SETTINGS)
    environ = {"NBA_LOG": "yes"}
    with pytest.raises(ChildProcessError, match="'yes' is no way to log"):
        ServerProcess(config, environ=environ, options=["--workers", "2"]).start()
