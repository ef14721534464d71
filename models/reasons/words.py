"""Numbers, times and kinds of touchpoints in plain words."""

from __future__ import annotations

import math

DID = {
    "bounce": "left after one page",
    "coupon": "handed in a coupon",
    "demo_request": "asked for a demo",
    "download": "downloaded something",
    "newsletter_open": "opened a newsletter",
    "newsletter_signup": "signed up for the newsletter",
    "order": "ordered",
    "page_view": "viewed a page",
    "price_list": "asked for the price list",
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


def counted(n: float, name: str) -> str:
    """Return a number of things.

    Examples
    --------
    >>> counted(1, "download"), counted(3, "service_call"), counted(12345, "order"), counted(0, "visit")
    ('1 download', '3 service calls', '12,345 orders', 'no visits')
    """
    if not n:
        return f"no {many(name)}"
    return f"{n:,.0f} {one(name) if round(n) == 1 else many(name)}"


def span(days: float) -> str:
    """Return a length of time in the unit in which people say it.

    Examples
    --------
    >>> span(0.4), span(1.2), span(13), span(45), span(200), span(1000)
    ('less than a day', '1 day', '13 days', '6 weeks', '7 months', '3 years')
    """
    if days < 1.0:
        return "less than a day"
    if days < 14.0:
        return counted(math.floor(days), "day")
    if days < 63.0:
        return counted(days / 7.0, "week")
    if days < 730.0:
        return counted(days / 30.44, "month")
    return counted(days / 365.25, "year")


def ago(days: float) -> str:
    """Return how long ago something was.

    Examples
    --------
    >>> ago(0.4), ago(5.5), ago(28)
    ('in the last 24 hours', '5 days ago', '4 weeks ago')
    """
    return "in the last 24 hours" if days < 1.0 else f"{span(days)} ago"


def last(what: str, days: float) -> str:
    """Return when something last was.

    Examples
    --------
    >>> last("order", 5.0), last("order", 0.5)
    ('last order 5 days ago', 'order in the last 24 hours')
    """
    return f"last {what} {ago(days)}" if days >= 1.0 else f"{what} {ago(days)}"


def money(amount: float, currency: str) -> str:
    """Return an amount, whole from ten on.

    Examples
    --------
    >>> money(1234.5, "EUR"), money(9.5, "CHF"), money(-20.0, "EUR")
    ('1,234 EUR', '9.50 CHF', '-20 EUR')
    """
    return f"{amount:,.0f} {currency}" if abs(amount) >= 10.0 or amount == 0.0 else f"{amount:,.2f} {currency}"


def percent(share: float) -> str:
    """Return a share; a small one is not rounded to nothing.

    Examples
    --------
    >>> percent(0.4), percent(0.004), percent(0.0)
    ('40 %', '0.4 %', '0 %')
    """
    return f"{share:.1%}".replace("%", " %") if 0.0 < abs(share) < 0.095 else f"{share:.0%}".replace("%", " %")


def number(value: float) -> str:
    """Return a number as people write it, without digits that say nothing.

    Examples
    --------
    >>> number(12.0), number(1234567.0), number(0.12345)
    ('12', '1,234,567', '0.12')
    """
    if value == int(value):
        return f"{value:,.0f}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}" if abs(value) >= 1 else f"{value:.2g}"
