"""Webhooks of Mautic and HubSpot: signed bytes, and what they become."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from features.rows.event_names import snake_case
from features.times import SECOND
from serving.intake.hubspot import read_hubspot
from serving.intake.mautic import read_mautic
from serving.intake.signatures import hubspot_is_right, mautic_is_right
from tests.serving.conftest import NOW
from tests.serving.test_tracking import FRAME

SECRET = "s3cret"
CONTACT = {"id": 7, "points": 3}
MAUTIC: dict[str, list[Any]] = {
    "mautic.email_on_open": [
        {
            "stat": {
                "id": 1,
                "dateRead": "2025-11-20T10:00:00+00:00",
                "openDetails": [{"useragent": "Mozilla/5.0"}],
                "lead": CONTACT,
                "email": {"id": 3, "name": "November", "subject": "Pumps"},
            },
            "timestamp": "2025-11-20T10:00:01+00:00",
        }
    ],
    "mautic.page_on_hit": [
        {"hit": {"dateHit": "2025-11-20T11:00:00+00:00", "url": "https://acme.ch/pumps", "lead": CONTACT}}
    ],
    "mautic.form_on_submit": [
        {
            "submission": {
                "dateSubmitted": "2025-11-20T12:00:00+00:00",
                "form": {"id": 9, "name": "Demo"},
                "lead": CONTACT,
            }
        }
    ],
    "mautic.lead_channel_subscription_changed": [
        {"contact": CONTACT, "channel": "email", "old_status": "contactable", "new_status": "unsubscribed"}
    ],
    "mautic.lead_post_save_update": [
        {
            "contact": {
                **CONTACT,
                "fields": {
                    "core": {
                        "firstname": {"value": "Ana"},
                        "lastname": {"value": "Meier"},
                        "email": {"value": "ana@example.com"},
                        "timezone": {"value": ""},
                    },
                    "professional": {"company_size": {"value": 120}},
                },
            }
        }
    ],
    "mautic.something_new": [{"a": 1}],
}
HUBSPOT = [
    {
        "eventId": 1,
        "subscriptionType": "contact.propertyChange",
        "objectId": 123,
        "propertyName": "company_size",
        "propertyValue": "200",
        "occurredAt": 1_763_632_800_000,
        "attemptNumber": 0,
    },
    {"eventId": 2, "subscriptionType": "contact.merge", "newObjectId": 123, "mergedObjectIds": [122, 123]},
    {"eventId": 3, "subscriptionType": "deal.creation", "objectId": 5},
    {"vid": 9, "properties": {"firstname": {"value": "Bo"}, "lastname": {"value": "Li"}, "email": {"value": "b@l.ch"}}},
]


def signed(body, secret=SECRET):
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def test_mautic_tells_touchpoints_and_traits():
    found = read_mautic(json.dumps(MAUTIC).encode(), FRAME)
    rows = {each.touchpoint.kind: each.touchpoint for each in found.messages if each.touchpoint}
    assert set(rows) == {"by_machine", "visit", "form_submitted", "unsubscribed"}
    assert {row.identity for row in rows.values()} == {"mautic:7"}
    assert {row.source for row in rows.values()} == {"shop"}
    assert json.loads(str(rows["by_machine"].properties))["machine"] == "apple mail privacy protection"
    assert (
        json.loads(str(rows["unsubscribed"].properties))["channel"] == "email" and rows["unsubscribed"].channel is None
    )
    assert rows["visit"].occurred_at == 1_763_636_400 * SECOND
    told = next(each.contacts[0] for each in found.messages if each.contacts)
    assert told.body == {"name": "Ana Meier", "email": "ana@example.com", "company_size": 120}
    assert ["something_new" in each.reason for each in found.refused] == [True]


def test_hubspot_tells_traits_and_merges():
    found = read_hubspot(json.dumps(HUBSPOT).encode(), FRAME)
    changed, merged, whole = found.messages
    assert changed.contacts[0] == ("hubspot:123", 1_763_632_800 * SECOND, {"company_size": "200"})
    assert [(link.identity_a, link.identity_b) for link in merged.links] == [("hubspot:122", "hubspot:123")]
    assert whole.contacts[0].body == {"name": "Bo Li", "email": "b@l.ch"}
    assert [each.index for each in found.refused] == [2]


def test_an_attempt_again_is_the_same_message():
    first, again = ({**HUBSPOT[0], "attemptNumber": number} for number in (0, 1))
    ids = {read_hubspot(json.dumps([each]).encode(), FRAME).messages[0].message_id for each in (first, again)}
    assert len(ids) == 1


@pytest.mark.parametrize("read", [read_mautic, read_hubspot])
@pytest.mark.parametrize("raw", [b"", b"5", b"[5]", b"{", b'{"mautic.email_on_open": 5}', b'[{"objectId": {}}]'])
def test_no_body_is_more_than_a_refusal(read, raw):
    found = read(raw, FRAME)
    assert not found.messages and found.refused


@pytest.mark.parametrize("bad", [b'{"a": NaN}', b'{"a": "\\ud83d"}', b'{"a": 1, "a": 2}', b"5"])
def test_an_entry_that_cannot_be_read_costs_no_neighbour(bad):
    hits, changes = json.dumps(MAUTIC["mautic.page_on_hit"][0]).encode(), json.dumps(HUBSPOT[0]).encode()
    opened = b'"mautic.email_on_open": [], '
    hit = read_mautic(b"{" + opened + b'"mautic.page_on_hit": [' + hits + b"," + bad + b"," + hits + b"]}", FRAME)
    changed = read_hubspot(b"[" + changes + b"," + bad + b"," + changes + b"]", FRAME)
    for found in (hit, changed):
        assert [each.index for each in found.messages] == [0, 2] and found.is_list
        [refused] = found.refused
        assert refused.index == 1 and bad in refused.raw and refused.reason


def test_a_status_that_is_no_text_is_a_change_like_any_other():
    entry = {"contact": {"id": 7}, "channel": "email", "new_status": {}, "old_status": ""}
    found = read_mautic(json.dumps({"mautic.lead_channel_subscription_changed": [entry]}).encode(), FRAME)
    assert [each.touchpoint.kind for each in found.messages if each.touchpoint] == ["subscription_changed"]


def test_a_signature_is_over_the_bytes_as_they_came():
    assert mautic_is_right(b'{"a": 1}', signed(b'{"a": 1}'), SECRET)
    assert not mautic_is_right(b'{"a":1}', signed(b'{"a": 1}'), SECRET)
    assert not mautic_is_right(b"{}", "", SECRET)
    assert not mautic_is_right(b"{}", "ü", SECRET)


@pytest.mark.parametrize(("seconds", "is_right"), [(0, True), (299, True), (-299, True), (301, False), (-301, False)])
def test_hubspots_signature_is_over_all_of_the_request_and_young(seconds, is_right):
    now, address, body = 1_764_000_000, "https://nba.example.com/v1/webhooks/hubspot?a=b%3Ac", b"[]"
    stamp = str((now - seconds) * 1000)
    plain = address.replace("%3A", ":")
    signature = signed(b"POST" + plain.encode() + body + stamp.encode())
    given = {"signature": signature, "timestamp": stamp, "secret": SECRET, "now": now}
    assert hubspot_is_right("POST", address, body, **given) is is_right
    assert not hubspot_is_right("POST", address, b"[ ]", **given)
    assert not hubspot_is_right("POST", address, body, **{**given, "timestamp": "soon"})


def test_webhooks_are_there_only_with_a_secret_and_store_once(local, monkeypatch):
    body = json.dumps(MAUTIC).encode()
    hubspot = json.dumps(HUBSPOT).encode()
    stamp = str(NOW // 1000)
    address = "http://localhost/v1/webhooks/hubspot"

    async def journey(client):
        async def mautic(signature):
            return await client.post("/v1/webhooks/mautic", content=body, headers={"Webhook-Signature": signature})

        assert (await mautic(signed(body))).status_code == 404
        assert (await client.post("/v1/webhooks/hubspot", content=b"[]")).status_code == 404
        monkeypatch.setenv("NBA_MAUTIC_SECRET", SECRET)
        monkeypatch.setenv("NBA_HUBSPOT_SECRET", SECRET)
        assert (await mautic(signed(body, "other"))).status_code == 401
        assert (await mautic(signed(body))).json()["stored"] == 5
        assert (await mautic(signed(body))).json()["duplicate"] == 5
        headers = {
            "X-HubSpot-Signature-v3": signed(b"POST" + address.encode() + hubspot + stamp.encode()),
            "X-HubSpot-Request-Timestamp": stamp,
        }
        assert (await client.post("/v1/webhooks/hubspot", content=hubspot, headers=headers)).json()["stored"] == 3
        assert (await client.post("/v1/webhooks/hubspot", content=b"[]", headers=headers)).status_code == 401
        assert {row[0] for row in local.service.store.touchpoint_rows()} == {"mautic:7"}

    local.run(journey)


@pytest.mark.parametrize(("name", "kind"), [("!!!", "!!!"), ("  A  b ", "a_b"), ("A1B2", "a1_b2"), ("éÉ", "éé")])
def test_every_event_name_is_a_kind(name, kind):
    assert snake_case(name) == kind
