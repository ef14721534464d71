"""The service as a caller meets it: a process, an address, answers that stay the same."""

import asyncio
import subprocess
import sys
import threading
import time

import httpx
import pytest

from features.store.store import Store
from nba.cli import main
from serving.process import ServerProcess

SETTINGS = """
[goals.conversion]
kinds = ["order"]
horizon = "30d"
[actions.newsletter]
channel = "email"
cost = 0.05
[actions.sales_call]
channel = "phone"
cost = 18.0
[points]
kinds = { visit = 5, service_call = 250 }
thresholds = [{ below = 250, actions = ["newsletter"] }, { from = 250, actions = ["sales_call"] }]
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "nba.toml"
    path.write_text(SETTINGS)
    return path


def store_of(config):
    return Store.open(f"sqlite:///{config.parent}/nba.db")


def client_of(server):
    return httpx.Client(base_url=server.address, trust_env=False, timeout=30)


def nba(config, *args):
    command = [sys.executable, "-m", "nba.cli", "--config", str(config), *args]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_touchpoint_in_recommendation_out_feedback_in(config):
    with ServerProcess(config) as server, client_of(server) as client:
        call = {
            "touchpoint_id": "t1",
            "identity": "crm:1",
            "occurred_at": "2025-11-01",
            "kind": "service_call",
        }
        assert client.post("/v1/touchpoints", json=call).json()["stored"] == 1
        assert client.post("/v1/touchpoints", json=call).json()["duplicate"] == 1
        answer = client.post("/v1/recommend", json={"contact": "crm:1", "decision_id": "d1"}).json()
        assert (answer["mode"], answer["points"]["total"]) == ("points", 250)
        told = client.post("/v1/feedback", json={"decision_id": "d1", "action": "sales_call", "outcome": "done"})
        assert told.json()["pending"] is False
        kinds = [entry["kind"] for entry in client.get("/v1/contacts/crm:1").json()["timeline"]]
        assert kinds == ["done", "service_call"]
        assert server.stop() == 0
    with store_of(config) as store:
        assert store.counts() == {"touchpoints": 2, "contacts": 1, "quarantined": 0, "decisions": 1}


def test_two_hundred_at_once_with_one_id_are_one_decision_also_after_a_restart(config):
    at_once_with_one_id(config, 200)


@pytest.mark.slow
def test_a_thousand_at_once_with_one_id_are_one_decision(config):
    at_once_with_one_id(config, 1_000)


def at_once_with_one_id(config, times):
    ask = {"contact": "crm:1", "decision_id": "theirs", "limit": 2}

    async def flood(address):
        limits = httpx.Limits(max_connections=times)
        async with httpx.AsyncClient(base_url=address, trust_env=False, limits=limits, timeout=120) as client:
            return await asyncio.gather(*(client.post("/v1/recommend", json=ask) for _ in range(times)))

    with ServerProcess(config) as server:
        answers = asyncio.run(flood(server.address))
        server.kill()
    assert {answer.status_code for answer in answers} == {200}
    assert len(answers) == times and len({answer.content for answer in answers}) == 1
    with store_of(config) as store:
        assert store.counts()["decisions"] == 1
    with ServerProcess(config) as server, client_of(server) as client:
        assert client.post("/v1/recommend", json=ask).content == answers[0].content
        other = client.post("/v1/recommend", json={**ask, "limit": 3})
        assert (other.status_code, other.json()["code"]) == (422, "decision-id-used")


def test_what_is_under_way_is_finished_when_told_to_end(config):
    with ServerProcess(config) as server, client_of(server) as client:
        client.get("/healthz")
        asks = {"requests": [{"contact": f"crm:{n}"} for n in range(1000)]}
        found = []
        asking = threading.Thread(target=lambda: found.append(client.post("/v1/recommend/batch", json=asks)))
        asking.start()
        with store_of(config) as store:
            while not store.counts()["decisions"]:
                time.sleep(0.01)
        assert server.stop() == 0
        asking.join()
    assert found[0].status_code == 200 and len(found[0].json()["answers"]) == 1000
    with store_of(config) as store:
        assert store.counts()["decisions"] == 1000


def test_a_port_in_use_is_told_in_a_sentence(config):
    with ServerProcess(config) as server:
        port = server.address.rpartition(":")[2]
        second = nba(config, "serve", "--port", port)
    assert second.returncode == 1
    assert f"port {port} on 127.0.0.1 is in use" in second.stderr
    assert "Traceback" not in second.stderr


@pytest.mark.parametrize(
    ("args", "status", "sentence"),
    [
        (["--host", "0.0.0.0"], 1, "no live one"),
        (["--host", "example.com"], 1, "no live one"),
        (["--port", "70000"], 2, "not a port"),
        (["--port", "http"], 2, "not a port"),
    ],
    ids=str,
)
def test_a_wrong_address_is_told_in_a_sentence(config, capsys, args, status, sentence):
    assert ended(config, *args) == status
    assert sentence in capsys.readouterr().err


def test_a_store_that_is_something_else_is_told_in_a_sentence(config, capsys):
    (config.parent / "nba.db").write_bytes(b"this is no database, but long enough to be taken for one" * 99)
    assert ended(config, "--port", "0") == 1
    assert "not a store" in capsys.readouterr().err


def ended(config, *args):
    """Status of a service that is not even started, so that it needs no process of its own."""
    try:
        return main(["--config", str(config), "serve", *args])
    except SystemExit as end:
        return end.code


def test_the_draw_cannot_be_chosen_by_who_knows_another_services_secret(config, tmp_path):
    drawn = []
    for secret in ("one secret, long enough", "two secret, long enough"):
        config.write_text(SETTINGS + "[ranking]\nepsilon = 1.0\n")
        with ServerProcess(config, environ={"NBA_SECRET": secret}) as server, client_of(server) as client:
            visits = [{"identity": f"c{n}", "occurred_at": 1_700_000_000, "kind": "visit"} for n in range(40)]
            client.post("/v1/touchpoints", json=visits)
            answers = [
                client.post("/v1/recommend", json={"contact": f"c{n}", "decision_id": f"d{n}"}).json()
                for n in range(40)
            ]
            drawn.append([a["do_nothing"] or a["recommendations"][0]["action"] for a in answers])
        for part in tmp_path.glob("nba.db*"):
            part.unlink()
    assert len({str(each) for each in drawn[0]}) > 1
    assert drawn[0] != drawn[1]
