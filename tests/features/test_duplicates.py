"""Which contacts may be one person, and which only look like it."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.identity.duplicates import Duplicate, duplicates
from features.identity.person_keys import likeness, mailbox, person_name, phone
from features.rows.row_types import RecordRow


def of(*bodies: dict[str, Any], **options: Any) -> list[Duplicate]:
    return duplicates([RecordRow(f"crm:{n}", 0, body) for n, body in enumerate(bodies)], **options)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ({"email": "ann@acme.ch"}, {"email": " ANN@acme.ch "}),
        ({"email": "ann.lee@gmail.com"}, {"email": "annlee+news@googlemail.com"}),
        ({"email": "ann+shop@acme.ch"}, {"email": "ann@acme.ch"}),
        ({"phone": "+41 44 123 45 67"}, {"phone": "044 1234567", "country": "CH"}),
        ({"phone": "0049 (0)30 123456"}, {"phone": "+49 30 12 34 56"}),
        ({"name": "Jürg Müller", "account": "acme"}, {"name": "Mueller, Juerg", "account": "acme"}),
        ({"name": "Anna Meier", "account": "acme"}, {"name": "Anna Meyer", "account": "acme"}),
        ({"name": "Anna Meier", "plz": "8001"}, {"name": "A. Meier", "zip": "8001"}),
    ],
)
def test_one_person(a: dict[str, Any], b: dict[str, Any]) -> None:
    (found,) = of(a, b)
    assert 0.5 <= found.score <= 1
    assert found.reasons


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ({"email": "ann.lee@acme.ch"}, {"email": "annlee@acme.ch"}),
        ({"email": "info@acme.ch"}, {"email": "INFO@acme.ch"}),
        ({"email": "ann"}, {"email": "ann"}),
        ({"phone": "123"}, {"phone": "123"}),
        ({"phone": "044 123 45 67", "country": "CH"}, {"phone": "044 123 45 67", "country": "AT"}),
        ({"name": "Anna Meier", "account": "acme"}, {"name": "Anna Meier", "account": "globex"}),
        ({"name": "Anna Meier", "account": "acme"}, {"name": "Beat Meier", "account": "acme"}),
        ({"name": "Anna Meyer"}, {"name": "Anna Meier"}),
        ({"name": "Anna", "account": "acme"}, {"name": "Anna", "account": "acme"}),
        ({}, {}),
    ],
)
def test_two_persons(a: dict[str, Any], b: dict[str, Any]) -> None:
    assert of(a, b) == []


def test_more_reasons_make_it_likelier_and_another_name_less_likely() -> None:
    one = {"email": "ann@acme.ch", "phone": "+41441234567", "name": "Ann Lee"}
    both, mail = of(one, one)[0].score, of({"email": "ann@acme.ch"}, {"email": "ann@acme.ch"})[0].score
    (other,) = of(one, {**one, "name": "Bob Ray"})
    assert other.score < mail < both
    assert other.reasons[-1] == "but other names"


def test_a_key_that_many_have_says_nothing() -> None:
    names = [f"{first} {last}" for first in ("Ann", "Beat", "Carl") for last in ("Lee", "Graf", "Roth", "Frei")]
    assert of(*({"name": name, "phone": "+41441234567"} for name in names)) == []
    assert of(*({"phone": "+41441234567"} for _ in range(30)), limit=25) == []


def test_joined_and_refused_pairs_are_left_out() -> None:
    same = {"email": "ann@acme.ch"}
    assert of(same, same, group_of=lambda _: "crm:0") == []
    assert of(same, same, refused=[("crm:1", "crm:0")]) == []


def test_of_two_contacts_with_several_identities_one_pair_is_shown() -> None:
    same = {"email": "ann@acme.ch"}
    found = of(same, same, same, group_of=lambda name: "crm:0" if name == "crm:1" else name)
    assert len(found) == 1


def test_the_latest_value_counts() -> None:
    rows = [
        RecordRow("crm:1", 9, {"email": "new@acme.ch"}),
        RecordRow("crm:1", 5, {"email": "ann@acme.ch"}),
        RecordRow("crm:2", 5, {"email": "ann@acme.ch"}),
    ]
    assert duplicates(rows) == []


texts = st.one_of(st.none(), st.text(max_size=12), st.sampled_from(["Ann Lee", "Lee Ann", "ann@a.ch", "+41441234567"]))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries({}, optional=dict.fromkeys(("name", "email", "phone", "account"), texts)), max_size=8
    )
)
def test_any_traits_give_pairs_of_different_contacts_in_any_order(bodies: list[dict[str, Any]]) -> None:
    rows = [RecordRow(f"crm:{n}", 0, body) for n, body in enumerate(bodies)]
    found = duplicates(rows)
    assert found == duplicates(reversed(rows))
    assert all(each.a < each.b and 0.5 <= each.score <= 1 for each in found)


def test_what_cannot_be_read_is_no_key() -> None:
    assert mailbox("a b@c.d") is mailbox(7) is mailbox("x@localhost") is None
    assert phone("call me") is phone("1" * 30) is None
    assert person_name(None) == person_name("Dr. 7") == ()
    assert likeness((), ()) == 0.0
