"""CloudEvents: three modes of one event, and what is wrong with others."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.intake.cloudevents import read_events
from serving.intake.delivery import Delivery
from tests.serving.test_tracking import FRAME

EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "ce-1",
    "source": "/shop",
    "type": "com.acme.order",
    "subject": "contact/crm:1",
    "time": "2025-11-20T10:00:00Z",
    "data": {"value": 12.5, "topic": "pumps", "colour": "grün"},
}


def read(event, headers=None):
    return read_events(json.dumps(event).encode(), headers or {}, FRAME)


def test_three_modes_are_one_event():
    attributes = {f"ce-{name}": value for name, value in EVENT.items() if name != "data"}
    binary = read_events(json.dumps(EVENT["data"]).encode(), attributes, FRAME)
    packed = {**EVENT, "data_base64": base64.b64encode(json.dumps(EVENT["data"]).encode()).decode()}
    del packed["data"]
    rows = [each.messages[0].touchpoint for each in (binary, read(EVENT), read([EVENT]), read(packed))]
    assert len(set(rows)) == 1
    row = rows[0]
    assert row is not None
    assert (row.identity, row.kind, row.touchpoint_id, row.source) == ("crm:1", "order", "ce-1", "/shop")
    assert (row.value, row.topics, row.properties) == (12.5, '["pumps"]', '{"colour":"grün"}')


@pytest.mark.parametrize(
    ("more", "identity"),
    [
        ({"subject": "crm:1"}, "crm:1"),
        ({"data": {"userId": 42}}, "42"),
        ({"data": {"anonymousId": "a"}, "subject": None}, "anonymous:a"),
        ({"subject": "users/7"}, "7"),
        ({"subject": "orders/7"}, "orders/7"),
    ],
)
def test_whose_it_is_is_told_by_data_or_subject(more, identity):
    assert read(EVENT | more).messages[0].touchpoint.identity == identity


@pytest.mark.parametrize(
    ("type_", "kind"),
    [("com.acme.email.opened", "email_opened"), ("com.acme.order.v1", "order"), ("visit", "visit"), ("a.b", "a_b")],
)
def test_the_kind_is_the_type_without_the_domain(type_, kind):
    assert read(EVENT | {"type": type_}).messages[0].touchpoint.kind == kind


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"id": None}, "id is missing"),
        ({"source": " "}, "source ' ' is missing"),
        ({"specversion": "0.3"}, "is not known here"),
        ({"data": "text"}, "data 'text' is not a JSON object"),
        ({"data": None, "data_base64": "!"}, "is not JSON in base64"),
        ({"subject": None}, "needs whom it is of"),
        ({"time": "soon"}, "time 'soon' is not a time"),
        ({"time": "2999-01-01T10:00:00Z"}, "time '2999-01-01T10:00:00Z' lies more than a day in the future"),
        ({"data": {"text": "x" * 33_000}}, "is larger than"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_bad_event_is_refused_and_its_neighbour_is_not(more, reason):
    bad = EVENT | more
    alone, among = read(bad), read([EVENT, bad])
    assert reason in alone.refused[0].reason and reason in among.refused[0].reason
    assert (among.refused[0].index, len(among.messages)) == (1, 1)
    assert json.loads(among.refused[0].raw) == bad


def test_an_event_that_is_no_json_costs_its_neighbours_nothing():
    found = read_events(b"[" + json.dumps(EVENT).encode() + b', {"id": NaN}]', {}, FRAME)
    assert (len(found.messages), [each.raw for each in found.refused]) == (1, [b'{"id": NaN}'])


@given(st.binary(max_size=60), st.booleans())
def test_no_bytes_end_in_anything_but_a_delivery(raw, binary):
    headers = {"ce-id": "1", "ce-source": "s", "ce-type": "t", "ce-specversion": "1.0"} if binary else {}
    assert isinstance(read_events(raw, headers, FRAME), Delivery)
