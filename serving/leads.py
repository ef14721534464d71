"""Leads: what was offered to partners and what came of it, told to each side as far as it is shared."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from features.rows.row_types import TouchpointRow
from features.store.leads import LeadRow, contacts_by_partner, contacts_of_partner, lead_rows, leads_mark
from features.store.sight_marks import COUNTED_AS
from features.store.store import Store
from features.times import DAY, MINUTE, iso, to_datetime
from nba.partners.lead_offers import Offer, offers_in, offers_of
from nba.partners.leads import ACCEPTED, DECLINED, LOST, PARTNER
from nba.partners.partners import veto_of, visible_of
from nba.partners.visibility import FEWEST, Viewer, counted
from nba.settings import Settings
from nba.tables.memory import tables_of
from nba.tables.tables import Partner
from serving.intake.delivery import Delivery, Message
from serving.intake.event_touchpoint import Frame, event_touchpoint
from serving.people import name_of_account
from serving.seen_contact import seen_contact
from serving.service import Service

SOURCE = "partners"
WITHIN = 90 * DAY
MOST_TOLD = 20_000
"""Touchpoints about leads that are looked at for one page."""
MOST_LEADS = 50
_MOST_LOOKED_AT = 60
"""Contacts whose whole past is read for a partner's own page."""
_KEPT_FOR = 10 * MINUTE
_KEPT: WeakKeyDictionary[Store, tuple[tuple[int, int], int, Mapping[str, int]]] = WeakKeyDictionary()
"""What was counted last of each store: the number of the sights that it was counted of, when, and how many."""
_ROWS: WeakKeyDictionary[Store, tuple[tuple[int, ...], Sequence[LeadRow]]] = WeakKeyDictionary()
"""What was read last of leads in each store, with the mark that it holds for."""
_OFFERS: WeakKeyDictionary[Store, tuple[tuple[object, ...], Mapping[str, Sequence[Offer]]]] = WeakKeyDictionary()
"""What became last of each partner's offers, with what it was made of."""
ANSWERS: Mapping[str, str] = {"accept": ACCEPTED, "decline": DECLINED, "lost": LOST}


@dataclass(frozen=True)
class Tally:
    """One partner as the owner's side may know it; a number of fewer than five contacts is None."""

    partner: str
    name: str
    contacts: int | None
    offered: int | None
    accepted: int | None
    declined: int | None
    waiting: int | None
    capacity: int | None


def tallies(service: Service, now: int) -> list[Tally]:
    """Return every partner, by name."""
    store, partners = service.store, tables_of(service.store, now).partners
    offers = _offers(store, partners, now)
    counts = _counts(store, now)
    names = sorted({*partners, *counts, *offers})
    return [
        _tally(partners.get(name) or Partner(name), counts.get(name, 0), offers.get(name, ()), service.settings)
        for name in names
    ]


def _rows(store: Store, now: int) -> tuple[tuple[int, ...], Sequence[LeadRow]]:
    """Return the newest touchpoints about leads, the newest first, read anew where any came or went."""
    mark = store.generation, *leads_mark(store, now - WITHIN, now)
    kept = _ROWS.get(store)
    if kept is None or kept[0] != mark:
        kept = _ROWS[store] = mark, lead_rows(store, now - WITHIN, now, MOST_TOLD)
    return kept


def _offers(store: Store, partners: Mapping[str, Partner], now: int) -> Mapping[str, Sequence[Offer]]:
    """Return each partner's offers; an offer whose time runs out is told so within a minute."""
    mark, rows = _rows(store, now)
    made_of = mark, store.record_changes(), now // MINUTE
    kept = _OFFERS.get(store)
    if kept is None or kept[0] != made_of:
        kept = _OFFERS[store] = made_of, _became(rows, partners, now)
    return kept[1]


def _became(rows: Sequence[LeadRow], partners: Mapping[str, Partner], now: int) -> Mapping[str, Sequence[Offer]]:
    by_contact: dict[str, list[LeadRow]] = {}
    for row in reversed(rows):
        by_contact.setdefault(row.identity, []).append(row)
    offers: dict[str, list[Offer]] = {}
    for own in by_contact.values():
        told = [(row.occurred_at, row.kind, row.partner, row.topics[0] if row.topics else None) for row in own]
        for offer in _by(told, partners, now):
            offers.setdefault(offer.partner, []).append(offer)
    return offers


