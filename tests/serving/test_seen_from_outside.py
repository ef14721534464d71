"""What an operator sees of a request: its id, its line in the log, its span."""

import io
import json
import logging
import sqlite3
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from features.errors import UserError
from serving import tracing
from serving.logs import LogError, begin_logging
from serving.operations import Operation
from serving.tracing import TracingError, check_tracing, traces
from serving.underway import Underway, spoken

PLANTED = ("anna@example.com", "+49 171 5550199", "crm:geheim-4711", "Annegret", "Musterstrasse", "10.77.66.55")


@pytest.fixture
def logged():
    """Whatever is logged; ``logged(way)`` begins."""
    root, named = logging.getLogger(), [logging.getLogger(name) for name in ("nba.serving", "nba.requests")]
    before = root.handlers, root.level, [each.level for each in named]
    stream = io.StringIO()

    def begin(way):
        begin_logging({"NBA_LOG": way} if way else {}, stream)
        return stream

    yield begin
    root.handlers, level, levels = before
    root.setLevel(level)
    for each, value in zip(named, levels, strict=True):
        each.setLevel(value)


def lines(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("sent", "is_taken"),
    [("abc-1", True), ("A.b_c-9", True), ("x" * 64, True), ("x" * 65, False), ("", False), ("anna@example.com", False),
     ("crm:1", False), ('"', False), ("-x", False)],
)  # fmt: skip
def test_every_answer_carries_the_id_of_its_request(local, sent, is_taken):
    async def journey(client):
        asked = [("GET", "/healthz"), ("POST", "/v1/recommend"), ("GET", "/nowhere"), ("GET", "/v1/model")]
        return [await client.request(*each, headers={"X-Request-Id": sent}) for each in asked]

    ids = [answer.headers["x-request-id"] for answer in local.run(journey)]
    assert (set(ids) == {sent}) == is_taken
    assert is_taken or len(set(ids)) == 4


def test_the_door_s_refusals_carry_it_too(local):
    async def journey(client):
        return await client.get("/healthz", headers={"Host": "elsewhere.example", "X-Request-Id": "me"})

    answer = local.run(journey)
    assert (answer.status_code, answer.headers["x-request-id"]) == (403, "me")


def test_as_json_every_answer_is_one_line(local, logged):
    stream = logged("json")

    async def journey(client):
        found = (await client.post("/v1/recommend", json={"contact": "a"}, headers={"X-Request-Id": "r1"})).json()
        await client.post("/v1/recommend", json={"contact": "a", "decision_id": "mine"})
        await client.post("/v1/recommend/batch", json={"requests": [{"contact": f"c{n}"} for n in range(30)]})
        await client.get("/v1/contacts/a?x=1")
        return found

    found = local.run(journey)
    answered = [line for line in lines(stream) if line["logger"] == "nba.requests"]
    first, second, batch, refused = answered
    assert {**first, "at": "", "ms": 0} == {
        "at": "", "level": "info", "logger": "nba.requests", "message": "answered", "request_id": "r1",
        "route": "POST /v1/recommend", "status": 200, "ms": 0, "key": None, "decision_ids": [found["decision_id"]],
        "decisions": 1,
    }  # fmt: skip
    assert second["decision_ids"] in ([spoken("mine")], [found["decision_id"]])
    assert (batch["decisions"], len(batch["decision_ids"])) == (30, 20)
    assert (refused["route"], refused["status"]) == ("GET /v1/contacts/{contact_id}", 422)


def test_as_text_there_are_warnings_only(local, logged):
    stream = logged(None)

    async def journey(client):
        await client.post("/v1/recommend", json={"contact": "a"})

    local.run(journey)
    assert stream.getvalue() == ""


def test_a_way_to_log_that_there_is_not_is_refused():
    with pytest.raises(LogError, match="'xml' is no way to log"):
        begin_logging({"NBA_LOG": "xml"})


