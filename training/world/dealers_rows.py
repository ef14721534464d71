"""The dealers' world told as the store takes it: what was offered to whom, what came of it, and who everybody is."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from features.rows.row_types import LinkRow, RecordRow, TouchpointRow
from features.times import DAY, HOUR, iso
from nba.partners.leads import ACCEPTED, DECLINED, LOST, OFFERED
from nba.tables.tables import Partner
from training.world.dealers import DealerWorld, Season
from training.world.rules import BEGIN

_TERMS: tuple[dict[str, object], ...] = (
    {},
    {"mode": "partner_only"},
    {"mode": "inform", "visible": ["aggregate"]},
    {"mode": "direct", "visible": ["contact"]},
    {"visible": ["stage", "points"]},
)
"""The terms of the dealers, in turn; the first have those of the settings."""


def touchpoint_rows(world: DealerWorld, season: Season) -> list[TouchpointRow]:
    """Visits of every lead before it comes, offers with their answers, and orders; by time."""
    rows = []
    for number, (lead, day) in enumerate(zip(world.leads, world.day.tolist(), strict=True)):
        for nth in range(3):
            at = BEGIN + (day - nth) * DAY + 7 * HOUR + number
            who = cookie_of(lead.contact) if nth else lead.contact
            kind = "service_call" if number % 4 == nth == 0 else "visit"
            rows.append(_row(who, at, f"{lead.contact}:v{nth}", kind, lead.topic))
        for nth, offer in enumerate(season.offers.get(lead.contact, ())):
            told = [(offer.at, OFFERED)]
            if offer.taken_at is not None and offer.taken_at < offer.at + 7 * DAY:
                told.append((offer.taken_at, ACCEPTED if offer.taken else DECLINED))
            told += [(at, kind) for at, kind in ((offer.won_at, "order"), (offer.lost_at, LOST)) if at is not None]
            rows += [
                _row(lead.contact, at, f"{lead.contact}:o{nth}:{kind}", kind, lead.topic, offer.partner)
                for at, kind in told
            ]
    return sorted(rows, key=lambda row: (row.occurred_at, row.touchpoint_id or ""))


def contact_rows(world: DealerWorld, season: Season) -> list[RecordRow]:
    """Who leads are, and which dealer looks after them from when on."""
    rows = []
    for lead, day in zip(world.leads, world.day.tolist(), strict=True):
        body = {**secrets_of(lead.contact), "person_type": "business", **lead.traits}
        rows.append(RecordRow(lead.contact, BEGIN + day * DAY, body))
        for offer in season.offers.get(lead.contact, ()):
            if offer.taken and offer.taken_at is not None:
                rows.append(RecordRow(lead.contact, offer.taken_at, {"partner": offer.partner}))
    return rows


def partner_rows(world: DealerWorld) -> list[RecordRow]:
    """Dealers with different terms; each is a customer, too, with an account of its own."""
    return [
        RecordRow(name, BEGIN, {**_described(partner), **_TERMS[number % len(_TERMS)]})
        for number, (name, partner) in enumerate(world.partners.items())
    ]


def link_rows(world: DealerWorld) -> list[LinkRow]:
    """Logins that told whose a cookie is."""
    days = world.day.tolist()
    return [
        LinkRow(cookie_of(lead.contact), lead.contact, BEGIN + day * DAY, "login", 1.0)
        for lead, day in zip(world.leads, days, strict=True)
    ]


def cookie_of(contact: str) -> str:
    """Another identity of a contact; its number says nothing about the contact's."""
    return f"cookie:{int(contact.rpartition(':')[2]) * 7919 % 1_000_003:06x}c"


def secrets_of(contact: str) -> dict[str, object]:
    """Name, mail address and phone of a contact."""
    code = f"{int(contact.rpartition(':')[2]) * 104_729 % 9_999_991:07}"
    return {"name": f"Ada Person{code}", "email": f"ada{code}@customer.example", "phone": f"+41 44 {code}"}


def _described(partner: Partner) -> dict[str, object]:
    return {
        "name": partner.name,
        "territory": ", ".join(partner.territory),
        "capacity": partner.capacity,
        "account": f"account of {partner.partner}",
    }


def _row(
    identity: str, at: int, touchpoint_id: str, kind: str, topic: str | None, partner: str | None = None
) -> TouchpointRow:
    properties = None if partner is None else orjson.dumps({"partner": partner}).decode()
    topics = None if topic is None else orjson.dumps([topic]).decode()
    value = 500.0 if kind == "order" else None
    return TouchpointRow(identity, at, touchpoint_id, kind, "web", None, topics, value, properties=properties)


def tables(world: DealerWorld, season: Season) -> Iterator[tuple[str, list[dict[str, object]]]]:
    """Rows of the files that ``nba load`` takes, by table."""
    yield "touchpoints", [_told(row) for row in touchpoint_rows(world, season)]
    yield "contacts", [{"identity": r.key, "known_at": iso(r.known_at), **r.body} for r in contact_rows(world, season)]
    yield "partners", [{"partner": r.key, "known_at": iso(r.known_at), **r.body} for r in partner_rows(world)]
    yield (
        "links",
        [
            {"identity_a": r.identity_a, "identity_b": r.identity_b, "seen_at": iso(r.seen_at), "how": r.how}
            for r in link_rows(world)
        ],
    )


def _told(row: TouchpointRow) -> dict[str, object]:
    told: dict[str, object] = {"identity": row.identity, "occurred_at": iso(row.occurred_at)}
    told["touchpoint_id"] = row.touchpoint_id
    told |= {"kind": row.kind, "channel": row.channel, "topics": row.topics, "value": row.value}
    properties: dict[str, object] = orjson.loads(row.properties) if row.properties else {}
    return {name: value for name, value in {**told, **properties}.items() if value is not None}
