"""A world of dealers with territories and hidden skills: what every dealer would do with every lead is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from features.times import DAY, HOUR
from nba.partners.lead_offers import Offer, open_leads
from nba.partners.routing import Lead, Routing, capacities_of, covers
from nba.partners.track_record import TrackRecord
from nba.tables.tables import Partner
from training.world.rules import BEGIN

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

TOPICS = ("pumps", "valves", "drives", "service", "sensors")
REGIONS = ("north", "east", "south", "west", "centre")


_OFFERS_PER_LEAD = 4
_NO_ANSWER = 0.1
_LAPSES = 7 * DAY


@dataclass(frozen=True)
class DealerWorld:
    """Leads (rows) and dealers (columns): what each dealer would do with each lead.

    ``day`` is when a lead comes, shape (leads,). ``takes`` is the logit of taking it with nothing in hand, ``wins`` the
    chance of winning it once taken, shape (leads, dealers). The draws are the same for every way of routing.
    """

    partners: Mapping[str, Partner]
    leads: tuple[Lead, ...]
    day: I64
    takes: F64
    wins: F64
    draws: F64
    """Shape (3, leads, dealers): of taking, winning, and how long both take."""

    @property
    def names(self) -> tuple[str, ...]:
        """Dealers in the order of the columns."""
        return tuple(self.partners)


@dataclass
class Season:
    """What came of the leads under one way of routing."""

    offers: dict[str, list[Offer]] = field(default_factory=dict)
    """Of each lead, by time, as it all turned out in the end."""
    moving: list[tuple[str, Offer]] = field(default_factory=list)
    """Those that something is yet to come of."""
    done: list[Offer] = field(default_factory=list)

    def won(self, leads: Sequence[Lead]) -> int:
        """How many of some leads were won."""
        return sum(any(o.won_at is not None for o in self.offers.get(lead.contact, ())) for lead in leads)

    def add(self, contact: str, offer: Offer) -> None:
        """Offer a lead."""
        self.offers.setdefault(contact, []).append(offer)
        self.moving.append((contact, offer))

    def pass_time(self, now: int) -> list[str]:
        """Set aside what is over; return the leads that were given back."""
        over = [(contact, offer) for contact, offer in self.moving if _ends_at(offer) < now]
        self.moving = [(contact, offer) for contact, offer in self.moving if _ends_at(offer) >= now]
        self.done += [_as_known(offer, now) for _, offer in over]
        return [contact for contact, offer in over if not offer.taken]

    def known(self, now: int) -> list[Offer]:
        """All offers as they are known at ``now``, to which time has passed."""
        return [*self.done, *(_as_known(offer, now) for _, offer in self.moving)]

    def in_hand(self, now: int) -> dict[str, int]:
        """How many leads each dealer has in hand."""
        return open_leads((_as_known(offer, now) for _, offer in self.moving), now)


Route = Callable[[Sequence[Lead], Season, int], Mapping[str, str]]
"""From the leads of a day, what came of those before and the moment to the partner that each lead is offered to."""


def dealer_world(
    *, seed: int, n_dealers: int = 20, days: int = 300, leads_a_day: float = 3.0, skill: float = 1.0
) -> DealerWorld:
    """Draw dealers and the leads of some days.

    Every dealer covers one or two of five regions. How well it sells is its own, and its own again for each topic.

    Parameters
    ----------
    skill
        Standard deviation, in logits, of how well dealers win a topic's leads; with 0 all are alike.
    """
    rng = np.random.default_rng([seed, 20])
    home = rng.permutation(np.arange(n_dealers) % len(REGIONS))
    second = np.where(rng.random(n_dealers) < 0.5, rng.integers(0, len(REGIONS), size=n_dealers), home)
    capacity = rng.integers(8, 20, size=n_dealers)
    partners = {
        f"dealer:{i:02}": Partner(
            f"dealer:{i:02}",
            name=f"Dealer {i}",
            territory=tuple(dict.fromkeys((REGIONS[home[i]], REGIONS[second[i]]))),
            capacity=int(capacity[i]),
        )
        for i in range(n_dealers)
    }
    count = rng.poisson(leads_a_day, size=days)
    day = np.repeat(np.arange(days), count)
    n = len(day)
    region, topic = rng.integers(0, len(REGIONS), size=n), rng.integers(0, len(TOPICS), size=n)
    leads = tuple(
        Lead(f"lead:{i:05}", {"region": REGIONS[region[i]], "product": TOPICS[topic[i]]}, TOPICS[topic[i]])
        for i in range(n)
    )
    selling = skill * (0.4 * rng.normal(size=(n_dealers, 1)) + rng.normal(size=(n_dealers, len(TOPICS))))
    liking = 0.6 * skill * rng.normal(size=(n_dealers, len(TOPICS)))
    wins = 1.0 / (1.0 + np.exp(-(-0.8 + selling[:, topic].T)))
    return DealerWorld(partners, leads, day, 1.5 + liking[:, topic].T, wins, rng.random((3, n, n_dealers)))


def live(world: DealerWorld, route: Route, *, first: Route | None = None, until: int = 0) -> Season:
    """Route every lead, also again where a dealer did not take it, up to four times.

    Parameters
    ----------
    first
        Routes the leads before the day ``until``.
    """
    season, waiting = Season(), dict[str, frozenset[str]]()
    number = {lead.contact: i for i, lead in enumerate(world.leads)}
    for day in range(int(world.day.max(initial=0)) + _OFFERS_PER_LEAD * 8):
        now = BEGIN + day * DAY + 8 * HOUR
        waiting.update({world.leads[i].contact: frozenset() for i in np.flatnonzero(world.day == day).tolist()})
        for contact in season.pass_time(now):
            if len(season.offers[contact]) < _OFFERS_PER_LEAD:
                waiting[contact] = frozenset(offer.partner for offer in season.offers[contact])
        load = season.in_hand(now)
        leads = [replace(world.leads[number[contact]], refused=refused) for contact, refused in waiting.items()]
        for contact, partner in (first if first is not None and day < until else route)(leads, season, now).items():
            waiting.pop(contact)
            share = load.get(partner, 0) / (world.partners[partner].capacity or 1)
            season.add(contact, _offered(world, number[contact], partner, share, now))
    return season


def by_territory(world: DealerWorld) -> Route:
    """Route by territory alone: to the dealer with the fewest leads in hand, of those with room who cover the place."""

    def route(leads: Sequence[Lead], season: Season, now: int) -> dict[str, str]:
        given, found = season.in_hand(now), {}
        for lead in leads:
            may = [
                each.partner
                for each in world.partners.values()
                if covers(each, lead.traits)
                and each.partner not in lead.refused
                and given.get(each.partner, 0) < (each.capacity or 0)
            ]
            if may:
                found[lead.contact] = min(may, key=lambda name: (given.get(name, 0), name))
                given[found[lead.contact]] = given.get(found[lead.contact], 0) + 1
        return found

    return route


def by_record(world: DealerWorld, *, every: int = 7) -> Route:
    """Route as ``nba.partners.routing`` does, learning anew every so many days."""
    learnt: dict[int, TrackRecord] = {}

    def route(leads: Sequence[Lead], season: Season, now: int) -> dict[str, str]:
        week = (now - BEGIN) // (every * DAY)
        if week not in learnt:
            learnt[week] = TrackRecord.of(season.known(now), now, capacities_of(world.partners))
        record = replace(learnt[week], open=season.in_hand(now))
        return {name: found.partner for name, found in Routing(world.partners, record, now).assign(leads).items()}

    return route


def _offered(world: DealerWorld, lead: int, partner: str, load: float, now: int) -> Offer:
    at, topic = world.names.index(partner), world.leads[lead].topic
    takes, wins, waits = world.draws[:, lead, at].tolist()
    answers_at = now + HOUR + int(waits * 2 * DAY)
    silent = waits < _NO_ANSWER
    if silent or takes >= 1.0 / (1.0 + np.exp(load - world.takes[lead, at])):
        return Offer(partner, now, topic, False, now + _LAPSES if silent else answers_at)
    ends_at = answers_at + DAY * (10 + int(waits * 50))
    is_won = wins < world.wins[lead, at]
    return Offer(partner, now, topic, True, answers_at, ends_at if is_won else None, None if is_won else ends_at)


def _ends_at(offer: Offer) -> int:
    return max(moment for moment in (offer.taken_at, offer.won_at, offer.lost_at) if moment is not None)


def _as_known(offer: Offer, now: int) -> Offer:
    """Return an offer as it was known; ``taken_at`` of what was not taken is when that was known."""
    if offer.taken_at is None or offer.taken_at >= now:
        return Offer(offer.partner, offer.at, offer.topic)
    if not offer.taken:
        return Offer(offer.partner, offer.at, offer.topic, False)
    won_at, lost_at = (at if at is not None and at < now else None for at in (offer.won_at, offer.lost_at))
    return Offer(offer.partner, offer.at, offer.topic, True, offer.taken_at, won_at, lost_at)
