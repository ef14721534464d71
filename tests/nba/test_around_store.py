"""Claims about what lies around a contact in the store, in each database."""

from collections.abc import Iterator
from typing import Any

import pytest

from features.accounts import MOST_CONTACTS
from features.rows.row_types import ContactRow, DecisionRow, LinkRow, RecordRow, TouchpointRow
from features.store.store import Store
from features.times import DAY, HOUR, parse_time
from features.touchpoints.touchpoints import TouchpointRules
from nba.actions import Catalogue
from nba.past import Past
from nba.settings import parse_settings
from nba.tables.surroundings import Surroundings
from nba.tables.taken import TOLD_FOR

NOW = parse_time("2026-06-15")
RULES = TouchpointRules(outbound=("email_sent",))
CATALOGUE = Catalogue.of(
    parse_settings("""
[actions.mail]
channel = "email"
[actions.call]
channel = "phone"
[actions.service_due]
channel = "email"
class = "transactional"
""")
)


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with Store.open(store_url) as opened:
        yield opened


def around(store: Store, identity: str, as_of: int = NOW) -> Surroundings:
    return Past.read(store, identity, as_of, RULES, counted=CATALOGUE.approach_rule).around


def decision(n: int, identity: str, at: int, action: str = "call", **more: Any) -> DecisionRow:
    return DecisionRow(f"d{n}", identity, at, action, chances={action: 1.0}, **more)


def test_devices_of_all_identities_and_of_the_account(store: Store) -> None:
    with store.writing() as writing:
        writing.links([LinkRow("crm:1", "cookie:1", NOW - DAY, "login")])
        writing.contacts([ContactRow("crm:1", NOW - DAY, {"account": "acme"})])
        writing.records(
            "assets",
            [
                RecordRow("saw", 1, {"identity": "crm:1", "product_id": "p", "contract_ends_on": "2026-07-01"}),
                RecordRow("drill", 1, {"identity": "cookie:1"}),
                RecordRow("lathe", 1, {"account": "acme"}),
                RecordRow("press", NOW, {"account": "acme"}),
                RecordRow("other", 1, {"identity": "crm:2", "account": "other"}),
                RecordRow("acme", 1, {"identity": "acme"}),
            ],
        )
    found = around(store, "cookie:1").assets()
    assert [asset.asset_id for asset in found] == ["drill", "lathe", "saw"]
    assert found[2].product_id == "p" and found[2].more == {"contract_ends_on": "2026-07-01"}
    assert [asset.asset_id for asset in around(store, "cookie:1", NOW + 1).assets()] == [
        "drill",
        "lathe",
        "press",
        "saw",
    ]
    assert [asset.asset_id for asset in around(store, "cookie:1", NOW - DAY).assets()] == ["drill"]
    assert around(store, "nobody").assets() == ()


def test_a_device_that_was_handed_on_is_its_new_owners_from_then_on(store: Store) -> None:
    with store.writing() as writing:
        writing.records("assets", [RecordRow("saw", 1, {"identity": "a", "colour": "red"})])
        writing.records("assets", [RecordRow("saw", NOW - DAY, {"identity": "b"})])
    assert [len(around(store, who).assets()) for who in "ab"] == [0, 1]
    assert [len(around(store, who, NOW - DAY).assets()) for who in "ab"] == [1, 0]
    assert around(store, "b").assets()[0].more == {"colour": "red"}
    with store.writing() as writing:
        # A correction of what was known then leaves no trace of the wrong owner.
        writing.records("assets", [RecordRow("saw", NOW - DAY, {"identity": "c"})])
    assert [len(around(store, who).assets()) for who in "abc"] == [0, 0, 1]
    assert store.assets_of("identity", "b", NOW) == []


def test_approaches_to_the_others_of_the_account(store: Store) -> None:
    with store.writing() as writing:
        writing.contacts([ContactRow(who, 1, {"account": "acme"}) for who in ("me", "ann", "bob", "left")])
        writing.contacts(
            [ContactRow("left", NOW - DAY, {"account": "other"}), ContactRow("late", NOW, {"account": "acme"})]
        )
        writing.links([LinkRow("me", "my cookie", 1, "login"), LinkRow("ann", "cookie", 1, "login")])
        sent: list[tuple[str, int, dict[str, Any]]] = [
            ("me", 1, {}), ("my cookie", 1, {}), ("left", 1, {}), ("late", 1, {}), ("stranger", 1, {}),
            ("cookie", 2, {"channel": "email"}), ("bob", 48, {"channel": "email"}),
            ("bob", 3, {"action": "service_due"}), ("bob", 4, {"decision_id": "d4", "channel": "phone"}),
        ]  # fmt: skip
        writing.touchpoints(
            [TouchpointRow(who, NOW - at * HOUR, f"{who}{at}", "email_sent", **more) for who, at, more in sent]
        )
        writing.touchpoints([TouchpointRow("bob", NOW - HOUR, "v", "visit")])
        writing.decisions(
            [
                decision(1, "me", NOW - HOUR),
                decision(2, "ann", NOW - 6 * HOUR),
                decision(3, "ann", NOW - 5 * HOUR, deferred=True),
                decision(4, "bob", NOW - 5 * HOUR),
                decision(5, "bob", NOW - 5 * HOUR, "mail", placement="website"),
                decision(6, "cookie", NOW - 72 * HOUR, "mail", deferred=True),
                decision(7, "bob", NOW - 5 * HOUR, "service_due"),
                DecisionRow("d8", "bob", NOW - 5 * HOUR, "mail"),
                decision(9, "bob", NOW - 5 * HOUR, "do_nothing"),
            ]
        )
        writing.activate("d6", NOW - 7 * HOUR)
    hours = [(7, "email"), (6, "phone"), (4, "phone"), (2, "email")]
    assert list(around(store, "my cookie").account_approaches(NOW - DAY)) == [(NOW - h * HOUR, c) for h, c in hours]
    assert list(around(store, "me").account_approaches(NOW - 6 * HOUR)) == [(NOW - h * HOUR, c) for h, c in hours[1:]]
    assert list(around(store, "me", NOW - 2 * HOUR).account_approaches(NOW - 5 * HOUR)) == [(NOW - 4 * HOUR, "phone")]
    assert list(around(store, "stranger").account_approaches(0)) == []


