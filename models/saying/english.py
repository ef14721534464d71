"""English: how numbers, times and names are written."""

from __future__ import annotations

from datetime import date

from features.times import iso, to_datetime
from models.saying.feature_means import IN_ENGLISH
from models.saying.sentences_en import SENTENCES
from models.saying.tongue import Tongue
from models.saying.units import WEEKDAYS, in_units

_DID = {
    "bounce": "left after one page",
    "contract_view": "looked at the contract",
    "coupon": "handed in a coupon",
    "demo_request": "asked for a demo",
    "download": "downloaded something",
    "fair_visit": "visited a fair",
    "newsletter_open": "opened a newsletter",
    "newsletter_signup": "signed up for the newsletter",
    "order": "ordered",
    "page_view": "viewed a page",
    "price_list": "asked for the price list",
    "quote_request": "asked for a quote",
    "redemption": "redeemed a coupon",
    "return": "returned something",
    "search": "searched",
    "service_call": "called the service line",
    "service_search": "searched the service pages",
    "support_ticket": "opened a support ticket",
    "visit": "visited",
}
"""What a single touchpoint of a kind is called; other kinds are called by their name."""


def one(name: str) -> str:
    """Return a name as a word: ``service_call`` is a service call."""
    return name.replace("_", " ")


def many(name: str) -> str:
    """Return the plural of a name as a word.

    Examples
    --------
    >>> many("service_call"), many("visit to category"), many("search")
    ('service calls', 'visit to categories', 'searches')
    """
    word = one(name)
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return word + "es"
    return word[:-1] + "ies" if word.endswith("y") and word[-2:-1] not in "aeiou" else word + "s"


def _counted(value: tuple[float, str]) -> str:
    n, name = value
    return f"{n:,.0f} {one(name) if round(n) == 1 else many(name)}" if n else f"no {many(name)}"


def _span(days: float) -> str:
    found = in_units(days)
    return "less than a day" if found is None else _counted(found)


def _ago(days: float) -> str:
    return "in the last 24 hours" if days < 1.0 else f"{_span(days)} ago"


def _days_ago(days: int) -> str:
    return f"{_counted((days, 'day'))} ago" if days else "in the last 24 hours"


def _lately(days: int | None) -> str:
    return "so far" if days is None else "in the last 24 hours" if days == 1 else f"in the last {days} days"


def _money(value: tuple[float, str]) -> str:
    amount, currency = value
    return f"{amount:,.0f} {currency}" if abs(amount) >= 10.0 or amount == 0.0 else f"{amount:,.2f} {currency}"


def _percent(share: float) -> str:
    return f"{share:.1%}" if 0.0 < abs(share) < 0.095 else f"{share:.0%}"


def _moment(us: int) -> str:
    return f"{to_datetime(us):%Y-%m-%d %H:%M} UTC"


def _number(value: float) -> str:
    if value == int(value):
        return f"{value:,.0f}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}" if abs(value) >= 1 else f"{value:.2g}"


ENGLISH = Tongue(
    SENTENCES | IN_ENGLISH,
    {
        "g": lambda value: f"{value:g}",
        "exact": lambda value: f"{value:.10g}",
        "number": _number,
        "count": lambda n: f"{n:,.0f}",
        "percent": _percent,
        "money": _money,
        "moment": _moment,
        "date": lambda us: iso(us)[:10],
        "day": date.isoformat,
        "weekday": lambda day: f"{WEEKDAYS[day.weekday()]} {day}",
        "weekdays": ", ".join,
        "one": one,
        "many": many,
        "did": lambda kind: _DID.get(kind) or one(kind),
        "counted": _counted,
        "n_of": lambda value: f"{value[0]:,.0f}",
        "times": lambda n: "once" if n == 1 else f"{n:,.0f} times",
        "span": _span,
        "every": _span,
        "ago": _ago,
        "days_ago": _days_ago,
        "whole_days": lambda days: _counted((days, "day")),
        "last": lambda days: "last " if days >= 1.0 else "",
        "lately": _lately,
    },
    "or",
)
