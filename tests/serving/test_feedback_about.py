"""Feedback is about what its decision offered: the action, and the slot where there were several."""

import pytest

from features.rows.row_types import DecisionRow, RecordRow
from features.times import DAY
from serving.offered import Offered, narrowed, offered
from tests.serving.conftest import NOW

ALWAYS = 2**62
CARRIED = """
[content]
pause = "90d"
"""


def told(local, kind: str) -> list[tuple[str, ...]]:
    return [row[12:14] for row in local.service.store.history("crm:1", ALWAYS) if row[3] == kind]


async def asked(client, **more):
    return (await client.post("/v1/recommend", json={"contact": "crm:1", **more})).json()


def test_what_the_decision_did_not_offer_is_refused_with_the_rule(local):
    async def journey(client):
        await client.post("/v1/touchpoints", json=local.touchpoint("a", "service_call"))
        found = await asked(client, decision_id="mine")
        body = {"decision_id": "mine", "outcome": "done"}
        offered = [each["action"] for each in found["recommendations"]]
        other = next(name for name in ("newsletter_topic", "sales_call") if name not in offered)
        wrong = await client.post("/v1/feedback", json={**body, "action": other})
        unheard = await client.post("/v1/feedback", json={**body, "content_id": "never-shown"})
        return other, wrong, unheard, local.service.store.outcomes_of("mine"), told(local, "done")

    other, wrong, unheard, outcomes, done = local.run(journey)
    assert (wrong.status_code, unheard.status_code) == (422, 422)
    assert wrong.json()["errors"][0]["place"] == "/action" and repr(other) in wrong.json()["detail"]
    assert "feedback is about what its decision offered" in wrong.json()["detail"]
    assert unheard.json()["errors"][0]["place"] == "/content_id" and "'never-shown'" in unheard.json()["detail"]
    assert outcomes == [] and done == []


def test_what_waited_for_a_decision_that_offers_no_such_thing_takes_no_effect(local):
    async def journey(client):
        early = {"decision_id": "mine", "action": "sales_call", "outcome": "accepted"}
        assert (await client.post("/v1/feedback", json=early)).json()["pending"]
        found = await asked(client, decision_id="mine")
        return found["recommendations"][0]["action"], told(local, "accepted")

    assert local.run(journey) == ("newsletter_topic", [])


def test_of_several_slots_it_names_its_own_and_the_decision_completes_it(local_with):
    local = local_with(CARRIED)

    def shelve(*names: str) -> None:
        rows = [RecordRow(name, NOW - DAY, {"title": name, "topics": [f"about {name}"]}) for name in names]
        with local.service.store.writing() as writing:
            writing.records("content", rows)

    async def journey(client):
        shelve("one", "two")
        found = await asked(client, placement="infocenter", decision_id="mine")
        assert {each["content_id"] for each in found["recommendations"]} == {"one", "two"}
        tell = {"decision_id": "mine", "outcome": "clicked"}
        answers = [
            await client.post("/v1/feedback", json=each)
            for each in (tell | {"content_id": "two"}, tell | {"feedback_id": "of either"})
        ]
        rows = [row for row in local.service.store.history("crm:1", ALWAYS) if row[3] == "clicked"]
        later = await asked(client, placement="infocenter")
        return [each.status_code for each in answers], [(row[6], row[13]) for row in rows], later

    codes, rows, later = local.run(journey)
    assert codes == [200, 200]
    assert ('["about two"]', '{"action":"infocenter","content_id":"two"}') in rows, "its own topic and id"
    assert {row[1] for row in rows} == {'{"action":"infocenter","content_id":"two"}', '{"action":"infocenter"}'}
    assert "two" not in {each["content_id"] for each in later["recommendations"]}, "what was clicked was read"


@pytest.mark.parametrize(
    ("action", "ids", "found"),
    [
        (None, {}, Offered("call", {"event_id": "fair"})),
        ("call", {"event_id": "fair"}, Offered("call", {"event_id": "fair"})),
        ("call", {"event_id": "other"}, None),
        ("mail", {}, Offered("mail", {})),
        ("letter", {}, None),
        ("do_nothing", {}, Offered("do_nothing", {})),
    ],
)
def test_a_loaded_decision_offered_its_action_and_what_was_allowed(action, ids, found):
    row = DecisionRow("d", "crm:1", NOW, "call", allowed=("call", "mail"), properties={"event_id": "fair"})
    assert narrowed(row, action, ids) == found
    assert [each.action for each in offered(row)] == ["call", "mail"]
