"""What nobody has time for is refused at once: told the same as by the long way, and only what is to be refused."""

import asyncio
import socket
from dataclasses import replace

import orjson
import pytest
import uvicorn
from hypothesis import example, given
from hypothesis import strategies as st

from serving.app import OPERATIONS
from serving.lanes import BOUNDS
from serving.limits import Limits
from serving.metrics import Metrics
from serving.refusals import Refusals
from serving.same_calls import Asked
from serving.turned_away import TurnedAway
from serving.wire import MOST_HEAD, protocol_with
from tests.serving.conftest import SETTINGS, Local

BODY = b'{"contact":"crm:1"}'


def full(refusals, *, is_full=True):
    """Let every kind have no room at all, or any amount."""
    size = 0 if is_full else 1_000
    bounds = {kind: replace(each, inside=size, row=size, burst=size) for kind, each in BOUNDS.items()}
    refusals.limits = Limits(Metrics(), lambda: 0.0, bounds)
    return refusals.limits


@pytest.fixture
def refusals():
    found = Refusals(OPERATIONS, Metrics())
    full(found)
    return found


async def asked(app, path="/v1/recommend", *, method="POST", pieces=(BODY,), headers=()):
    scope = {"type": "http", "method": method, "path": path, "headers": [(b"host", b"localhost"), *headers]}
    scope |= {"query_string": b"", "raw_path": path.encode(), "root_path": "", "scheme": "http"}
    left, sent = list(pieces), []

    async def receive():
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    async def send(message):
        sent.append(message)

    await app(scope, receive, send)
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]


async def inner(scope, receive, send):
    """Answer with all that can be received."""
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message["body"], message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


def test_it_is_told_the_same_as_by_the_long_way(tmp_path):
    local = Local(tmp_path, SETTINGS)

    async def journey(client):
        refusals = local.app.state.refusals
        for path in ("/v1/recommend", "/v1/recommend/batch", "/v1/feedback", "/v1/touchpoints", "/v1/t"):
            local.app.state.limits = full(refusals)
            short = await client.post(path, content=BODY)
            # By the long way it is refused by the same limits, further in.
            refusals.limits = None
            long = await client.post(path, content=BODY)
            assert (short.status_code, short.json()) == (long.status_code, long.json())
            assert short.json()["code"] == "overload" and short.headers["retry-after"] == "1"
            assert sorted(short.headers) == sorted(long.headers)
            seals = ("x-content-type-options", "cache-control", "content-security-policy", "content-type")
            assert all(short.headers[name] == long.headers[name] for name in seals)

    local.run(journey)


@pytest.mark.parametrize("name", ["accept", "traceparent"])
def test_a_refusal_counts_once_whichever_way_it_goes(tmp_path, name):
    local = Local(tmp_path, SETTINGS)

    async def journey(client):
        refusals = local.app.state.refusals
        local.app.state.limits = limits = full(refusals)
        # As the web server does: it asks by the bytes first, and passes on what has more to it.
        if refusals.bytes_for(call(f"{name}: x"), []) is None:
            assert (await client.post("/v1/recommend", content=BODY, headers={name: "x"})).status_code == 503
        lane = limits._lanes["recommend"]
        once = lane.share_refused
        lane.share_refused = 0.0
        lane.refused()
        assert once == lane.share_refused

    local.run(journey)


def test_who_is_answered_together_with_the_very_same_call_counts_as_no_refusal(refusals):
    same = b'{"contact":"crm:1","decision_id":"d"}'

    async def journey():
        answered = asyncio.Event()
        first = asyncio.create_task(refusals.limits._same.answer(Asked("/v1/recommend", "k", same), answered.wait))
        await asyncio.sleep(0)
        assert refusals.bytes_for(call(body=same), []) is None
        assert await asked(TurnedAway(inner, refusals), pieces=(same,)) == (200, {}, same)
        assert refusals.limits._lanes["recommend"].share_refused == 0.0
        answered.set()
        await first

    asyncio.run(journey())


def test_only_kinds_without_room_are_refused(refusals):
    async def journey():
        app = TurnedAway(inner, refusals)
        assert (await asked(app))[0] == 503
        assert (await asked(app, "/v1/touchpoints"))[0] == 429
        assert (await asked(app, "/healthz", method="GET"))[0] == 200
        assert (await asked(app, "/v1/nothing"))[0] == 200
        full(refusals, is_full=False)
        assert await asked(app) == (200, {}, BODY)
        refusals.limits = None
        assert await asked(app) == (200, {}, BODY)

    asyncio.run(journey())


def test_what_has_more_to_it_goes_the_long_way_whole(refusals):
    async def journey():
        app = TurnedAway(inner, refusals)
        for name in (b"origin", b"traceparent"):
            assert await asked(app, headers=[(name, b"x")]) == (200, {}, BODY)
        assert await asked(app, pieces=(BODY[:5], BODY[5:])) == (200, {}, BODY)
        named = dict([(b"x-request-id", b"r-77")])
        assert (await asked(app, headers=named.items()))[1][b"x-request-id"] == b"r-77"

    asyncio.run(journey())


