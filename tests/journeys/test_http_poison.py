"""What is sent in error, by accident or on purpose: never an answer from 500 on, never a lost neighbour."""

import gzip
import json
import os
import random
import socket
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from features.rows.row_types import KeyRow
from features.store.keys import store_key
from features.store.store import Store
from serving.app import OPERATIONS
from serving.caller import SCOPES
from serving.keys import digest_of, new_key
from serving.process import ServerProcess
from tests.serving.signed_webhooks import ENVIRON, signed

SETTINGS = """
[actions.newsletter]
channel = "email"
[points]
kinds = { visit = 5 }
thresholds = [{ from = 5, actions = ["newsletter"] }]
"""

GOOD = {"identity": "crm:good", "occurred_at": "2025-10-01T00:00:00Z", "kind": "visit"}
WITH_BODY = [each for each in OPERATIONS if each.request is not None]
PATHS = [each.path for each in WITH_BODY] + ["/v1/decisions/x/activate"]

BODIES = [
    b"", b" ", b"\n", b"\0", b"null", b"true", b"0", b"-", b'"', b'"text"', b"'single'", b"[", b"]", b"{",
    b"}", b"[]", b"{}", b"[[]]", b"[{}]", b"[null]", b"[1, 2]", b"{]", b"[}", b"{,}", b"[,]",
    b'{"a"}', b'{"a":}',
    b'{"a": 1,}', b'{a: 1}', b'{"a": 1} {"b": 2}', b'{"a": 01}', b'{"a": .5}', b'{"a": +1}', b'{"a": 0x10}',
    b'{"contact": NaN}', b'{"contact": Infinity}', b'{"contact": -Infinity}', b'{"value": 1e999}',
    b'{"contact": "a", "contact": "b"}', b'{"contact": "\\u0000"}', b'{"contact": "\\ud800"}',
    b'{"contact": "\\udfff\\ud800"}', b'{"\\ud800": 1}', b'{"contact": "\\x41"}', b'{"contact": "\\u12"}',
    b'{"contact": "\x00"}', b'{"contact": "\x1f"}', b'{"contact": "\xff\xfe"}', b'{"contact": "\xc0\x80"}',
    b'{"contact": "\xed\xa0\x80"}', b'{"contact": "\xf4\x90\x80\x80"}', b"\xef\xbb\xbf{}", b"\xff\xfe{\0}\0",
    '{"contact": "a"}'.encode("utf-16"), '{"contact": "a"}'.encode("utf-32"), b"\x1f\x8b\x08\x00garbage",
    b'{"contact": 18446744073709551616}', b'{"limit": 9223372036854775808}', 
    b'{"contact": ' + b"9" * 6000 + b"}",
    b"[" * 65 + b"]" * 65, b"[" * 90_000, b'{"a":' * 90_000, b'{"a":' + b"[" * 200 + b"]" * 200 + b"}",
    b'{"contact": {"a": 1}}', b'{"contact": ["a"]}', b'{"contact": 5}',
    b'{"contact": "' + b"x" * 70_000 + b'"}',
    b'{"contact": "a", "limit": -1}', b'{"contact": "a", "limit": 1e3}', b'{"contact": "a", "limit": true}',
    b'{"contact": "a", "exclude": {"b": 1}}', b'{"contact": "a", "context": []}',
    b'{"contact": "a", "context": {"topic": 7}}', b'{"contact": "a", "decision_id": ""}',
    b'{"contact": "a", "placement": null}', b'{"contact": "a", "unknown": 1}', b'{"requests": [NaN]}',
    b'{"requests": [{"contact": "a"}, {"contact": {}}, 7, null]}', b'{"requests": {"0": {"contact": "a"}}}',
    b'{"decision_id": "a", "outcome": "done", "value": "1e400"}', b'{"decision_id": {}, "outcome": []}',
    b'{"decision_id": "a", "outcome": "snoozed", "until": "9999-99-99"}',
    b'{"decision_id": "a", "outcome": "done", "occurred_at": 1e300}',
    b'{"decision_id": "a", "outcome": "done", "occurred_at": -1e18}',
    b'{"identity": "a", "occurred_at": "0000-00-00", "kind": "visit"}',
    b'{"identity": "a", "occurred_at": "2025-01-01T00:00:00+99:99", "kind": "visit"}',
    b'{"identity": "a", "occurred_at": "2999-01-01", "kind": "visit"}',
    b'{"identity": "a", "occurred_at": 1, "kind": "visit", "topics": [1]}',
    b'{"identity": "a", "occurred_at": 1, "kind": "visit", "topics": "[\\"a\\""}',
    b'{"identity": "a", "occurred_at": 1, "kind": "visit", "currency": "XYZ"}',
    b'{"identity": "a", "occurred_at": 1, "kind": "visit", "properties": "{{"}',
    b'{"identity": "a", "occurred_at": 1, "kind": "visit", "duration": -5}',
    b'{"identity": "  ", "occurred_at": 1, "kind": "visit"}', b"<xml/>", b"contact=a&limit=3",
    b"--boundary\r\n",
]  # fmt: skip


