"""From a file to a recommendation and back: load, train, serve, hear, answer, learn again, swap."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from pyarrow import parquet

from models.registry.registry import Registry
from serving.process import ServerProcess

NBA = [sys.executable, "-m", "nba.cli"]


def nba(folder, *args, status=0):
    done = subprocess.run([*NBA, *args], cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == status, done.stderr
    return done


def keys(found, *names):
    assert set(names) <= set(found), set(names) - set(found)


def check_report(report):
    keys(report, "bundle", "data", "goals", "stages", "policies", "verdict")
    keys(report["data"], "touchpoints", "contacts", "from", "to", "quarantined")
    keys(report["policies"], "evidence", "estimates", "gain_over_best_simple", "serves", "why")
    keys(report["stages"], "count", "names", "sizes", "stability", "agreement_with_rules")
    assert set(report["goals"]) == {"conversion", "churn"}
    for goal in report["goals"].values():
        keys(goal, "train", "test", "censored", "metrics", "calibration", "drivers", "warnings")
        keys(goal["metrics"], "model", "points", "recency", "frequency", "abc", "logistic")
        assert goal["train"]["to"] < goal["test"]["from"]


@pytest.mark.slow
def test_the_whole_way(shop):
    with (shop / "touchpoints.csv").open("a") as file:
        file.write("crm:3,2025-12-30T00:00:00,objection,,,\n")
    loaded = json.loads(nba(shop, "load", "touchpoints", "touchpoints.csv", "--json").stdout)
    assert loaded["quarantined"] == 0 and loaded["stored"] == loaded["read"] > 4000
    nba(shop, "train", "run", "--json", "report.json")
    report = json.loads((shop / "report.json").read_text())
    check_report(report)
    # Who objects to profiling is in no training and no scores.
    objecting = sum(line.startswith("crm:3,") for line in (shop / "touchpoints.csv").read_text().splitlines())
    assert objecting > 1
    assert report["data"]["touchpoints"] == loaded["stored"] - objecting
    assert report["verdict"]["promote"], report["verdict"]
    assert report["goals"]["conversion"]["metrics"]["model"]["auc"] > 0.65
    with ServerProcess(shop / "nba.toml", environ={"NBA_SYNC_SECONDS": "1"}) as server:
        versions, statuses = asyncio.run(serve_and_retrain(shop, server))
        assert server.stop() == 0
    assert statuses == {200}
    assert versions == {"1", "2"}
    nba(shop, "train", "rollback", "--reason", "to see that it works")
    champion = Registry(f"sqlite:///{shop / 'mlflow.db'}", "nba", shop / "mlartifacts").champion()
    assert champion is not None and champion[0] == "1"
    nba(shop, "score", "--out", "scores.parquet")
    names = parquet.read_table(shop / "scores.parquet")["contact_id"].to_pylist()
    assert "crm:3" not in names and "crm:4" in names


async def serve_and_retrain(folder, server):
    """Talk to the service while a second training replaces its champion."""
    versions, statuses, stop = set(), set(), asyncio.Event()
    async with httpx.AsyncClient(base_url=server.address, trust_env=False, timeout=60) as client:
        await one_conversation(client)

        async def ask():
            while not stop.is_set():
                answer = await client.post("/v1/recommend", json={"contact": "crm:5"})
                statuses.add(answer.status_code)
                versions.add(answer.json()["model_version"])
                await asyncio.sleep(0.1)

        asking = asyncio.create_task(ask())
        await asyncio.to_thread(nba, folder, "train", "run")
        registry = Registry(f"sqlite:///{folder / 'mlflow.db'}", "nba", folder / "mlartifacts")
        await asyncio.to_thread(registry.promote, "2", "in a test", "the test")
        for _ in range(600):
            if "2" in versions:
                break
            await asyncio.sleep(0.1)
        stop.set()
        await asking
    return versions, statuses


async def one_conversation(client):
    now = datetime.now(UTC)
    seen = [
        {"identity": "crm:new", "occurred_at": (now - timedelta(minutes=m)).isoformat(), "kind": kind, "channel": "web"}
        for m, kind in ((9, "visit"), (5, "download"), (2, "download"))
    ]
    answer = await client.post("/v1/touchpoints", json=seen)
    assert answer.status_code == 200 and answer.json()["stored"] == 3
    found = (await client.post("/v1/recommend", json={"contact": "crm:new", "explain": True})).json()
    assert found["points"]["total"] == 205 == sum(entry["points"] for entry in found["points"]["log"])
    assert found["model_version"] == "1"
    keys(found["propensities"], "conversion", "churn")
    assert found["do_nothing"] or found["recommendations"][0]["probability"] > 0
    told = {"decision_id": found["decision_id"], "outcome": "clicked", "feedback_id": "f1"}
    if not found["do_nothing"]:
        told["action"] = found["recommendations"][0]["action"]
    assert (await client.post("/v1/feedback", json=told)).status_code == 200
    assert (await client.post("/v1/feedback", json=told)).status_code == 200
    profile = (await client.get("/v1/contacts/crm:new")).json()
    clicks = [entry for entry in profile["timeline"] if entry["kind"] == "clicked"]
    assert len(clicks) == 1, profile["timeline"]


def test_a_training_without_goals_or_touchpoints_is_refused_in_a_sentence(tmp_path):
    (tmp_path / "nba.toml").write_text("")
    assert "goal" in nba(tmp_path, "train", "run", status=1).stderr
    (tmp_path / "nba.toml").write_text('[goals.conversion]\nkinds = ["order"]\nhorizon = "30d"\n')
    assert "nba load" in nba(tmp_path, "train", "run", status=1).stderr
    assert not (tmp_path / "bundles").exists()


@pytest.mark.slow
def test_too_little_data_makes_no_champion_and_no_number_up(shop):
    lines = (shop / "touchpoints.csv").read_text().splitlines()[:80]
    (shop / "touchpoints.csv").write_text("\n".join(lines) + "\n")
    nba(shop, "load", "touchpoints", "touchpoints.csv")
    nba(shop, "train", "run", "--json", "report.json")
    report = json.loads((shop / "report.json").read_text())
    assert not report["verdict"]["promote"]
    assert report["goals"]["churn"]["metrics"]["model"]["auc"] is None
    assert any("not enough data" in warning for warning in report["goals"]["churn"]["warnings"])
    answer = json.loads(nba(shop, "recommend", "crm:1", "--json").stdout)
    assert answer["mode"] == "points" and answer["model_version"] is None


def killed_training(folder, after_seconds):
    process = subprocess.Popen(
        [*NBA, "train", "run"], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        process.wait(after_seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def check_champion_is_whole(folder):
    """Whatever was killed: the service's bundle and the registry's are whole, and the store answers."""
    from models.bundle import Bundle
    from models.local import local_champion

    champion = local_champion(folder)
    if champion is not None:
        Bundle.load(champion[0])
    answer = json.loads(nba(folder, "recommend", "crm:1", "--json").stdout)
    assert not answer["degraded"]
    named = Registry(f"sqlite:///{folder / 'mlflow.db'}", "nba", folder / "mlartifacts").champion()
    if named is not None:
        fetched = Registry(f"sqlite:///{folder / 'mlflow.db'}", "nba", folder / "mlartifacts").fetch(
            named[0], folder / f"fetched-{time.monotonic_ns()}"
        )
        Bundle.load(fetched)


@pytest.mark.slow
@pytest.mark.parametrize("moments", [20])
def test_a_killed_training_leaves_nothing_half_done(shop, moments):
    nba(shop, "load", "touchpoints", "touchpoints.csv")
    started = time.monotonic()
    nba(shop, "train", "run")
    whole = time.monotonic() - started
    for n in range(moments):
        # The end, where it is published and promoted, gets more than its share of kills.
        killed_training(shop, whole * (0.3 + 0.75 * (n + 1) / moments))
        check_champion_is_whole(shop)
    nba(shop, "train", "run")
    check_champion_is_whole(shop)
