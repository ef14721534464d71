"""The store goes away and comes back: every call goes on, and what was acknowledged is stored once."""

import asyncio

import pytest

from features.store.store import Store
from features.times import DAY
from tests.serving.conftest import SETTINGS, Local


@pytest.fixture
def away(tmp_path, power):
    settings = SETTINGS.replace('deadline = "5s"', 'deadline = "150ms"')
    found = Local(tmp_path, settings + f'[store]\nurl = "{power.url}"\n')
    yield found
    power.start()


async def recommend(client, contact, decision_id=None, **more):
    return await client.post("/v1/recommend", json={"contact": contact, "decision_id": decision_id, **more})


async def stored_again(client):
    """Wait until the journal is empty and the store can be read."""
    for _ in range(600):
        ready = (await client.get("/readyz")).json()
        if ready["status"] == "ready":
            return ready
        await asyncio.sleep(0.05)
    raise AssertionError(ready)


def test_every_call_goes_on_while_the_store_is_stopped(away, power):
    name = away.settings.folder.name

    async def journey(client):
        visits = [away.touchpoint(f"{name}-{n}", "download", contact=f"{name}:1", days=n) for n in (1, 2, 3)]
        assert (await client.post("/v1/touchpoints", json=visits)).json()["stored"] == 3
        before = await recommend(client, f"{name}:1", f"{name}-d1")
        assert not before.json()["degraded"]
        await asyncio.to_thread(power.stop)

        known = await recommend(client, f"{name}:1", f"{name}-d2")
        assert known.status_code == 200
        assert (known.json()["degraded"], known.json()["mode"], known.json()["points"]["total"]) == (
            True,
            "points",
            300,
        )
        assert (await recommend(client, f"{name}:1", f"{name}-d2")).content == known.content
        assert (await recommend(client, f"{name}:1", f"{name}-d1")).content == before.content
        assert (await recommend(client, f"{name}:2", f"{name}-d2")).status_code == 422
        stranger = (await recommend(client, f"{name}:9")).json()
        assert (stranger["mode"], stranger["degraded"], stranger["do_nothing"]) == ("default", True, True)

        more = away.touchpoint(f"{name}-late", "service_call", contact=f"{name}:1", days=0.5)
        for _ in range(2):
            assert (await client.post("/v1/touchpoints", json=more)).json()["success"]
        assert (await recommend(client, f"{name}:1")).json()["points"]["total"] == 550
        told = {"decision_id": f"{name}-d2", "outcome": "clicked", "feedback_id": f"{name}-f"}
        assert (await client.post("/v1/feedback", json=told)).json()["success"]
        assert (await client.post("/v1/touchpoints", json={"identity": "x"})).status_code == 400
        assert (await client.get(f"/v1/contacts/{name}:1")).status_code == 503
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
        assert ready.json()["journal"]["records"] >= 5

        await asyncio.to_thread(power.start)
        assert (await stored_again(client))["journal"]["bytes"] == 0
        assert (await recommend(client, f"{name}:1", f"{name}-d2")).content == known.content
        return known.content

    answer = away.run(journey)
    with Store.open(power.url) as store:
        ids = [row[2] for row in store.history(f"{name}:1", away.now + DAY)]
        assert sorted(ids) == sorted([*(f"{name}-{n}" for n in (1, 2, 3)), f"{name}-late", f"{name}-f"])
        found = store.decision(f"{name}-d2")
        assert found is not None and found.answer == answer
        # The second decision was the first one's choice, given again.
        assert [row.pending for row in store.outcomes_of(f"{name}-d1")] == [False]
        assert store.counts()["quarantined"] == 1


def test_a_store_that_hangs_costs_one_deadline_and_no_answer(away, power):
    name = away.settings.folder.name

    async def journey(client):
        visits = [away.touchpoint(f"{name}-{n}", contact=f"{name}:1", days=n) for n in (1, 2)]
        await client.post("/v1/touchpoints", json=visits)
        await recommend(client, f"{name}:1")
        with power.hanging():
            asked = [recommend(client, f"{name}:1", f"{name}-{n}") for n in range(10)]
            answers = await asyncio.wait_for(asyncio.gather(*asked), 20)
            health = await client.get("/healthz")
        assert health.status_code == 200
        assert {answer.status_code for answer in answers} == {200}
        assert all(answer.json()["degraded"] for answer in answers)
        await stored_again(client)
        again = await asyncio.gather(*(recommend(client, f"{name}:1", f"{name}-{n}") for n in range(10)))
        assert [answer.content for answer in again] == [answer.content for answer in answers]

    away.run(journey)
    with Store.open(power.url) as store:
        assert all(store.decision(f"{name}-{n}") is not None for n in range(10))


def test_what_was_kept_before_the_end_is_stored_at_the_next_start(away, power):
    name = away.settings.folder.name

    async def kept(client):
        await client.get("/healthz")
        await asyncio.to_thread(power.stop)
        await client.post("/v1/touchpoints", json=away.touchpoint(f"{name}-t", contact=f"{name}:1"))
        return (await recommend(client, f"{name}:1", f"{name}-d")).content

    answer = away.run(kept)
    assert any((away.settings.folder / "journal").glob("*/*.journal"))
    power.start()

    async def later(client):
        return (await recommend(client, f"{name}:1", f"{name}-d")).content

    assert away.run(later) == answer
    assert not any((away.settings.folder / "journal").glob("*/*.journal"))
    with Store.open(power.url) as store:
        assert len(store.history(f"{name}:1", away.now + DAY)) == 1
