"""The tracking interface: what clients sent, replayed; rules of time, ids, batches, public keys and machines."""

import base64
import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.times import DAY, HOUR, SECOND, iso
from features.touchpoints.touchpoints import BY_MACHINE, TouchpointRules
from serving.caller import Caller, let_in
from serving.intake.delivery import Delivery
from serving.intake.event_touchpoint import Frame
from serving.intake.native import read_touchpoints
from serving.intake.tracking import MOST_BYTES_OF_EVENT, MOST_EVENTS, read_batch, read_event
from serving.problems import Problem
from tests.serving.conftest import NOW
from tests.serving.told import check

CAPTURED = sorted((Path(__file__).parent / "captured").glob("*.jsonl"))
FRAME = Frame(NOW, TouchpointRules(rates={"CHF": 1.05}), "shop")
PUBLIC = Frame(NOW, TouchpointRules(), "shop", is_public=True)


def one(event, frame=FRAME, type_="track"):
    """Read one event; returns what it says, or why it is refused."""
    found = read_event(json.dumps(event).encode(), type_, frame)
    return found.messages[0] if found.messages else found.refused[0].reason


def track(frame=FRAME, **fields):
    return one({"userId": "u-1", "event": "Seen", "messageId": "m"} | fields, frame)


def test_there_is_a_capture_of_every_client():
    assert len(CAPTURED) >= 6


@pytest.mark.parametrize("path", CAPTURED, ids=lambda path: path.stem)
def test_what_a_client_sent_is_stored_once_field_by_field(path, local_with):
    local = local_with("[money]\nrates = { CHF = 1.05 }\n")
    requests = [json.loads(line) for line in path.read_text().splitlines()]

    async def journey(client):
        answers = []
        for _ in range(2):
            for each in requests:
                local.now = int(each["at"] * 1e6)
                content = base64.b64decode(each["body"])
                answers.append(await client.post(each["path"], content=content, headers=dict(each["headers"])))
        first, again = answers[: len(requests)], answers[len(requests) :]
        assert {answer.status_code for answer in answers} == {200}
        assert sum(answer.json()["stored"] for answer in first) == 8
        assert sum(answer.json()["duplicate"] for answer in again) == 8
        moment = int(requests[0]["at"] * 1e6)
        check(local.service.store, channel="server", sent_between=(moment - 5 * SECOND, moment + 5 * SECOND))
        assert len(list(local.service.store.touchpoint_rows())) == 5

    local.run(journey)


def test_every_address_takes_what_it_stands_for(local):
    events: dict[str, dict[str, object]] = {
        "track": {"event": "Seen"},
        "identify": {"traits": {"plan": "a"}},
        "page": {"name": "P"},
        "screen": {"name": "S"},
        "group": {"groupId": "g"},
        "alias": {"previousId": "p"},
    }
    body: dict[str, object] = {"userId": "u-1"}

    async def journey(client):
        for type_, more in events.items():
            for path in (type_, type_[0]):
                event = body | more | {"messageId": f"{path}-1", "type": "nothing"}
                answer = await client.post(f"/v1/{path}", content=json.dumps(event))
                assert (answer.status_code, answer.json()["stored"]) == (200, 1), path
        for path in ("batch", "b", "import"):
            batch = {"batch": [body | {"type": "track", "event": "Seen", "messageId": path}]}
            answer = await client.post(f"/v1/{path}", content=json.dumps(batch), headers={"Content-Type": "text/plain"})
            assert (answer.status_code, answer.json()["stored"]) == (200, 1), path

    local.run(journey)


@given(
    skew=st.integers(-36 * HOUR, 36 * HOUR),
    before=st.integers(0, 400 * DAY),
    late=st.integers(0, 60 * SECOND),
    name=st.sampled_from(["timestamp", "originalTimestamp"]),
)
def test_a_wrong_clock_is_corrected(skew, before, late, name):
    sent = NOW - late
    event = {name: iso(sent - before + skew), "sentAt": iso(sent + skew)}
    assert track(**event).touchpoint.occurred_at == NOW - before