def _counts(store: Store, now: int) -> Mapping[str, int]:
    """Return how many contacts each partner has; where there are very many, counting takes longer than a page may."""
    number = store.generation, store.record_changes().get(COUNTED_AS, 0)
    kept = _KEPT.get(store)
    if kept is None or kept[0] != number or not kept[1] <= now < kept[1] + _KEPT_FOR:
        kept = _KEPT[store] = number, now, contacts_by_partner(store)
    return kept[2]


def _by(told: Sequence[tuple[int, str, str, str | None]], partners: Mapping[str, Partner], now: int) -> list[Offer]:
    within = {veto_of(partners.get(who) or Partner(who)) for _, _, who, _ in told}
    return offers_in(told, now, answers_within=max(within))


def _tally(partner: Partner, contacts: int, offers: Sequence[Offer], settings: Settings) -> Tally:
    accepted = sum(1 for each in offers if each.taken)
    waiting = sum(1 for each in offers if each.taken is None)
    parts: tuple[int | None, int | None, int | None] = (accepted, len(offers) - accepted - waiting, waiting)
    whole: int | None = len(offers)
    held: int | None = contacts
    if visible_of(partner, settings.partners) is not None:
        # One small part could be worked out of the whole and the others.
        if any(0 < (part or 0) < FEWEST for part in parts):
            parts = (None, None, None)
        whole, held = counted(len(offers)), counted(contacts)
    name = partner.name or partner.partner
    return Tally(partner.partner, name, held, whole, *parts, partner.capacity)


def own_leads(service: Service, viewer: Viewer, now: int) -> dict[str, Any]:
    """Return what a partner knows of itself: its contacts, and the leads that were offered to it."""
    partner = str(viewer.partner)
    terms = tables_of(service.store, now).partners.get(partner) or Partner(partner)
    rows = [row for row in _rows(service.store, now)[1] if row.partner == partner]
    kinds = tuple(kind for goal in service.settings.goals.values() for kind in goal.kinds)
    leads: list[dict[str, Any]] = []
    names = list(dict.fromkeys(row.identity for row in rows))
    for name in names[:_MOST_LOOKED_AT]:
        seen = seen_contact(service, viewer, name, now)
        if seen is None:
            continue
        traits = seen.past.traits
        for offer in offers_of(seen.past, kinds, now, answers_within=veto_of(terms)):
            if offer.partner == partner and offer.at >= now - WITHIN:
                account = traits.get("account")
                told = {"name": traits.get("name")}
                told["account"] = name_of_account(service, str(account), now) if account else None
                leads.append({"contact_id": seen.identity, **told, "offer": offer, "state": state_of(offer, now)})
    leads.sort(key=lambda each: (each["state"] != "waiting", -each["offer"].at))
    states = [each["state"] for each in leads]
    return {
        "partner": terms.name or partner,
        "contacts": contacts_of_partner(service.store, partner),
        "leads": leads[:MOST_LEADS],
        "offered": len(leads),
        "counts": {state: states.count(state) for state in ("waiting", "accepted", "declined", "won", "lost")},
        "is_cut": len(names) > _MOST_LOOKED_AT,
        "capacity": terms.capacity,
    }


def state_of(offer: Offer, now: int) -> str:
    """Say in one word where a lead stands."""
    if offer.won_at is not None:
        return "won"
    if offer.is_lost(now):
        return "lost"
    return "waiting" if offer.taken is None else "accepted" if offer.taken else "declined"


def answer_of(contact: str, kind: str, partner: str, offered_at: int, frame: Frame) -> Delivery:
    """Return a partner's answer to an offer as a touchpoint; said twice it is one."""
    told = f"{contact}\0{kind}\0{partner}\0{offered_at}"
    row: TouchpointRow = event_touchpoint(
        frame,
        identity=contact,
        at=to_datetime(frame.now_us),
        kind=kind,
        message_id=hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:32],
        properties={PARTNER: partner, "offered_at": iso(offered_at), "direction": "inbound"},
        channel=None,
        source=SOURCE,
    )
    return Delivery(is_list=True, messages=[Message(0, b"", SOURCE, row)])


def offer_to(service: Service, viewer: Viewer, contact: str, at: int, now: int) -> str | None:
    """Return where an offer of a contact stands; None where there is none to this partner that it may see."""
    seen = seen_contact(service, viewer, contact, now)
    if seen is None:
        return None
    terms = tables_of(service.store, now).partners.get(str(viewer.partner)) or Partner(str(viewer.partner))
    kinds = tuple(kind for goal in service.settings.goals.values() for kind in goal.kinds)
    found = offers_of(seen.past, kinds, now, answers_within=veto_of(terms))
    return next((state_of(each, now) for each in found if each.partner == viewer.partner and each.at == at), None)
