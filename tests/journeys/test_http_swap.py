"""A newer bundle while requests come in: no failed request, no mixed answer, and never a damaged one."""

import asyncio
import shutil

import httpx
import numpy as np
import pytest

from features.feature_set import FeatureSet
from features.times import DAY
from models.bundle import Bundle
from models.local import install
from models.propensity import Propensity
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
kinds = { visit = 5 }
thresholds = [{ from = 5, actions = ["newsletter"] }]
[serving]
deadline = "60s"
[ranking]
sticky = "0s"
holdout = 0.0
"""

FEATURES = FeatureSet(kinds=("visit",), channels=("web",), topics=())


def fitted(seed):
    rng = np.random.default_rng(seed)
    X = rng.exponential(3.0, (800, len(FEATURES.columns))).astype(np.float32)
    y = (rng.random(800) < 1 / (1 + np.exp(2 - X[:, 1]))).astype(float)
    as_of = np.sort(rng.integers(0, 12, 800)) * 14 * DAY
    return Propensity.fit(
        X, y, as_of, as_of + 14 * DAY, np.arange(800), columns=FEATURES.columns, categorical=(),
        params={"num_leaves": 4, "learning_rate": 0.2},
    )  # fmt: skip


@pytest.fixture(scope="module")
def model():
    return fitted(1)


def make(folder, version, model):
    goal = {
        "is_absence": False,
        "linked": False,
        "horizon_us": 30 * DAY,
        "base_rate": 0.2,
        "success_value": 100.0,
        "grades": [0.2, 0.5, 0.9],
        "own": None,
        "effects": {},
    }
    manifest = {
        "created_at": version,
        "features": FEATURES.to_json(),
        "goals": {"conversion": goal},
        "actions": {},
        "policies": {"serves": "learned", "evidence": "none"},
    }
    path = folder / f"made-{version}"
    return path, Bundle(manifest, {"conversion": model}).save(path).sha256


async def load(client, stop, answers):
    n = 0
    while not stop.is_set():
        n += 1
        answers.append(await client.post("/v1/recommend", json={"contact": f"crm:{n % 20}"}))
        # What is asked is spread over all that happens meanwhile, which takes seconds.
        await asyncio.sleep(0.03)


async def until_served(client, version, seconds=60):
    for _ in range(int(seconds / 0.05)):
        found = (await client.get("/v1/model")).json()
        if found["version"] == version:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"version {version} never served: {found}")


@pytest.mark.slow
def test_swaps_and_damage_under_load_fail_no_request(tmp_path, model):
    config = tmp_path / "nba.toml"
    config.write_text(SETTINGS)

    async def journey(server):
        answers: list[httpx.Response] = []
        stop = asyncio.Event()
        async with httpx.AsyncClient(base_url=server.address, trust_env=False, timeout=60) as client:
            visits = [
                {"identity": f"crm:{n}", "occurred_at": "2025-11-01", "kind": "visit", "channel": "web"}
                for n in range(20)
            ]
            assert (await client.post("/v1/touchpoints", json=visits)).json()["stored"] == 20
            callers = [asyncio.create_task(load(client, stop, answers)) for _ in range(3)]
            for version in ("1", "2", "3"):
                path, sha256 = await asyncio.to_thread(make, tmp_path, version, model)
                await asyncio.to_thread(install, tmp_path, path, version, sha256)
                await until_served(client, version)
            refusals = [await damaged(client, tmp_path, model, damage) for damage in DAMAGES]
            stop.set()
            await asyncio.gather(*callers)
        return answers, refusals

    with ServerProcess(config) as server:
        answers, refusals = asyncio.run(journey(server))
        assert server.stop() == 0
    assert all(refusals)
    assert {answer.status_code for answer in answers} == {200}
    found = [answer.json() for answer in answers]
    assert not any(each["degraded"] for each in found)
    versions = [each["model_version"] for each in found]
    assert set(versions) == {None, "1", "2", "3"}
    for each in found:
        assert (each["mode"] == "learned") == (each["model_version"] is not None)
        assert bool(each["propensities"]) == (each["model_version"] is not None)


DAMAGES = ("truncated", "forged")


async def damaged(client, folder, model, damage):
    """Put a damaged bundle in the champion's place; returns what the service says of it."""
    path, sha256 = await asyncio.to_thread(make, folder, damage, model)
    text = path / "propensity" / "conversion.lgb.txt"
    text.write_bytes(text.read_bytes()[: text.stat().st_size // 2])
    if damage == "forged":
        sha256 = _resigned(path)
    await asyncio.to_thread(install, folder, path, damage, sha256)
    shutil.rmtree(path)
    for _ in range(1200):
        found = (await client.get("/v1/model")).json()
        assert found["version"] == "3"
        if found["refused"] and sha256 in found["refused"]:
            return found["refused"]
        await asyncio.sleep(0.05)
    return None


def _resigned(path):
    """Sign the damaged file, so that only trying it shows what it is."""
    import hashlib
    import json

    from models.seal import BLANK, sealed

    manifest = json.loads((path / "manifest.json").read_text())
    for name in manifest["files"]:
        manifest["files"][name] = hashlib.sha256((path / name).read_bytes()).hexdigest()
    content = sealed(json.dumps(manifest | {"seal": BLANK}).encode())
    (path / "manifest.json").write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def test_without_mlflow_the_local_bundle_answers(tmp_path, model):
    config = tmp_path / "nba.toml"
    config.write_text(SETTINGS)
    path, sha256 = make(tmp_path, "1", model)
    install(tmp_path, path, "1", sha256)
    environ = {"MLFLOW_TRACKING_URI": "http://127.0.0.1:1", "NBA_SYNC_SECONDS": "0.2"}
    with ServerProcess(config, environ=environ) as server:
        with httpx.Client(base_url=server.address, trust_env=False, timeout=30) as client:
            assert client.get("/readyz").json()["bundle"]["version"] == "1"
            visit = {"identity": "crm:1", "occurred_at": "2025-11-01", "kind": "visit"}
            client.post("/v1/touchpoints", json=visit)
            answer = client.post("/v1/recommend", json={"contact": "crm:1"}).json()
            assert (answer["mode"], answer["model_version"]) == ("learned", "1")