def test_an_account_with_too_many_contacts_is_not_looked_at(store: Store) -> None:
    with store.writing() as writing:
        writing.contacts([ContactRow(f"c{n}", 1, {"account": "acme"}) for n in range(MOST_CONTACTS)])
        writing.touchpoints([TouchpointRow("c1", NOW - HOUR, "t", "email_sent")])
    assert len(around(store, "c0").account_approaches(0)) == 1
    with store.writing() as writing:
        writing.contacts([ContactRow("one more", 1, {"account": "acme"})])
    assert list(around(store, "c0").account_approaches(0)) == []


def test_what_was_taken_counts_once_it_was_carried_out(store: Store) -> None:
    with store.writing() as writing:
        writing.decisions(
            [
                decision(1, "a", NOW - DAY - 1),
                decision(2, "a", NOW - DAY),
                decision(3, "b", NOW - 1),
                decision(4, "b", NOW),
                decision(5, "c", NOW - 9 * DAY, deferred=True),
                decision(6, "c", NOW - HOUR, deferred=True),
                decision(7, "c", NOW - HOUR, deferred=True),
                decision(8, "c", NOW - HOUR, "mail"),
                decision(9, "c", NOW - HOUR, placement="website"),
                DecisionRow("d10", "c", NOW - HOUR, "call"),
                decision(11, "c", NOW - 9 * DAY),
            ]
        )
        for n, at in ((5, NOW - 2), (7, NOW), (11, NOW - 2)):
            writing.activate(f"d{n}", at)
    assert around(store, "me").taken("call", NOW - DAY, None) == 3
    assert around(store, "me").taken("call", -(2**62), None) == 5
    assert around(store, "me", NOW + 1).taken("call", NOW - DAY, None) == 5
    assert around(store, "me").taken("visit", 0, None) == 0


def test_who_was_invited_to_an_event_is_told_by_the_event(store: Store) -> None:
    with store.writing() as writing:
        writing.decisions(
            [
                invitation(1, "a", NOW - DAY, "fair 100%"),
                invitation(2, "a", NOW - HOUR, "fair 100%", "remind"),
                invitation(3, "b", NOW - HOUR, "FAIR 100%"),
                invitation(4, "c", NOW - HOUR, 'the "big\\_" one'),
                invitation(5, "d", NOW - HOUR, "fair 100%", "other"),
                invitation(6, "e", NOW - HOUR, "fair 100%", deferred=True),
                invitation(7, "f", NOW, "fair 100%"),
                invitation(8, "g", NOW - 9 * DAY, "fair 100%"),
                invitation(9, "h", NOW - HOUR, "fair 100 "),
            ]
        )
    here = around(store, "me")
    assert here.invited("fair 100%", ("act", "remind"), NOW - 2 * DAY) == {"a"}
    assert here.invited("fair 100%", ("act",), NOW - 20 * DAY) == {"a", "g"}
    assert here.invited('the "big\\_" one', ("act",), 0) == {"c"} and not here.invited("none", ("act",), 0)


def invitation(n: int, who: str, at: int, event: str, action: str = "act", **more: Any) -> DecisionRow:
    chances = {"do_nothing": 0.5, action: 0.5}
    kept = {"occasion": f"event:{event}", "event_id": event}
    return DecisionRow(f"i{n}", who, at, action, 0.5, chances=chances, properties=kept, **more)


def test_what_was_taken_of_one_owner_is_that_of_its_contacts_now(store: Store) -> None:
    with store.writing() as writing:
        writing.contacts(
            [
                *(ContactRow(f"c{n}", 1, {"owner": "eva" if n < 3 else "ben", "partner": "north"}) for n in range(5)),
                ContactRow("crm:7", 1, {"owner": "eva"}),
                ContactRow("me", 1, {"owner": "eva"}),
                ContactRow("hers", NOW - DAY, {"owner": "ben"}),
            ]
        )
        writing.links([LinkRow("crm:7", "cookie:7", 1, "login")])
        writing.decisions([decision(n, f"c{n}", NOW - HOUR) for n in range(5)])
        writing.decisions([decision(7, "cookie:7", NOW - HOUR), decision(8, "stranger", NOW - HOUR)])
    assert around(store, "me").taken("call", NOW - DAY, "owner") == 4
    assert around(store, "hers").taken("call", NOW - DAY, "owner") == 2
    assert around(store, "c0").taken("call", NOW - DAY, "partner") == 5
    assert around(store, "nobody").taken("call", NOW - DAY, "owner") == 1, "those without an owner are counted together"
    with store.writing() as writing:
        writing.contacts([ContactRow("c0", NOW, {"owner": "ben"})])
    assert around(store, "me", NOW + TOLD_FOR).taken("call", NOW - DAY, "owner") == 3
    assert around(store, "me", NOW).taken("call", NOW - DAY, "owner") == 4
