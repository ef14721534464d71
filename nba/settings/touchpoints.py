"""What touchpoints mean; ``[money]``, ``[touchpoints]`` and ``[topics]``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from features.amounts import LARGEST
from features.frozen import Frozen
from features.rows.event_names import snake_case
from features.times import DAY
from features.topics import TopicRule
from features.touchpoints.touchpoints import TouchpointRules
from nba.settings import values
from nba.settings.table import Table

_CURRENCY = re.compile(r"[A-Z]{3}")
_QUERY = re.compile(r"#|\?[^/?*]*=")


@dataclass(frozen=True)
class Money:
    """The currency that values are counted in, and what others are worth in it."""

    base: str = "EUR"
    rates: Mapping[str, float] = Frozen({"CHF": 1.05, "USD": 0.92})
    margin: float = 1.0


@dataclass(frozen=True)
class Topics:
    """How interest in a topic fades, and which topic a touchpoint has where the source does not say."""

    half_life_us: int = 30 * DAY
    rules: tuple[TopicRule, ...] = ()


def read_money(table: Table) -> Money:
    """Read ``[money]``; the rates shown hold where none are given and euros are counted."""
    base = table.take("base", _currency, Money.base)
    if "rates" in table:
        rates: Mapping[str, float] = Frozen(
            table.child("rates").entries(_currency, values.number(above=0, at_most=LARGEST))
        )
    else:
        rates = Money.rates if base == Money.base else Frozen()
    table.knows("rates")
    money = Money(base, rates, table.take("margin", values.number(at_least=0, at_most=1), Money.margin))
    table.close()
    if rates.get(base, 1.0) != 1.0:
        table.complain("rates", f"gives {base} a rate, but it is the base currency; take it out")
    return money


def read_touchpoints(table: Table, money: Money) -> TouchpointRules:
    """Read ``[touchpoints]``, with the money they are counted in."""
    shown = TouchpointRules()
    rules = TouchpointRules(
        outbound=table.take("outbound", values.texts, shown.outbound),
        money=table.take("money", values.texts, shown.money),
        returns=table.take("returns", values.texts, shown.returns),
        attention=table.take("attention", values.texts, shown.attention),
        base=money.base,
        rates=money.rates,
        margin=money.margin,
        stitch_limit=table.take("stitch_limit", values.whole(1, 1_000_000), shown.stitch_limit),
        visitor_stitching=table.take("visitor_stitching", values.flag, shown.visitor_stitching),
        stitch_confidence=table.take(
            "stitch_confidence", values.number(at_least=0, at_most=1), shown.stitch_confidence
        ),
    )
    if "kinds" in table:
        rules = replace(rules, kinds=Frozen(table.child("kinds").entries(_event_name, values.text)))
    table.knows("kinds")
    table.close()
    both = sorted({*rules.money} & {*rules.returns})
    if both:
        table.complain("returns", f"{values.show(both[0])} stands in `money` too; its value can only count one way")
    return rules


def read_topics(table: Table) -> Topics:
    """Read ``[topics]``."""
    half_life = table.take("half_life", values.positive_duration, Topics.half_life_us)
    rules = tuple(_read_topic_rule(row) for row in table.rows("rules"))
    table.close()
    return Topics(half_life, rules)


def _event_name(value: object) -> str:
    return snake_case(values.text(value))


def _read_topic_rule(table: Table) -> TopicRule:
    rule = TopicRule(
        property=table.require("property", values.text, "", 'name the property to look at, such as "url"'),
        topic=table.require("topic", _topic, "", 'name the topic, such as "pumps" or "pumps/industrial"'),
        matches=table.take("matches", _pattern, None),
        contains=table.take("contains", values.some_texts, ()),
    )
    table.close()
    if table.is_sound and "matches" not in table and "contains" not in table:
        table.complain(
            "", "needs `matches` (a pattern with *) or `contains` (a list of words); with both, both must fit"
        )
    return rule


def _topic(value: object) -> str:
    topic = values.text(value)
    if any(not level or level != level.strip() for level in topic.split("/")):
        raise ValueError(
            f"{values.show(topic)} has an empty level or one with spaces around it; "
            'write the levels with one / between them, such as "pumps/industrial"'
        )
    return topic


def _pattern(value: object) -> str:
    pattern = values.text(value)
    if pattern.startswith("/") and _QUERY.search(pattern):
        raise ValueError(
            f"{values.show(pattern)} would never fit: of an address what stands behind ? or # is not looked at; "
            "write the path alone"
        )
    return pattern


def _currency(value: object) -> str:
    if not isinstance(value, str) or not _CURRENCY.fullmatch(value):
        raise ValueError(f'{values.show(value)} is not a currency; write three capital letters such as "EUR"')
    return value
