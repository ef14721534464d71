"""A contact with several identities is one contact to whoever asks, whatever it is asked by."""

import pytest

from features.rows.row_types import ContactRow, LinkRow, SplitRow
from features.times import DAY

CAPPED = '[contact_policy]\ncaps = [{ per = "7d", count = 1 }]\n'


def link(local, how="login", days=0.5, a="cookie:1", b="crm:1", **more):
    with local.service.store.writing() as writing:
        writing.links([LinkRow(a, b, local.now - int(days * DAY), how, **more)])


def split(local):
    with local.service.store.writing() as writing:
        writing.splits([SplitRow("cookie:1", "crm:1", local.now, "shared tablet")])


async def visited(local, client):
    """Let something happen under each of the two identities."""
    for name, kind, contact in (("a", "visit", "cookie:1"), ("b", "service_call", "crm:1")):
        answer = await client.post("/v1/touchpoints", json=local.touchpoint(name, kind, contact=contact))
        assert answer.status_code == 200


async def asked(client, contact, **more):
    answer = await client.post("/v1/recommend", json={"contact": contact, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def refused(client, contact):
    """Return the rule that removed each action."""
    return {each["action"]: each["rule"] for each in (await asked(client, contact, explain=True))["removed"]}


def test_a_profile_shows_the_identities_and_what_joined_them(local):
    async def journey(client):
        await visited(local, client)
        link(local)
        found = [(await client.get(f"/v1/contacts/{name}")).json() for name in ("cookie:1", "crm:1")]
        split(local)
        return found, (await client.get("/v1/contacts/cookie:1")).json()

    (by_cookie, by_crm), alone = local.run(journey)
    assert by_cookie["contact_id"] == by_crm["contact_id"] == "crm:1"
    assert by_cookie["identities"] == ["cookie:1", "crm:1"] and by_cookie["touchpoints"] == 2
    (joined,) = by_cookie["links"]
    assert (joined["identity_a"], joined["identity_b"], joined["how"]) == ("cookie:1", "crm:1", "login")
    assert alone["contact_id"] == "cookie:1" and alone["touchpoints"] == 1 and alone["links"] == []


def test_a_link_seen_later_stitches_nothing_now(local):
    async def journey(client):
        await visited(local, client)
        link(local, days=-0.5)
        return (await client.get("/v1/contacts/cookie:1")).json()

    assert local.run(journey)["identities"] == ["cookie:1"]


def test_whichever_identity_is_asked_about_the_choice_is_the_same(local):
    async def journey(client):
        await visited(local, client)
        link(local)
        return await asked(client, "crm:1"), await asked(client, "cookie:1"), local.service.store

    by_crm, by_cookie, store = local.run(journey)
    assert by_cookie["decision_id"] == by_crm["decision_id"]
    assert by_cookie["contact_id"] == by_crm["contact_id"] == "crm:1"
    assert [row.identity for row in store.decision_rows()] == ["crm:1"]


def test_a_choice_made_before_the_link_holds_for_the_contact(local):
    async def journey(client):
        await visited(local, client)
        first = await asked(client, "cookie:1")
        link(local, days=0.0)
        return first, await asked(client, "crm:1")

    first, later = local.run(journey)
    assert later["decision_id"] == first["decision_id"] and later["contact_id"] == "crm:1"


def test_consent_withdrawn_under_one_identity_counts_for_all(local):
    async def journey(client):
        await visited(local, client)
        gone = local.touchpoint("c", "unsubscribed", contact="cookie:1", channel="email")
        await client.post("/v1/touchpoints", json=gone)
        before = await refused(client, "crm:1")
        link(local)
        return before, await refused(client, "crm:1")

    before, after = local.run(journey)
    assert before.get("newsletter_topic") != "consent" and after["newsletter_topic"] == "consent"


def test_caps_count_what_was_sent_to_any_identity(local_with):
    local = local_with(CAPPED)

    async def journey(client):
        await visited(local, client)
        sent = local.touchpoint("s", "email_sent", contact="cookie:1", direction="outbound", channel="email")
        await client.post("/v1/touchpoints", json=sent)
        before = await refused(client, "crm:1")
        link(local)
        return before, await refused(client, "crm:1")

    before, after = local.run(journey)
    assert "cap:all/7d" not in before.values()
    assert {after["newsletter_topic"], after["sales_call"]} == {"cap:all/7d"}


def test_traits_of_every_identity_are_known(local):
    async def journey(client):
        await visited(local, client)
        with local.service.store.writing() as writing:
            writing.contacts([ContactRow("cookie:1", local.now - 2 * DAY, {"timezone": "Asia/Tokyo"})])
        link(local)
        return (await client.get("/v1/contacts/crm:1")).json()

    # The one that the table of contacts knows gives the name.
    assert local.run(journey)["contact_id"] == "cookie:1"


@pytest.mark.parametrize("reported_by", ["cookie:1", "crm:1"])
def test_done_and_a_report_under_another_identity_are_one(local, reported_by):
    async def journey(client):
        await visited(local, client)
        link(local)
        for n in range(200):
            found = await asked(client, "crm:1", decision_id=f"d{n}")
            if found["recommendations"]:
                break
            local.now += 30 * DAY
        decision = found["decision_id"]
        sent = local.touchpoint("s", "email_sent", contact=reported_by, days=0.0, decision_id=decision)
        await client.post("/v1/touchpoints", json={**sent, "direction": "outbound"})
        await client.post("/v1/feedback", json={"decision_id": decision, "outcome": "done"})
        return [row for row in local.service.store.touchpoint_rows() if row[11] == decision and row[3] != "visit"]

    assert len(local.run(journey)) == 1
