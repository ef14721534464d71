"""The door, in front of the whole service: keys, pages, rates and what every answer carries."""

import asyncio
import time

import httpx
import pytest

from features.store.store import Store
from nba.settings import parse_settings
from serving.app import create_app
from serving.issuing import Rights, issue, revoke
from serving.loopback import NotLoopbackError, require_loopback
from tests.serving.conftest import NOW, SETTINGS

SHOP, OTHER = "https://shop.example", "https://other.example"


class Guarded:
    """A service with keys, called from elsewhere."""

    def __init__(self, folder, is_elsewhere=False):
        self.settings = parse_settings(SETTINGS, folder=folder, environ={})
        self.is_elsewhere = is_elsewhere
        self.keys = {}

    @property
    def store(self):
        return Store.open(self.settings.store.url)

    def add(self, name, *scopes, **more):
        with self.store as store:
            issued = issue(store, Rights(name, scopes, **more), by="test", now_us=NOW)
        self.keys[name] = issued.key
        return issued

    def bearer(self, name):
        return {"Authorization": f"Bearer {self.keys[name]}"}

    def run(self, journey):
        async def inside():
            app = create_app(self.settings, is_elsewhere=self.is_elsewhere)
            transport = httpx.ASGITransport(app=app)
            async with app.router.lifespan_context(app):
                async with httpx.AsyncClient(transport=transport, base_url="https://nba.example") as client:
                    return await journey(client)

        return asyncio.run(inside())


@pytest.fixture
def guarded(tmp_path):
    return Guarded(tmp_path)


def code(answer):
    return answer.status_code, answer.json()["code"]


def preflight(origin, method="POST", path="/v1/t"):
    asked = {"Origin": origin, "Access-Control-Request-Method": method}
    return "OPTIONS", path, asked | {"Access-Control-Request-Headers": "anonymousid,authorization,content-type,sentat"}


def test_everything_but_the_pulse_asks_for_a_key(guarded):
    guarded.add("crm", "recommend")

    async def journey(client):
        assert (await client.get("/healthz")).json() == {"status": "ok"}
        assert (await client.get("/readyz")).json() == {"status": "ready"}
        for path in ("/", "/openapi.json", "/metrics", "/v1/model", "/nothing-here", "/healthz/"):
            assert code(await client.get(path)) == (401, "no-valid-key"), path
        assert code(await client.options("/v1/recommend")) == (401, "no-valid-key")
        for wrong in ("Bearer nba_x", "Basic !", f"Bearer {guarded.keys['crm']}x", guarded.keys["crm"]):
            answer = await client.get("/", headers={"Authorization": wrong})
            assert code(answer) == (401, "no-valid-key") and "Bearer" in answer.headers["www-authenticate"]
        assert (await client.get("/", headers=guarded.bearer("crm"))).status_code == 200
        answer = await client.post(
            "/v1/recommend", json={"contact": "crm:1"}, auth=httpx.BasicAuth(guarded.keys["crm"], "")
        )
        assert answer.status_code == 200
        assert code(await client.get("/v1/model", headers=guarded.bearer("crm"))) == (403, "missing-scope")
        assert code(await client.get("/nothing-here", headers=guarded.bearer("crm"))) == (404, "no-such-address")

    guarded.run(journey)


def test_a_key_may_come_through_a_proxy(guarded):
    guarded.add("crm", "read")
    proxied = {"X-Forwarded-For": "10.0.0.1", "Forwarded": "for=10.0.0.1", "Host": "nba.example"}

    async def journey(client):
        answer = await client.get("/v1/model", headers=proxied | guarded.bearer("crm"))
        assert answer.status_code == 200

    guarded.run(journey)


def test_a_change_is_known_within_two_seconds(guarded):
    guarded.add("crm", "read")

    async def until(client, name, status):
        began = time.monotonic()
        while (await client.get("/v1/model", headers=guarded.bearer(name))).status_code != status:
            await asyncio.sleep(0.02)
            if time.monotonic() - began > 30:
                raise TimeoutError(name)

    async def journey(client):
        await until(client, "crm", 200)
        issued = guarded.add("bi", "read")
        await until(client, "bi", 200)
        with guarded.store as store:
            revoke(store, issued.row.key_id, reason="over", by="test", now_us=NOW)
            revoke(store, "crm", reason="over", by="test", now_us=NOW)
        await until(client, "bi", 401)
        # The last key is gone, and nobody comes in for that: not even this machine.
        assert code(await client.get("/", headers={"Host": "localhost"})) == (401, "no-valid-key")
        assert (await client.get("/healthz")).status_code == 200

    guarded.run(journey)


