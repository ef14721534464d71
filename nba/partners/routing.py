"""Which partner should take a lead that has none: who fits, has room, and is likely to take it and win it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from typing import Any

from features.frozen import Frozen
from nba.actions import about_same
from nba.partners.lead_offers import Offer
from nba.partners.partners import in_force
from nba.partners.track_record import Rate, TrackRecord
from nba.partners.visibility import counted
from nba.tables.tables import Partner

PLACES = ("territory", "region", "postcode", "zip", "country")
"""Traits that say where a contact is, as the entries of a partner's territory name it."""


@dataclass(frozen=True)
class Lead:
    """A contact that needs a partner."""

    contact: str
    traits: Mapping[str, Any] = field(default_factory=Frozen)
    topic: str | None = None
    """What it is most interested in."""
    refused: frozenset[str] = frozenset()
    """Partners that were offered it before and did not take it."""


@dataclass(frozen=True)
class Routed:
    """A partner for a lead; the chances are those of taking it, and of winning it once taken."""

    partner: str
    takes: float
    wins: float
    reasons: tuple[str, ...]

    @property
    def chance(self) -> float:
        """Chance that the lead is won by this partner."""
        return self.takes * self.wins


class Routing:
    """Partners as they stand at one moment.

    Parameters
    ----------
    partners
        The table as it was known then; those without an agreement in force get no leads.
    record
        What came of the offers before.
    """

    def __init__(self, partners: Mapping[str, Partner], record: TrackRecord, as_of: int) -> None:
        self._partners = [each for _, each in sorted(partners.items()) if in_force(each, as_of)]
        self._record = record

    def rank(self, lead: Lead, given: Mapping[str, int] = Frozen()) -> list[Routed]:
        """Return the partners that may take a lead, the likeliest winner first; empty where there is none.

        A partner must cover the place and have room, and not have declined. Of those, partners for the topic and the
        language come before all others.

        Parameters
        ----------
        given
            How many leads each partner was given since the record was made.
        """
        found = [
            (self._misfits(each, lead), self._routed(each, lead, given))
            for each in self._partners
            if each.partner not in lead.refused and covers(each, lead.traits) and self._room(each, given)
        ]
        least = min((misfits for misfits, _ in found), default=0)
        fitting = [routed for misfits, routed in found if misfits == least]
        return sorted(fitting, key=lambda routed: (-routed.chance, routed.partner))

    def assign(self, leads: Iterable[Lead]) -> dict[str, Routed]:
        """Give each lead to a partner without giving any partner more than it has room for.

        The likeliest wins are given out first; a lead that nobody can take is left out.
        """
        waiting = {lead.contact: lead for lead in leads}
        given: dict[str, int] = {}
        found: dict[str, Routed] = {}
        best = [(-ranked[0].chance, name, ranked[0]) for name in waiting if (ranked := self.rank(waiting[name]))]
        heapify(best)
        while best:
            _, name, routed = heappop(best)
            ranked = self.rank(waiting[name], given)
            if ranked and ranked[0].partner == routed.partner:
                given[routed.partner] = given.get(routed.partner, 0) + 1
                found[name] = routed
            elif ranked:
                heappush(best, (-ranked[0].chance, name, ranked[0]))
        return found

    def _room(self, partner: Partner, given: Mapping[str, int]) -> bool:
        name = partner.partner
        return partner.capacity is None or self._record.open.get(name, 0) + given.get(name, 0) < partner.capacity

    def _misfits(self, partner: Partner, lead: Lead) -> int:
        speaks = partner.language is None or lead.traits.get("language") in (None, "", partner.language)
        return 2 * (not _is_about(partner, lead.topic)) + (not speaks)

    def _routed(self, partner: Partner, lead: Lead, given: Mapping[str, int]) -> Routed:
        takes = self._record.taken.rate(partner.partner, lead.topic)
        wins = self._record.won.rate(partner.partner, lead.topic)
        chance = takes.chance
        reasons = [f"covers {' and '.join(partner.territory)}"] if partner.territory else []
        if partner.capacity is not None:
            held = self._record.open.get(partner.partner, 0)
            reasons.append(_room_left(held, partner.capacity))
            chance = self._record.load.on(chance, (held + given.get(partner.partner, 0)) / max(1, partner.capacity))
        reasons.append(_judged_by(takes, wins, lead.topic))
        return Routed(partner.partner, chance, wins.chance, tuple(reasons))


def _room_left(held: int, capacity: int) -> str:
    """Say that there is room; of few leads in hand the number would tell of single contacts."""
    n = counted(held)
    return "has room" if n is None else f"has {n} of {capacity} leads in hand"


def _judged_by(takes: Rate, wins: Rate, topic: str | None) -> str:
    """Say from how much it was learnt; of few contacts the number would tell of single ones."""
    about = f" about {topic}" if topic else ""
    offered, settled = counted(round(takes.cases)), counted(round(wins.cases))
    if offered is None:
        return f"was offered few leads{about} so far, so what is usual counts"
    ended = "few" if settled is None else settled
    return f"judged by {offered} leads{about} that it was offered, {ended} of them taken and settled"


def covers(partner: Partner, traits: Mapping[str, Any]) -> bool:
    """Whether a contact's place lies in a partner's territory; who has none covers everything.

    An entry is a place as one of the traits ``PLACES`` names it, or its beginning with a ``*``. A contact whose place
    nobody knows lies in every territory.

    Examples
    --------
    >>> north = Partner("north", territory=("DE", "80*"))
    >>> covers(north, {"postcode": "8005"}), covers(north, {"country": "FR"}), covers(north, {})
    (True, False, True)
    """
    places = [str(traits[name]).strip().casefold() for name in PLACES if traits.get(name) not in (None, "")]
    return not partner.territory or not places or any(_lies_in(place, partner.territory) for place in places)


def _lies_in(place: str, territory: Collection[str]) -> bool:
    entries = [entry.strip().casefold() for entry in territory]
    return any(place.startswith(entry[:-1]) if entry.endswith("*") else place == entry for entry in entries)


def _is_about(partner: Partner, topic: str | None) -> bool:
    return topic is None or not partner.topics or about_same(topic, partner.topics)


def capacities_of(partners: Mapping[str, Partner]) -> dict[str, int]:
    """How many leads at once each partner can take, of those that say so."""
    return {name: partner.capacity for name, partner in partners.items() if partner.capacity is not None}


def refused_by(offers: Sequence[Offer]) -> frozenset[str]:
    """Partners that did not take a lead, of its offers."""
    return frozenset(offer.partner for offer in offers if offer.taken is False)
