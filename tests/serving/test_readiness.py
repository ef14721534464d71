"""What ``/readyz`` says when something is wrong."""

import asyncio

import pytest
from starlette.requests import Request

from features.store.store import StoreError
from serving.api.health import get_readiness
from serving.caller import NOBODY, THIS_MACHINE, let_in
from serving.problems import Problem


async def asked(local, caller=THIS_MACHINE):
    scope = {"type": "http", "app": local.app, "headers": []}
    let_in(scope, caller)
    return bytes((await get_readiness(Request(scope))).body).decode()


def test_all_is_well(local):
    async def journey(client):
        return (await client.get("/readyz")).json()

    found = local.run(journey)
    assert (found["status"], found["says"]) == ("ready", [])
    assert found["store"] == {"readable": True} and found["writer"] == {"waiting": 0}


def test_a_refused_bundle_is_told_while_the_service_goes_on(local, tmp_path):
    (tmp_path / "bundles").mkdir()
    (tmp_path / "bundles" / "champion.json").write_text('{"version": "7", "sha256": "abc"}')

    async def journey(client):
        return await client.get("/readyz")

    answer = local.run(journey)
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    [sentence] = answer.json()["says"]
    assert "a bundle was refused" in sentence and "train it again" in sentence


def test_a_store_that_is_away_is_told(local, monkeypatch):
    async def journey(client):
        def away(decision_id):
            raise StoreError("the server of the store does not answer")

        monkeypatch.setattr(local.service.store, "decision", away)
        with pytest.raises(Problem) as refusal:
            await asked(local)
        return refusal.value

    found = local.run(journey)
    assert (found.status, found.code) == (503, "not-ready")
    assert found.errors == (("store", "the store cannot be read: the server of the store does not answer"),)


def test_who_has_no_key_is_told_whether_but_not_why(local, monkeypatch):
    async def journey(client):
        well = await asked(local, NOBODY)

        def away(decision_id):
            raise StoreError("at db.internal.example")

        monkeypatch.setattr(local.service.store, "decision", away)
        with pytest.raises(Problem) as refusal:
            await asked(local, NOBODY)
        return well, refusal.value

    well, found = local.run(journey)
    assert well == '{"status":"ready"}'
    assert "internal.example" not in str(found.body("/readyz"))


def test_newer_bundles_that_do_not_come_are_told(local):
    class Sync:
        def report(self):
            return {"state": "registry away", "detail": "MLflow does not answer"}

    async def journey(client):
        object.__setattr__(local.service, "sync", Sync())
        return (await client.get("/readyz")).json()

    found = local.run(journey)
    assert found["status"] == "degraded"
    assert found["says"] == ["newer bundles do not come: registry away: MLflow does not answer"]


def test_looking_holds_nobody_up(local):
    async def journey(client):
        return await asyncio.gather(*(client.get("/readyz") for _ in range(100)))

    assert {answer.status_code for answer in local.run(journey)} == {200}
