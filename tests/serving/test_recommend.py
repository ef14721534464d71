import asyncio
from dataclasses import replace

import numpy as np
import pytest

from features.rows.row_types import TouchpointRow
from features.times import DAY, iso
from models.estimate import Estimate

EVERY_ACTION = {"newsletter_topic", "sales_call"}


class Model:
    """A belief that answers what it is told to, or fails, or is slow."""

    version, sha256, serves, evidence = "7", "f" * 64, "learned", "none"

    def __init__(self, failing=False, while_estimating=lambda: None):
        self.goals = {"conversion": {"success_value": 100.0}, "churn": {}}
        self.manifest = {"goals": self.goals}
        self.failing = failing
        self.while_estimating = while_estimating

    def estimate(self, touchpoints, traits, as_of, candidates, *, explain=False):
        self.while_estimating()
        if self.failing:
            raise RuntimeError("damaged")
        n = len(candidates)
        return Estimate(
            stage="evaluate",
            propensities={"conversion": 0.4, "churn": 0.1},
            grades={"conversion": "A", "churn": "low"},
            propensity=np.full(n, 0.5),
            without_action=np.full(n, 0.1),
            evidence=("none",) * n,
        )


def test_points_answer_without_a_bundle_and_the_decision_is_logged(local):
    async def journey(client):
        await client.post("/v1/touchpoints", json=local.touchpoint("a", "download"))
        answer = await client.post("/v1/recommend", json={"contact": "crm:1"})
        return answer, local.service.store.decision(answer.json()["decision_id"])

    answer, row = local.run(journey)
    found = answer.json()
    assert answer.status_code == 200
    assert (found["mode"], found["degraded"], found["model_version"]) == ("points", False, None)
    assert found["points"]["total"] == 100 == sum(entry["points"] for entry in found["points"]["log"])
    assert row.answer == answer.content
    assert sum(row.chances.values()) == pytest.approx(1.0)
    assert row.chances[row.action] == row.probability
    if found["recommendations"] and not found["do_nothing"]:
        assert found["recommendations"][0]["probability"] == row.probability


def test_an_unknown_contact_gets_the_default(local):
    async def journey(client):
        return await client.post("/v1/recommend", json={"contact": "nobody"})

    answer = local.run(journey)
    assert (answer.status_code, answer.json()["mode"]) == (200, "default")


def test_the_same_id_gives_the_same_bytes_also_after_a_restart_and_a_change_of_the_past(local):
    ask = {"contact": "crm:1", "decision_id": "theirs-1"}

    async def first(client):
        await client.post("/v1/touchpoints", json=local.touchpoint("a"))
        return [(await client.post("/v1/recommend", json=ask)).content for _ in range(2)]

    async def later(client):
        await client.post("/v1/touchpoints", json=local.touchpoint("b", "service_call"))
        reordered = {"decision_id": "theirs-1", "contact": "crm:1"}
        return (await client.post("/v1/recommend", json=reordered)).content

    one, two = local.run(first)
    local.now += 100 * DAY
    assert one == two == local.run(later)


def test_the_same_id_with_another_body_is_refused(local):
    async def journey(client):
        await client.post("/v1/recommend", json={"contact": "crm:1", "decision_id": "d"})
        return await client.post("/v1/recommend", json={"contact": "crm:2", "decision_id": "d"})

    answer = local.run(journey)
    assert (answer.status_code, answer.json()["code"]) == (422, "decision-id-used")


def test_many_at_once_with_one_id_are_one_decision(local):
    async def journey(client):
        await client.post("/v1/touchpoints", json=local.touchpoint("a"))
        ask = {"contact": "crm:1", "decision_id": "d"}
        answers = await asyncio.gather(*(client.post("/v1/recommend", json=ask) for _ in range(50)))
        return answers, local.service.store.counts()

    answers, counts = local.run(journey)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert counts["decisions"] == 1


def test_a_decision_that_is_logged_while_the_past_is_read_is_answered_as_it_was(local, monkeypatch):
    ask = {"contact": "crm:1", "decision_id": "d"}

    async def journey(client):
        await client.post("/v1/touchpoints", json=local.touchpoint("a"))
        first = await client.post("/v1/recommend", json=ask)
        store = local.service.store
        looks: list[str] = []
        look = store.decision
        # The first look comes too early: the other call's commit lies between it and the reading of the past.
        monkeypatch.setattr(store, "decision", lambda id: look(id) if looks else looks.append(id))
        return first, await client.post("/v1/recommend", json=ask)

    first, second = local.run(journey)
    assert first.content == second.content