@pytest.mark.parametrize("way", ["json", None])
def test_logs_hold_nothing_of_the_people_we_know(local, logged, way):
    async def broken(request):
        raise KeyError(*PLANTED)

    async def refused(request):
        raise UserError(f"no {PLANTED[0]}")

    for path, handler in (("/broken/{a}", broken), ("/refused/{a}", refused)):
        local.app.router.routes.append(Operation(path, "POST", path, handler, "", {}, {}).route())
    stream = logged(way)

    async def journey(client):
        for planted in PLANTED:
            headers = {"X-Request-Id": planted, "User-Agent": planted, "Referer": planted, "X-Real-Ip": planted}
            who = {"contact": planted, "decision_id": planted, "context": {"topic": planted}}
            touchpoint = {**local.touchpoint(planted, contact=planted), "topic": planted, "properties": {"n": planted}}
            sent = [
                *[("POST", path, who) for path in ("/v1/recommend", f"/broken/{planted}", f"/refused/{planted}")],
                ("POST", "/v1/recommend", {**who, planted: 1}),
                ("POST", "/v1/recommend", {**who, "limit": 2}),
                ("POST", "/v1/recommend/batch", {"requests": [who, {"contact": [planted]}]}),
                ("POST", "/v1/touchpoints", touchpoint),
                ("POST", "/v1/touchpoints", [{**touchpoint, "occurred_at": planted}]),
                ("POST", "/v1/feedback", {"decision_id": planted, "outcome": "rejected", "note": planted}),
                ("POST", f"/v1/decisions/{planted}/activate", None),
                ("GET", f"/v1/contacts/{planted}?{planted}={planted}", None),
                ("GET", f"/{planted}?mail={planted}", None),
            ]
            for method, path, body in sent:
                await client.request(method, path, json=body, headers=headers)
        local.service.store.close()
        with sqlite3.connect(local.settings.folder / "nba.db") as store:
            store.execute("DROP TABLE decisions")
        for planted in PLANTED:
            await client.post("/v1/recommend", json={"contact": planted, "decision_id": planted})

    local.run(journey)
    text = stream.getvalue()
    assert "KeyError at" in text and "store" in text
    for planted in PLANTED:
        # What might be a word of the caller's for its request is taken as one.
        assert planted not in text.replace(f'"request_id":"{planted}"', "")


def test_an_exception_s_message_stays_out_of_the_log(logged):
    for way in ("json", None):
        stream = logged(way)
        try:
            raise ValueError("anna@example.com")
        except ValueError:
            logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
    assert stream.getvalue().count("ValueError at") == 2
    assert "anna" not in stream.getvalue()


class Collector:
    """Takes spans as a collector of OpenTelemetry does."""

    def __enter__(self):
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

        spans: list[Any] = []
        self.spans = spans

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                found = ExportTraceServiceRequest.FromString(raw)
                spans.extend(span for one in found.resource_spans for two in one.scope_spans for span in two.spans)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *of):
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        return self

    def __exit__(self, *of):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def test_a_configured_collector_gets_a_span_of_every_answer(local, monkeypatch):
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with Collector() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.address)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")

        async def journey(client):
            await client.post("/v1/recommend", json={"contact": "crm:geheim"}, headers={"traceparent": parent})
            await client.get("/v1/contacts/crm:geheim?mail=crm:geheim")

        local.run(journey)
    first, second = collector.spans
    assert (first.name, second.name) == ("POST /v1/recommend", "GET /v1/contacts/{contact_id}")
    assert (first.trace_id.hex(), first.parent_span_id.hex()) == (parent.split("-")[1], parent.split("-")[2])
    attributes = {each.key: each.value for each in first.attributes}
    assert attributes["http.response.status_code"].int_value == 200
    assert len(attributes["nba.decision_ids"].array_value.values) == 1
    assert "geheim" not in str(collector.spans)


def test_without_an_endpoint_nothing_is_traced():
    assert traces({}) is None
    assert traces({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_SDK_DISABLED": "true"}) is None


def test_without_the_library_a_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setattr(tracing, "_NEEDED", ("no_such_tracing.sdk",))
    with pytest.raises(TracingError, match=r"no_such_tracing.sdk is not installed; `pip install 'nba-service\[tracing"):
        check_tracing({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"})


def test_ids_that_callers_chose_are_not_spoken():
    seen = Underway("r")
    seen.decided("anna@example.com")
    seen.decided("\ud800")
    seen.decided("0" * 32)
    assert seen.decisions[2] == "0" * 32
    assert all(len(each) == 17 and each.startswith("~") for each in seen.decisions[:2])
