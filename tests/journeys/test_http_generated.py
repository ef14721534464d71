"""Requests made from the service's own description, right ones and wrong ones, and every answer held against it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from features.times import DAY
from nba.door import now_us
from nba.privacy.tokens import token_for
from serving.api import accounts, contacts, exports, health, index, metrics, model, worklist
from serving.app import OPERATIONS
from serving.caller import SCOPES
from serving.openapi import document
from serving.process import ServerProcess
from tests.journeys import generated_hooks
from tests.serving.signed_webhooks import ENVIRON

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
DESCRIBED = document((*OPERATIONS, index.operations(OPERATIONS, "1")[0]), "1")
TYPES = ("track", "identify", "page", "screen", "group", "alias")
GROUPS = {
    "recommend": ("recommend", "recommendBatch", "activateDecision", "postFeedback", "postTouchpoints"),
    "tracking": (*TYPES, "segmentSettings", "rudderSettings"),
    "tracking by one letter": tuple(f"{each}Short" for each in TYPES),
    "batches": ("batch", "batchShort", "import"),
    "events": ("postEvents", "mauticWebhook", "hubspotWebhook"),
    "looking": tuple(
        each.id for each in (*accounts.OPERATIONS, *contacts.OPERATIONS, *exports.OPERATIONS, *worklist.OPERATIONS)
    ),
    "service": ("getIndex", *(each.id for each in (*health.OPERATIONS, *metrics.OPERATIONS, *model.OPERATIONS))),
    "people": ("exportPerson", "restrictPerson", "correctPerson", "showMe", "chooseForMe"),
    # Whoever is erased stays so, and of short names there are few: it comes last.
    "erasing": ("erasePerson",),
}
"""Operations that are tried together, so that each trial ends soon; all meet one service."""

CONFIG = Path(__file__).with_name("schemathesis.toml")
PERSON = "crm:visitor"
SECRETS = {
    "NBA_SECRET": "one secret, long enough",
    **ENVIRON,
}
MINUTES = 15
"""After which one trial is ended: it takes one of them on two quiet cores."""


def nba(config, *args):
    command = [sys.executable, "-m", "nba.cli", *args, "--config", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def generated(server, key, *options):
    """Run Schemathesis with all its checks; what it said, where that is a complaint."""
    home, folder = Path(__file__).parents[2], server.log.parent
    link = token_for(SECRETS["NBA_SECRET"].encode(), PERSON, now_us() + DAY)
    environ = {
        **os.environ,
        "PYTHONPATH": str(home),
        "SCHEMATHESIS_HOOKS": generated_hooks.__name__,
        generated_hooks.LINK: link,
    }
    command = [
        sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), "run",
        f"{server.address}/openapi.json", "-H", f"Authorization: Bearer {key}", "--checks", "all",
        "--max-examples", "100", "--continue-on-failure", "--no-shrink", "--no-color", *options,
        # Either keeps nothing; together they are refused.
        *(("--generation-deterministic",) if os.environ.get("NBA_CI") == "1" else ("--generation-database", "none")),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environ, timeout=60 * MINUTES)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A service that knows a person, and a key for everything."""
    config = tmp_path_factory.mktemp("generated") / "nba.toml"
    config.write_text(SETTINGS)
    found = re.search(r"nba_\w{40,}", nba(config, "keys", "add", "all", "--scopes", ",".join(SCOPES)))
    assert found is not None
    key = found.group()
    with ServerProcess(config, environ=SECRETS) as server:
        visit = {"identity": PERSON, "occurred_at": "2025-10-01", "kind": "visit"}
        with httpx.Client(trust_env=False, headers={"Authorization": f"Bearer {key}"}) as client:
            assert client.post(f"{server.address}/v1/touchpoints", json=visit).status_code == 200
        yield server, key
        assert server.stop() == 0


@pytest.mark.slow
@pytest.mark.parametrize("group", GROUPS)
def test_a_hundred_generated_requests_per_operation_are_answered_as_described(group, served):
    chosen = f"^({'|'.join(GROUPS[group])})$"
    generated(*served, "--phases", "examples,coverage,fuzzing", "--include-operation-id-regex", chosen)


@pytest.mark.slow
def test_what_goes_on_from_an_answer_is_answered_as_described(served):
    generated(*served, "--phases", "stateful", "--exclude-operation-id", "erasePerson")


def test_every_operation_that_is_described_is_in_one_group():
    described = sorted(each["operationId"] for methods in DESCRIBED["paths"].values() for each in methods.values())
    assert sorted(id for ids in GROUPS.values() for id in ids) == described