def test_without_any_key_other_machines_get_nothing(tmp_path):
    async def journey(client):
        assert code(await client.get("/", headers={"Host": "localhost"})) == (401, "no-valid-key")
        assert (await client.get("/healthz")).status_code == 200

    Guarded(tmp_path, is_elsewhere=True).run(journey)


def test_without_any_key_this_machine_is_answered_and_may_not_govern(guarded):
    async def journey(client):
        local = {"Host": "localhost"}
        assert (await client.get("/", headers=local)).status_code == 200
        assert code(await client.get("/")) == (403, "loopback-only")
        assert code(await client.request(*preflight(SHOP)[:2], headers=preflight(SHOP)[2] | local)) == (
            403,
            "loopback-only",
        )
        assert code(await client.delete("/v1/privacy/crm:1", headers=local)) == (403, "missing-scope")

    guarded.run(journey)


def test_every_answer_is_sealed(guarded):
    guarded.add("crm", "recommend")

    async def journey(client):
        for answer in (
            await client.get("/healthz"),
            await client.get("/"),
            await client.get("/", headers=guarded.bearer("crm")),
            await client.post("/v1/recommend", content=b"{", headers=guarded.bearer("crm")),
        ):
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
            assert answer.headers["cache-control"] == "no-store"
            assert "server" not in answer.headers

    guarded.run(journey)


def test_a_key_that_calls_too_often_waits(guarded):
    guarded.add("slow", "read", rate=2.0)
    guarded.add("fast", "read")

    async def journey(client):
        answers = [await client.get("/v1/model", headers=guarded.bearer("slow")) for _ in range(4)]
        assert [answer.status_code for answer in answers[:2]] == [200, 200]
        # A slow machine may have earned the third call by then, hardly the fourth too.
        refused = next(answer for answer in answers[2:] if answer.status_code == 429)
        assert code(refused) == (429, "too-many-requests")
        assert refused.headers["retry-after"] == "1" and int(refused.headers["x-ratelimit-reset"]) > NOW // 1_000_000
        assert (await client.get("/v1/model", headers=guarded.bearer("fast"))).status_code == 200

    guarded.run(journey)


def test_what_needs_no_key_is_answered_whatever_key_comes_along(guarded):
    guarded.add("slow", "read", rate=1.0)
    guarded.add("shop", "ingest", public=True, origins=(SHOP,))

    async def journey(client):
        slow, shop = guarded.bearer("slow"), guarded.bearer("shop")
        for _ in range(4):
            for path in ("/healthz", "/readyz"):
                for headers in (slow, shop, shop | {"Origin": OTHER}, {"Authorization": "Bearer nba_x"}):
                    assert (await client.get(path, headers=headers)).status_code == 200
        assert "says" in (await client.get("/readyz", headers=slow)).json()
        # Everybody can read a public key.
        assert (await client.get("/readyz", headers=shop)).json() == {"status": "ready"}
        assert (await client.get("/metrics", headers=slow)).status_code == 200, "nothing was taken from its rate"
        assert 429 in [(await client.get("/metrics", headers=slow)).status_code for _ in range(3)]
        assert code(await client.get("/metrics", headers=shop))[0] == 403

    guarded.run(journey)


EVENT = {
    "type": "track",
    "event": "visit",
    "anonymousId": "9f2",
    "messageId": "m1",
    "timestamp": "2025-11-20T10:00:00Z",
}


