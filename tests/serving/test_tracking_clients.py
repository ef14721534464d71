"""The Python clients, unmodified, as they are installed from their registry, against a running service."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from features.store.store import Store
from serving.process import ServerProcess
from tests.serving.fault_proxy import DROP, FaultProxy
from tests.serving.told import LONG_AGO_US, USER, VISITOR, OfMessages, check, touchpoint_of

MOMENT = datetime.fromtimestamp(LONG_AGO_US / 1e6, tz=UTC)
TRAITS = {
    "email": "ana@example.com",
    "firstName": "Ana",
    "lastName": "Meier",
    "company": {"name": "Acme", "employees": 120},
}
ADDED = {
    "productId": "prime-100mg",
    "revenue": 9.5,
    "currency": "chf",
    "topic": "pumps",
    "colours": ["red", "blue"],
    "size": {"width": 2},
}


def drive(client):
    """Make the calls that both libraries know by the same names."""
    client.identify(USER, TRAITS)
    client.track(USER, "Product Added", ADDED, timestamp=MOMENT)
    client.track(anonymous_id=VISITOR, event="Email Opened", properties={"subject": "Grüße 🎉"})
    client.page(USER, "Docs", "Pricing", {"url": "https://ex.com/pumps"}, anonymous_id=VISITOR)
    client.screen(USER, "Home", "Main", {"w": 1})
    client.group(USER, "acct-77", {"name": "Acme", "plan": "enterprise"})
    client.alias(VISITOR, USER)
    client.track(42, "Numeric Id")
    client.shutdown()


def segment(host, errors, **options):
    from segment.analytics.client import Client

    drive(Client("nba_test", host=host, on_error=lambda error, items: errors.append(error), **options))


def rudder(host, errors, **options):
    from rudderstack.analytics.client import Client

    drive(Client("nba_test", host=host, on_error=lambda error, items: errors.append(error), **options))


CLIENTS: dict[str, tuple[Callable[..., None], dict[str, Any], list[int | str]]] = {
    "segment": (segment, {}, [DROP]),
    "segment-gzip": (segment, {"gzip": True}, [500]),
    "rudder-gzip": (rudder, {}, [DROP]),
    "rudder-plain": (rudder, {"gzip": False}, [500]),
}


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clients")
    settings = folder / "nba.toml"
    settings.write_text("[money]\nrates = { CHF = 1.05 }\n")
    with ServerProcess(settings) as server:
        yield folder, server


def run(name, address):
    """Let one client do all its calls through a proxy; returns its proxy, and its errors."""
    client, options, faults = CLIENTS[name]
    errors: list[Any] = []
    with FaultProxy(address, faults) as proxy:
        client(proxy.address, errors, **options)
    return proxy, errors


def test_python_clients_have_everything_stored_once_through_faults(service):
    folder, server = service
    began = time.time()
    with ThreadPoolExecutor(len(CLIENTS)) as pool:
        done = dict(zip(CLIENTS, pool.map(run, CLIENTS, [server.address] * len(CLIENTS)), strict=True))
    with Store.open(f"sqlite:///{folder}/nba.db") as store:
        for name, (proxy, errors) in done.items():
            assert (errors, proxy.statuses()) == ([], [*CLIENTS[name][2], 200]), name
            own = OfMessages(store, proxy.message_ids())
            check(own, channel="server", sent_between=(int(began * 1e6), int(time.time() * 1e6)))
            assert own.n == 5


def test_cloudevents_in_three_modes_are_one(service):
    from cloudevents.core.bindings.http import to_binary_event, to_structured_event
    from cloudevents.core.v1.event import CloudEvent

    folder, server = service
    attributes = {
        "type": "com.acme.email.clicked",
        "source": "/shop",
        "id": "ce-1",
        "specversion": "1.0",
        "subject": "contact/u-1",
        "time": datetime.fromisoformat("2026-11-20T10:00:00.123Z"),
        "datacontenttype": "application/json",
    }
    event = CloudEvent(attributes, {"topic": "pumps", "subject": "Grüße"})
    other = CloudEvent({**attributes, "id": "ce-2"}, {"userId": "u-2"})
    binary, structured, second = to_binary_event(event), to_structured_event(event), to_structured_event(other)
    batch = b"[" + structured.body + b"," + second.body + b"]"
    batched = {"content-type": "application/cloudevents-batch+json"}, batch
    for headers, body in ((binary.headers, binary.body), (structured.headers, structured.body), batched):
        answer = httpx.post(f"{server.address}/v1/events", headers=headers, content=body, trust_env=False)
        assert (answer.status_code, answer.json()["errors"]) == (200, [])
    with Store.open(f"sqlite:///{folder}/nba.db") as store:
        row = touchpoint_of(store, "email_clicked", identity="u-1")
        assert (row["touchpoint_id"], row["topics"], row["properties"]) == ("ce-1", ["pumps"], {"subject": "Grüße"})
        assert row["occurred_at"] == 1_795_168_800_123_000
        assert touchpoint_of(store, "email_clicked", identity="u-2")["touchpoint_id"] == "ce-2"
