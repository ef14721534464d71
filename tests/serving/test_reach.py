"""What a key of a partner may say, and of whom."""

import pytest

from features.rows.row_types import ContactRow, TouchpointRow
from features.times import DAY, iso
from tests.serving.conftest import NOW
from tests.serving.test_door import Guarded, code

EVER = 2**62
THEIRS = "crm:south"


@pytest.fixture
def dealer(tmp_path):
    found = Guarded(tmp_path)
    scopes = ("ingest", "recommend", "feedback", "read", "privacy")
    found.add("north", *scopes, partner="north")
    found.add("other", *scopes, partner="north")
    found.add("south", *scopes, partner="south")
    found.add("crm", *scopes)
    with found.store as store, store.writing() as writing:
        for name in ("north", "south"):
            writing.contacts([ContactRow(f"crm:{name}", NOW - 90 * DAY, {"partner": name, "account": "acme"})])
            writing.touchpoints([TouchpointRow(f"crm:{name}", NOW - DAY, f"t {name}", "service_call")])
    return found


def visit(identity, name="t1", **more):
    return {"touchpoint_id": name, "identity": identity, "occurred_at": iso(NOW - DAY), "kind": "visit", **more}


def test_new_contacts_are_its_own(dealer):
    async def journey(client):
        north, south = dealer.bearer("north"), dealer.bearer("south")
        assert (await client.get("/v1/contacts/web:9", headers=north)).status_code == 404
        for _ in range(2):
            answer = await client.post("/v1/touchpoints", json=[visit("web:9"), visit("web:9", "t2")], headers=north)
            assert answer.status_code == 200
        assert answer.json()["stored"] == 0 and answer.json()["duplicate"] == 2
        for key in (north, dealer.bearer("other")):
            seen = (await client.get("/v1/contacts/web:9", headers=key)).json()
            assert seen["contact_id"] == "web:9" and seen["touchpoints"] == 2
            assert seen["partner"]["partner"] == "north"
        assert (await client.get("/v1/contacts/web:9", headers=south)).status_code == 404
        asked = await client.post("/v1/recommend", json={"contact": "web:9"}, headers=north)
        assert asked.json()["contact_id"] == "web:9" and asked.json()["mode"] == "points"

    dealer.run(journey)


def test_what_is_said_of_somebody_elses_contact_changes_nothing_there(dealer):
    async def journey(client):
        north = dealer.bearer("north")
        answers = [
            await client.post("/v1/touchpoints", json=visit(who, kind="unsubscribed"), headers=north)
            for who in (THEIRS, "crm:nobody")
        ]
        assert answers[0].json()["stored"] == 1 and answers[1].json()["duplicate"] == 1
        event = {"userId": THEIRS.removeprefix("crm:"), "anonymousId": "9f2", "messageId": "m1"}
        traits = {"partner": "north", "owner": "me", "account": "acme", "name": "Eve"}
        for path, more in (
            ("identify", {"traits": traits}),
            ("alias", {"previousId": "crm:north"}),
            ("group", {"groupId": "acme"}),
        ):
            assert (
                await client.post(f"/v1/{path}", json=event | more | {"messageId": path}, headers=north)
            ).status_code == 200
        with dealer.store as store:
            assert len(store.history(THEIRS, EVER)) == 1
            assert store.traits(THEIRS, EVER) == {"partner": "south", "account": "acme"}
            assert store.links_of(THEIRS, EVER, 9) == []
            named = {row.key: row.body for row in store.contact_rows()}
            assert all(name.endswith("@partner:north") for name in named.keys() - {THEIRS, "crm:north"})
            assert store.account_members("acme", EVER) == ["crm:north", THEIRS]
            assert store.record("accounts", "acme", EVER) == {}

    dealer.run(journey)


def test_who_is_erased_is_erased_under_every_name(dealer):
    async def journey(client):
        north = dealer.bearer("north")
        assert (await client.post("/v1/touchpoints", json=visit(THEIRS), headers=north)).json()["stored"] == 1
        ask = {"contact": THEIRS, "decision_id": "of north"}
        assert (await client.post("/v1/recommend", json=ask, headers=north)).status_code == 200
        erased = await client.request("DELETE", f"/v1/privacy/{THEIRS}?reason=asked", headers=dealer.bearer("south"))
        assert erased.status_code == 200, erased.text
        with dealer.store as store:
            assert not any(row[0].startswith(THEIRS) for row in store.touchpoint_rows())
            assert not any(row.key.startswith(THEIRS) for row in store.contact_rows())
            assert not any(
                THEIRS.encode() in (row.answer or b"") + row.identity.encode() for row in store.decision_rows()
            )
        again = (await client.post("/v1/touchpoints", json=[visit(THEIRS, "t9")], headers=north)).json()
        assert again["stored"] == 0
        event = {"userId": THEIRS.removeprefix("crm:"), "messageId": "m9", "traits": {"name": "Eve"}}
        assert (await client.post("/v1/identify", json=event, headers=north)).status_code == 200
        asked = await client.post("/v1/recommend", json=ask | {"decision_id": "later"}, headers=north)
        assert asked.status_code == 200 and asked.json()["recommendations"] == []
        said = {"decision_id": "later", "outcome": "accepted"}
        assert (await client.post("/v1/feedback", json=said, headers=north)).status_code == 200
        with dealer.store as store:
            assert not any(row[0].startswith(THEIRS) for row in store.touchpoint_rows())
            assert not any(row.key.startswith(THEIRS) for row in store.contact_rows())
            assert not any(row.identity.startswith(THEIRS) for row in store.decision_rows())

    dealer.run(journey)


