"""Whom another process erased or restricted, no process remembers, whoever it was kept for."""

import asyncio

import pytest

from features.rows.row_types import TouchpointRow
from features.store.store import Store
from nba.partners.visibility import Viewer
from nba.past import Past
from nba.privacy.erasure import erase
from nba.privacy.person import person_of
from nba.privacy.restriction import restrict
from serving import acts
from serving.acts import Acts
from serving.own_names import own_name
from serving.recent import Recent


def elsewhere(local, act, name="crm:1"):
    """Do something about a person as another process would."""
    with Store.open(local.settings.store.url) as store:
        person = person_of(store, name, local.settings.touchpoints)
        act(store, person, reason="asked by letter", by="the office", now=local.now)


async def forgotten(recent, name):
    for _ in range(500):
        if name not in recent.names:
            return True
        await asyncio.sleep(0.01)
    return False


def test_whom_a_command_erases_the_service_remembers_no_more(local, monkeypatch):
    monkeypatch.setattr(acts, "LOOK_SECONDS", 0.01)

    async def journey(client):
        for name in ("crm:1", "crm:2"):
            await client.post("/v1/touchpoints", json=local.touchpoint(name, contact=name))
            await client.post("/v1/recommend", json={"contact": name, "decision_id": f"d-{name}"})
        recent = local.service.recent
        assert recent.decision("d-crm:1") is not None
        elsewhere(local, lambda *given, **more: erase(*given, folder=local.settings.folder, **more))
        assert await forgotten(recent, "crm:1")
        return recent.names, recent.decision("d-crm:1"), recent.decision("d-crm:2") is not None

    assert local.run(journey) == ({"crm:2"}, None, True)


@pytest.fixture
def kept(local):
    """What is remembered of a person, and of another, under the name of a partner too."""
    recent, theirs = Recent(), own_name(Viewer(partner="partner:north"), "crm:1")
    with Store.open(local.settings.store.url) as store:
        with store.writing() as writing:
            writing.touchpoints([TouchpointRow(name, 1, name, "visit") for name in ("crm:1", "crm:2", theirs)])
        for name in ("crm:1", "crm:2", theirs):
            recent.keep(name, Past.read(store, name, local.now, local.settings.touchpoints), local.now)
    return recent, theirs


def test_each_act_is_heeded_once_and_under_the_names_of_partners_too(local, kept):
    recent, theirs = kept
    assert recent.names == {"crm:1", "crm:2", theirs}
    with Store.open(local.settings.store.url) as store:
        seen = Acts(store, recent)
        asyncio.run(seen.heed())
        assert len(recent.names) == 3
        elsewhere(local, restrict)
        asyncio.run(seen.heed())
        assert recent.names == {"crm:2"}
        # What is read after an act may be remembered again.
        recent.keep("crm:1", Past.read(store, "crm:1", local.now, local.settings.touchpoints), local.now)
        asyncio.run(seen.heed())
        assert recent.names == {"crm:1", "crm:2"}
