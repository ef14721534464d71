"""The server dies and comes back while clients are sending: they lose nothing, and nothing is stored twice."""

import subprocess
import threading
import time
from typing import Any

import pytest

from features.store.store import Store
from serving.process import ServerProcess
from tests.serving.fault_proxy import FaultProxy
from tests.serving.node_packages import installed
from tests.serving.test_node_clients import run
from tests.serving.test_tracking_clients import CLIENTS
from tests.serving.told import OfMessages, check

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    return installed(tmp_path_factory.mktemp("packages"))


@pytest.mark.parametrize("name", [*CLIENTS, "segment_node", "rudder_node"])
def test_a_restart_costs_a_client_nothing(name, tmp_path, packages):
    settings = tmp_path / "nba.toml"
    settings.write_text("[money]\nrates = { CHF = 1.05 }\n")
    began = time.time()
    errors: list[Any] = []
    with ServerProcess(settings) as server, FaultProxy(server.address) as proxy:
        server.kill()

        def send():
            try:
                if name in CLIENTS:
                    client, options, _ = CLIENTS[name]
                    client(proxy.address, errors, **options)
                else:
                    errors.extend(run(name, proxy.address, packages, wait=40.0)["errors"])
            except (AssertionError, subprocess.TimeoutExpired) as error:
                errors.append(error)

        sending = threading.Thread(target=send)
        sending.start()
        deadline = time.monotonic() + 30
        while 429 not in proxy.statuses():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        server.start()
        proxy.point_at(server.address)
        sending.join()
        assert (errors, proxy.statuses()[-1]) == ([], 200)
        with Store.open(f"sqlite:///{tmp_path}/nba.db") as store:
            own = OfMessages(store, proxy.message_ids())
            check(own, channel="server", sent_between=(int(began * 1e6), int(time.time() * 1e6)))
            assert own.n == 5