def test_sources_of_a_bound_key_meet_no_other_ones(dealer):
    async def journey(client):
        said = visit("crm:south", source="pos")
        for name in ("south", "crm"):
            answer = await client.post("/v1/touchpoints", json=said, headers=dealer.bearer(name))
            assert answer.json()["stored"] == 1
        answer = await client.post(
            "/v1/touchpoints", json=visit("crm:north", source="pos"), headers=dealer.bearer("north")
        )
        assert answer.json()["stored"] == 1

    dealer.run(journey)


def test_feedback_is_on_decisions_of_its_own_contacts(dealer):
    async def journey(client):
        async def tell(name, decision_id, feedback_id="f1"):
            body = {"decision_id": decision_id, "outcome": "rejected", "feedback_id": feedback_id}
            return (await client.post("/v1/feedback", json=body, headers=dealer.bearer(name))).json()

        ask = {"contact": "crm:south", "decision_id": "of south"}
        assert (await client.post("/v1/recommend", json=ask, headers=dealer.bearer("south"))).status_code == 200
        for decision_id in ("of south", "of nobody"):
            told = await tell("north", decision_id, f"f {decision_id}")
            assert told["pending"] is True and told["duplicate"] is False and told["decision_id"] == decision_id
            assert (await tell("north", decision_id, f"f {decision_id}"))["duplicate"] is True
            answer = await client.post(f"/v1/decisions/{decision_id}/activate", headers=dealer.bearer("north"))
            assert code(answer) == (404, "no-such-decision")
        with dealer.store as store:
            assert store.outcomes_of("of south") == []
        assert (await tell("south", "of south", "f of south"))["pending"] is False
        with dealer.store as store:
            assert len(store.outcomes_of("of south")) == 1

    dealer.run(journey)


def test_feedback_that_comes_before_its_decision_takes_effect_with_it(dealer):
    async def journey(client):
        north = dealer.bearer("north")
        told = {"decision_id": "d1", "outcome": "rejected", "feedback_id": "f1"}
        assert (await client.post("/v1/feedback", json=told, headers=north)).json()["pending"] is True
        ask = {"contact": "crm:north", "decision_id": "d1"}
        assert (await client.post("/v1/recommend", json=ask, headers=north)).status_code == 200
        with dealer.store as store:
            (outcome,) = store.outcomes_of("d1")
            assert outcome.pending is False
            assert "rejected" in [row[3] for row in store.history("crm:north", EVER)]
        assert (await client.post("/v1/feedback", json=told, headers=north)).json()["duplicate"] is True

    dealer.run(journey)


def test_the_chance_of_a_decision_belongs_to_its_key(tmp_path, monkeypatch):
    monkeypatch.setenv("NBA_SECRET", "the same for both services")

    def chosen(folder, name):
        folder.mkdir()
        service = Guarded(folder)
        service.add(name, "recommend")
        with service.store as store, store.writing() as writing:
            writing.touchpoints([TouchpointRow(f"crm:{n}", NOW - DAY, f"t{n}", "visit") for n in range(40)])

        async def journey(client):
            asked = [{"contact": f"crm:{n}", "decision_id": f"d{n}"} for n in range(40)]
            headers = service.bearer(name)
            answer = await client.post("/v1/recommend/batch", json={"requests": asked}, headers=headers)
            found = answer.json()["answers"]
            return [each["do_nothing"] or each["recommendations"][0]["action"] for each in found]

        return service.run(journey)

    first = chosen(tmp_path / "a", "one")
    assert chosen(tmp_path / "b", "one") == first
    assert chosen(tmp_path / "c", "two") != first


def test_the_model_is_told_without_what_everybody_together_did(dealer):
    async def journey(client):
        bound = (await client.get("/v1/model", headers=dealer.bearer("north"))).json()
        whole = (await client.get("/v1/model", headers=dealer.bearer("crm"))).json()
        assert bound["serves"] == whole["serves"] and bound["comparisons"] is None and bound["metrics"] == {}

    dealer.run(journey)
