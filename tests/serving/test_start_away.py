"""The service starts while the store is away: what it can do it does, and the rest when the store is back."""

import asyncio

import httpx
import pytest

from features.rows.row_types import ContactRow
from features.store.store import Store
from features.times import DAY
from nba.door import now_us
from nba.settings import parse_settings
from serving.app import create_app
from serving.issuing import Rights, issue
from serving.process import ServerProcess
from serving.remembered_keys import FILE
from tests.serving.conftest import SETTINGS


class Started:
    """A service on the server's database, in this process."""

    def __init__(self, folder, url):
        self.settings = parse_settings(SETTINGS + f'[store]\nurl = "{url}"\n', folder=folder, environ={})
        self.name = folder.name

    def issued(self, *scopes, **more):
        with Store.open(self.settings.store.url) as store:
            rights = Rights(f"{self.name}-{more.get('partner') or len(scopes)}", scopes, **more)
            found = issue(store, rights, by="test", now_us=now_us())
        return {"Authorization": f"Bearer {found.key}"}

    def run(self, journey, **more):
        async def inside():
            app = create_app(self.settings, **more)
            async with app.router.lifespan_context(app):
                transport = httpx.ASGITransport(app=app)
                async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                    return await journey(client)

        return asyncio.run(inside())


@pytest.fixture
def started(tmp_path, power):
    yield Started(tmp_path, power.url)
    power.start()
    # Others that use this server have no keys.
    with Store.open(power.url) as store, store.writing() as writing:
        writing._cursor.execute("DELETE FROM keys")


async def until_ready(client, headers=None):
    for _ in range(400):
        ready = (await client.get("/readyz", headers=headers)).json()
        if ready["status"] == "ready":
            return
        await asyncio.sleep(0.05)
    raise AssertionError(ready)


def test_with_keys_unknown_only_what_needs_none_is_answered(started, power):
    power.stop()
    visit = {"touchpoint_id": "t", "identity": f"{started.name}:1", "kind": "visit", "occurred_at": now_us() // 1000}

    async def journey(client):
        assert (await client.get("/healthz")).status_code == 200
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()["code"]) == (503, "not-ready")
        for method, path, status in (
            ("GET", "/v1/model", 503),
            ("GET", "/metrics", 503),
            ("POST", "/v1/recommend", 503),
            ("POST", "/v1/touchpoints", 429),
            ("POST", "/v1/t", 429),
        ):
            for headers in ({}, {"Authorization": "Bearer nba_x"}):
                answer = await client.request(method, path, headers=headers, content=b"{}")
                assert (answer.status_code, answer.json()["code"]) == (status, "keys-unknown"), path
                assert answer.headers["retry-after"] == "5"
        await asyncio.to_thread(power.start)
        # There are no tables yet: they are made now, and as there are no keys this machine is let in.
        await until_ready(client)
        assert (await client.post("/v1/touchpoints", json=visit)).json()["stored"] == 1
        assert not (await client.post("/v1/recommend", json={"contact": visit["identity"]})).json()["degraded"]

    started.run(journey)


