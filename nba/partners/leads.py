"""Leads of partners: what was offered to a partner and what it said, and since when the owner may act in its place.

===================== ========================================================================================
kind                  says, of the partner in the property ``partner``
===================== ========================================================================================
``lead_offered``      the contact, or an occasion of it, was offered or routed to the partner
``lead_accepted``     the partner takes care of it
``lead_declined``     the partner does not want it: the owner may act at once, and a lead goes to the next partner
``lead_lost``         the partner had it and gave it up: the owner may act at once
``partner_veto``      the partner objects to the owner's acting: until the time in ``until``, else until the next
                      offer
===================== ========================================================================================

A decision of ours for an action that the partner carries out is an offer, too. The partner has acted where something
outbound names it in the property ``partner``, or carries out an action of which it is the executor. An act or an
acceptance begins its time anew; an offer does only when there is no time running. What names no partner counts for
none, so that a new partner is not bound by what was offered to the one before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from features.times import parse_time
from features.touchpoints.touchpoints import NONE
from nba.past import Past

OFFERED, ACCEPTED, DECLINED, LOST = "lead_offered", "lead_accepted", "lead_declined", "lead_lost"
VETO = "partner_veto"
KINDS = frozenset({OFFERED, ACCEPTED, DECLINED, LOST, VETO})
PARTNER = "partner"
"""The property that names the partner, of touchpoints and of decisions."""

_ACTED = "acted"


@dataclass(frozen=True)
class Turn:
    """From when on the owner may act for a partner's contact, in microseconds; None: not by the clock alone."""

    opens_at: int | None
    vetoed: bool = False


def turn(past: Past, partner: str, veto_us: int, actions: frozenset[str] = frozenset()) -> Turn:
    """Say whose turn it is by everything that was said before.

    Parameters
    ----------
    veto_us
        How long the partner has, in microseconds.
    actions
        Those that partners carry out.
    """
    opens_at: int | None = None
    vetoed = False
    for at, what, until in _said(past, partner, actions):
        if what == OFFERED:
            if opens_at is None or at >= opens_at:
                opens_at, vetoed = at + veto_us, False
        elif what in (DECLINED, LOST):
            opens_at, vetoed = at, False
        elif what == VETO:
            opens_at, vetoed = until, True
        elif opens_at is not None and not (vetoed and at < opens_at):
            opens_at, vetoed = at + veto_us, False
    return Turn(opens_at, vetoed)


def _said(past: Past, partner: str, actions: frozenset[str]) -> list[tuple[int, str, int | None]]:
    """Return everything about the partner by rising time; of one moment the offer comes first."""
    found = [*_told(past, partner), *_decided(past, partner)]
    if found:
        since = min(at for at, _, _ in found)
        found += [(at, _ACTED, None) for at in _acts(past, partner, actions, since)]
    return sorted(found, key=lambda entry: (entry[0], entry[1] != OFFERED, entry[1]))


def _told(past: Past, partner: str) -> Iterator[tuple[int, str, int | None]]:
    t = past.touchpoints
    for code, kind in enumerate(t.kinds):
        if kind in KINDS:
            for row in (t.kind == code).nonzero()[0].tolist():
                said = properties(t.properties[row])
                if _names(said, partner):
                    yield past.times[row], kind, _until(said) if kind == VETO else None


def _decided(past: Past, partner: str) -> Iterator[tuple[int, str, int | None]]:
    for row in past.decisions:
        at = row.carried_out_at
        if at is not None and (row.properties or {}).get(PARTNER) == partner:
            yield at, OFFERED, None


def _acts(past: Past, partner: str, actions: frozenset[str], since: int) -> Iterator[int]:
    t = past.touchpoints
    first = int(t.occurred_at.searchsorted(since))
    for row in (first + t.outbound[first:].nonzero()[0]).tolist():
        action = int(t.action[row])
        if (action != NONE and t.actions[action] in actions) or _names(properties(t.properties[row]), partner):
            yield past.times[row]


def properties(text: str | None) -> dict[str, object]:
    """Read a touchpoint's properties, where they name a partner; else there are none that matter here."""
    if not text or '"partner"' not in text:
        return {}
    found = orjson.loads(text)
    return found if isinstance(found, dict) else {}


def _names(said: dict[str, object], partner: str) -> bool:
    named = said.get(PARTNER)
    return named is not None and str(named) == partner


def _until(said: dict[str, object]) -> int | None:
    try:
        return parse_time(said.get("until"))
    except ValueError:
        return None