@pytest.mark.parametrize(
    ("event", "at"),
    [
        ({}, NOW),
        ({"sentAt": "2025-01-01T00:00:00Z"}, NOW),
        ({"timestamp": "2025-01-01T00:00:00Z"}, 1_735_689_600 * SECOND),
        ({"timestamp": "2025-01-01T00:00:00Z", "sentAt": "never"}, 1_735_689_600 * SECOND),
        ({"timestamp": "", "originalTimestamp": None}, NOW),
    ],
)
def test_without_the_times_for_it_the_published_fallbacks_hold(event, at):
    assert track(**event).touchpoint.occurred_at == at


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({"userId": None}, "anonymousId are missing"),
        ({"userId": {"a": 1}}, "neither text nor a whole number"),
        ({"userId": 1.5}, "neither text nor a whole number"),
        ({"userId": True}, "neither text nor a whole number"),
        ({"userId": "x" * 801}, "longer than 500 characters"),
        ({"messageId": "é" * 401}, "longer than 800 bytes"),
        ({"event": None}, "event is missing"),
        ({"timestamp": "soon"}, "timestamp 'soon' is not a time"),
        ({"timestamp": iso(NOW + 2 * DAY)}, f"timestamp {iso(NOW + 2 * DAY)!r} lies more than a day in the future"),
        ({"originalTimestamp": "2999-01-01"}, "originalTimestamp '2999-01-01' lies more than a day in the future"),
        ({"timestamp": "0001-01-01T00:00:00Z", "sentAt": "9999-01-01T00:00:00Z"}, "is not a time"),
        ({"properties": [1]}, "properties [1] is not a JSON object"),
        ({"context": "x"}, "context 'x' is not a JSON object"),
        ({"properties": {"revenue": "much"}}, "value 'much' is not a number"),
        ({"properties": {"revenue": 1, "currency": "XYZ"}}, "has no rate"),
        ({"properties": {"text": "x" * MOST_BYTES_OF_EVENT}}, "is larger than"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_bad_event_is_refused_with_its_reason(event, reason):
    assert reason in track(**event)


def test_ids_are_texts_and_a_visitor_is_no_user():
    assert track(userId=42).touchpoint.identity == "42"
    assert track(userId="", anonymousId="a").touchpoint.identity == "anonymous:a"
    both = track(anonymousId="a")
    assert both.touchpoint.identity == "u-1"
    assert [link[:2] + link[3:4] for link in both.links] == [("anonymous:a", "u-1", "login")]


def test_an_event_without_an_id_is_itself_again_only_if_it_tells_its_time():
    bare = {"userId": "u", "event": "Seen"}
    dated = bare | {"timestamp": "2025-01-01T00:00:00Z"}
    later = Frame(NOW + 1, FRAME.rules, "shop")
    assert one(dated).touchpoint.touchpoint_id == one(dated, later).touchpoint.touchpoint_id
    assert one(bare).touchpoint.touchpoint_id != one(bare, later).touchpoint.touchpoint_id
    two = read_batch(json.dumps({"batch": [bare | {"type": "track"}] * 2}).encode(), FRAME)
    assert len({each.touchpoint.touchpoint_id for each in two.messages if each.touchpoint}) == 2


def test_what_has_no_column_stays_a_property():
    row = track(
        properties={
            "value": "high", "duration": "long", "topic": ["a"], "topics": "b", "currency": "EUR", "other": {"x": [1]},
        }
    ).touchpoint  # fmt: skip
    assert (row.value, row.duration, row.topics, row.currency) == (None, None, None, None)
    assert json.loads(row.properties) == {
        "value": "high", "duration": "long", "topic": ["a"], "topics": "b", "currency": "EUR", "other": {"x": [1]},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("event", "channel"),
    [
        ({"channel": "mobile"}, "app"),
        ({"context": {"library": {"name": "analytics.js"}}}, "web"),
        ({"context": {"library": {"name": "analytics-ios"}}}, "app"),
        ({"context": {"library": {"name": "analytics-python"}}}, "server"),
        ({"context": {"device": {"id": 1}}}, "app"),
        ({"properties": {"channel": "fair"}, "channel": "web"}, "fair"),
        ({"event": "Newsletter Open", "channel": "server"}, "email"),
        ({}, None),
    ],
)
def test_the_channel_is_told_by_the_event_or_its_library(event, channel):
    assert track(**event).touchpoint.channel == channel


def test_a_withdrawal_says_what_it_is_about_by_its_property_alone():
    assert track(event="Unsubscribed", channel="server").touchpoint.channel is None
    row = track(event="Consent Withdrawn", properties={"channel": "email"}, channel="server").touchpoint
    assert (row.channel, json.loads(row.properties)) == (None, {"channel": "email"})


def test_kinds_can_be_named_in_the_settings(local_with):
    local = local_with('[touchpoints.kinds]\n"Email Opened" = "newsletter_open"\npage = "page_view"\n')
    frame = Frame(NOW, local.settings.touchpoints, "shop")
    assert track(frame, event="email opened").touchpoint.kind == "newsletter_open"
    assert one({"userId": "u", "name": "P"}, frame, "page").touchpoint.kind == "page_view"
    assert one({"userId": "u", "name": "P"}, FRAME, "page").touchpoint.kind == "visit"


def test_network_and_device_are_kept_only_where_visitors_are_joined_by_them():
    context = {"ip": "203.0.113.7", "userAgent": "Firefox", "page": {"url": "https://ex.com/a"}}
    assert json.loads(track(context=context).touchpoint.properties) == {"url": "https://ex.com/a"}
    stitching = Frame(NOW, TouchpointRules(visitor_stitching=True), "shop")
    kept = json.loads(track(stitching, context=context).touchpoint.properties)
    assert (kept["ip"], kept["user_agent"]) == ("203.0.113.7", "Firefox")


def batch_of(*raw, **around):
    head = json.dumps(around)[:-1] + ("," if around else "")
    return read_batch(head.encode() + b'"batch": [' + b" , ".join(raw) + b"]}", FRAME)


GOOD = b'{"type": "track", "event": "Seen", "userId": "u", "messageId": "%d"}'


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b'{"type": "track", "event": NaN}', "/event: is NaN"),
        (b'{"type": "track", "userId": "a", "userId": "b"}', "stands twice"),
        (b'{"type": "track", "event": "\\ud800"}', "surrogate"),
        (b'{"type": "dance", "userId": "a"}', "type 'dance' is none of"),
        (b'{"type": ["track"]}', "is none of"),
        (b'"track"', "is not a JSON object"),
        (b"null", "is not a JSON object"),
        (b'{"type": "track", "userId": "a"}', "event is missing"),
        (b'{"type" "track"}', "is not JSON"),
    ],
)
def test_a_bad_event_costs_its_neighbours_nothing_and_keeps_its_bytes(bad, reason):
    found = batch_of(GOOD % 1, bad, GOOD % 2, sentAt=iso(NOW))
    assert [each.touchpoint.touchpoint_id for each in found.messages] == ["1", "2"]
    assert [(each.index, each.raw) for each in found.refused] == [(1, bad)]
    assert reason in found.refused[0].reason


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b'{"batch": 5}', b'{"batch": [', b'{"batch": [], "batch": []}'])
def test_a_body_without_a_batch_is_one_refusal(raw):
    found = read_batch(raw, FRAME)
    assert (found.is_list, len(found.refused), found.messages) == (False, 1, [])


