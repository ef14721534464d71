"""Every lead without a partner, and the partner who should take it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from nba.actions import Catalogue
from nba.consent import Ledger
from nba.partners.lead_offers import Offer, offers_of
from nba.partners.partners import agreement
from nba.partners.routing import Lead, Routed, Routing, capacities_of, refused_by
from nba.partners.track_record import TrackRecord
from nba.past import Past
from nba.settings import Settings
from nba.tables.tables import Partner
from training.everybody.everybody import Everybody


@dataclass(frozen=True)
class LeadRoutes:
    """Leads by name, and for each the partner to offer it to and those to offer it to next; few or none where full."""

    leads: Mapping[str, Lead]
    best: Mapping[str, Routed]
    others: Mapping[str, list[Routed]]
    not_profiled: frozenset[str] = frozenset()
    """Contacts that would be leads, and are left out because they may not be profiled."""


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
    waits for no partner's answer. Of who may not be profiled, nothing is worked out and nothing is learnt; a partner
    that has such a contact in hand has it in hand all the same.

    Parameters
    ----------
    within_us
        How long ago it may have been, in microseconds.
    only
        Names; of these all that have no partner are leads.
    """
    as_of, partners = everybody.as_of, everybody.surrounding.tables.partners
    found = _sorted(everybody, settings, as_of - within_us, frozenset(only), advance)
    record = TrackRecord.of(found.teaching, as_of, capacities_of(partners), found.unlearnt)
    routing = Routing(partners, record, as_of)
    best = routing.assign(found.leads.values())
    others = {
        name: [each for each in routing.rank(lead) if name not in best or each.partner != best[name].partner]
        for name, lead in found.leads.items()
    }
    return LeadRoutes(found.leads, best, others, frozenset(found.not_profiled))


@dataclass
class _Sorted:
    """Leads, and the offers of everybody by whether something may be learnt from them."""

    leads: dict[str, Lead] = field(default_factory=dict)
    not_profiled: set[str] = field(default_factory=set)
    teaching: list[Offer] = field(default_factory=list)
    unlearnt: list[Offer] = field(default_factory=list)


def _sorted(
    everybody: Everybody, settings: Settings, since: int, only: Collection[str], advance: Callable[[int], None]
) -> _Sorted:
    as_of, catalogue, found = everybody.as_of, Catalogue.of(settings), _Sorted()
    kinds, partners = _goal_kinds(catalogue), everybody.surrounding.tables.partners
    for name in everybody.names:
        past = everybody.past(name)
        own = offers_of(past, kinds, as_of)
        is_lead = _is_free(past, partners, settings, as_of) and (
            name in only if only else not _waits(own) and _is_lead(past, since)
        )
        may = not (own or is_lead) or _may_profile(past, catalogue, as_of)
        (found.teaching if may else found.unlearnt).extend(own)
        if is_lead and may:
            topic = topic_of(past, as_of, settings.topics.half_life_us)
            found.leads[name] = Lead(name, past.traits, topic, refused_by(own))
        elif is_lead:
            found.not_profiled.add(name)
        advance(1)
    return found


def _is_free(past: Past, partners: Mapping[str, Partner], settings: Settings, as_of: int) -> bool:
    """Whether no partner looks after a contact, and it is no partner's own."""
    return agreement(past.traits, partners, settings.partners, as_of) is None and not _is_dealer(past, partners)


def _waits(own: Sequence[Offer]) -> bool:
    return bool(own) and own[-1].taken is None


def _may_profile(past: Past, catalogue: Catalogue, as_of: int) -> bool:
    ledger = Ledger(past.touchpoints, as_of, catalogue.channel_of)
    return ledger.may_profile(catalogue.settings.contact_policy.consent)


def topic_of(past: Past, as_of: int, half_life_us: int) -> str | None:
    """Return what a contact is most interested in: touchpoints of its own, each fading by half in ``half_life_us``."""
    t, weight = past.touchpoints, dict[str, float]()
    for row in (~t.outbound).nonzero()[0].tolist():
        for code in t.topic[t.topic_start[row] : t.topic_start[row + 1]].tolist():
            faded = 0.5 ** ((as_of - past.times[row]) / half_life_us)
            weight[t.topics[code]] = weight.get(t.topics[code], 0.0) + faded
    return min(weight, key=lambda topic: (-weight[topic], topic), default=None)


def _goal_kinds(catalogue: Catalogue) -> tuple[str, ...]:
    usual, settings = catalogue.usual_goal, catalogue.settings
    return settings.goals[usual].kinds if usual is not None else tuple(settings.touchpoints.money)


def _is_lead(past: Past, since: int) -> bool:
    if past.traits.get("owner"):
        return False
    own = (~past.touchpoints.outbound).nonzero()[0]
    return len(own) > 0 and past.times[int(own[-1])] >= since


def _is_dealer(past: Past, partners: Mapping[str, Partner]) -> bool:
    account = past.traits.get("account")
    return account is not None and any(partner.account == account for partner in partners.values())
