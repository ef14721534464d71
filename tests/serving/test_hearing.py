"""Whoever has unsubscribed is not written to while the store is away, however that was said."""

import asyncio
import sqlite3

import pytest

from features.times import DAY
from nba.privacy.tokens import token_for
from tests.serving.test_store_away import recommend, stored_again
from tests.serving.test_store_moved import ALL
from tests.serving.test_writer_journal import locked


async def unsubscribed(local, client, how, decision_id):
    if how == "task":
        # A task's id is the same at each of its steps.
        said = {"decision_id": decision_id, "feedback_id": "task-1"}
        await client.post("/v1/feedback", json={**said, "outcome": "clicked"})
        await recommend(client, "crm:1", exclude=["sales_call"])
        return await client.post("/v1/feedback", json={**said, "outcome": "unsubscribed"})
    if how == "feedback":
        return await client.post("/v1/feedback", json={"decision_id": decision_id, "outcome": "unsubscribed"})
    if how == "page":
        token = token_for(local.service.secret, "crm:1", local.now + DAY)
        form = {"content-type": "application/x-www-form-urlencoded"}
        return await client.post(f"/me/{token}", content=b"do=no&about=email", headers=form)
    return await client.post("/v1/touchpoints", json=local.touchpoint("u", "unsubscribed", 1e-4, channel="email"))


WAYS = [("task", "before"), *((how, when) for how in ("feedback", "touchpoint") for when in ("before", "during"))]


# The page needs the store to say whose it is.
@pytest.mark.parametrize(("how", "when"), [*WAYS, ("page", "before")])
def test_who_has_unsubscribed_is_not_written_to_without_the_store(local, tmp_path, how, when):
    async def journey(client):
        await client.post("/v1/touchpoints", json=local.touchpoint("a", "newsletter_open", 3))
        first = (await recommend(client, "crm:1", "d1")).json()
        assert [each["action"] for each in first["recommendations"]] == ["newsletter_topic"]
        if when == "before":
            assert (await unsubscribed(local, client, how, "d1")).status_code in (200, 303)
        for name in ALL:
            if (tmp_path / name).exists():
                (tmp_path / name).rename(tmp_path / f"away-{name}")
        local.service.store.notice()
        if when == "during":
            still = (await recommend(client, "crm:1", exclude=["sales_call"])).json()
            assert still["degraded"] and [each["action"] for each in still["recommendations"]] == ["newsletter_topic"]
            assert (await unsubscribed(local, client, how, "d1")).status_code == 200
        found = (await recommend(client, "crm:1", exclude=["sales_call"], explain=True)).json()
        assert found["degraded"] and found["recommendations"] == []
        assert [each["rule"] for each in found["removed"] if each["action"] == "newsletter_topic"] == ["consent"]

    local.run(journey)


def test_what_waits_for_the_store_counts_for_who_was_not_asked_about(local, tmp_path):
    async def journey(client):
        some = [local.touchpoint(f"a{n}", "newsletter_open", 3, contact=f"crm:{n}") for n in range(4)]
        assert (await client.post("/v1/touchpoints", json=some)).json()["stored"] == 4
        with locked(tmp_path):
            said = (
                local.touchpoint("u0", "unsubscribed", 1e-4, contact="crm:0", channel="email"),
                local.touchpoint("o1", "objection", 1e-4, contact="crm:1"),
            )
            for each in said:
                assert (await client.post("/v1/touchpoints", json=each)).json()["stored"] == 1
            gone = (await recommend(client, "crm:0", explain=True)).json()
            assert [each["rule"] for each in gone["removed"] if each["action"] == "newsletter_topic"] == ["consent"]
            objects = (await recommend(client, "crm:1")).json()
            assert (objects["mode"], objects["recommendations"]) == ("default", [])
            other = (await recommend(client, "crm:2")).json()
            assert "newsletter_topic" in [each["action"] for each in other["recommendations"]]
        await stored_again(client)
        again = (await recommend(client, "crm:1")).json()
        assert (again["mode"], again["degraded"], again["recommendations"]) == ("default", False, [])

    local.run(lambda client: asyncio.wait_for(journey(client), 60))


def test_what_a_process_before_has_kept_may_be_anything(local, tmp_path):
    async def before(client):
        some = [local.touchpoint(f"a{n}", "newsletter_open", 3, contact=f"crm:{n}") for n in range(2)]
        assert (await client.post("/v1/touchpoints", json=some)).json()["stored"] == 2
        other = sqlite3.connect(tmp_path / "nba.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        said = local.touchpoint("u0", "unsubscribed", 1e-4, contact="crm:0", channel="email")
        assert (await client.post("/v1/touchpoints", json=said)).json()["stored"] == 1
        return other

    async def after(client):
        assert local.service.writer.keeps_others
        found = (await recommend(client, "crm:0")).json()
        assert (found["mode"], found["recommendations"]) == ("default", [])
        other.rollback()
        await stored_again(client)
        found = (await recommend(client, "crm:0", explain=True)).json()
        assert [each["rule"] for each in found["removed"] if each["action"] == "newsletter_topic"] == ["consent"]

    other = local.run(before)
    local.run(lambda client: asyncio.wait_for(after(client), 60))
    other.close()


def test_a_word_of_consent_is_stored_under_its_own_name(local):
    async def journey(client):
        some = [
            local.touchpoint(kind, kind, channel="email") for kind in ("Consent-Withdrawn", "UNSUBSCRIBED", "Visit")
        ]
        assert (await client.post("/v1/touchpoints", json=some)).json()["stored"] == 3
        return sorted(row[3] for row in local.service.store.history("crm:1", local.now))

    assert local.run(journey) == ["Visit", "consent_withdrawn", "unsubscribed"]