def test_pages_of_a_listed_origin_may_send_events(guarded):
    guarded.add("shop", "ingest", public=True, origins=(SHOP,))

    async def journey(client):
        method, path, headers = preflight(SHOP)
        answer = await client.request(method, path, headers=headers)
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer.headers["access-control-allow-origin"] == SHOP
        assert answer.headers["access-control-allow-methods"] == "POST"
        allowed = answer.headers["access-control-allow-headers"].replace(" ", "").split(",")
        assert set(headers["Access-Control-Request-Headers"].split(",")) <= set(allowed)
        assert "origin" in answer.headers["vary"].lower()
        answer = await client.post("/v1/t", json=EVENT, headers={"Origin": SHOP} | guarded.bearer("shop"))
        assert answer.status_code == 200 and answer.headers["access-control-allow-origin"] == SHOP
        assert "Retry-After" in answer.headers["access-control-expose-headers"]
        answer = await client.post("/v1/t", json=EVENT, headers={"Origin": SHOP})
        assert code(answer) == (401, "no-valid-key") and answer.headers["access-control-allow-origin"] == SHOP

    guarded.run(journey)


@pytest.mark.parametrize(
    "call",
    [
        preflight(OTHER),
        preflight("null"),
        preflight(f"{SHOP}.evil.example"),
        preflight("http://shop.example"),
        preflight(SHOP, path="/v1/recommend"),
        preflight(SHOP, "GET", "/v1/contacts/crm:1"),
        preflight(SHOP, path="/v1/touchpoints"),
        preflight(SHOP, "DELETE"),
    ],
    ids=lambda call: f"{call[2]['Origin']} {call[2]['Access-Control-Request-Method']} {call[1]}",
)
def test_nothing_else_is_for_pages(guarded, call):
    guarded.add("shop", "ingest", public=True, origins=(SHOP,))
    guarded.add("crm", "ingest", "recommend", "read")

    async def journey(client):
        method, path, headers = call
        answer = await client.request(method, path, headers=headers)
        assert code(answer) == (403, "origin-not-allowed")
        assert "access-control-allow-methods" not in answer.headers
        if headers["Origin"] != SHOP:
            assert "access-control-allow-origin" not in answer.headers

    guarded.run(journey)


def test_a_public_key_can_send_events_and_nothing_else(guarded):
    guarded.add("shop", "ingest", public=True, origins=(SHOP,))

    async def journey(client):
        async def post(path, body, **headers):
            return await client.post(path, json=body, headers=guarded.bearer("shop") | headers)

        assert code(await post("/v1/t", EVENT, Origin=OTHER)) == (403, "origin-not-allowed")
        assert (await post("/v1/t", EVENT)).status_code == 200
        assert code(await post("/v1/recommend", {"contact": "crm:1"})) == (403, "public-key")
        touchpoint = {"identity": "crm:1", "occurred_at": "2025-11-01", "kind": "consent_given"}
        assert code(await post("/v1/touchpoints", touchpoint)) == (403, "public-key")
        assert code(await post("/nothing", {})) == (403, "public-key")
        assert code(await client.get("/openapi.json", headers=guarded.bearer("shop"))) == (403, "public-key")

    guarded.run(journey)


def test_the_same_decision_id_with_another_key_is_refused(guarded):
    for name in ("one", "two"):
        guarded.add(name, "recommend")

    async def journey(client):
        async def ask(name, **more):
            return await client.post("/v1/recommend", json={"contact": "crm:1"} | more, headers=guarded.bearer(name))

        first = await ask("one", decision_id="d1")
        assert (await ask("one", decision_id="d1")).content == first.content
        assert code(await ask("two", decision_id="d1")) == (422, "decision-id-used")
        own = (await ask("two", contact="crm:2")).json()["decision_id"]
        with guarded.store as store:
            assert store.decision("d1").key == "one" and store.decision(own).key == "two"

    guarded.run(journey)


def test_a_rotated_key_finds_what_was_decided_under_its_name(guarded):
    first = guarded.add("crm", "recommend")
    old = guarded.bearer("crm")
    guarded.add("crm", "recommend")

    async def journey(client):
        call = {"json": {"contact": "crm:1", "decision_id": "d1"}}
        answers = [await client.post("/v1/recommend", headers=each, **call) for each in (old, guarded.bearer("crm"))]
        assert answers[0].status_code == 200 and answers[0].content == answers[1].content

    assert first.beside == ()
    guarded.run(journey)


def test_other_hosts_need_a_live_key():
    with pytest.raises(NotLoopbackError, match=r"nba keys add"):
        require_loopback("0.0.0.0")
