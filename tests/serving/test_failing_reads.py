"""Reads that fail otherwise than a store that is away does: a recommendation is answered all the same."""

import sqlite3
from contextlib import closing

import pytest

from features.store.store import Store, StoreError
from tests.serving.conftest import SETTINGS, Local

BANNER = """
[actions.banner]
channel = "web"
placements = ["web"]
[contact_policy]
caps = [{ channel = "email", per = "7d", count = 2 }]
"""
CHF = '[money]\nbase = "CHF"\n'


async def recommend(client, contact="crm:1", decision_id=None):
    asked = {"contact": contact} | ({} if decision_id is None else {"decision_id": decision_id})
    return await client.post("/v1/recommend", json=asked)


def test_a_rate_that_is_taken_out_leaves_its_values_unknown_and_nobody_without_an_answer(tmp_path, caplog):
    async def sold(client):
        orders = [
            local.touchpoint("o1", "order", value=10.0, currency="EUR"),
            local.touchpoint("o2", "order", value=3.0),
        ]
        assert (await client.post("/v1/touchpoints", json=orders)).json()["stored"] == 2
        return (await recommend(client)).status_code

    async def asked(client):
        answer, batch = await recommend(client), await client.post("/v1/recommend/batch", json=[{"contact": "crm:1"}])
        profile = await client.get("/v1/contacts/crm:1")
        late = await client.post("/v1/touchpoints", json=local.touchpoint("o3", "order", value=1.0, currency="EUR"))
        return answer, batch, profile, late

    local = Local(tmp_path, SETTINGS + CHF + "rates = { EUR = 0.95 }\n")
    assert local.run(sold) == 200
    local = Local(tmp_path, SETTINGS + CHF)
    answer, batch, profile, late = local.run(asked)
    assert (answer.status_code, answer.json()["degraded"], profile.status_code) == (200, False, 200)
    assert batch.json()["answers"][0]["degraded"] is False
    assert late.status_code == 400, "what comes in without a rate is refused as ever"
    assert sum("no rate for currency 'EUR'" in record.getMessage() for record in caplog.records) <= 1


def broken(folder, statements):
    with closing(sqlite3.connect(folder / "nba.db", timeout=10)) as other:
        other.executescript(statements)


UNREADABLE = {
    "a trait": (
        "INSERT INTO contacts (identity, known_at, body) VALUES ('crm:1', 1, '5')",
        "DELETE FROM contacts",
    ),
    "a decision": ("UPDATE decisions SET properties = '{broken'", "UPDATE decisions SET properties = NULL"),
    "a touchpoint": (
        "DELETE FROM packed; UPDATE touchpoints SET topics = '[broken'",
        "UPDATE touchpoints SET topics = NULL",
    ),
    "a table": ("ALTER TABLE scores RENAME TO gone", "ALTER TABLE gone RENAME TO scores"),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_where_a_read_fails_what_is_remembered_has_to_do(local, tmp_path, caplog, what):
    broken_by, mended_by = UNREADABLE[what]

    async def journey(client):
        visits = [local.touchpoint(str(n), "download", days=n + 1, topic="pumps") for n in range(3)]
        assert (await client.post("/v1/touchpoints", json=visits)).json()["stored"] == 3
        well = (await recommend(client)).json()
        broken(tmp_path, broken_by)
        ill = await recommend(client, decision_id="d-ill")
        batch = await client.post("/v1/recommend/batch", json=[{"contact": "crm:1"}, {"contact": "crm:2"}])
        again = await recommend(client, decision_id="d-ill")
        broken(tmp_path, mended_by)
        return well, ill, batch.json()["answers"], again, (await recommend(client)).json(), await logged()

    async def logged():
        return local.service.store.decision("d-ill")

    well, ill, (known, stranger), again, mended, row = local.run(journey)
    assert (well["degraded"], ill.status_code, ill.json()["degraded"], mended["degraded"]) == (False, 200, True, False)
    assert ill.json()["points"] == known["points"] == well["points"] and well["points"]["total"] == 300
    assert known["degraded"] and stranger["contact_id"] == "crm:2"
    assert again.content == ill.content == row.answer
    said = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert any(text.startswith("what is stored of a contact cannot be read") for text in said)
    assert "crm:1" not in caplog.text and "broken" not in caplog.text


def test_of_whom_nothing_is_remembered_nothing_goes_out_where_a_read_fails(local, tmp_path):
    async def stored(client):
        await client.post("/v1/touchpoints", json=local.touchpoint("t", "download"))

    async def asked(client):
        return (await recommend(client)).json()

    local.run(stored)
    broken(tmp_path, "ALTER TABLE scores RENAME TO gone")
    found = Local(tmp_path, SETTINGS).run(asked)
    assert (found["mode"], found["degraded"], found["do_nothing"]) == ("default", True, True)


def test_a_decision_that_cannot_be_read_is_not_made_anew(local, tmp_path):
    async def first(client):
        found = await recommend(client, decision_id="d1")
        broken(tmp_path, "UPDATE decisions SET topics = '[broken'")
        # This process remembers what it answered.
        assert (await recommend(client, decision_id="d1")).content == found.content
        return found.content

    async def later(client):
        found = await recommend(client, decision_id="d1")
        other = await recommend(client, decision_id="d2")
        broken(tmp_path, "UPDATE decisions SET topics = NULL WHERE decision_id = 'd1'")
        return found, other, await recommend(client, decision_id="d1")

    answer = local.run(first)
    found, other, mended = Local(tmp_path, SETTINGS).run(later)
    assert (found.status_code, found.json()["code"]) == (503, "store-unavailable") and "Retry-After" in found.headers
    assert "take a new id" in found.json()["detail"]
    assert (other.status_code, mended.status_code, mended.content) == (200, 200, answer)


def test_a_decision_that_can_be_read_a_moment_later_is_answered_again(local, monkeypatch):
    async def journey(client):
        found = await recommend(client, decision_id="d1")
        local.service.recent.forget("crm:1")
        fails, real = [StoreError("no"), ValueError("no")], Store.decision

        def decision(self, decision_id):
            if fails:
                raise fails.pop()
            return real(self, decision_id)

        monkeypatch.setattr(Store, "decision", decision)
        return found, await recommend(client, decision_id="d1"), await recommend(client, decision_id="d1")

    found, again, well = local.run(journey)
    assert found.content == again.content == well.content


def test_a_claim_that_cannot_be_compared_stands_as_it_does_in_the_journal(local_with, tmp_path):
    local = local_with(BANNER)

    async def journey(client):
        await client.post("/v1/touchpoints", json=local.touchpoint("t", "download"))
        await client.post("/v1/recommend", json={"contact": "crm:1", "placement": "web"})
        broken(tmp_path, "UPDATE decisions SET topics = '[broken'")
        return await recommend(client, decision_id="d1")

    found = local.run(journey)
    assert (found.status_code, found.json()["degraded"], found.json()["do_nothing"]) == (200, True, False)
