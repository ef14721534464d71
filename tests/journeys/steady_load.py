"""A steady load of touchpoints and recommendations, and what of it was acknowledged."""

import asyncio
import itertools
import json
import time
from collections import Counter, defaultdict

import httpx

from features.store.store import Store
from tests.journeys.lean_client import LeanClient, NoAnswer

SETTINGS = """
[actions.newsletter]
channel = "email"
[points]
kinds = { visit = 5 }
thresholds = [{ from = 5, actions = ["newsletter"] }]
[ranking]
sticky = "0s"
"""
CONTACTS = 50
A_CALL = 10
"""Touchpoints that a call brings."""


class SteadyLoad:
    """Sends until told to end; a call that gets no answer is forgotten.

    ``events`` and ``questions`` are touchpoints and recommendations a second.
    """

    def __init__(self, address, name, events=300, questions=100):
        self.name, self._address, self._events, self._questions = name, address, events, questions
        self.touchpoints, self.decisions = set(), {}
        self.statuses: Counter[object] = Counter()
        self.refused: Counter[tuple[int, str]] = Counter()
        """How many calls of a kind got another answer than 200 in each second."""
        self.slowest: defaultdict[str, float] = defaultdict(float)
        """Seconds that the slowest answer to a kind of call took."""
        self.degraded = 0
        self._began = time.monotonic()
        self._ended = False

    def end(self):
        self._ended = True

    async def run(self):
        client = LeanClient(self._address)
        await asyncio.gather(
            self._pace(self._events / A_CALL, client, self._send), self._pace(self._questions, client, self._ask)
        )
        await client.close()

    async def _pace(self, rate, client, work):
        calls: set[asyncio.Task[None]] = set()
        began = time.monotonic()
        for n in itertools.count():
            if self._ended:
                break
            await asyncio.sleep(max(0.0, began + n / rate - time.monotonic()))
            if len(calls) < 256:
                task = asyncio.create_task(self._one(work, client, n))
                calls.add(task)
                task.add_done_callback(calls.discard)
        await asyncio.gather(*calls)

    async def _one(self, work, client, n):
        try:
            async with asyncio.timeout(30):
                await work(client, n)
        except (NoAnswer, TimeoutError):
            self.statuses["none"] += 1

    async def _send(self, client, n):
        visits = [
            {
                "touchpoint_id": f"{self.name}-{n}-{i}",
                "identity": f"{self.name}:{n % CONTACTS}",
                "occurred_at": "2025-10-01",
                "kind": "visit",
            }
            for i in range(A_CALL)
        ]
        answer = await self._post(client, "touchpoints", visits)
        if answer.status == 200:
            self.touchpoints |= {visit["touchpoint_id"] for visit in visits}

    async def _ask(self, client, n):
        decision_id = f"{self.name}-{n}"
        asked = {"contact": f"{self.name}:{n % CONTACTS}", "decision_id": decision_id}
        answer = await self._post(client, "recommend", asked)
        if answer.status == 200:
            self.decisions[decision_id] = answer.content
            self.degraded += json.loads(answer.content)["degraded"]

    async def _post(self, client, kind, body):
        began = time.monotonic()
        answer = await client.post(f"/v1/{kind}", json.dumps(body).encode())
        self.statuses[kind, answer.status] += 1
        self.slowest[kind] = max(self.slowest[kind], time.monotonic() - began)
        if answer.status != 200:
            self.refused[int(began - self._began), kind] += 1
        return answer


def check(url, loads):
    """Everything that was acknowledged is in the store, once."""
    with Store.open(url) as store:
        stored = [row[2] for row in store.touchpoint_rows()]
        rows = {row.decision_id: row for row in store.decision_rows()}
    assert len(stored) == len(set(stored))
    for load in loads:
        assert load.touchpoints and load.decisions
        assert load.touchpoints <= set(stored)
        for decision_id, answer in load.decisions.items():
            assert rows[decision_id].answer == answer


async def emptied(address, seconds=60):
    """Wait until the store has everything."""
    async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=30) as client:
        for _ in range(int(seconds / 0.1)):
            ready = await client.get("/readyz")
            if ready.status_code == 200 and ready.json()["status"] == "ready":
                return
            await asyncio.sleep(0.1)
    raise AssertionError(ready.text)