def test_what_the_batch_says_holds_for_events_that_say_nothing_else():
    found = batch_of(GOOD % 1, context={"library": {"name": "analytics.js"}})
    assert found.messages[0].touchpoint.channel == "web"
    own = b'{"type": "track", "event": "E", "userId": "u", "context": {"library": {"name": "analytics-ios"}}}'
    assert batch_of(own, context={"library": {"name": "analytics.js"}}).messages[0].touchpoint.channel == "app"


def test_too_many_events_are_refused():
    with pytest.raises(Problem, match="send at most"):
        batch_of(*[b"1"] * (MOST_EVENTS + 1))


@given(st.binary(max_size=80))
def test_no_bytes_end_in_anything_but_a_delivery(raw):
    for body in (raw, b'{"batch": [' + raw + b"]}"):
        assert isinstance(read_batch(body, FRAME), Delivery)
        assert isinstance(read_event(body, "track", FRAME), Delivery)


def test_one_bad_event_alone_is_answered_400_and_kept(local):
    async def journey(client):
        raw = b'{"userId": "u-1", "event": NaN}'
        answer = await client.post("/v1/track", content=raw)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid-event")
        assert answer.json()["message"]
        kept = list(local.service.store.quarantine_rows())
        assert [(row.file, json.loads(row.raw)) for row in kept] == [("POST /v1/track", raw.decode())]

    local.run(journey)


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (gzip.compress(b'{"batch": []}'), 200),
        (gzip.compress(b'{"batch"') + gzip.compress(b": []}"), 200),
        (gzip.compress(b'{"batch": []}')[:-9], 400),
        (b"plain", 400),
        (gzip.compress(b" " * 300_000), 413),
        (gzip.compress(b" " * 5_000_000), 413),
    ],
    ids=["whole", "two members", "cut off", "no gzip", "ratio", "bomb"],
)
def test_gzip_is_unpacked_within_bounds(content, status, local):
    async def journey(client):
        return await client.post("/v1/batch", content=content, headers={"Content-Encoding": "gzip"})

    assert local.run(journey).status_code == status