def test_the_very_same_call_as_one_under_way_is_not_refused(refusals):
    same = b'{"contact":"crm:1","decision_id":"d"}'

    async def journey():
        app, answered = TurnedAway(inner, refusals), asyncio.Event()
        assert (await asked(app, pieces=(same,)))[0] == 503
        first = asyncio.create_task(refusals.limits._same.answer(Asked("/v1/recommend", "k", same), answered.wait))
        await asyncio.sleep(0)
        assert await asked(app, pieces=(same,)) == (200, {}, same)
        assert (await asked(app, pieces=(same + b" ",)))[0] == 503
        assert (await asked(app, "/v1/recommend/batch", pieces=(same,)))[0] == 503
        answered.set()
        await first

    asyncio.run(journey())


def call(*lines, body=BODY, path="/v1/recommend", length=None):
    head = (f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body) if length is None else length}", *lines)
    return "\r\n".join((*head, "", "")).encode() + body


def refused(refusals, data):
    async def asking():
        return refusals.bytes_for(data, [(b"date", b"today")])

    return asyncio.run(asking())


def test_a_whole_call_is_refused_as_bytes(refusals):
    found = refused(refusals, call("Connection: keep-alive", "Accept: */*"))
    assert found is not None
    head, _, body = found.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"HTTP/1.1 503 Service Unavailable" and b"date: today" in lines and b"retry-after: 1" in lines
    assert b"content-length: %d" % len(body) in lines and body.startswith(b"{") and body.endswith(b"}")
    assert refused(refusals, call(path="/v1/t")).startswith(b"HTTP/1.1 429 ")
    assert refused(refusals, b"GET /v1/worklist HTTP/1.1\r\nHost: x\r\n\r\n") is not None


@pytest.mark.parametrize(
    "data",
    [
        call("Origin: https://shop.example"),
        call("Connection: close"),
        call("Expect: 100-continue"),
        call("Transfer-Encoding: chunked"),
        call("Upgrade: h2c"),
        call("X-Request-Id: r"),
        call("content-length: 19"),
        call("X: content-length: 19"),
        call(length=18),
        call(length=20),
        call(length="-19"),
        call() + call(),
        call()[:-30],
        call(path="/v1/recommend?x=1"),
        call(path="/v1/recommend%20"),
        call(path="/healthz"),
        call().replace(b"HTTP/1.1", b"HTTP/1.0"),
        call().replace(b"\r\n", b"\n"),
        b"",
    ],
)
def test_whatever_is_odd_about_a_call_is_read_by_those_who_know_how(refusals, data):
    assert refused(refusals, data) is None


def test_of_calls_that_are_read_together_the_last_are_refused_as_bytes_unless_an_earlier_may_be_the_same(refusals):
    bounds = {kind: replace(each, inside=2, row=0, burst=0) for kind, each in BOUNDS.items()}
    refusals.limits = Limits(Metrics(), lambda: 0.0, bounds)
    same = call(body=b'{"contact":"crm:1","decision_id":"d"}')

    async def journey():
        found = [refusals.bytes_for(data, []) for data in (call(), same, call(), same, call())]
        assert [each is not None for each in found] == [False, False, True, False, True]

    asyncio.run(journey())


@given(st.binary(max_size=300))
@example(b"POST /v1/recommend HTTP/1.1\r\n\r\n")
def test_no_bytes_at_all_are_an_error(data):
    refusals = Refusals(OPERATIONS, Metrics())
    full(refusals)
    found = refused(refusals, data)
    assert found is None or found.startswith(b"HTTP/1.1 ")


class Wired:
    """A real web server on a free port, whose application answers with what it has received."""

    def __init__(self, refusals):
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.server = uvicorn.Server(
            uvicorn.Config(inner, http=protocol_with(refusals), lifespan="off", log_config=None, ws="none")
        )

    async def run(self, journey):
        serving = asyncio.create_task(self.server.serve([self.listening]))
        while not self.server.started:
            await asyncio.sleep(0.005)
        reader, writer = await asyncio.open_connection(*self.listening.getsockname())
        try:
            await asyncio.wait_for(journey(reader, writer), 20)
        finally:
            writer.close()
            self.server.should_exit = True
            await serving


