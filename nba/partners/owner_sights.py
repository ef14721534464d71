"""What the owner's side sees of everybody, put down in the store, so that views and exports can keep to it.

A view cannot know who is one contact with whom, nor the terms in ``nba.toml``: both are worked out here, for everybody
at one moment. Who is not in the list, and whose belonging has changed since (``features.store.sight_marks``), is in no
view.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from features.identity.identity import Identities
from features.identity.link_rules import best_name, name_rank
from features.rows.row_types import RecordRow, SightRow
from features.store.sight_marks import TRAITS, told_as
from features.store.sights import begin_sights, known_names, save_sights
from features.store.store import Store
from features.traits import Traits
from nba.partners.partners import agreement
from nba.partners.seen_answer import shows_segment
from nba.partners.visibility import OWNER_SIDE, Sight, sight_by
from nba.settings import Settings
from nba.tables.reading import partner_of
from nba.tables.tables import Partner

EVERYTHING = "*"
_ATTEMPTS = 3
"""How often it is begun anew because partners' terms were changed meanwhile."""

_FIELDS = {
    "owner": "plan.owner",
    **{
        name: name
        for name in (
            "stage", "points", "expected_value", "action_1", "action_2", "action_3", "priority_1", "priority_2",
            "priority_3", "recommendations", "account", "timeline", "identities",
        )
    },
}  # fmt: skip
"""What views and exports have, and what it is called among ``visibility.FIELDS``."""


def put_down(store: Store, settings: Settings, now: int) -> int | None:
    """Work out anew what the owner's side sees of everybody, and put it down.

    Parameters
    ----------
    now
        The present moment, in microseconds.

    Returns
    -------
    int or None
        How many contacts there are; None where it was left to somebody who began later, or terms kept changing.
    """
    for _ in range(_ATTEMPTS):
        with store.writing() as writing:
            number = begin_sights(writing)
        terms = store.record_changes().get("partners", 0)
        rows = list(_sights(store, settings, now))
        with store.writing() as writing:
            if writing.seen.record_changes().get("partners", 0) == terms:
                saved = save_sights(writing, rows, number)
                return len({row.contact_id for row in rows}) if saved else None
    return None


def _sights(store: Store, settings: Settings, now: int) -> Iterable[SightRow]:
    identities = Identities.of(store.link_rows(now), store.split_rows(now), settings.touchpoints)
    told = list(store.contact_rows())
    contacts = {row.key for row in told if row.known_at < now}
    traits = Traits(RecordRow(row.key, row.known_at, _whose(row.body)) for row in told if TRAITS.keys() & row.body)
    partners, partners_until = _partners(store, now)
    until = _until(store, told, now)
    done: set[str] = set()
    for name in known_names(store):
        if name in done:
            continue
        members = identities.members(name, now) if name in identities.linked else (name,)
        done.update(members if len(members) > 1 else ())
        best = best_name(members, contacts.__contains__)
        # What became known at once is taken from the best name, as everywhere.
        ranked = sorted(members, key=name_rank, reverse=True)
        known = (traits if len(members) == 1 else traits.merged([(name, ranked)])).known(name, now)
        named = told_as(known.get("partner"))
        agreed = agreement(known, partners, settings.partners, now)
        ends = [until[each] for each in members if each in until]
        if named is not None:
            ends += [at for at in (*_terms(partners.get(named)), partners_until.get(named, 0)) if at > now]
        shows = _shows(sight_by(OWNER_SIDE, known, agreed), settings)
        for member in members:
            yield SightRow(
                identity=member,
                contact_id=best,
                named=named,
                partner=None if agreed is None else agreed.name,
                account=told_as(known.get("account")),
                owner=told_as(known.get("owner")),
                shows=shows,
                until=min(ends, default=None),
            )


def segment_entry(name: str) -> str:
    """Return what stands among what is seen where it is seen that somebody is in a segment."""
    return f"segments.{name}"


def _shows(sight: Sight, settings: Settings) -> str:
    if sight.is_whole:
        return EVERYTHING
    if sight.is_nothing:
        return ""
    fields = {**_FIELDS, **{f"p_{goal}": f"p_{goal}" for goal in settings.goals}}
    shown = [name for name, field in fields.items() if sight.shows(field)]
    shown += [segment_entry(name) for name in settings.segments if shows_segment(name, sight, settings)]
    return f"|{'|'.join(shown)}|"


def _whose(body: Mapping[str, Any]) -> dict[str, Any]:
    return {trait: body[trait] for trait in TRAITS if trait in body}


def _partners(store: Store, now: int) -> tuple[dict[str, Partner], dict[str, int]]:
    """Read every partner as it was known, and when something else is going to be known of it."""
    bodies: dict[str, dict[str, Any]] = defaultdict(dict)
    until: dict[str, int] = {}
    for row in store.record_rows("partners"):
        if row.known_at < now:
            bodies[row.key].update(row.body)
        else:
            until.setdefault(row.key, row.known_at)
    return {key: partner_of(key, body) for key, body in bodies.items()}, until


def _terms(partner: Partner | None) -> tuple[int, ...]:
    moments = () if partner is None else (partner.agreement_from, partner.agreement_to)
    return tuple(at for at in moments if at is not None)


def _until(store: Store, told: Iterable[RecordRow], now: int) -> dict[str, int]:
    """When something that is stored already is going to be known of an identity: clocks of sources may run fast."""
    found: dict[str, int] = {}
    for row in told:
        if row.known_at >= now and TRAITS.keys() & row.body:
            found[row.key] = min(row.known_at, found.get(row.key, row.known_at))
    for link in store.link_rows():
        for name in link[:2] if link.seen_at >= now else ():
            found[name] = min(link.seen_at, found.get(name, link.seen_at))
    return found
