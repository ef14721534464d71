"""Reads that fail otherwise than a store that is away does: a recommendation is answered all the same."""

from tests.serving.conftest import SETTINGS, Local

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
