"""The InfoCenter over HTTP: from a request to what was read, and back."""

from features.rows.row_types import RecordRow
from features.store.store import Store
from features.times import DAY
from nba.reading_list import slots_of

LONG_AGO = 1


def shelve(store, *names):
    with store.writing() as writing:
        rows = [RecordRow(name, LONG_AGO, {"title": name, "topics": ["pumps"], "url": f"/{name}"}) for name in names]
        writing.records("content", rows)


async def reading(client, **more):
    found = await client.post("/v1/recommend", json={"contact": "crm:1", "placement": "infocenter", **more})
    assert found.status_code == 200, found.text
    return found.json()


def ids(answer):
    return [each["content_id"] for each in answer["recommendations"]]


def test_what_was_read_or_shown_does_not_come_again_over_http(local):
    with Store.open(local.settings.store.url) as store:
        shelve(store, "one", "two", "three")

    async def journey(client):
        sent = [local.touchpoint("v", topic="pumps"), local.touchpoint("r", "page_view", url="https://x.com/two")]
        assert (await client.post("/v1/touchpoints", json=sent)).json()["stored"] == 2
        first = await reading(client, limit=1, decision_id="mine")
        again = await reading(client, limit=1, decision_id="mine")
        reload = await reading(client, limit=1)
        assert first == again and ids(first) == ids(reload) and ids(first)[0] in ("one", "three")
        local.now += DAY
        read = {**local.touchpoint("c", "content_read", days=0.1), "content_id": ids(first)[0], "decision_id": "mine"}
        assert (await client.post("/v1/touchpoints", json=read)).json()["stored"] == 1
        second = await reading(client, limit=1)
        assert {*ids(first), *ids(second)} == {"one", "three"}
        shelve(local.service.store, "four")
        local.now += DAY
        await client.post("/v1/touchpoints", json=local.touchpoint("w", days=0.1))
        assert ids(await reading(client, limit=5)) == ["four"]
        local.now += DAY
        await client.post("/v1/touchpoints", json=local.touchpoint("x", days=0.1))
        nothing = await reading(client)
        assert nothing["do_nothing"] and nothing["recommendations"] == [] and nothing["again_at"] is not None
        return ids(first)[0]

    first = local.run(journey)
    with Store.open(local.settings.store.url) as store:
        logged = store.decision("mine")
    assert logged is not None and logged.policy == "infocenter"
    assert [slot["content_id"] for slot in slots_of(logged)] == [first]
    assert logged.chances == {"do_nothing": 0.0, "infocenter": 1.0}
