"""A dealer's system calls the service of its manufacturer from another machine, with a key of its own."""

import csv
import time

import httpx
import pytest

from nba.cli import main
from serving.process import ServerProcess

SETTINGS = """
[goals.conversion]
kinds = ["order"]
horizon = "30d"
[actions.newsletter]
channel = "email"
cost = 0.05
[actions.dealer_visit]
channel = "visit"
executor = "partner"
cost = 20.0
[points]
kinds = { visit = 5, service_call = 250 }
thresholds = [{ below = 250, actions = ["newsletter"] }, { from = 250, actions = ["dealer_visit"] }]
[contact_policy]
timezone = "UTC"
[ranking]
sticky = "0s"
[serving]
host = "0.0.0.0"
"""


@pytest.fixture
def nba(tmp_path, capsys):
    """The command, for one folder: what it said on stdout and on stderr."""

    def call(*args, status=0):
        assert main(["--config", str(tmp_path / "nba.toml"), *args]) == status
        return capsys.readouterr()

    return call


@pytest.fixture
def maker(tmp_path, nba):
    (tmp_path / "nba.toml").write_text(SETTINGS)
    with (tmp_path / "contacts.csv").open("w") as file:
        csv.writer(file).writerows([["identity", "partner"], ["crm:1", "north"], ["crm:2", "south"], ["crm:3", ""]])
    nba("load", "contacts", str(tmp_path / "contacts.csv"))
    return tmp_path


def client_of(server, key=None):
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    return httpx.Client(base_url=server.address, headers=headers, trust_env=False, timeout=30)


def until(status, call):
    deadline = time.monotonic() + 30
    while call().status_code != status:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.slow
def test_a_dealers_system_lives_with_its_key(maker, nba):
    assert "there is no live one" in nba("serve", "--port", "0", status=1).err
    scopes = ("--scopes", "ingest,recommend,feedback,read")
    key = nba("keys", "add", "north", *scopes, "--partner", "north").out.strip()
    with ServerProcess(maker / "nba.toml") as server, client_of(server, key) as north, client_of(server) as stranger:
        assert "1 key can call it" in server.log.read_text()
        assert stranger.get("/v1/contacts/crm:1").status_code == 401
        touchpoint = {"touchpoint_id": "t1", "occurred_at": "2025-11-01T10:00:00Z", "kind": "service_call"}
        for identity in ("crm:1", "lead:1"):
            said = north.post("/v1/touchpoints", json=touchpoint | {"identity": identity, "touchpoint_id": identity})
            assert said.json()["stored"] == 1
        answer = north.post("/v1/recommend", json={"contact": "crm:1", "decision_id": "d1", "defer": True}).json()
        assert answer["recommendations"][0]["action"] == "dealer_visit"
        assert north.post("/v1/decisions/d1/activate").status_code == 200
        assert north.post("/v1/feedback", json={"decision_id": "d1", "outcome": "done"}).json()["pending"] is False
        kinds = [each["kind"] for each in north.get("/v1/contacts/crm:1").json()["timeline"]]
        assert sorted(kinds) == ["done", "service_call"]
        assert north.get("/v1/contacts/lead:1").json()["touchpoints"] == 1
        unseen = [north.get(f"/v1/contacts/{name}") for name in ("crm:2", "crm:3", "crm:4")]
        assert {each.status_code for each in unseen} == {404}
        asked = [north.post("/v1/recommend", json={"contact": name}).json() for name in ("crm:2", "crm:4")]
        assert [(each["mode"], each["recommendations"]) for each in asked] == [("default", [])] * 2

        renewed = nba("keys", "rotate", "north")
        with client_of(server, renewed.out.strip()) as new:
            until(200, lambda: new.get("/v1/model"))
            assert north.get("/v1/model").status_code == 200
            again = {"contact": "crm:1", "decision_id": "d1", "defer": True}
            assert new.post("/v1/recommend", json=again).json() == answer
            nba("keys", "revoke", key, "--reason", "rotated")
            until(401, lambda: north.get("/v1/model"))
            assert new.get("/v1/model").status_code == 200
        assert server.stop() == 0
    assert key not in server.log.read_text()
    assert all(key.encode() not in path.read_bytes() for path in maker.iterdir() if path.is_file())
