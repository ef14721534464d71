"""What a column says of the contact's account, of the action, of a trait and of the stage, in plain words."""

from __future__ import annotations

import math
from collections.abc import Mapping

from models.reasons.meanings import Column
from models.reasons.telling import Telling, lately, window_of
from models.reasons.words import ago, counted, money, number, one, percent

_AGO = {
    "account_recency_inbound_days": "someone of the account was active",
    "account_recency_outbound_days": "someone of the account was approached",
    "account_recency_order_days": "someone of the account bought",
    "account_recency_answer_days": "someone of the account answered us",
    "account_others_recency_days": "a colleague was active",
    "own_type_recency_days": "an action of this type",
    "own_type_answer_recency_days": "answered an action of this type",
    "own_match_recency_days": "touched its topics",
}
_NEVER = {
    "account_recency_order_days": "no purchase of the account so far",
    "account_others_recency_days": "no colleague was active so far",
    "own_type_recency_days": "no earlier action of this type",
    "own_type_answer_recency_days": "never answered an action of this type",
    "own_match_recency_days": "never touched its topics",
}
_COUNTED: Mapping[str, tuple[str, str]] = {
    "account_n_contacts": ("contact", " known of the account"),
    "account_n_roles": ("role", " known in the account"),
    "account_n_active": ("contact", " of the account active"),
    "account_n_new": ("contact", " of the account newly active"),
    "account_n_inbound": ("touchpoint", " of the account"),
    "account_n_outbound": ("approach", " to the account"),
    "account_n_orders": ("purchase", " of the account"),
    "account_n_topics": ("topic", " of the account"),
    "account_n_others_active": ("colleague", " active"),
    "account_n_others_inbound": ("touchpoint", " of colleagues"),
    "own_n_topics": ("topic", " in the action"),
    "own_type_sent": ("earlier action", " of this type"),
    "own_match_n": ("touchpoint", " about its topics"),
    "own_match_orders": ("purchase", " of its topics"),
}
"""What is counted, and of what, by how the name begins."""

_KNOWN = frozenset({"account_n_contacts", "account_n_roles", "own_n_topics"})


def around(column: Column, told: Telling) -> str | None:
    """Say a column about the account or the action."""
    name, value = column.name, told[column.name]
    if name in _AGO:
        return _NEVER.get(name) if math.isnan(value) else f"{_AGO[name]} {ago(value)}"
    if math.isnan(value):
        return None
    begin = max((b for b in _COUNTED if name.startswith(b)), key=len, default=None)
    if begin is not None:
        noun, of = _COUNTED[begin]
        when = "" if begin in _KNOWN else f" {lately(window_of(name))}"
        return f"{counted(value, noun)}{of}{when}"
    return _single(column, value, told)


def _single(column: Column, value: float, told: Telling) -> str | None:
    name = column.name
    if name in ("own_type", "own_channel"):
        names, code = (
            (told.features.types, int(value)) if name == "own_type" else (told.features.own_channels, int(value))
        )
        said = one(names[code]) if 0 <= code < len(names) else None
        return None if said is None else f"it is {said}" if name == "own_type" else f"it goes by {said}"
    if name in ("own_type_answered", "own_type_rate", "own_type_answers"):
        sent, answered = told.count("own_type_sent"), told.count("own_type_answered")
        return f"answered {answered:,.0f} of {counted(sent, 'earlier action')} of this type" if sent else None
    if name in ("own_match_distinct", "own_match_cover"):
        return f"touched {told.count('own_match_distinct'):,.0f} of its {counted(told.count('own_n_topics'), 'topic')}"
    if name == "account_is_first":
        return "first of the account to be active" if value else "not the first of the account to be active"
    if name == "account_others_change":
        if not value:
            return None
        more = "more" if value > 0 else "fewer"
        return f"{counted(abs(value), 'touchpoint')} of colleagues {more} than in the 30 days before"
    return {
        "account_active_share_90d": f"{percent(value)} of the account's contacts active {lately(90)}",
        "account_revenue_365d": f"{money(value, told.money)} spent by the account {lately(365)}",
        "account_own_share": f"{percent(value)} of the account's touchpoints are the contact's",
        "account_own_share_90d": f"{percent(value)} of the account's touchpoints {lately(90)} are the contact's",
        "account_interest_overlap": f"{percent(value)} of the interests are the account's too",
        "own_match_share": f"{percent(value)} of all topics touched are its topics",
        "own_match_interest_share": f"{percent(value)} of the present interest is in its topics",
        "own_match_revenue_90d": f"{money(value, told.money)} spent on its topics {lately(90)}",
        "own_answered_overlap": f"{percent(value)} of its topics are those of actions answered before",
    }.get(name)


def trait(column: Column, told: Telling) -> str | None:
    """Say a trait by its value as it was given."""
    if column.trait is None:
        return None
    said, value, kind = one(column.trait.name), told[column.name], column.trait.type
    if math.isnan(value):
        return f"{said} is not known"
    if kind == "boolean":
        return f"{said}: {'yes' if value else 'no'}"
    if kind == "date":
        return f"{said} {ago(-value)}" if value <= 0 else f"{said} in {counted(math.ceil(value), 'day')}"
    if kind == "category":
        names = column.trait.categories
        return f"{said} is {names[int(value)]}" if int(value) < len(names) else f"{said} is a rare one"
    return f"{said} is {number(value)}"


def given(column: Column, told: Telling) -> str | None:
    """Say a number of the action itself."""
    value = told[column.name]
    return None if math.isnan(value) else f"its {one(column.means.of or '')} is {number(value)}"


def stage(column: Column, told: Telling) -> str | None:
    """Say the stage by its name."""
    return None if told.stage is None else f"in the stage {one(told.stage)}"
