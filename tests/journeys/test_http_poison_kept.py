"""What is refused on any way in is kept aside with its bytes and its reason, and costs no neighbour."""

import json
import sqlite3
from contextlib import closing

import httpx
import pytest

from features.store.store import Store
from serving.intake.delivery import MOST_KEPT
from serving.process import ServerProcess
from tests.journeys.test_http_poison import BODIES, SETTINGS, stays_an_element
from tests.serving.signed_webhooks import ENVIRON, signed

pytestmark = pytest.mark.slow

NATIVE = {"identity": "crm:good", "occurred_at": "2025-10-01T00:00:00Z", "kind": "visit"}
TRACKED = {"type": "track", "userId": "crm:good", "event": "Seen", "timestamp": "2025-10-01T00:00:00Z"}
CLOUD = {"specversion": "1.0", "source": "/shop", "type": "com.acme.seen", "subject": "crm:good"}
CHANGE = {"subscriptionType": "contact.creation", "objectId": 7, "occurredAt": 1_760_000_000_000}
HIT = {"hit": {"lead": {"id": 7}, "url": "https://acme.ch/pumps"}, "timestamp": "2025-10-01T00:00:00Z"}
ENTRIES = "mautic.page_on_hit"


def in_list(*parts):
    return b"[" + b",".join(parts) + b"]"


def in_batch(*parts):
    return b'{"sentAt": "2025-10-01T00:00:01Z", "batch": ' + in_list(*parts) + b"}"


def in_entries(*parts):
    return b'{"mautic.email_on_open": [], "' + ENTRIES.encode() + b'": ' + in_list(*parts) + b"}"


MANY = {
    "/v1/touchpoints": (in_list, lambda name: {**NATIVE, "touchpoint_id": name}),
    "/v1/batch": (in_batch, lambda name: {**TRACKED, "messageId": name}),
    "/v1/b": (in_batch, lambda name: {**TRACKED, "messageId": name}),
    "/v1/import": (in_batch, lambda name: {**TRACKED, "messageId": name}),
    "/v1/events": (in_list, lambda name: {**CLOUD, "id": name}),
    "/v1/webhooks/mautic": (in_entries, lambda name: {**HIT, "name": name}),
    "/v1/webhooks/hubspot": (in_list, lambda name: {**CHANGE, "eventId": name}),
}
"""Ways in that take several at once: how they stand in a body, and a good one of a name."""

TYPES = ("track", "identify", "page", "screen", "group", "alias")
SINGLE = ["/v1/touchpoints", *(f"/v1/{each}" for each in TYPES), *(f"/v1/{each[0]}" for each in TYPES), "/v1/events"]
BINARY = {
    "ce-specversion": "1.0", "ce-source": "/shop", "ce-type": "com.acme.seen", "ce-subject": "crm:good",
    "Content-Type": "application/json",
}  # fmt: skip
"""A CloudEvent but for its id and its data."""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kept")
    (folder / "nba.toml").write_text(SETTINGS)
    with ServerProcess(folder / "nba.toml", environ=ENVIRON) as running:
        yield running
        assert running.stop() == 0


@pytest.fixture
def sent(server):
    """Send a body; the answer. Nothing has been refused before: equal bytes are kept once, whichever way they came."""
    with closing(sqlite3.connect(server.log.parent / "nba.db")) as store:
        store.execute("DELETE FROM quarantine")
        store.commit()
    with httpx.Client(trust_env=False, timeout=60) as client:

        def send(path, body, headers=None):
            url = f"{server.address}{path}"
            return client.post(url, content=body, headers={**signed(url, body), **(headers or {})})

        yield send


def kept(server, path):
    """Return what is in quarantine of a way in: what is left of the bytes, with the reasons."""
    with Store.open(f"sqlite:///{server.log.parent}/nba.db") as store:
        rows = [row for row in store.quarantine_rows() if row.file == f"POST {path}"]
    return [(json.loads(row.raw), row.reason) for row in rows]


def forms(body):
    """Return all that may be kept of some bytes: the object that they are, or they themselves spelt out in a text."""
    for each in (body, body.strip()):
        yield each[:MOST_KEPT].decode(errors="backslashreplace").replace("\0", "\\x00")
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return
    yield value
    # An entry is kept with the event that it stood under.
    yield {ENTRIES: value}
    yield json.dumps({ENTRIES: value}, separators=(",", ":"))[:MOST_KEPT]


def is_kept(found, body, reason):
    wanted = list(forms(body))
    return any(raw in wanted and why == reason for raw, why in found)


@pytest.mark.parametrize("path", MANY)
def test_a_bad_one_among_good_ones_is_kept_and_they_are_stored(path, server, sent):
    among, made = MANY[path]
    bodies = [body for body in BODIES if body.strip() and stays_an_element(body)]
    assert len(bodies) >= 40
    refused = []
    for n, body in enumerate(bodies):
        left, right = (json.dumps(made(f"{path} {n} {side}")).encode() for side in ("left", "right"))
        answer = sent(path, among(left, body, right))
        assert answer.status_code == 200, (body[:80], answer.text)
        found = answer.json()
        assert found["received"] == 3 and found["stored"] >= 2, (body[:80], found)
        assert found["quarantined"] == 3 - found["stored"] and all(each["index"] == 1 for each in found["errors"])
        if found["quarantined"]:
            [error] = found["errors"]
            refused.append((body, error["message"]))
    assert len(refused) >= 35
    found = kept(server, path)
    missing = [body[:80] for body, reason in refused if not is_kept(found, body, reason)]
    assert missing == []


@pytest.mark.parametrize(("path", "headers"), [*((path, {}) for path in SINGLE), ("/v1/events", BINARY)])
def test_a_bad_one_alone_is_kept_and_answered_400(path, headers, server, sent):
    refused = []
    for n, body in enumerate(BODIES):
        answer = sent(path, body, headers and {**headers, "ce-id": f"{n}"})
        assert answer.status_code in (200, 400), (body[:80], answer.text)
        if answer.status_code == 400:
            assert answer.json()["code"] == "invalid-event"
            refused.append((body, answer.json()["errors"][0]["message"]))
    assert len(refused) >= 60
    found = kept(server, path)
    missing = [body[:80] for body, reason in refused if not is_kept(found, body, reason)]
    assert missing == []
