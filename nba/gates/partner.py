"""Whose contact it is, and who may act: a dealer owns the relation by the terms of its agreement."""

from __future__ import annotations

from models.saying.said import Said
from nba.gates.refusal import Refusal
from nba.partners.partners import PARTNER_FIRST, PARTNER_ONLY
from nba.settings.actions import Action
from nba.situation import Situation


def partner(action: Action, at: Situation) -> Refusal | None:
    """Refuse what the owner may not do for a partner's contact, or not yet; the partner itself may always act."""
    agreed = at.agreement
    if agreed is None or action.executor == "partner":
        return None
    ends = agreed.partner.agreement_to
    if agreed.mode == PARTNER_ONLY:
        return Refusal(action.name, "partner", Said("partner.only", {"partner": agreed.name}), ends)
    if agreed.mode == PARTNER_FIRST:
        opens = at.turn.opens_at
        if opens is None:
            key = "partner.objects" if at.turn.vetoed else "partner.not_offered"
            return Refusal(action.name, "partner", Said(key, {"partner": agreed.name}), ends)
        if at.as_of < opens:
            key = "partner.objects_until" if at.turn.vetoed else "partner.first_until"
            until = opens if ends is None else min(opens, ends)
            return Refusal(action.name, "partner", Said(key, {"partner": agreed.name, "until": until}), until)
    return None


def is_bound(at: Situation) -> bool:
    """Whether the owner may not simply act."""
    return at.agreement is not None and at.agreement.mode in (PARTNER_ONLY, PARTNER_FIRST)
