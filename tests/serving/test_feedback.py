import asyncio

import pytest

from features.times import DAY
from nba.privacy import restriction
from serving import feedback, leads, noted
from serving.api import self_service
from serving.feedback import OUTCOMES
from serving.intake.admission import OWN_SOURCES

ALWAYS = 2**62


async def decided(local, client, contact="crm:1"):
    """Ask until an action is drawn, not "do nothing"; returns the decision's id and action."""
    await client.post("/v1/touchpoints", json=local.touchpoint("seen", "service_call", contact=contact))
    for n in range(200):
        answer = await client.post("/v1/recommend", json={"contact": contact, "decision_id": f"d{n}"})
        if answer.json()["recommendations"]:
            return answer.json()["decision_id"], answer.json()["recommendations"][0]["action"]
        local.now += 30 * DAY
    raise AssertionError("nothing but do nothing was ever drawn")


def test_every_outcome_is_taken(local):
    async def journey(client):
        decision, _ = await decided(local, client)
        answers = [
            await client.post("/v1/feedback", json={"decision_id": decision, "outcome": outcome, "until": "2030-01-01"})
            for outcome in OUTCOMES
        ]
        return (
            answers,
            local.service.store.outcomes_of(decision),
            local.service.store.history("crm:1", ALWAYS),
        )

    answers, outcomes, history = local.run(journey)
    assert [answer.status_code for answer in answers] == [200] * len(OUTCOMES)
    assert sorted(outcome.outcome for outcome in outcomes) == sorted(OUTCOMES)
    # What the contact did not do itself is no touchpoint of the contact.
    touched = {row[3] for row in history} & set(OUTCOMES)
    assert touched == set(OUTCOMES) - {"shown", "delivered", "not_reached"}
    assert {row[5] for row in history if row[3] in OUTCOMES and row[3] != "done"} == {"inbound"}


def test_done_is_one_outbound_touchpoint_on_the_channel_of_the_action(local):
    async def journey(client):
        decision, action = await decided(local, client)
        for n in range(3):
            body = {"decision_id": decision, "outcome": "done", "feedback_id": f"f{n}"}
            assert (await client.post("/v1/feedback", json=body)).status_code == 200
        return action, [row for row in local.service.store.history("crm:1", ALWAYS) if row[3] == "done"]

    action, rows = local.run(journey)
    channel = {"newsletter_topic": "email", "sales_call": "phone"}[action]
    assert [(row[4], row[5], row[12]) for row in rows] == [(channel, "outbound", action)]


@pytest.mark.parametrize("feedback_first", [True, False])
def test_done_and_the_same_from_another_system_are_one(local, feedback_first):
    async def journey(client):
        decision, _ = await decided(local, client)
        done = ("/v1/feedback", {"decision_id": decision, "outcome": "done"})
        theirs = local.touchpoint("crm-1", "call_made", days=0, channel="phone", decision_id=decision)
        calls = [done, ("/v1/touchpoints", theirs)]
        for path, body in calls if feedback_first else reversed(calls):
            assert (await client.post(path, json=body)).status_code == 200
        history = local.service.store.history("crm:1", ALWAYS)
        return [row for row in history if row[5] == "outbound" or row[3] == "call_made"]

    assert len(local.run(journey)) == 1


def test_a_repeat_is_stored_once_with_and_without_an_id(local):
    async def journey(client):
        decision, _ = await decided(local, client)
        plain = {"decision_id": decision, "outcome": "clicked", "occurred_at": "2025-11-01T00:00:00Z"}
        named = {"decision_id": decision, "outcome": "rejected", "feedback_id": "f1", "reason": "budget"}
        found = []
        for body in (plain, plain, named, {**named, "reason": "other"}):
            answers = await asyncio.gather(*(client.post("/v1/feedback", json=body) for _ in range(5)))
            found.append(sorted(answer.json()["duplicate"] for answer in answers))
        return found, local.service.store.outcomes_of(decision), local.service.store.history("crm:1", ALWAYS)

    found, outcomes, history = local.run(journey)
    assert found == [[False, *[True] * 4], [True] * 5, [False, *[True] * 4], [True] * 5]
    assert sorted(outcome.outcome for outcome in outcomes) == ["clicked", "rejected"]
    assert [row[3] for row in history if row[3] in OUTCOMES].count("clicked") == 1


def test_an_id_that_comes_again_for_something_else_is_a_piece_of_its_own(local):
    async def journey(client):
        decision, action = await decided(local, client)
        other = (await client.post("/v1/recommend", json={"contact": "crm:2"})).json()["decision_id"]
        task = {"decision_id": decision, "feedback_id": "task-1", "until": "2030-01-01"}
        pieces = [
            task | {"outcome": "snoozed"},
            task | {"outcome": "done"},
            task | {"outcome": "unsubscribed"},
            task | {"outcome": "unsubscribed", "action": action},
            task | {"outcome": "unsubscribed", "decision_id": other},
            task | {"outcome": "unsubscribed", "decision_id": "unheard"},
        ]
        found = [(await client.post("/v1/feedback", json=each)).json() for each in [*pieces, *pieces]]
        assert {each["feedback_id"] for each in found} == {"task-1"}
        assert [each["duplicate"] for each in found] == [False] * 6 + [True] * 6
        rows = touched(local, *OUTCOMES)
        assert sorted(row[3] for row in rows) == ["done", "snoozed", "unsubscribed", "unsubscribed"]
        assert [row[2] for row in rows if row[3] in ("snoozed", "done")] == ["task-1", f"done:{decision}"]
        return [len(local.service.store.outcomes_of(name)) for name in (decision, other, "unheard")]

    assert local.run(journey) == [4, 1, 1]