ODD_PATHS = (
    "/v1/contacts/%00",
    "/v1/contacts/%ff%fe",
    "/v1/contacts/" + "x" * 5000,
    "/%2e%2e/nba.toml",
    "/v1/contacts/a?limit=%00",
    "/v1/contacts/a?limit=" + "9" * 3000,
    "/v1/decisions/%ed%a0%80/activate",
    "/\u00e9",
    "/v1/contacts/a/../b",
    "/v1/contacts/<script>",
)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("poison")
    (folder / "nba.toml").write_text(SETTINGS)
    with ServerProcess(folder / "nba.toml") as running:
        yield running
        assert running.stop() == 0


@pytest.fixture
def client(server):
    with httpx.Client(base_url=server.address, trust_env=False, timeout=30) as found:
        yield found


@pytest.mark.parametrize("at", range(len(PATHS)), ids=PATHS)
def test_no_body_is_answered_as_a_mistake_of_ours(client, at):
    # Every route meets some of the bodies here, and every body some of the routes; all meet all in the slow test.
    for body in BODIES[at % 8 :: 8]:
        _is_no_mistake_of_ours(client.post(_spelt(PATHS[at]), content=body), body)


@pytest.mark.slow
def test_hundreds_of_bodies_at_every_route_break_nothing_and_leave_no_memory_behind(tmp_path):
    (tmp_path / "nba.toml").write_text(SETTINGS)
    key = new_key()
    with Store.open(f"sqlite:///{tmp_path}/nba.db") as store, store.writing() as writing:
        store_key(writing, KeyRow("k", "all", digest_of(key), SCOPES, None, None, False, (), None, 1))
    with ServerProcess(tmp_path / "nba.toml", environ=ENVIRON) as server:
        with httpx.Client(base_url=server.address, trust_env=False, timeout=30) as client:
            client.headers["Authorization"] = f"Bearer {key}"
            # Once around, so that what is made at first use has been made.
            for path in PATHS:
                client.post(_spelt(path), content=b"{}")
            before = _resident(server.pid)
            for path, bodies in _everything():
                assert len(bodies) >= 300
                url = f"{server.address}{_spelt(path)}"
                for body in bodies:
                    _is_no_mistake_of_ours(client.post(url, content=body, headers=signed(url, body)), body)
                for packed in _packed():
                    headers = {"Content-Encoding": "gzip", **signed(url, packed)}
                    _is_no_mistake_of_ours(client.post(url, content=packed, headers=headers), packed)
            assert client.get("/healthz").json() == {"status": "ok"}
            grown = _resident(server.pid) - before
        assert server.stop() == 0
    assert grown < 50 * 2**20, f"{grown / 2**20:.0f} MB more"


def _spelt(path):
    return path.replace("{contact_id}", "crm:good")


def _is_no_mistake_of_ours(answer, body):
    assert answer.status_code < 500, (body[:80], answer.text)
    # A person's page tells what is wrong on a page.
    if answer.status_code >= 400 and not answer.headers["content-type"].startswith("text/html"):
        problem = answer.json()
        assert problem["status"] == answer.status_code and problem["code"] and problem["message"]


