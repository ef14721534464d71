"""``kill -9`` while touchpoints, decisions and feedback come in: what was acknowledged is there, once."""

import asyncio
import random

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


@pytest.mark.slow
@pytest.mark.parametrize("kills", [20])
def test_what_was_acknowledged_is_there_once(tmp_path, kills):
    config = tmp_path / "nba.toml"
    config.write_text(SETTINGS)
    acknowledged = Acknowledged()
    rng = random.Random(7)
    for n in range(kills):
        with ServerProcess(config) as server:
            asyncio.run(write_until_killed(server, acknowledged, n, rng.randint(1, 80)))
    with Store.open(f"sqlite:///{tmp_path}/nba.db") as store:
        stored = [row[2] for row in store.touchpoint_rows()]
        assert len(stored) == len(set(stored))
        assert acknowledged.touchpoints <= set(stored)
        rows = {row.decision_id: row for row in store.decision_rows()}
        assert len(acknowledged.decisions) >= kills
        for decision_id, answer in acknowledged.decisions.items():
            assert rows[decision_id].answer == answer
        outcomes = [row.feedback_id for row in store.outcome_rows()]
        assert len(outcomes) == len(set(outcomes))
        assert acknowledged.feedback <= set(outcomes)
        # An outcome and its touchpoint are written together or not at all.
        assert {name for name in outcomes if name in stored} == set(outcomes)
    # And the service goes on from there.
    with ServerProcess(config) as server, httpx.Client(base_url=server.address, trust_env=False) as client:
        decision_id, answer = next(iter(acknowledged.decisions.items()))
        ask = {"contact": f"of-{decision_id}", "decision_id": decision_id}
        assert client.post("/v1/recommend", json=ask).content == answer


class Acknowledged:
    """What the service has said is stored."""

    def __init__(self):
        self.touchpoints = set()
        self.decisions = {}
        self.feedback = set()


async def write_until_killed(server, acknowledged, n, more):
    enough = len(acknowledged.decisions) + more
    async with httpx.AsyncClient(base_url=server.address, trust_env=False, timeout=30) as client:
        writers = [asyncio.create_task(write(client, acknowledged, f"{n}-{w}")) for w in range(8)]
        while len(acknowledged.decisions) < enough:
            await asyncio.sleep(0.001)
        await asyncio.to_thread(server.kill)
        await asyncio.gather(*writers)


async def write(client, acknowledged, name):
    turn = 0
    while True:
        turn += 1
        decision_id = f"{name}-{turn}"
        visits = [
            {
                "touchpoint_id": f"{decision_id}-{i}",
                "identity": f"of-{decision_id}",
                "occurred_at": "2025-10-01",
                "kind": "visit",
            }
            for i in range(3)
        ]
        try:
            if (await client.post("/v1/touchpoints", json=visits)).status_code == 200:
                acknowledged.touchpoints |= {visit["touchpoint_id"] for visit in visits}
            ask = {"contact": f"of-{decision_id}", "decision_id": decision_id}
            answer = await client.post("/v1/recommend", json=ask)
            if answer.status_code == 200:
                acknowledged.decisions[decision_id] = answer.content
            told = {"decision_id": decision_id, "outcome": "clicked", "feedback_id": f"f-{decision_id}"}
            if (await client.post("/v1/feedback", json=told)).status_code == 200:
                acknowledged.feedback.add(told["feedback_id"])
        except httpx.TransportError:
            return