def test_an_id_that_came_twice_before_its_decisions_is_a_repeat_after_them(local):
    async def journey(client):
        first, _ = await decided(local, client)
        pieces = [
            {"decision_id": "early", "outcome": outcome, "feedback_id": "task-1"} for outcome in ("clicked", "rejected")
        ]
        for each in pieces:
            assert not (await client.post("/v1/feedback", json=each)).json()["duplicate"]
        await client.post("/v1/recommend", json={"contact": "crm:1", "decision_id": "early"})
        assert sorted(row[3] for row in touched(local, *OUTCOMES)) == ["clicked", "rejected"]
        for each in pieces:
            assert (await client.post("/v1/feedback", json=each)).json()["duplicate"]
        return [row.outcome for row in local.service.store.outcomes_of(first)]

    assert sorted(local.run(journey)) == ["clicked", "rejected"]


def test_feedback_for_an_unknown_decision_is_pending(local):
    async def journey(client):
        answer = await client.post("/v1/feedback", json={"decision_id": "unheard", "outcome": "converted"})
        return answer, local.service.store.outcomes_of("unheard"), local.service.store.counts()

    answer, outcomes, counts = local.run(journey)
    assert (answer.status_code, answer.json()["pending"]) == (200, True)
    assert [outcome.pending for outcome in outcomes] == [True]
    assert counts["touchpoints"] == 0


def touched(local, *kinds):
    return [row for row in local.service.store.history("crm:1", ALWAYS) if row[3] in kinds]


@pytest.mark.parametrize("standing", [False, True], ids=["a new decision", "an id for an earlier one"])
def test_feedback_that_came_first_takes_effect_with_its_decision(local, standing):
    async def journey(client):
        first, action = await decided(local, client) if standing else ("early", "newsletter_topic")
        for outcome, id in [("done", "a"), ("done", "b"), ("rejected", "c"), ("shown", "d")]:
            body = {"decision_id": "early", "action": action, "outcome": outcome, "feedback_id": id}
            assert (await client.post("/v1/feedback", json=body)).json()["pending"]
        before = touched(local, *OUTCOMES)
        for _ in range(2):
            await client.post("/v1/recommend", json={"contact": "crm:1", "decision_id": "early"})
        repeat = await client.post("/v1/feedback", json=body)
        return (first, action), before, repeat.json(), touched(local, *OUTCOMES), local.service.store.outcomes_of(first)

    (first, action), before, repeat, after, outcomes = local.run(journey)
    assert before == []
    assert (repeat["duplicate"], repeat["pending"]) == (True, False)
    assert sorted((row[3], row[5], row[11], row[12]) for row in after) == [
        ("done", "outbound", first, action),
        ("rejected", "inbound", first, action),
    ]
    assert [outcome.pending for outcome in outcomes] == [False] * 4


def test_what_another_system_reported_is_not_done_a_second_time_by_feedback_that_came_first(local):
    async def journey(client):
        body = {"decision_id": "early", "action": "sales_call", "outcome": "done"}
        await client.post("/v1/feedback", json=body)
        theirs = local.touchpoint("crm-1", "call_made", days=0, channel="phone", decision_id="early")
        await client.post("/v1/touchpoints", json=theirs)
        await client.post("/v1/recommend", json={"contact": "crm:1", "decision_id": "early"})
        return touched(local, "call_made", "done")

    assert [row[3] for row in local.run(journey)] == ["call_made"]


def test_feedback_and_its_decision_at_the_same_moment_take_effect_once(local):
    async def journey(client):
        for n in range(20):
            told = {"decision_id": f"d{n}", "outcome": "accepted"}
            asked = {"contact": "crm:1", "decision_id": f"d{n}"}
            calls = [client.post("/v1/feedback", json=told), client.post("/v1/recommend", json=asked)]
            await asyncio.gather(*(calls if n % 2 else reversed(calls)))
        return touched(local, "accepted")

    assert len(local.run(journey)) == 20


async def removed_later(local, client, body):
    decision, action = await decided(local, client)
    known = action if body.get("action") is None else body["action"]
    assert (await client.post("/v1/feedback", json={"decision_id": decision, **body})).status_code == 200
    answer = await client.post("/v1/recommend", json={"contact": "crm:1", "explain": True})
    return known, {each["action"]: each["rule"] for each in answer.json()["removed"] if each["rule"] == "paused"}


