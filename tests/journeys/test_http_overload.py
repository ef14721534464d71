"""Far more calls than can be answered: who is refused is told at once, nobody fails, and then all is as before."""

import asyncio
import json
import time

import httpx
import pytest

from serving.process import ServerProcess
from tests.journeys.lean_client import LeanClient

SETTINGS = """
[actions.newsletter]
channel = "email"
[points]
kinds = { visit = 5 }
thresholds = [{ from = 5, actions = ["newsletter"] }]
[serving]
deadline = "60s"
"""
CONNECTIONS = 160


class Flood:
    """As many connections as there are, each asking again as soon as it is answered."""

    def __init__(self, server):
        self._address = server.address
        self.statuses = []
        self.untold = 0

    async def run(self, path, seconds, connections=CONNECTIONS):
        until = asyncio.get_running_loop().time() + seconds
        await asyncio.gather(*(self._ask(path, n, until) for n in range(connections)))

    async def _ask(self, path, n, until):
        client, turn = LeanClient(self._address), 0
        while asyncio.get_running_loop().time() < until:
            turn += 1
            answer = await client.post(path, question(path, n, turn))
            self.statuses.append(answer.status)
            self.untold += answer.status != 200 and b"\r\nretry-after: " not in answer.head
        await client.close()


def question(path, n, turn):
    contact = f"c-{n}-{turn}"
    visits = [
        {"touchpoint_id": f"{contact}-{i}", "identity": contact, "occurred_at": "2025-10-01", "kind": "visit"}
        for i in range(50)
    ]
    return json.dumps({"contact": contact} if path == "/v1/recommend" else visits).encode()


@pytest.fixture
def server(tmp_path):
    config = tmp_path / "nba.toml"
    config.write_text(SETTINGS)
    with ServerProcess(config) as found:
        yield found


@pytest.mark.slow
@pytest.mark.parametrize(("path", "status"), [("/v1/recommend", 503), ("/v1/touchpoints", 429)])
def test_who_is_refused_is_told_and_nobody_fails(server, path, status):
    flood = Flood(server)
    asyncio.run(flood.run(path, 5.0))
    assert set(flood.statuses) == {200, status}
    assert flood.untold == 0
    # Once everybody has paused as they were told, everybody is answered again.
    time.sleep(1.5)
    after = Flood(server)
    asyncio.run(after.run(path, 1.0, connections=8))
    assert set(after.statuses) == {200}
    with httpx.Client(base_url=server.address, trust_env=False, timeout=30) as client:
        told = client.get("/metrics").text
    assert f'nba_overload_refusals_total{{kind="{"recommend" if status == 503 else "intake"}"}}' in told
    assert server.stop() == 0


@pytest.mark.slow
def test_a_flood_of_touchpoints_starves_no_recommendation(server):
    touchpoints, asked = Flood(server), Flood(server)

    async def journey():
        await asyncio.gather(touchpoints.run("/v1/touchpoints", 4.0), asked.run("/v1/recommend", 4.0, connections=4))

    asyncio.run(journey())
    assert set(asked.statuses) == {200}
    assert {200} < set(touchpoints.statuses) <= {200, 429}
    # Four connections that ask against 160 that send: each commit has room for both.
    assert 10 * len(asked.statuses) >= touchpoints.statuses.count(200)


@pytest.mark.slow
def test_a_thousand_same_calls_at_once_are_one_decision(server):
    at = server.address.removeprefix("http://").rsplit(":", 1)
    body = b'{"contact": "a", "decision_id": "d"}'
    asked = (
        f"POST /v1/recommend HTTP/1.1\r\nHost: {':'.join(at)}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    )

    async def journey():
        connections = [await asyncio.open_connection(*at) for _ in range(1_000)]
        for _, writer in connections:
            writer.write(asked)
        found = []
        for reader, writer in connections:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
            found.append((head[9:12], await reader.readexactly(length)))
            writer.close()
        return found

    answers = asyncio.run(journey())
    assert {status for status, _ in answers} == {b"200"}
    assert len({answer for _, answer in answers}) == 1


@pytest.mark.slow
def test_slow_bodies_hold_nobody_up(server):
    async def journey():
        at = server.address.removeprefix("http://").rsplit(":", 1)
        slow = [await asyncio.open_connection(*at) for _ in range(64)]
        for _, writer in slow:
            writer.write(b"POST /v1/recommend HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20\r\n\r\n{")
        flood = Flood(server)
        await flood.run("/v1/recommend", 1.0, connections=4)
        for _, writer in slow:
            writer.close()
            await writer.wait_closed()
        return flood.statuses

    assert set(asyncio.run(journey())) == {200}
