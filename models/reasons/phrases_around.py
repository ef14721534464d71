"""What a column says of the contact's account, of the action, of a trait and of the stage, from its value."""

from __future__ import annotations

import math
from collections.abc import Mapping

from models.reasons.meanings import Column
from models.reasons.telling import Telling, window_of
from models.saying.said import Said

_AGO = {
    "account_recency_inbound_days": "account.inbound_last",
    "account_recency_outbound_days": "account.outbound_last",
    "account_recency_order_days": "account.order_last",
    "account_recency_answer_days": "account.answer_last",
    "account_others_recency_days": "account.others_last",
    "own_type_recency_days": "action.type_last",
    "own_type_answer_recency_days": "action.type_answered",
    "own_match_recency_days": "action.match_last",
}
_NEVER = {
    "account_recency_order_days": "account.order_never",
    "account_others_recency_days": "account.others_never",
    "own_type_recency_days": "action.type_never",
    "own_type_answer_recency_days": "action.type_unanswered",
    "own_match_recency_days": "action.match_never",
}
_COUNTED: Mapping[str, tuple[str, str]] = {
    "account_n_contacts": ("contact", "account.contacts"),
    "account_n_roles": ("role", "account.roles"),
    "account_n_active": ("contact", "account.active"),
    "account_n_new": ("contact", "account.new"),
    "account_n_inbound": ("touchpoint", "account.n"),
    "account_n_outbound": ("approach", "account.outbound"),
    "account_n_orders": ("purchase", "account.n"),
    "account_n_topics": ("topic", "account.n"),
    "account_n_others_active": ("colleague", "account.others_active"),
    "account_n_others_inbound": ("touchpoint", "account.others_inbound"),
    "own_n_topics": ("topic", "action.topics"),
    "own_type_sent": ("earlier action", "action.sent"),
    "own_match_n": ("touchpoint", "action.match_n"),
    "own_match_orders": ("purchase", "action.match_orders"),
}
"""What is counted, and how that is said, by how the name begins."""
_SHARES = {
    "account_active_share_90d": ("account.active_share", 90),
    "account_own_share": ("account.own_share", None),
    "account_own_share_90d": ("account.own_share_lately", 90),
    "account_interest_overlap": ("account.overlap", None),
    "own_match_share": ("action.match_share", None),
    "own_match_interest_share": ("action.match_interest", None),
    "own_answered_overlap": ("action.answered_overlap", None),
}
"""How a share is said, and of which days."""
_AMOUNTS = {"account_revenue_365d": ("account.revenue", 365), "own_match_revenue_90d": ("action.match_revenue", 90)}
_OF_THE_TYPE = ("own_type_answered", "own_type_rate", "own_type_answers")


def around(column: Column, told: Telling) -> Said | None:
    """Say a column about the account or the action."""
    name, value = column.name, told[column.name]
    if name in _AGO:
        if math.isnan(value):
            return Said(_NEVER[name]) if name in _NEVER else None
        return Said(_AGO[name], {"since": value})
    if math.isnan(value):
        return None
    begin = max((b for b in _COUNTED if name.startswith(b)), key=len, default=None)
    if begin is not None:
        noun, key = _COUNTED[begin]
        return Said(key, {"n": (value, noun), "days": window_of(name)})
    return _single(column, value, told)


def _single(column: Column, value: float, told: Telling) -> Said | None:
    name = column.name
    if name in _SHARES:
        key, days = _SHARES[name]
        return Said(key, {"share": value, "days": days})
    if name in _AMOUNTS:
        key, days = _AMOUNTS[name]
        return Said(key, {"amount": (value, told.money), "days": days})
    if name == "own_type":
        return _coded("action.type", "type", told.features.types, value)
    if name == "own_channel":
        return _coded("action.channel", "channel", told.features.own_channels, value)
    if name in _OF_THE_TYPE:
        sent, answered = told.count("own_type_sent"), told.count("own_type_answered")
        return Said("action.answers", {"answered": answered, "sent": (sent, "earlier action")}) if sent else None
    if name in ("own_match_distinct", "own_match_cover"):
        parts = {"touched": told.count("own_match_distinct"), "topics": (told.count("own_n_topics"), "topic")}
        return Said("action.cover", parts)
    if name == "account_is_first":
        return Said("account.first" if value else "account.not_first")
    if name == "account_others_change":
        parts = {"n": (abs(value), "touchpoint"), "before": 30}
        return Said("account.others_more" if value > 0 else "account.others_fewer", parts) if value else None
    return None


def _coded(key: str, part: str, names: tuple[str, ...], value: float) -> Said | None:
    return Said(key, {part: names[int(value)]}) if 0 <= int(value) < len(names) else None


def trait(column: Column, told: Telling) -> Said | None:
    """Say a trait by its value as it was given."""
    if column.trait is None:
        return None
    name, value, kind = column.trait.name, told[column.name], column.trait.type
    if math.isnan(value):
        return Said("trait.unknown", {"name": name})
    if kind == "boolean":
        return Said("trait.yes" if value else "trait.no", {"name": name})
    if kind == "date":
        past = Said("trait.past", {"name": name, "since": -value})
        return past if value <= 0 else Said("trait.future", {"name": name, "days": math.ceil(value)})
    if kind == "category":
        names = column.trait.categories
        rare = Said("trait.rare", {"name": name})
        return Said("trait.is", {"name": name, "value": names[int(value)]}) if int(value) < len(names) else rare
    return Said("trait.number", {"name": name, "value": value})


def given(column: Column, told: Telling) -> Said | None:
    """Say a number of the action itself."""
    value = told[column.name]
    return None if math.isnan(value) else Said("action.number", {"name": column.means.of or "", "value": value})


def stage(column: Column, told: Telling) -> Said | None:
    """Say the stage by its name."""
    return None if told.stage is None else Said("stage", {"stage": told.stage})
