"""The Node clients, unmodified, as they are installed from their registry, against a running service."""

import json
import os
import subprocess
import time

import pytest

from features.store.store import Store
from serving.process import ServerProcess
from tests.serving.fault_proxy import DROP, FaultProxy
from tests.serving.node_packages import HERE, installed
from tests.serving.told import LONG_AGO, USER, VISITOR, OfMessages, check

pytestmark = pytest.mark.slow

PROGRAMS = ("segment_node", "rudder_node")
FAULTS: tuple[list[int | str], ...] = ([], [500], [429], [DROP], [500, DROP, 429])


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    return installed(tmp_path_factory.mktemp("packages"))


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    folder = tmp_path_factory.mktemp("service")
    settings = folder / "nba.toml"
    settings.write_text("[money]\nrates = { CHF = 1.05 }\n")
    with ServerProcess(settings) as server:
        yield folder, server


@pytest.mark.parametrize("faults", FAULTS, ids=lambda faults: "-".join(map(str, faults)) or "none")
@pytest.mark.parametrize("program", PROGRAMS)
def test_everything_is_stored_once_field_by_field(program, faults, service, packages):
    folder, server = service
    began = time.time()
    with FaultProxy(server.address, faults) as proxy:
        said = run(program, proxy.address, packages, wait=2.0 + 3.0 * len(faults))
    assert said == {"errors": []}
    answered = proxy.statuses()
    assert [each for each in answered if each != 200] == faults and answered[-1] == 200
    with Store.open(f"sqlite:///{folder}/nba.db") as store:
        own = OfMessages(store, proxy.message_ids())
        check(own, channel="server", sent_between=(int(began * 1e6), int(time.time() * 1e6)))
        assert own.n == 5


def run(program, address, packages, wait):
    done = subprocess.run(
        ["node", HERE / f"{program}.cjs", address, USER, VISITOR, LONG_AGO],
        env={**os.environ, "NODE_PATH": str(packages), "CLIENT_WAIT_MS": str(int(wait * 1000))},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
