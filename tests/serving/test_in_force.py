"""Claims about what is published over the settings file: every process takes it up, whole, and goes on."""

import asyncio

import httpx
import pytest

from features.rows.row_types import SettingsVersion
from features.store.dialect import StoreAwayError
from features.store.published import publish_settings
from features.store.store import Store
from nba.settings import parse_settings
from serving import in_force
from serving.app import create_app
from serving.in_force import settings_at_start, take_up
from tests.serving.conftest import SETTINGS


def publish(url, number, changes):
    with Store.open(url) as store, store.writing() as writing:
        assert publish_settings(writing, SettingsVersion(number, number, "ann", "try", changes))


async def _points(client):
    found = await client.get("/v1/contacts/crm:1")
    return found.json()["points"]["total"] if found.status_code == 200 else found.text


def test_two_applications_on_one_store_take_up_what_is_published_and_what_is_taken_back(local):
    async def journey(client):
        other = create_app(local.settings, clock=local._clock)
        async with other.router.lifespan_context(other):
            transport = httpx.ASGITransport(app=other)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as second:
                await client.post("/v1/touchpoints", json=local.touchpoint("1"))
                before = [await _points(each) for each in (client, second)]
                found = [before]
                for number, changes in ((1, {"points.kinds.visit": 70}), (2, {})):
                    publish(local.settings.store.url, number, changes)
                    taken = [await take_up(app) for app in (local.app, other)]
                    again = [await take_up(app) for app in (local.app, other)]
                    assert (taken, again) == ([True, True], [False, False])
                    found.append([await _points(each) for each in (client, second)])
                return found

    assert local.run(journey) == [[5, 5], [70, 70], [5, 5]]


def test_settings_and_catalogue_change_together(local):
    async def journey(client):
        publish(local.settings.store.url, 1, {"actions.sales_call.cost": 9})
        await take_up(local.app)
        service = local.service
        return service.catalogue.settings is service.settings, service.settings.actions["sales_call"].cost

    assert local.run(journey) == (True, 9.0)


def test_what_was_published_before_the_start_is_in_force_from_the_first_request_on(local):
    publish(local.settings.store.url, 1, {"points.kinds.visit": 70})

    async def journey(client):
        await client.post("/v1/touchpoints", json=local.touchpoint("1"))
        return await _points(client), local.service.settings.source.number

    assert local.run(journey) == (70, 1)


def test_a_value_that_fits_the_file_no_more_is_left_aside_and_told(local):
    publish(local.settings.store.url, 1, {"points.kinds.visit": 70, "actions.gone.cost": 3, "plan.budget": -1})

    async def journey(client):
        ready = (await client.get("/readyz")).json()
        await client.post("/v1/touchpoints", json=local.touchpoint("1"))
        return await _points(client), ready

    points, ready = local.run(journey)
    assert points == 70 and ready["status"] == "degraded" and ready["settings"] == {"published": 1}
    said = " ".join(ready["says"])
    assert "actions.gone.channel: is missing" in said and "plan.budget" in said and "points" not in said


def test_the_file_alone_counts_while_the_store_is_away(tmp_path):
    class Away:
        def _one(self, *_):
            raise StoreAwayError("away")

    settings = parse_settings(SETTINGS, folder=tmp_path, environ={})
    assert settings_at_start(settings, Away()) is settings  # type: ignore[arg-type]


def test_looking_goes_on_after_what_cannot_be_taken_up(local, monkeypatch, caplog):
    asked = []

    async def fails(app):
        asked.append(app)
        if len(asked) == 1:
            raise StoreAwayError("away")
        if len(asked) == 2:
            raise RuntimeError("who knows")
        if len(asked) == 4:
            raise asyncio.CancelledError
        return False

    monkeypatch.setattr(in_force, "take_up", fails)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(in_force.watch(local.app, 0))
    assert len(asked) == 4 and "who knows" in caplog.text