def test_what_cannot_be_stored_is_to_be_sent_again(local, monkeypatch):
    from features.store.store import StoreError

    async def journey(client):
        async def away(job):
            raise StoreError("is away")

        monkeypatch.setattr(local.service.writer, "write", away)
        return await client.post("/v1/track", content=json.dumps({"userId": "u", "event": "E"}))

    answer = local.run(journey)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "5")


class AsPublic:
    """Middleware that gives everybody a public key."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http":
            let_in(scope, Caller("k", "shop", frozenset({"ingest"}), is_public=True))
        await self.app(scope, receive, send)


def send_publicly(local, *events):
    """Send events with a public key; returns the answers."""
    local.app.router.routes[:] = [
        route if getattr(route, "app", None) is None else _wrapped(route) for route in local.app.router.routes
    ]

    async def journey(client):
        answers = [await client.post(f"/v1/{type_}", content=json.dumps(event)) for type_, event in events]
        links = sorted(link[:2] for link in local.service.store.link_rows())
        kept = [row.reason for row in local.service.store.quarantine_rows()]
        traits = local.service.store.traits("u-1", 2**62)
        return [(answer.status_code, answer.json()) for answer in answers], links, kept, traits

    return local.run(journey)


def _wrapped(route):
    route.app = AsPublic(route.app)
    return route


def test_a_public_key_never_joins_two_known_contacts(local):
    answers, links, kept, _ = send_publicly(
        local,
        ("identify", {"userId": "u-1", "anonymousId": "a", "messageId": "1"}),
        ("identify", {"userId": "u-2", "anonymousId": "a", "messageId": "2"}),
        ("alias", {"userId": "u-2", "previousId": "u-1", "messageId": "3"}),
        ("track", {"userId": "u-3", "anonymousId": "a", "messageId": "4", "event": "E"}),
        ("track", {"userId": "anonymous:a", "anonymousId": "b", "messageId": "5", "event": "E"}),
        ("identify", {"userId": "u-2", "anonymousId": "b", "messageId": "6"}),
    )
    assert [status for status, _ in answers] == [200] * 6
    assert [bool(answer["errors"]) for _, answer in answers] == [False, True, True, True, False, True]
    assert links == [("anonymous:a", "u-1"), ("anonymous:b", "anonymous:a"), ("anonymous:u-1", "u-2")]
    assert len(kept) == 4 and all("public key" in reason for reason in kept)


@pytest.mark.parametrize("kind", ["Consent Given", "Consent Confirmed", "consent_presumed"])
def test_a_public_key_never_gives_consent_but_may_withdraw_it(kind):
    assert "a public key may not" in track(PUBLIC, event=kind, properties={"channel": "email", "ground": "x"})
    assert track(event=kind, properties={"channel": "email"}).touchpoint
    assert track(PUBLIC, event="Consent Withdrawn", properties={"channel": "email"}).touchpoint


@pytest.mark.parametrize("kind", ["consent_given", "Consent_Given", "consent given"])
def test_consent_in_our_own_words_is_refused_to_a_public_key_too(local, kind):
    given = {"identity": "u-1", "occurred_at": iso(NOW - DAY), "kind": kind, "channel": "email"}
    answers, _, kept, _ = send_publicly(local, ("touchpoints", [given]))
    assert (answers[0][1]["stored"], answers[0][1]["quarantined"]) == (0, 1)
    assert "a public key may not" in kept[0]


def test_a_public_key_does_not_say_who_looks_after_a_contact(local):
    traits = {
        "plan": "a",
        "partner": "north",
        "owner": "eve",
        "person_type": "business",
        "crm_url": "https://evil.test",
    }
    answers, _, _, known = send_publicly(local, ("identify", {"userId": "u-1", "traits": traits}))
    assert known == {"plan": "a"}
    assert len(answers[0][1]["errors"]) == 4


@pytest.mark.parametrize(
    ("properties", "agent", "is_machine"),
    [
        ({}, "Mozilla/5.0", True),
        ({}, "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)", True),
        ({}, "Barracuda Sentinel (EE)", True),
        ({"machine_open": True}, None, True),
        ({}, "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148", False),
        ({}, None, False),
    ],
)
def test_a_mail_that_a_machine_opened_is_no_answer(properties, agent, is_machine):
    event = {"event": "Email Opened", "properties": {"decision_id": "d", **properties}, "context": {"userAgent": agent}}
    row = track(**event).touchpoint
    told = json.loads(row.properties) if row.properties else {}
    assert (row.kind == BY_MACHINE) is ("machine" in told) is is_machine
    if is_machine:
        assert (row.direction, row.channel, row.decision_id) == ("outbound", None, None)
        assert (told["kind"], told["decision_id"], told["channel"]) == ("email_opened", "d", "email")


def test_a_mail_that_is_opened_within_a_second_was_opened_by_a_machine(local):
    def event(name, us):
        return {"userId": "u-1", "event": name, "messageId": f"{name}-{us}", "timestamp": iso(us)}

    at = NOW - DAY
    events = [event("Email Sent", at), event("Email Opened", at + SECOND // 2), event("Email Opened", at + SECOND)]

    async def journey(client):
        for each in events:
            assert (await client.post("/v1/track", content=json.dumps(each))).status_code == 200
        return [(row[3], row[1] - at) for row in local.service.store.history("u-1", NOW)]

    assert local.run(journey) == [("email_sent", 0), (BY_MACHINE, SECOND // 2), ("email_opened", SECOND)]


def test_the_settings_documents_point_here(local, monkeypatch):
    async def journey(client):
        segment = (await client.get("/v1/projects/nba_public/settings")).json()
        monkeypatch.setenv("NBA_PUBLIC_URL", "https://nba.example.com/")
        behind = (await client.get("/v1/projects/nba_public/settings")).json()
        rudder = (await client.get("/sourceConfig/?p=npm&v=3.34.1&writeKey=nba_public&lockPluginsVersion=true")).json()
        return segment["integrations"]["Segment.io"], behind["integrations"]["Segment.io"], rudder["source"]

    here, behind, source = local.run(journey)
    assert (here["apiHost"], here["protocol"], here["apiKey"]) == ("localhost/v1", "http", "nba_public")
    assert (behind["apiHost"], behind["protocol"]) == ("nba.example.com/v1", "https")
    assert (source["enabled"], source["destinations"], source["writeKey"]) == (True, [], "nba_public")


NAMELESS = [("y" * 501, "is longer than 500 characters"), ("a\tb", "has control characters")]


@pytest.mark.parametrize(("name", "rule"), NAMELESS)
def test_whoever_could_not_be_asked_for_is_not_stored(name, rule):
    for type_, event, field in (
        ("track", {"event": "E", "userId": name}, "userId"),
        ("page", {"anonymousId": name}, "anonymousId"),
        ("group", {"userId": "u", "groupId": name}, "groupId"),
        ("alias", {"userId": "u", "previousId": name}, "previousId"),
        ("identify", {"userId": "u", "traits": {"account": name}}, "account"),
    ):
        refused = one({**event, "messageId": "m"}, type_=type_)
        assert isinstance(refused, str) and refused.startswith(field) and rule in refused, type_
    raw = {"identity": name, "occurred_at": iso(NOW), "kind": "visit"}
    refused = read_touchpoints(json.dumps(raw).encode(), now_us=NOW, rules=TouchpointRules()).refused[0]
    assert refused.rule.startswith(f"identity {rule}")


def test_every_name_that_can_be_asked_for_is_stored():
    assert track(userId="y" * 500).touchpoint.identity == "y" * 500
    assert "bytes" in track(userId="ü" * 401)


def test_a_key_that_is_called_like_a_source_of_the_service_does_not_write_under_it():
    named = replace(FRAME, source="feedback")
    found = one({"userId": "u", "event": "E", "messageId": "done:d1"}, named)
    assert found.source == found.touchpoint.source == "key feedback"
    assert one({"userId": "u", "traits": {}, "messageId": "m"}, named, "identify").source == "key feedback"
