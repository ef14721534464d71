"""Who is named in what was refused: what an export shows is theirs, and an erasure leaves no name of them."""

from __future__ import annotations

import pytest

from features.store.mentions import Mentions

STRANGER = (
    '{"type": "track", "userId": "crm:2", "event": "Order", "timestamp": "2029-01-01", "properties": '
    '{"url": "https://shop.example/x", "buyer": "Herbert Muster", "name": "Herbert Muster", "salary": "90000"}}'
)
COMMON = (
    "Order", "track", "https", "https://shop.example/x", "https://shop.example", "2029-01-01", "timestamp", "90000",
    "Herbert Muster", "userId", "event",
)  # fmt: skip


@pytest.mark.parametrize("word", COMMON)
def test_a_word_that_stands_in_anybodys_rows_shows_nobodys(word: str) -> None:
    assert not Mentions(["visitor-9"], [word]).are_what_it_is_about(STRANGER)
    assert not Mentions([word]).are_what_it_is_about(STRANGER)
    for raw in ('{"type": "page", "name": "Order", "userId": ""}', '{"event": "x", "properties": {"name": "Order"}}'):
        assert not Mentions([], [word]).are_what_it_is_about(raw)


@pytest.mark.parametrize("word", ["Order", "track", "https", "https://shop.example", "2029-01-01", "timestamp"])
def test_a_word_that_stands_in_anybodys_rows_removes_nobodys(word: str) -> None:
    person = Mentions(["visitor-9"], [word])
    assert not person.are_in(STRANGER) and not person.are_in_reason(f"{word} is missing")


@pytest.mark.parametrize(
    "raw",
    [
        '{"identity": "crm:4711"}',
        '{"userId": 4711, "event": "x"}',
        '{"batch": [{"traits": {"email": "ANA@acme.ch"}, "userId": "crm:9"}]}',
        '{"contact": "crm:9", "phone": "079 555 12 34"}',
        '{"identity": "", "name": "ANN LEE"}',
        '{"url": "https://shop.example/me?u=crm:4711&x=1"}',
        '"[{identity: crm:4711, broken"',
        '{"text": "write to ana@acme.ch."}',
        '{"text": "called +41 79 555 12 35 twice"}',
    ],
)
def test_what_is_about_the_person_is_shown_and_goes(raw: str) -> None:
    person = Mentions(["crm:4711", "4711"], ["Ann Lee", "ana@acme.ch", "079 555 12 34", "+41 79 555 12 35"])
    assert person.are_what_it_is_about(raw) and person.are_in(raw)


@pytest.mark.parametrize(
    "raw", ['{"n": "crm:47110"}', '{"to": "hana@acme.ch"}', '{"value": 4711}', '{"note": "Ann Lee called"}']
)
def test_what_may_be_about_somebody_else_is_not_shown(raw: str) -> None:
    assert not Mentions(["crm:4711", "4711"], ["Ann Lee", "ana@acme.ch"]).are_what_it_is_about(raw)


@pytest.mark.parametrize(
    "raw",
    [
        '{"note": "Ann Lee called"}',
        '{"customer": "planthuber"}',
        '{"page": "see https://crm.example/plant/4711."}',
        '{"note": "rings at 079/555 12 34 only"}',
        '{"memo": "u-17 and anna"}',
    ],
)
def test_an_erasure_leaves_no_name(raw: str) -> None:
    words = ["Ann Lee", "Planthuber", "https://crm.example/plant/4711", "079/555 12 34"]
    assert Mentions(["anna"], words).are_in(raw)


def test_a_reason_that_quotes_the_person_goes() -> None:
    person = Mentions(["crm:4711", "anna"], ["Ann Lee"])
    assert person.are_in_reason("identity 'anna' is no such thing") and not person.are_in_reason("anna is missing")
    assert person.are_in_reason("'called crm:4711' is not a time") and person.are_in_reason("Ann Lee is not a time")