def test_questions_about_a_contact_in_one_microsecond_are_all_answered(local):
    local.tick = 0

    async def journey(client):
        asks = [{"contact": "crm:1", "limit": n} for n in range(1, 6)]
        return await asyncio.gather(*(client.post("/v1/recommend", json=ask) for ask in asks))

    assert {answer.status_code for answer in local.run(journey)} == {200}


@pytest.mark.parametrize(
    ("body", "places"),
    [
        ({}, {"/contact"}),
        ({"contact": ""}, {"/contact"}),
        ({"contact": "a", "limit": 0, "explain": "yes"}, {"/limit", "/explain"}),
        ([], {"body"}),
        ("contact", {"body"}),
    ],
    ids=lambda value: str(sorted(value) if isinstance(value, set) else value),
)
def test_a_wrong_request_is_told_all_its_faults(local, body, places):
    async def journey(client):
        return await client.post("/v1/recommend", json=body)

    answer = local.run(journey)
    assert answer.status_code == 422
    assert {fault["place"] for fault in answer.json()["errors"]} == places


def test_the_model_answers_where_there_is_one(local):
    async def journey(client):
        local.service.bundles.current = Model()
        await client.post("/v1/touchpoints", json=local.touchpoint("a"))
        return (await client.post("/v1/recommend", json={"contact": "crm:1"})).json()

    found = local.run(journey)
    assert (found["mode"], found["degraded"], found["model_version"]) in [
        ("learned", False, "7"),
        ("points", False, "7"),  # the holdout
    ]
    assert found["propensities"]["conversion"]["probability"] == 0.4


def test_a_broken_model_is_no_error(local, caplog):
    async def journey(client):
        local.service.bundles.current = Model(failing=True)
        await client.post("/v1/touchpoints", json=local.touchpoint("a", contact="secret-name"))
        return await client.post("/v1/recommend", json={"contact": "secret-name"})

    answer = local.run(journey)
    assert answer.status_code == 200
    assert (answer.json()["mode"], answer.json()["degraded"]) == ("points", True)
    assert answer.json()["model_version"] is None
    assert "secret-name" not in caplog.text


@pytest.mark.parametrize(("seconds", "mode"), [(0.0, "learned"), (10.0, "points")])
def test_past_the_deadline_points_answer(local_with, seconds, mode):
    local = local_with("holdout = 0.0\n")
    elapsed = [0.0]

    def pass_time():
        elapsed[0] += seconds

    async def journey(client):
        local.app.state.service = replace(local.service, ticks=lambda: elapsed[0])
        local.service.bundles.current = Model(while_estimating=pass_time)
        await client.post("/v1/touchpoints", json=local.touchpoint("a"))
        return (await client.post("/v1/recommend", json={"contact": "crm:1"})).json()

    found = local.run(journey)
    assert (found["mode"], found["degraded"]) == (mode, mode == "points")


def test_a_batch_answers_each_in_its_place(local):
    async def journey(client):
        await client.post("/v1/touchpoints", json=local.touchpoint("a"))
        asks = [{"contact": f"crm:{n}"} for n in range(40)]
        asks[7] = {"contact": ""}
        asks[9] = {"contact": "crm:9", "decision_id": "mine"}
        answer = await client.post("/v1/recommend/batch", json={"requests": asks})
        alone = await client.post("/v1/recommend", json=asks[9])
        return answer, alone, local.service.store.counts()["decisions"]

    answer, alone, n = local.run(journey)
    found = answer.json()["answers"]
    assert answer.status_code == 200 and len(found) == 40
    assert found[7]["status"] == 422 and found[7]["instance"].endswith("/7")
    assert [each.get("contact_id") for each in found] == [f"crm:{n}" if n != 7 else None for n in range(40)]
    assert found[9] == alone.json()
    assert n == 39


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"requests": []}, 422),
        ({}, 422),
        ({"requests": "all"}, 422),
        ({"requests": [{"contact": "a"}], "limit": 3}, 422),
        ({"requests": [{"contact": "a"}] * 1001}, 422),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_wrong_batch_is_refused_whole(local, body, status):
    async def journey(client):
        return await client.post("/v1/recommend/batch", json=body)

    assert local.run(journey).status_code == status


