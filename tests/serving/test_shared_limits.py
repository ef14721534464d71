"""Many ask at once, of two services on one store: no cap, capacity or seat is given out twice."""

import asyncio
import itertools
from contextlib import AsyncExitStack, ExitStack
from typing import Any

import httpx
import orjson
import pytest

from features.rows.row_types import ContactRow, RecordRow
from features.store.store import Store
from features.times import DAY
from nba.settings import parse_settings
from serving.api.recommend import AT_ONCE as AT_ONCE_IN_A_BATCH
from serving.app import create_app
from tests.serving.conftest import NOW

SETTINGS = """
[store]
url = "{url}"
[actions.call]
channel = "phone"
{action}
[points]
kinds = {{ visit = 5 }}
thresholds = [{{ from = 0, actions = ["call"] }}]
[serving]
deadline = "60s"
[ranking]
epsilon = 0.0
holdout = 0.0
[contact_policy]
{policy}
"""
AT_ONCE = 16


class Together:
    """Two services on one store; one clock."""

    def __init__(self, tmp_path, url: str) -> None:
        self.folder, self.url, self.clock = tmp_path, url, itertools.count(NOW)
        self.writes, self.held = 0, ExitStack()

    def load(self, body, *, events=()) -> None:
        with Store.open(self.url) as store, store.writing() as writing:
            writing.contacts([ContactRow(f"crm:{n}", NOW - DAY, body(n)) for n in range(AT_ONCE)])
            writing.records("events", [RecordRow(name, NOW - DAY, each) for name, each in events])

    def ask(self, action: str, policy: str, bodies, *, racing: int = 0) -> list[dict[str, Any]]:
        """Post everything at once; the first ``racing`` writes come to the store when all of them have been decided."""
        settings = parse_settings(
            SETTINGS.format(url=self.url, action=action, policy=policy), folder=self.folder, environ={}
        )

        async def journey():
            async with AsyncExitStack() as stack:
                clients = []
                for _ in range(2):
                    app = create_app(settings, clock=lambda: next(self.clock))
                    await stack.enter_async_context(app.router.lifespan_context(app))
                    transport = httpx.ASGITransport(app=app)
                    client = httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=60)
                    clients.append(await stack.enter_async_context(client))
                    if racing:
                        app.state.service.writer.write = self._counted(app.state.service.writer.write, racing)
                if racing:
                    self.held = stack.enter_context(ExitStack())
                    self.held.enter_context(stack.enter_context(Store.open(self.url)).writing())
                asked = [
                    clients[n % 2].post(body.pop("path", "/v1/recommend"), json=body) for n, body in enumerate(bodies)
                ]
                return await asyncio.gather(*asked)

        answers = asyncio.run(journey())
        assert {each.status_code for each in answers} == {200}, [each.text for each in answers][:3]
        return [each.json() for each in answers]

    def _counted(self, write, racing: int):
        async def counted(job):
            self.writes += 1
            if self.writes == racing:
                self.held.close()
            return await write(job)

        return counted

    def logged(self, action: str = "call") -> list[str]:
        with Store.open(self.url) as store:
            return [row.identity for row in store.decision_rows() if row.action == action]


@pytest.fixture
def together(tmp_path, store_url) -> Together:
    return Together(tmp_path, store_url)


def everybody(**more):
    return [{"contact": f"crm:{n}", "explain": True, **more} for n in range(AT_ONCE)]


def rules(answers) -> list[str]:
    return [each["removed"][0]["rule"] for each in answers if each["do_nothing"]]


def test_seats_and_slots_of_a_day_are_given_out_once(together) -> None:
    together.load(lambda n: {"owner": f"rep {n % 2}"})
    answers = together.ask('capacity = { per = "1d", count = 3, by = "owner" }', "", everybody(), racing=AT_ONCE)
    assert len(together.logged()) == 6, "three of each owner"
    assert rules(answers) == ["capacity"] * (AT_ONCE - 6), "whoever came too late is told why"


def test_seats_in_total_are_too(together) -> None:
    together.load(lambda n: {})
    assert rules(together.ask("capacity = { total = 5 }", "", everybody(), racing=AT_ONCE)) == ["capacity"] * (
        AT_ONCE - 5
    )
    assert len(together.logged()) == 5


def test_the_cap_of_an_account_holds_for_all_its_contacts_together(together) -> None:
    together.load(lambda n: {"account": f"acme {n % 3}"})
    answers = together.ask("", 'caps = [{ account = true, per = "7d", count = 2 }]', everybody(), racing=AT_ONCE)
    assert len(together.logged()) == 6
    assert rules(answers) == ["cap:account:all/7d"] * (AT_ONCE - 6)


def test_seats_at_an_event_are_too(together) -> None:
    event = {"starts_at": NOW + 5 * DAY, "seats": 4}
    together.load(lambda n: {}, events=[("fair", event)])
    posts = [{"identity": f"crm:{n}", "kind": "visit", "occurred_at": (NOW - DAY) // 1000, "touchpoint_id": f"t{n}"}
             for n in range(AT_ONCE)]  # fmt: skip
    together.ask("", "", [{"path": "/v1/touchpoints", **post} for post in posts])
    answers = together.ask('when = { event = "starts_at", from = "-21d", to = "-1d" }', "", everybody(), racing=AT_ONCE)
    assert len(together.logged()) == 4
    assert rules(answers) == ["eligibility"] * (AT_ONCE - 4)


def test_one_contact_that_is_asked_about_many_times_at_once_is_approached_once(together) -> None:
    together.load(lambda n: {})
    bodies = [{"contact": "crm:1", "context": {"n": n}} for n in range(AT_ONCE)]
    answers = together.ask("", 'caps = [{ per = "7d", count = 1 }]', bodies, racing=AT_ONCE)
    assert together.logged() == ["crm:1"]
    assert len({each["decision_id"] for each in answers}) == 1, "the same choice again"


def test_a_batch_over_an_account_is_no_way_around_its_cap(together) -> None:
    together.load(lambda n: {"account": "acme"})
    body = {"path": "/v1/recommend/batch", "requests": everybody()}
    (found,) = together.ask("", 'caps = [{ account = true, per = "7d", count = 2 }]', [body], racing=AT_ONCE_IN_A_BATCH)
    assert len(together.logged()) == 2
    assert len(found["answers"]) == AT_ONCE and orjson.dumps(found)