def test_remembered_keys_let_in_and_what_comes_is_stored_once_when_the_store_is_back(started, power):
    headers = started.issued("recommend", "ingest", "read", "feedback")
    name = started.name

    async def nothing(client):
        assert (await client.get("/v1/model", headers=headers)).status_code == 200

    started.run(nothing)
    assert (started.settings.folder / FILE).exists()
    later = started.issued("recommend", "ingest")
    power.stop()

    async def journey(client):
        ready = (await client.get("/readyz", headers=headers)).json()
        assert ready["status"] == "degraded" and ready["keys"] == {"state": "remembered"}
        assert any("cannot be reached" in each for each in ready["says"])
        asked = {"contact": f"{name}:1", "decision_id": f"{name}-d"}
        answer = await client.post("/v1/recommend", json=asked, headers=headers)
        assert (answer.status_code, answer.json()["mode"], answer.json()["degraded"]) == (200, "default", True)
        visit = {"touchpoint_id": name, "identity": f"{name}:1", "kind": "visit", "occurred_at": now_us() // 1000 - 9}
        assert (await client.post("/v1/touchpoints", json=visit, headers=headers)).json()["stored"] == 1
        # A key that was made since is not called wrong, and an unreadable page is not called empty.
        assert (await client.post("/v1/recommend", json=asked, headers=later)).status_code == 503
        assert (await client.get(f"/v1/contacts/{name}:1", headers=headers)).status_code == 503
        await asyncio.to_thread(power.start)
        await until_ready(client, headers)
        assert (await client.get("/v1/model", headers={"Authorization": "Bearer nba_x"})).status_code == 401
        assert (await client.post("/v1/recommend", json={"contact": f"{name}:1"}, headers=later)).status_code == 200
        return answer.content, await client.post("/v1/recommend", json=asked, headers=headers)

    first, again = started.run(journey, is_elsewhere=True)
    assert again.content == first
    with Store.open(power.url) as store:
        assert [row[2] for row in store.history(f"{name}:1", now_us() + DAY)] == [name]
        assert store.decision(f"{name}-d") is not None


@pytest.mark.slow
def test_bound_keys_report_meanwhile_and_touch_nobody_elses_contacts(started, power):
    scopes = ("recommend", "feedback", "ingest")
    keys = {partner: started.issued(*scopes, partner=partner) for partner in ("north", "south")}
    name = started.name
    with Store.open(power.url) as store, store.writing() as writing:
        for partner in keys:
            writing.contacts([ContactRow(f"{name}:{partner}", now_us() - DAY, {"partner": partner})])

    async def journey(client):
        async def post(path, body, key):
            return await client.post(path, json=body, headers=keys[key])

        ids = {}
        for partner in keys:
            ids[partner] = f"{name} of {partner}"
            asked = {"contact": f"{name}:{partner}", "decision_id": ids[partner]}
            assert (await post("/v1/recommend", asked, partner)).status_code == 200
        await asyncio.to_thread(power.stop)
        # Made by us, so that nothing but the journal knows its id.
        own = (await post("/v1/recommend", {"contact": f"{name}:north"}, "north")).json()["decision_id"]
        for decision_id in (*ids.values(), own, "nobody's"):
            told = {"decision_id": decision_id, "outcome": "rejected", "feedback_id": f"{name} {decision_id}"}
            answer = await post("/v1/feedback", told, "north")
            assert (answer.status_code, answer.json()["pending"]) == (200, True)
            assert (await post(f"/v1/decisions/{decision_id}/activate", None, "north")).status_code == 200
        said = [
            {"touchpoint_id": f"{name}{n}", "identity": f"{name}:{whose}", "kind": "visit", "occurred_at": 1_000 + n}
            for n, whose in enumerate(keys)
        ]
        assert (await post("/v1/touchpoints", said, "north")).json()["stored"] == 2
        await asyncio.to_thread(power.start)
        await until_ready(client, keys["north"])
        return ids, own

    ids, own = started.run(journey)
    with Store.open(power.url) as store:
        assert [len(store.outcomes_of(each)) for each in (ids["north"], own, ids["south"])] == [1, 1, 0]
        theirs = store.decision(ids["south"])
        assert theirs is not None and theirs.activated_at is None
        kinds = {whose: {row[3] for row in store.history(f"{name}:{whose}", now_us() + DAY)} for whose in keys}
        assert kinds == {"north": {"rejected", "visit"}, "south": set()}


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--workers", "2")], ids=["alone", "workers"])
def test_nba_serve_says_what_it_waits_for_and_goes_on(started, power, options):
    headers = started.issued("recommend", "ingest", "read")
    config = started.settings.folder / "nba.toml"
    config.write_text(SETTINGS + f'[store]\nurl = "{power.url}"\n')
    with ServerProcess(config, options=options) as server:
        assert server.stop() == 0
        power.stop()
        server.start()
        said = server.log.read_text()
        assert "as remembered, can call it" in said and "cannot be reached" in said

        async def journey():
            async with httpx.AsyncClient(base_url=server.address, headers=headers) as client:
                assert (await client.post("/v1/recommend", json={"contact": "x"})).json()["degraded"]
                await asyncio.to_thread(power.start)
                await until_ready(client)
                assert not (await client.post("/v1/recommend", json={"contact": "x"})).json()["degraded"]

        asyncio.run(journey())
        assert server.stop() == 0
