"""A service whose contacts belong to partners, to people who sell and to nobody: all of them, or one side alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from features.rows.row_types import KeyRow, LinkRow, RecordRow, ScoreRow
from features.store.keys import store_key
from features.store.store import Store
from features.times import DAY
from nba.in_line import in_line
from nba.partners.owner_sights import put_down
from serving.keys import digest_of
from tests.serving.conftest import NOW, SETTINGS, Local

SIDES = {"north": "partner", "south": "partner", "jane": "owner", "joel": "owner", "ours": None}
"""Every side, all of as many letters, with the trait that makes a contact its own."""
KEYS = {side: "nba_" + (side * 11)[:43] for side in SIDES}
EACH = 3
"""Contacts of each side."""
SCOPES = ("read", "recommend", "feedback", "ingest", "privacy")
LONG_AGO = NOW - 900 * DAY
_MORE = """
[accounts]
roles = ["user", "purchasing"]
[segments.callers]
points_from = 250
"""


class Sides(Local):
    """A service with a key for each side.

    Parameters
    ----------
    sides
        Those whose contacts there are.
    """

    def __init__(self, folder: Path, sides: tuple[str, ...] = tuple(SIDES)) -> None:
        super().__init__(folder, SETTINGS.replace("epsilon = 0.2", "epsilon = 0.0\nholdout = 0.0") + _MORE)
        self.sides, self.tick = sides, 0
        with Store.open(self.settings.store.url) as store, store.writing() as writing:
            for side, bound in SIDES.items():
                key = KeyRow(f"id-{side}", side, digest_of(KEYS[side]), SCOPES, None, None, False, (), None, 0)
                partner, owner = (side if bound == each else None for each in ("partner", "owner"))
                store_key(writing, key._replace(partner=partner, owner=owner))
            for side in sides:
                writing.contacts([RecordRow(crm(side, n), LONG_AGO, self._traits(side, n)) for n in range(EACH)])
                writing.links([LinkRow(cookie(side, n), crm(side, n), LONG_AGO, "login", 1.0) for n in range(EACH)])
                writing.records("accounts", [RecordRow(account(side), LONG_AGO, {"name": f"Firm of {side}"})])
                writing.records(
                    "assets",
                    [RecordRow(f"asset-{side}", LONG_AGO, {"identity": crm(side, 0), "serial": f"serial-{side}"})],
                )
                if SIDES[side] == "partner":
                    writing.records("partners", [RecordRow(side, LONG_AGO, {"name": f"House {side}", "capacity": 7})])
            writing.records("accounts", [RecordRow("everybody", LONG_AGO, {"name": "Everybody AG"})])

    def _traits(self, side: str, n: int) -> dict[str, object]:
        bound = SIDES[side]
        return {
            "name": f"Zoe {side.capitalize()}person{n}",
            "email": f"zoe{n}@{side}.example",
            "phone": phone(side, n),
            "role": "user",
            "account": "everybody" if n == 0 else account(side),
            "motto": f"motto of {side}",
            "crm_url": f"https://crm.example/{side}/{n}",
            **({} if bound is None else {bound: side}),
        }

    async def live(self, client: Any) -> None:
        """Let everybody that there is do something, be decided about, and be scored."""
        ours = {"Authorization": f"Bearer {KEYS['ours']}"}
        for side in self.sides:
            sent = []
            for n in range(EACH):
                about = {"topics": [f"hobby-{side}"], "title": f"words of {side}"}
                sent.append(
                    self.touchpoint(f"call-{side}{n}", "service_call", 1.0, crm(side, n), channel="phone", **about)
                )
                sent.append(
                    self.touchpoint(f"visit-{side}{n}", "visit", 3.0 + n, cookie(side, n), channel="web", **about)
                )
                if SIDES[side] == "partner":
                    sent.append(
                        self.touchpoint(
                            f"offer-{side}{n}", "lead_offered", 2.0, crm(side, n), properties={"partner": side}
                        )
                    )
            assert (await client.post("/v1/touchpoints", json=sent, headers=ours)).status_code == 200
            by = {"Authorization": f"Bearer {KEYS[side]}"}
            for n in range(EACH):
                asked = {"contact": crm(side, n), "decision_id": decision(side, n)}
                assert (await client.post("/v1/recommend", json=asked, headers=by)).status_code == 200
            told = {
                "decision_id": decision(side, 0),
                "outcome": "clicked",
                "note": f"note about {side}",
                "feedback_id": f"told-{side}",
            }
            assert (await client.post("/v1/feedback", json=told, headers=by)).status_code == 200
        rows = []
        for side in self.sides:
            bound = SIDES[side]
            for n in range(EACH):
                best = {"action_1": "sales_call", "priority_1": 90.0 - n, "p_conversion": 0.2}
                row = ScoreRow(crm(side, n), self.now, "need", 250.0, best, None)
                rows.append(in_line(row, self.settings.actions, {} if bound is None else {bound: side}))
        self.service.store.save_scores(rows)
        put_down(self.service.store, self.settings, 2**60)
        self.now += 10**9


def crm(side: str, n: int) -> str:
    """The best known identity of a contact."""
    return f"crm:{side}-{n}"


def cookie(side: str, n: int) -> str:
    """Another identity of it."""
    return f"cookie:{side}{n}c"


def account(side: str) -> str:
    """The account that is a side's alone."""
    return f"firm-{side}"


def decision(side: str, n: int) -> str:
    """The decision about a contact."""
    return f"decision-{side}-{n}"


def phone(side: str, n: int) -> str:
    """A telephone number."""
    return f"+41 44 {1_000_000 + list(SIDES).index(side) * 111_111 + n}"


def planted(side: str) -> list[str]:
    """What tells of a side: none of it is in anything that another one reads."""
    found = [
        f"Firm of {side}",
        account(side),
        f"hobby-{side}",
        f"words of {side}",
        f"motto of {side}",
        f"note about {side}",
        f"serial-{side}",
        f"asset-{side}",
        f"told-{side}",
        f"House {side}",
    ]
    for n in range(EACH):
        found += [
            crm(side, n),
            cookie(side, n),
            decision(side, n),
            phone(side, n),
            f"{side.capitalize()}person{n}",
            f"zoe{n}@{side}",
            f"call-{side}{n}",
            f"visit-{side}{n}",
            f"crm.example/{side}",
        ]
    return found


def asked_for(side: str) -> list[str]:
    """What somebody types who guesses: names of every kind of thing, of each side, and of nobody."""
    found = []
    for other in ("south", "north", "jane", "ours", "gone"):
        found += [crm(other, 1), cookie(other, 0), account(other), decision(other, 0), other] if other in SIDES else []
        found += [f"Zoe {other.capitalize()}", f"zoe1@{other}.example", f"email:zoe1@{other}.example", f"hobby-{other}"]
        found += [f"crm:{other}-9", f"{other.capitalize()}p", f"crm:{other}-1@{SIDES[side]}:{side}", f"told-{other}"]
    return [
        *found,
        *(phone(other, 1) for other in SIDES),
        "everybody",
        "House",
        "need",
        "sales_call",
        "zoe",
        "0",
        "2026-01-01",
    ]
