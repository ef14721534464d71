"""Fifty promotions and rollbacks under load, a hundred mutilated champions: promoted models answer, and no other."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest

from features.store.store import Store
from features.times import parse_time
from models.belief import Belief
from models.local import install
from serving.process import ServerProcess
from tests.journeys.test_http_swap import SETTINGS, fitted, load, make, until_served
from tests.models.test_mutants import SIGNED_SLOW, mutants, resigned

pytestmark = pytest.mark.slow

CONTACTS, VERSIONS, CHANGES, MUTILATED, SIGNED = 20, 5, 50, 100, 15
KINDS = ("visit", "order", "download")
Answers = list[httpx.Response]


def bundles(folder: Path) -> dict[str, tuple[Path, str]]:
    """Folder and hash of each version; every one has learnt something else."""
    return {str(n): make(folder, str(n), fitted(n)) for n in range(1, VERSIONS + 1)}


async def begin(client: httpx.AsyncClient) -> None:
    """Let everybody have done something of their own, so that scores differ."""
    sent = [
        {"identity": f"crm:{n}", "occurred_at": f"2025-10-{1 + i:02}", "kind": KINDS[(n + i) % 3], "channel": "web"}
        for n in range(CONTACTS)
        for i in range(1 + n)
    ]
    assert (await client.post("/v1/touchpoints", json=sent)).json()["stored"] == len(sent)


def served(config: Path, journey: Any) -> tuple[Answers, Any]:
    """Answers that three callers got while something went on, and what that says; the service lives to its end."""

    async def under_load(address: str) -> tuple[Answers, Any]:
        answers: Answers = []
        stop = asyncio.Event()
        async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=60) as client:
            await begin(client)
            callers = [asyncio.create_task(load(client, stop, answers)) for _ in range(3)]
            found = await journey(client)
            stop.set()
            await asyncio.gather(*callers)
        return answers, found

    with ServerProcess(config) as server:
        found = asyncio.run(under_load(server.address))
        assert server.stop() == 0
    return found


def test_fifty_promotions_and_rollbacks_fail_no_request_and_every_score_is_a_promoted_models(tmp_path: Path) -> None:
    config = tmp_path / "nba.toml"
    config.write_text(SETTINGS)
    made = bundles(tmp_path)
    # Every third change takes the one before back.
    order, names = ["1"], list(made)
    for n in range(1, CHANGES):
        order.append(order[-2] if n % 3 == 2 else names[(names.index(order[-1]) + 1) % VERSIONS])

    async def promote(client: httpx.AsyncClient) -> None:
        for version in order:
            await asyncio.to_thread(install, tmp_path, made[version][0], version, made[version][1])
            await until_served(client, version)

    answers, _ = served(config, promote)
    assert {answer.status_code for answer in answers} == {200}
    found = [answer.json() for answer in answers]
    assert {each["model_version"] for each in found} == {None, *names}
    assert not any(each["degraded"] for each in found)
    beliefs = {version: Belief.load(path, version) for version, (path, _) in made.items()}
    with Store.open(f"sqlite:///{tmp_path}/nba.db") as store:
        for each in found:
            if each["model_version"] is not None:
                assert abs(offline(store, beliefs[each["model_version"]], each) - score_of(each)) <= 1e-12


def score_of(answer: Any) -> float:
    return float(answer["propensities"]["conversion"]["probability"])


def offline(store: Store, belief: Belief, answer: Any) -> float:
    """Score of a contact as of an answer, from what is stored now."""
    as_of = parse_time(answer["as_of"])
    touchpoints = store.touchpoints(answer["contact_id"], as_of, belief.features.rules)
    return belief.estimate(touchpoints, {}, as_of, ()).propensities["conversion"]


def test_a_hundred_mutilated_champions_serve_nobody_and_end_nothing(tmp_path: Path) -> None:
    config = tmp_path / "nba.toml"
    config.write_text(SETTINGS)
    path, sha256 = make(tmp_path, "1", fitted(1))
    install(tmp_path, path, "1", sha256)
    places = mutilated(path, tmp_path / "mutilated")
    assert len(places) == MUTILATED

    async def put_in_place(client: httpx.AsyncClient) -> list[str]:
        await until_served(client, "1")
        return [name for name, folder in places.items() if not await is_refused(client, tmp_path, name, folder)]

    answers, not_refused = served(config, put_in_place)
    assert not_refused == []
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["model_version"] for answer in answers} == {"1"}


def mutilated(original: Path, room: Path) -> dict[str, Path]:
    """Copies, each damaged in a way of its own: most after they were signed, some before."""
    plain = [(name, mutate) for name, mutate, _ in mutants(original) if _is_of_files(name)]
    step = len(plain) // (MUTILATED - SIGNED)
    chosen = [(*each, False) for each in plain[::step]][: MUTILATED - SIGNED]
    found: dict[str, Path] = {}
    for name, mutate, signs in [*chosen, *((name, SIGNED_SLOW[name], True) for name in list(SIGNED_SLOW))]:
        folder = Path(shutil.copytree(original, room / str(len(found)) / "bundle"))
        try:
            mutate(folder)
        except (AssertionError, FileNotFoundError):
            # This bundle lacks what the damage is done to.
            shutil.rmtree(folder)
            continue
        if signs:
            resigned(folder)
        found[name] = folder
        if len(found) == MUTILATED:
            break
    return found


def _is_of_files(name: str) -> bool:
    """Whether it can be copied: links, folders and pipes in a file's place cannot."""
    return not any(word in name for word in ("a link", "a folder", "a pipe", "missing"))


async def is_refused(client: httpx.AsyncClient, folder: Path, name: str, bundle: Path) -> bool:
    """Put it in the champion's place; whether the service says so and goes on with the one it has."""
    # Under a name of its own, because a bundle that is there already is not copied again.
    sha256 = hashlib.sha256(name.encode()).hexdigest()
    await asyncio.to_thread(install, folder, bundle, name[:20].replace("/", "-"), sha256)
    # A bundle that hangs is ended after a minute.
    for _ in range(2400):
        found = (await client.get("/v1/model")).json()
        if found["version"] != "1":
            return False
        if found["refused"] and sha256 in found["refused"]:
            return True
        await asyncio.sleep(0.05)
    return False
