"""Every lead without a partner, and the partner who should take it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from nba.actions import Catalogue
from nba.lead_offers import offers_of
from nba.partners import agreement
from nba.past import Past
from nba.routing import Lead, Routed, Routing, capacities_of, refused_by
from nba.settings import Settings
from nba.tables import Partner
from nba.track_record import TrackRecord
from training.everybody import Everybody


@dataclass(frozen=True)
class LeadRoutes:
    """Leads by name, and for each the partner to offer it to and those to offer it to next; few or none where full."""

    leads: Mapping[str, Lead]
    best: Mapping[str, Routed]
    others: Mapping[str, list[Routed]]


def route_leads(
    everybody: Everybody,
    settings: Settings,
    *,
    within_us: int,
    only: Collection[str] = (),
    advance: Callable[[int], None] = lambda n: None,
) -> LeadRoutes:
    """Find the leads and route them, as things stand at ``everybody.as_of``.

    A lead is a contact that nobody looks after, neither a partner nor an ``owner``, that did something of late and
    waits for no partner's answer.

    Parameters
    ----------
    within_us
        How long ago it may have been, in microseconds.
    only
        Names; of these all that have no partner are leads.
    """
    as_of, kinds = everybody.as_of, _goal_kinds(settings)
    offers, leads = [], {}
    partners: Mapping[str, Partner] = everybody.surrounding.tables.partners
    for name in everybody.names:
        past = everybody.past(name)
        own = offers_of(past, kinds, as_of)
        offers += own
        waits = bool(own) and own[-1].taken is None
        if agreement(past.traits, partners, settings.partners, as_of) is None and not _is_dealer(past, partners):
            asked = name in only if only else not waits and _is_lead(past, as_of - within_us)
            if asked:
                topic = topic_of(past, as_of, settings.topics.half_life_us)
                leads[name] = Lead(name, past.traits, topic, refused_by(own))
        advance(1)
    routing = Routing(partners, TrackRecord.of(offers, as_of, capacities_of(partners)), as_of)
    best = routing.assign(leads.values())
    others = {
        name: [each for each in routing.rank(lead) if name not in best or each.partner != best[name].partner]
        for name, lead in leads.items()
    }
    return LeadRoutes(leads, best, others)


def topic_of(past: Past, as_of: int, half_life_us: int) -> str | None:
    """Return what a contact is most interested in: touchpoints of its own, each fading by half in ``half_life_us``."""
    t, weight = past.touchpoints, dict[str, float]()
    for row in (~t.outbound).nonzero()[0].tolist():
        for code in t.topic[t.topic_start[row] : t.topic_start[row + 1]].tolist():
            faded = 0.5 ** ((as_of - past.times[row]) / half_life_us)
            weight[t.topics[code]] = weight.get(t.topics[code], 0.0) + faded
    return min(weight, key=lambda topic: (-weight[topic], topic), default=None)


def _goal_kinds(settings: Settings) -> tuple[str, ...]:
    usual = Catalogue.of(settings).usual_goal
    return settings.goals[usual].kinds if usual is not None else tuple(settings.touchpoints.money)


def _is_lead(past: Past, since: int) -> bool:
    if past.traits.get("owner"):
        return False
    own = (~past.touchpoints.outbound).nonzero()[0]
    return len(own) > 0 and past.times[int(own[-1])] >= since


def _is_dealer(past: Past, partners: Mapping[str, Partner]) -> bool:
    account = past.traits.get("account")
    return account is not None and any(partner.account == account for partner in partners.values())