def _everything():
    """Yield each route with all bodies, and with its own example broken in many ways."""
    for operation in WITH_BODY:
        example = json.dumps(operation.request_example).encode()
        yield operation.path, [*BODIES, *_broken(example, 300 - len(BODIES))]
    yield "/v1/decisions/x/activate", [*BODIES, *_broken(b'{"a": [1, {"b": null}]}', 300 - len(BODIES))]


def _broken(example, n):
    """Cut, doubled, overwritten and swollen; the same every time."""
    rng = random.Random(7)
    poison = (b"\0", b"\xff", b"\xed\xa0\x80", b"NaN", b"1e999", b"[" * 200, b'"' * 3, b"\\ud800", b"-", b"9" * 400)
    for _ in range(n):
        at = rng.randrange(len(example) + 1)
        end = min(at + rng.randrange(9), len(example))
        kind = rng.randrange(4)
        if kind == 0:
            yield example[:at]
        elif kind == 1:
            yield example[:at] + example[end:]
        elif kind == 2:
            yield example[:at] + rng.choice(poison) + example[end:]
        else:
            yield example[:at] + example[at:end] * rng.randrange(2, 50) + example[at:]


def _packed():
    """Yield what says it is gzip: a bomb, a bomb of bombs, one cut short, and none at all."""
    bomb = gzip.compress(bytes(64 * 2**20))
    yield from (bomb, gzip.compress(bomb * 9), bomb[: len(bomb) // 2], b"\x1f\x8b", b"plain", gzip.compress(b"{}") * 2)


def _resident(pid):
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_good_neighbours_are_stored_and_bad_ones_kept_with_their_reason(server, client):
    store_url = f"sqlite:///{server.log.parent}/nba.db"
    framed = [body for body in BODIES if body.strip() and stays_an_element(body)]
    assert len(framed) >= 40
    with Store.open(store_url) as store:
        before = sum(1 for _ in store.quarantine_rows())
        refused = 0
        for n, body in enumerate(framed):
            left, right = ({**GOOD, "touchpoint_id": f"{n}-{side}"} for side in ("left", "right"))
            raw = b"[" + json.dumps(left).encode() + b"," + body + b"," + json.dumps(right).encode() + b"]"
            answer = client.post("/v1/touchpoints", content=raw)
            assert answer.status_code == 200, (body[:80], answer.text)
            found = answer.json()
            assert found["stored"] >= 2 and found["received"] == 3, (body[:80], found)
            refused += found["quarantined"]
        stored = {row[2] for row in store.history("crm:good", 2**62)}
        assert stored == {f"{n}-{side}" for n in range(len(framed)) for side in ("left", "right")}
        rows = list(store.quarantine_rows())
        assert len(rows) > before
        assert all(row.reason and row.raw for row in rows)
        assert refused >= 35


def stays_an_element(body):
    """Whether a body inside a list leaves the list's own brackets and commas where they are."""
    from serving.intake.strict_json import elements

    cut = elements(b"[1," + body + b",2]")
    return cut is not None and len(cut) == 3 and cut[1] == body.strip()


def test_odd_paths_and_headers_are_no_mistake_of_ours(client):
    for path in ODD_PATHS:
        for method in ("GET", "POST", "DELETE", "OPTIONS", "TRACE", "PATCH"):
            assert client.request(method, path).status_code < 500, (method, path)


@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET http://example.com/ HTTP/1.1\r\nHost: example.com\r\n\r\n",
        b"POST /v1/recommend HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/recommend HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /v1/recommend HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{}",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
    ],
)
def test_broken_http_leaves_the_service_alive(server, client, raw):
    host, port = server.address.removeprefix("http://").split(":")
    with closing(socket.create_connection((host, int(port)), timeout=10)) as line:
        line.sendall(raw)
        line.shutdown(socket.SHUT_WR)
        answered = line.recv(65536)
    assert not answered.startswith(b"HTTP/1.1 5")
    assert client.get("/healthz").json() == {"status": "ok"}


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Host": "evil.example"},
        {"X-Forwarded-For": "10.1.1.1"},
        {"Forwarded": "for=1.2.3.4"},
    ],
    ids=str,
)
def test_other_machines_and_foreign_pages_are_refused(client, headers):
    answer = client.post("/v1/recommend", json={"contact": "a"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "loopback-only")
