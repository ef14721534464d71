"""What is answered, and under which id, while an earlier choice of a contact still stands."""

import pytest

from features.times import DAY


def test_a_choice_that_is_given_again_is_no_new_decision(local):
    async def journey(client):
        await client.post("/v1/touchpoints", json=local.touchpoint("a"))
        first = (await client.post("/v1/recommend", json={"contact": "crm:1"})).json()
        second = (await client.post("/v1/recommend", json={"contact": "crm:1"})).json()
        return first, second, local.service.store.counts()["decisions"]

    first, second, n = local.run(journey)
    assert first["decision_id"] == second["decision_id"]
    assert n == 1


def test_an_id_for_a_choice_that_is_given_again_keeps_its_answer_and_its_feedback(local):
    ask = {"contact": "crm:1", "decision_id": "theirs"}

    async def journey(client):
        await client.post("/v1/touchpoints", json=local.touchpoint("a"))
        first = (await client.post("/v1/recommend", json={"contact": "crm:1"})).json()
        answer = await client.post("/v1/recommend", json=ask)
        local.now += 100 * DAY
        again = await client.post("/v1/recommend", json=ask)
        told = await client.post("/v1/feedback", json={"decision_id": "theirs", "outcome": "clicked"})
        return first, answer, again, told, local.service.store.outcomes_of(first["decision_id"])

    first, answer, again, told, outcomes = local.run(journey)
    given, before = answer.json(), first["recommendations"]
    assert (given["decision_id"], given["do_nothing"]) == ("theirs", first["do_nothing"])
    assert [each["action"] for each in given["recommendations"]] == [each["action"] for each in before]
    assert again.content == answer.content
    assert told.json()["pending"] is False
    assert [outcome.outcome for outcome in outcomes] == ["clicked"]


def test_an_id_that_stands_for_an_earlier_decision_activates_that(local):
    async def journey(client):
        ask = {"contact": "crm:1", "defer": True}
        first = (await client.post("/v1/recommend", json=ask)).json()["decision_id"]
        await client.post("/v1/recommend", json={**ask, "decision_id": "theirs"})
        answer = await client.post("/v1/decisions/theirs/activate")
        return answer, local.service.store.decision(first)

    answer, row = local.run(journey)
    assert answer.status_code == 200
    assert row.deferred and row.activated_at is not None


@pytest.mark.parametrize("decision_id", [None, "theirs"])
def test_what_was_deferred_counts_once_it_is_given_to_a_call_that_defers_nothing(local, decision_id):
    async def journey(client):
        ask = {"contact": "crm:1", "decision_id": decision_id}
        answer = await client.post("/v1/recommend", json={"contact": "crm:1", "decision_id": "first", "defer": True})
        found = []
        for more in ({"contact": "crm:1", "defer": True}, ask, {"contact": "crm:1"}):
            again = (await client.post("/v1/recommend", json=more)).json()
            assert again["do_nothing"] == answer.json()["do_nothing"]
            found.append(local.service.store.decision("first").activated_at)
        return found

    deferred, shown, later = local.run(journey)
    assert deferred is None
    assert shown is not None
    assert later == shown


def test_excluding_the_choice_neither_replaces_it_nor_draws_twice(local):
    async def choice(client):
        for n in range(100):
            contact = f"crm:{n}"
            await client.post("/v1/touchpoints", json=local.touchpoint(f"t{n}", "service_call", contact=contact))
            found = (await client.post("/v1/recommend", json={"contact": contact})).json()
            if found["recommendations"]:
                return contact, found
        raise AssertionError("nothing but do nothing was ever drawn")

    async def journey(client):
        contact, first = await choice(client)
        without = {"contact": contact, "exclude": [first["recommendations"][0]["action"]]}
        asks = [without, {"contact": contact}, without]
        return first, [(await client.post("/v1/recommend", json=ask)).json()["decision_id"] for ask in asks]

    first, (other, plain, again) = local.run(journey)
    assert plain == first["decision_id"] != other
    assert again == other