def test_what_was_snoozed_is_not_offered_before_its_time(local):
    body = {"outcome": "snoozed", "until": "2099-01-01T00:00:00Z"}
    action, removed = local.run(lambda client: removed_later(local, client, body))
    assert removed == {action: "paused"}


def test_a_wrong_number_blocks_the_channel_of_the_decision(local):
    action, removed = local.run(lambda client: removed_later(local, client, {"outcome": "wrong_number"}))
    assert removed == {action: "paused"}


def test_an_action_that_there_is_not_is_named(local):
    async def journey(client):
        decision, _ = await decided(local, client)
        bodies = [{"decision_id": id, "action": "sales_cal", "outcome": "done"} for id in (decision, "unheard")]
        answers = [await client.post("/v1/feedback", json=body) for body in bodies]
        return answers, touched(local, "done")

    answers, rows = local.run(journey)
    assert [answer.status_code for answer in answers] == [422, 422]
    for answer in answers:
        fault = answer.json()["errors"][0]
        assert fault["place"] == "/action"
        assert "'sales_cal'" in fault["message"] and "'sales_call'" in fault["message"]
    assert rows == []


def test_details_are_kept(local):
    async def journey(client):
        decision, _ = await decided(local, client)
        body = {
            "decision_id": decision,
            "action": "sales_call",
            "outcome": "snoozed",
            "reason": "budget",
            "note": "call again",
            "until": "2031-11-24T10:00:00+01:00",
            "value": 1200.0,
            "occurred_at": "2025-11-01T00:00:00Z",
        }
        await client.post("/v1/feedback", json=body)
        history = local.service.store.history("crm:1", ALWAYS)
        return local.service.store.outcomes_of(decision)[0], next(r for r in history if r[3] == "snoozed")

    outcome, row = local.run(journey)
    assert (outcome.reason, outcome.note, outcome.value) == ("budget", "call again", 1200.0)
    assert (row[4], row[5], row[7]) == ("phone", "inbound", 1200.0)
    assert row[13] == '{"action":"sales_call","reason":"budget","until":"2031-11-24T09:00:00Z"}'


@pytest.mark.parametrize(
    ("wrong", "place", "sentence"),
    [
        ({"outcome": "bought"}, "/outcome", "is none of shown"),
        ({"outcome": None}, "/outcome", "is missing"),
        ({"decision_id": ""}, "/decision_id", "is missing"),
        ({"decision_id": ["a"]}, "/decision_id", "is not text"),
        ({"outcome": "snoozed"}, "/until", "is missing; snoozed needs"),
        ({"outcome": "snoozed", "until": "tomorrow"}, "/until", "is not a time"),
        ({"value": "much"}, "/value", "is not a number"),
        ({"value": True}, "/value", "is not a number"),
        ({"occurred_at": "2999-01-01"}, "/occurred_at", "more than a day in the future"),
        ({"out_come": "done"}, "/out_come", "did you mean 'outcome'"),
        ({"note": "x" * 10_001}, "/note", "is longer than 10,000"),
        ({"feedback_id": "x" * 501}, "/feedback_id", "is longer than 500"),
    ],
    ids=str,
)
def test_a_wrong_field_is_named(local, wrong, place, sentence):
    async def journey(client):
        return await client.post("/v1/feedback", json={"decision_id": "d", "outcome": "done", **wrong})

    answer = local.run(journey)
    assert answer.status_code == 422
    assert [fault["place"] for fault in answer.json()["errors"]] == [place]
    assert sentence in answer.json()["errors"][0]["message"]


def test_all_wrong_fields_are_named_at_once(local):
    async def journey(client):
        return await client.post("/v1/feedback", json={"outcome": "x", "value": "y"})

    errors = local.run(journey).json()["errors"]
    assert {fault["place"] for fault in errors} == {"/decision_id", "/outcome", "/value"}


def test_nobody_writes_under_a_source_of_the_service(local):
    async def journey(client):
        decision, _ = await decided(local, client)
        theirs = local.touchpoint(f"done:{decision}", "visit", source=" feedback ")
        cloud = {
            "specversion": "1.0",
            "id": f"done:{decision}",
            "source": "feedback",
            "type": "seen",
            "subject": "crm:1",
        }
        refused = [await client.post("/v1/touchpoints", json=theirs), await client.post("/v1/events", json=cloud)]
        done = await client.post("/v1/feedback", json={"decision_id": decision, "outcome": "done"})
        return refused, done, [row[3] for row in local.service.store.history("crm:1", ALWAYS)]

    refused, done, kinds = local.run(journey)
    assert [answer.status_code for answer in [*refused, done]] == [400, 400, 200]
    assert all("is what the service itself writes under; name another one" in answer.text for answer in refused)
    assert kinds.count("done") == 1 and "visit" not in kinds


def test_every_source_of_the_service_is_known_at_the_door():
    ours = (feedback.SOURCE, leads.SOURCE, noted.SOURCE, restriction.SOURCE, self_service.SOURCE)
    assert set(ours) == OWN_SOURCES
