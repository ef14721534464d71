"""Requests made from the service's own description, right ones and wrong ones, and every answer held against it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from serving.caller import SCOPES
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
[serving]
deadline = "60s"
"""
CONFIG = Path(__file__).with_name("schemathesis.toml")


def nba(config, *args):
    command = [sys.executable, "-m", "nba.cli", *args, "--config", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def generated(folder, *options):
    """Run Schemathesis with all its checks against a server that knows a key for everything; its report."""
    config = folder / "nba.toml"
    config.write_text(SETTINGS)
    found = re.search(r"nba_\w{40,}", nba(config, "keys", "add", "all", "--scopes", ",".join(SCOPES)))
    assert found is not None
    with ServerProcess(config) as server:
        command = [
            sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), "run",
            f"{server.address}/openapi.json", "-H", f"Authorization: Bearer {found.group()}",
            "--checks", "all", "--continue-on-failure", "--no-color", "--generation-database", "none", *options,
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
        assert server.stop() == 0
    return done


@pytest.mark.slow
def test_a_hundred_generated_requests_per_operation_are_answered_as_described(tmp_path):
    done = generated(tmp_path, "--max-examples", "100")
    assert done.returncode == 0, done.stdout + done.stderr
