import asyncio

import pytest
from starlette.requests import Request

from nba.partners.visibility import Viewer
from serving.api.metrics import get_metrics
from serving.caller import Caller, let_in
from serving.metrics import Metrics
from serving.problems import Problem


def samples(text):
    """What stands behind each series."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


def test_what_was_answered_decided_and_stored_is_counted(local):
    async def journey(client):
        await client.post("/v1/touchpoints", json=[local.touchpoint("a"), local.touchpoint("a"), {"kind": "visit"}])
        await client.post("/v1/recommend", json={"contact": "crm:1"})
        await client.post("/v1/recommend", json={"contact": 1})
        await client.get("/v1/contacts/crm:1")
        await client.get("/somewhere/else")
        answer = await client.get("/metrics")
        assert answer.headers["content-type"].startswith("text/plain")
        return samples(answer.text)

    found = local.run(journey)
    assert found['nba_intake_events_total{verdict="stored"}'] == 1
    assert found['nba_intake_events_total{verdict="duplicate"}'] == 1
    assert found['nba_intake_events_total{verdict="quarantined"}'] == 1
    assert found['nba_requests_total{route="POST /v1/recommend",status="2xx"}'] == 1
    assert found['nba_requests_total{route="POST /v1/recommend",status="4xx"}'] == 1
    assert found['nba_request_seconds_count{route="POST /v1/recommend"}'] == 2
    assert found['nba_requests_total{route="-",status="4xx"}'] == 1
    assert found['nba_decisions_total{degraded="false",mode="points",model_version=""}'] == 1
    assert found["nba_writer_group_size_count"] >= 2
    assert not any("crm:1" in name for name in found)


def test_gates_are_counted_without_what_follows_the_colon():
    metrics = Metrics()
    metrics.decided("learned", False, "3", ["cap:email/7d", "cap:all/30d", "consent"])
    found = samples(metrics.text().decode())
    assert found['nba_actions_removed_total{gate="cap"}'] == 2
    assert found['nba_actions_removed_total{gate="consent"}'] == 1
    assert found['nba_decisions_total{degraded="false",mode="learned",model_version="3"}'] == 1


def test_only_the_bundle_that_serves_is_shown_as_serving():
    metrics = Metrics()
    metrics.swapped("1", "learned")
    metrics.bundle_refused()
    metrics.swapped("2", "points")
    found = samples(metrics.text().decode())
    assert found['nba_bundle_serves{model_version="1",serves="learned"}'] == 0
    assert found['nba_bundle_serves{model_version="2",serves="points"}'] == 1
    assert (found["nba_bundle_swaps_total"], found["nba_bundle_refusals_total"]) == (2, 1)


def test_what_the_journal_tells_is_counted():
    metrics = Metrics()
    metrics.journaled(3)
    metrics.journal(4_711)
    metrics.replayed(2)
    found = samples(metrics.text().decode())
    assert found["nba_journal_bytes"] == 4_711
    assert (found["nba_journal_entries_total"], found["nba_journal_replayed_total"]) == (3, 2)


def test_two_services_in_one_process_count_apart():
    first, second = Metrics(), Metrics()
    first.intake(stored=1)
    assert b'verdict="stored"' not in second.text()


def test_a_key_that_sees_some_contacts_only_sees_no_sums():
    scope = {"type": "http", "headers": []}
    let_in(scope, Caller("k", "dealer", frozenset({"read"}), Viewer(partner="north")))
    with pytest.raises(Problem) as refusal:
        asyncio.run(get_metrics(Request(scope)))
    assert refusal.value.status == 403