def test_activation_is_kept_once(local):
    async def journey(client):
        ask = {"contact": "crm:1", "defer": True, "decision_id": "a/b c"}
        await client.post("/v1/recommend", json=ask)
        first = await client.post("/v1/decisions/a%2Fb%20c/activate")
        second = await client.post("/v1/decisions/a%2Fb%20c/activate")
        unknown = await client.post("/v1/decisions/other/activate")
        return first, second, unknown, local.service.store.decision("a/b c")

    first, second, unknown, row = local.run(journey)
    assert first.status_code == 200
    assert first.json() == second.json()
    assert unknown.status_code == 404
    assert row.deferred and row.activated_at is not None


def test_a_contact_is_found_whatever_blanks_stand_around_its_name(local):
    async def journey(client):
        await client.post("/v1/touchpoints", json=local.touchpoint("a", "download"))
        return (await client.post("/v1/recommend", json={"contact": " crm:1 "})).json()

    found = local.run(journey)
    assert (found["contact_id"], found["points"]["total"]) == ("crm:1", 100)


@pytest.mark.parametrize(("body", "status"), [(b"", 200), (b" {} ", 200), (b'{"at": 1}', 422), (b"null", 422)])
def test_there_is_nothing_to_say_with_an_activation(local, body, status):
    async def journey(client):
        await client.post("/v1/recommend", json={"contact": "crm:1", "decision_id": "d1", "defer": True})
        return await client.post("/v1/decisions/d1/activate", content=body)

    assert local.run(journey).status_code == status


@pytest.mark.parametrize("path", ["/v1/t", "/v1/touchpoints"])
def test_an_amount_that_no_sum_can_hold_is_refused(local, path):
    async def journey(client):
        event = {"userId": "big", "event": "order", "properties": {"revenue": 1.7e308, "currency": "EUR"}}
        body = local.touchpoint("big", "order", contact="big", value=1.7e308) if path == "/v1/touchpoints" else event
        answer = await client.post(path, json=body)
        return answer, list(local.service.store.quarantine_rows())

    answer, aside = local.run(journey)
    assert answer.status_code == 400 and "value 1.7e+308 lies beyond 1e+15" in answer.text
    assert [row.rule[:18] for row in aside] == ["value lies beyond "]


def test_amounts_that_no_sum_can_hold_and_are_stored_already_stop_nobody(local):
    async def journey(client):
        big = [TouchpointRow("big", local.now - n * DAY, f"b{n}", "order", value=1.7e308) for n in (1, 2)]
        with local.service.store.writing() as writing:
            writing.touchpoints(big)
        asked = await client.post("/v1/recommend", json={"contact": "big"})
        return [asked, await client.get("/v1/worklist"), await client.get("/v1/contacts/big")]

    assert [answer.status_code for answer in local.run(journey)] == [200, 200, 200]


@pytest.mark.parametrize(
    ("path", "said", "closed"),
    [
        ("track", {"userId": "u", "event": "Unsubscribed", "properties": {"channel": "Email"}}, {"newsletter_topic"}),
        ("touchpoints", {"identity": "u", "kind": "Unsubscribed", "channel": "E-Mail"}, {"newsletter_topic"}),
        ("touchpoints", {"identity": "u", "kind": "unsubscribed", "channel": "mail"}, EVERY_ACTION),
    ],
)
def test_whoever_has_unsubscribed_is_left_alone_however_it_was_spelt(local, path, said, closed):
    async def journey(client):
        when = {"occurred_at": iso(local.now - DAY)} if path == "touchpoints" else {"timestamp": iso(local.now - DAY)}
        told = await client.post(f"/v1/{path}", json={**said, **when})
        return told, await client.post("/v1/recommend", json={"contact": "u", "explain": True})

    told, answer = local.run(journey)
    assert told.status_code == 200
    assert {each["action"] for each in answer.json()["removed"] if each["rule"] == "consent"} == closed


def test_an_id_that_feedback_would_trim_is_neither_decided_under_nor_activated(local):
    async def journey(client):
        ask = {"contact": "crm:1", "decision_id": "d\u00a0"}
        return [await client.post("/v1/recommend", json=ask), await client.post("/v1/decisions/%20d/activate")]

    for answer in local.run(journey):
        assert answer.status_code == 422 and "begins or ends with a blank; leave it out" in answer.json()["detail"]