async def answer(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    told = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    if told:
        return int(head[9:12]), await reader.readexactly(int(told[0].split(b":")[1]))
    size, body = int(await reader.readline(), 16), b""
    body = await reader.readexactly(size)
    await reader.readuntil(b"0\r\n\r\n")
    return int(head[9:12]), body


def test_one_connection_is_refused_and_answered_in_the_order_of_its_questions(refusals):
    async def journey(reader, writer):
        for _ in range(3):
            writer.write(call())
            assert (await answer(reader))[0] == 503
        # A call in pieces comes to the application, which refuses it by the long way where it must.
        whole = call(body=b"in pieces")
        writer.write(whole[:40])
        await asyncio.sleep(0.05)
        writer.write(whole[40:])
        assert await answer(reader) == (200, b"in pieces")
        writer.write(call())
        assert (await answer(reader))[0] == 503
        full(refusals, is_full=False)
        writer.write(call())
        assert await answer(reader) == (200, BODY)
        # Two at once: the second waits for the first.
        writer.write(call(body=b"one") + call(body=b"two"))
        assert [await answer(reader), await answer(reader)] == [(200, b"one"), (200, b"two")]
        full(refusals)
        writer.write(call(body=b"1") + call(body=b"2"))
        assert [await answer(reader), await answer(reader)] == [(200, b"1"), (200, b"2")]
        writer.write(call())
        assert (await answer(reader))[0] == 503

    asyncio.run(Wired(refusals).run(journey))


@pytest.mark.parametrize(
    "asks", ["Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings", "connection: upgrade\r\nupgrade: x"]
)
def test_who_asks_for_another_protocol_is_answered_in_this_one_with_its_body(refusals, asks):
    async def journey(reader, writer):
        full(refusals, is_full=False)
        head, _, body = call().partition(b"\r\n\r\n")
        for _ in range(2):
            writer.write(head + b"\r\n" + asks.encode() + b"\r\nHTTP2-Settings: AAMAAABk\r\n\r\n" + body)
            assert await answer(reader) == (200, BODY)
        writer.write(call())
        assert await answer(reader) == (200, BODY)

    asyncio.run(Wired(refusals).run(journey))


async def problem(reader):
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    assert b"content-type: application/problem+json" in head and b"x-content-type-options: nosniff" in head
    return orjson.loads(await reader.read())["code"]


@pytest.mark.parametrize("before", [b"", call()])
def test_a_head_without_end_is_refused_before_it_fills_the_memory(refusals, before):
    async def journey(reader, writer):
        full(refusals, is_full=False)
        begin = before + b"GET /healthz HTTP/1.1\r\nX-Long: "
        writer.write(begin)
        if before:
            assert await answer(reader) == (200, BODY)
        # One byte too many: what nobody reads any more would reset the connection before its answer is read.
        writer.write(b"x" * (MOST_HEAD + 1 - len(begin)))
        assert await problem(reader) == "head-too-large"

    asyncio.run(Wired(refusals).run(journey))


def head_of(size, longest):
    """A head of so many bytes, in lines of about ``longest``."""
    found = b"GET /healthz HTTP/1.1\r\n"
    while (left := size - len(found) - 2) > longest + 10:
        found += b"X: " + b"x" * longest + b"\r\n"
    return found + b"X: " + b"x" * (left - 5) + b"\r\n\r\n"


@pytest.mark.parametrize("pieces", [1, 3])
@pytest.mark.parametrize("longest", [1_000, MOST_HEAD])
@pytest.mark.parametrize(("size", "status"), [(MOST_HEAD, b"200"), (MOST_HEAD + 1, b"431"), (140_000, b"431")])
def test_a_head_that_ends_is_bounded_however_it_comes(refusals, pieces, longest, size, status):
    async def journey(reader, writer):
        full(refusals, is_full=False)
        writer.write(call())
        assert await answer(reader) == (200, BODY)
        sent, step = head_of(size, longest), -(-size // pieces)
        assert len(sent) == size
        for start in range(0, size, step):
            writer.write(sent[start : start + step])
            await asyncio.sleep(0.02)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 " + status)

    asyncio.run(Wired(refusals).run(journey))


def test_what_is_no_http_is_a_problem_like_any_other(refusals):
    async def journey(reader, writer):
        writer.write(b"\x16\x03\x01")
        assert await problem(reader) == "malformed-request"

    asyncio.run(Wired(refusals).run(journey))


HALF = b"GET /healthz HTTP/1.1\r\nX: "


@pytest.mark.parametrize(
    ("is_first", "begin"), [(True, b""), (True, b"\r\n"), (True, HALF), (False, b"\r\n"), (False, HALF)]
)
def test_nobody_keeps_a_connection_by_a_head_that_does_not_end(refusals, monkeypatch, is_first, begin):
    monkeypatch.setattr("serving.wire.HEAD_SECONDS", 0.1)

    async def journey(reader, writer):
        full(refusals, is_full=False)
        if not is_first:
            writer.write(call())
            assert await answer(reader) == (200, BODY)
        writer.write(begin)
        if begin.startswith(b"GET"):
            assert await problem(reader) == "head-too-slow"
        else:
            assert await reader.read() == b""

    asyncio.run(Wired(refusals).run(journey))


def test_refusals_are_counted(refusals, monkeypatch):
    monkeypatch.setattr("serving.refusals.TELL_SECONDS", 0.0)

    async def journey():
        refusals.bytes_for(call(), [])
        await asked(TurnedAway(inner, refusals))
        await asyncio.sleep(0.02)
        return refusals._metrics.text()

    found = asyncio.run(journey())
    assert b'nba_overload_refusals_total{kind="recommend"} 2.0' in found
    assert b'nba_requests_total{route="POST /v1/recommend",status="5xx"} 2.0' in found
