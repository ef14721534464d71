"""Claims about what is shown of a contact's account and partner."""

import pytest

from features.rows.row_types import ContactRow, RecordRow, TouchpointRow
from features.store.store import Store
from features.times import DAY, iso, parse_time
from nba.past import Past
from nba.settings.settings import load_settings
from serving.belonging import account_shown, partner_shown

NOW = parse_time("2026-06-15")
ROLES = ("decision_maker", "user", "purchasing")


@pytest.fixture
def store(tmp_path):
    with Store.open(f"sqlite:///{tmp_path / 'nba.db'}") as store:
        with store.writing() as writing:
            writing.touchpoints([TouchpointRow("ann", NOW - DAY, "t1", "visit")])
            writing.contacts(
                [
                    ContactRow("ann", NOW - 90 * DAY, {"account": "acme", "role": "user", "partner": "north"}),
                    ContactRow("ann", NOW - 40 * DAY, {"partner": "south"}),
                    ContactRow("bob", NOW - 50 * DAY, {"account": "acme", "role": "advisor"}),
                    ContactRow("cid", NOW - 50 * DAY, {"account": "acme", "role": "purchasing"}),
                    ContactRow("cid", NOW - 5 * DAY, {"account": "bolt"}),
                    ContactRow("dan", NOW - 50 * DAY, {"size": 3}),
                ]
            )
            writing.records("accounts", [RecordRow("acme", NOW - 90 * DAY, {"name": "Acme AG", "parent": "holding"})])
            writing.records(
                "partners", [RecordRow("south", NOW - 90 * DAY, {"name": "South", "agreement_to": iso(NOW)})]
            )
        yield store


def past_of(store, name, as_of=NOW):
    return Past.read(store, name, as_of, load_settings(None, {}).touchpoints)


def test_the_account_says_who_is_in_it_and_who_is_missing(store):
    assert account_shown(store, past_of(store, "ann"), NOW, ROLES) == {
        "account": "acme",
        "name": "Acme AG",
        "parent": "holding",
        "members": 2,
        "roles": ["advisor", "user"],
        "missing_roles": ["decision_maker", "purchasing"],
    }
    before = NOW - 20 * DAY
    shown = account_shown(store, past_of(store, "ann", before), before, ROLES)
    assert shown is not None and shown["members"] == 3 and shown["missing_roles"] == ["decision_maker"]


def test_the_partner_is_shown_with_those_before_until_the_agreement_is_over(store):
    at = NOW - DAY
    shown = partner_shown(store, past_of(store, "ann", at), at)
    assert shown == {
        "partner": "south",
        "name": "South",
        "history": [
            {"partner": "north", "from": iso(NOW - 90 * DAY), "to": iso(NOW - 40 * DAY)},
            {"partner": "south", "from": iso(NOW - 40 * DAY), "to": None},
        ],
    }
    over = partner_shown(store, past_of(store, "ann"), NOW)
    assert over is not None and over["partner"] is None and over["name"] is None


def test_who_has_neither_is_shown_with_neither(store):
    past = past_of(store, "dan")
    assert account_shown(store, past, NOW, ROLES) is None and partner_shown(store, past, NOW) is None
