import pytest


def test_a_profile_shows_what_is_believed_and_what_happened(local):
    async def journey(client):
        points = [local.touchpoint(f"t{n}", days=n + 1, topics=["pumps"]) for n in range(10)]
        await client.post("/v1/touchpoints", json=points)
        found = await client.get("/v1/contacts/crm:1", params={"limit": 3})
        missing = await client.get("/v1/contacts/nobody")
        wrong = await client.get("/v1/contacts/crm:1", params={"limit": "many"})
        return found.json(), missing, wrong, local.service.store.counts()["decisions"]

    found, missing, wrong, n = local.run(journey)
    assert found["points"]["total"] == 50
    assert found["touchpoints"] == 10
    assert [entry["touchpoint_id"] for entry in found["timeline"]] == ["t0", "t1", "t2"]
    # Ten touchpoints, one to ten days ago, with a half-life of thirty days.
    assert found["interests"]["pumps"] == pytest.approx(sum(0.5 ** (d / 30) for d in range(1, 11)), abs=1e-3)
    assert (missing.status_code, wrong.status_code, n) == (404, 422, 0)


def test_what_serves_is_told(local):
    async def journey(client):
        return (await client.get("/v1/model")).json(), (await client.get("/readyz")).json()

    model, ready = local.run(journey)
    assert (model["version"], model["serves"]) == (None, "points")
    assert ready["status"] == "ready" and ready["sync"] == {"state": "off"}


def test_a_store_that_cannot_be_read_degrades_answers_and_says_so(local):
    async def journey(client):
        local.service.store.close()
        path = local.settings.folder / "nba.db"
        for part in local.settings.folder.glob("nba.db*"):
            part.unlink()
        path.mkdir()
        return await client.get("/readyz"), await client.post("/v1/recommend", json={"contact": "a"})

    ready, asked = local.run(journey)
    assert (ready.status_code, asked.status_code) == (200, 200)
    assert ready.json()["status"] == "degraded"
    assert asked.json()["degraded"]
