"""What a column says of a contact's own history, in plain words from its value; None where it cannot be said.

Every phrase takes a column and the row it stands in. It says what is, not what it does to a chance: whether that
speaks for or against is the model's to say.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from features.feature_set import REST
from models.reasons.meanings import Column
from models.reasons.telling import Telling, lately, window_of
from models.reasons.words import ago, counted, last, many, money, number, one, percent, span

Phrase = Callable[[Column, Telling], str | None]


def of_kind(column: Column, told: Telling) -> str | None:
    """Say how often and when touchpoints of a kind happened."""
    name = column.means.of or REST
    noun = "other touchpoint" if name == REST else name
    since, gap = told[f"recency_kind_{name}_days"], told[f"gap_kind_{name}_days"]
    if math.isnan(since):
        return f"no {one(noun)} so far"
    if column.like.startswith("gap") and gap > 0:
        return f"{last(one(noun), since)}, usually every {span(gap)}"
    days = 30 if column.like.startswith("faded") else window_of(column.like)
    if days is None:
        return last(one(noun), since)
    n = told.count(f"n_kind_{name}_{days}d")
    if n == 0:
        return f"no {one(noun)} for {span(since)}"
    return f"{_times(n, noun) if name in told.features.rules.outbound else counted(n, noun)} {lately(days)}"


def _times(n: float, noun: str) -> str:
    return f"{one(noun)} once" if n == 1 else f"{one(noun)} {n:,.0f} times"


def of_channel(column: Column, told: Telling) -> str | None:
    """Say how often and when a channel was used."""
    name = column.means.of or REST
    where = "other channels" if name == REST else one(name)
    since, days = told[f"recency_channel_{name}_days"], window_of(column.like)
    if math.isnan(since):
        return f"nothing on {where} so far"
    if days is None:
        return last(f"touchpoint on {where}", since)
    n = told.count(f"n_channel_{name}_{days}d")
    return f"{counted(n, 'touchpoint')} on {where} {lately(days)}" if n else f"nothing on {where} for {span(since)}"


def of_topic(column: Column, told: Telling) -> str | None:
    """Say what the contact did about a topic, or where its interest goes."""
    name = column.means.of or REST
    about = "other topics" if name == REST else one(name)
    since, trend = told[f"recency_topic_{name}_days"], told[f"trend_topic_{name}"]
    if math.isnan(since):
        return f"no interest in {about} so far"
    if column.like.startswith("trend") and abs(trend - 1.0) > 0.1:
        return f"interest in {about} is {'rising' if trend > 1.0 else 'falling'}, last seen {ago(since)}"
    return (told.about(name) if name != REST else None) or last(f"interest in {about}", since)


def activity(column: Column, told: Telling) -> str | None:
    """Say how active the contact is."""
    since = told["recency_inbound_days"]
    if column.name == "inbound_share_90d":
        share = told[column.name]
        return None if math.isnan(share) else f"{percent(share)} of the touchpoints {lately(90)} were the contact's own"
    if math.isnan(since):
        return "never active so far"
    if column.name == "n_inbound_ever":
        return f"{counted(told.count(column.name), 'touchpoint')} so far"
    days = window_of(column.name)
    if days is None:
        return last("active", since)
    n = told.count(f"n_inbound_{days}d")
    if n == 0:
        return f"not active for {span(since)}"
    if column.name.startswith("active_days"):
        return f"active on {counted(told.count(column.name), 'day')} {lately(days)}"
    return f"{counted(n, 'touchpoint')} {lately(days)}"


def recency(column: Column, told: Telling) -> str | None:
    """Say when the contact was last active."""
    since = told["recency_inbound_days"]
    return "never active so far" if math.isnan(since) else last("active", since)


def tenure(column: Column, told: Telling) -> str | None:
    """Say for how long the contact is known."""
    days = told["tenure_days"]
    return None if math.isnan(days) else f"known for {span(days)}"


def rhythm(column: Column, told: Telling) -> str | None:
    """Say how the present silence compares with the usual one."""
    since, gap, longest = (told[name] for name in ("recency_inbound_days", "gap_mean_days", "gap_max_days"))
    if math.isnan(since):
        return "never active so far"
    if math.isnan(gap):
        return f"active only once, {ago(since)}"
    if column.name == "gap_max_days" and longest > since:
        return f"{last('active', since)}, was silent for {span(longest)} before"
    return last("active", since) + (f", usually every {span(gap)}" if gap >= 1.0 else "")


def trend(column: Column, told: Telling) -> str | None:
    """Say whether activity rises or falls."""
    value = told[column.name]
    if math.isnan(value):
        return None
    if column.name.startswith("trend"):
        return None if abs(value - 1.0) <= 0.1 else f"activity is {'rising' if value > 1.0 else 'falling'}"
    days = window_of(column.name)
    if value == 0.0:
        return f"as many touchpoints {lately(days)} as in the {days} before"
    more = "more" if value > 0 else "fewer"
    return f"{counted(abs(value), 'touchpoint')} {more} {lately(days)} than in the {days} before"


def season(column: Column, told: Telling) -> str | None:
    """Say what happened a year ago."""
    n = told["n_season_30d"]
    if n > 0:
        return f"{counted(n, 'touchpoint')} around this day a year ago"
    return "nothing around this day a year ago" if told["tenure_days"] > 380 else None


def variety(column: Column, told: Telling) -> str | None:
    """Say how many channels and kinds there were."""
    value = told[column.name]
    if math.isnan(value):
        return None
    if column.name == "main_channel_share":
        return f"{percent(value)} on the channel used most"
    if column.name.startswith("n_channels"):
        return f"{counted(value, 'channel')} {lately(window_of(column.name))}"
    return f"{counted(value, 'different kind')} of touchpoint so far"


def interests(column: Column, told: Telling) -> str | None:
    """Say how broad the contact's interests are."""
    value = told[column.name]
    if math.isnan(value):
        return "no new topic so far" if column.name == "recency_new_topic_days" else None
    if column.name == "recency_new_topic_days":
        return last("turned to a new topic", value)
    if column.name == "interest_focus":
        return f"{percent(value)} of the interest is in one topic"
    if not column.name.startswith("n_topics"):
        return None  # Fading sums mean nothing to a reader; the counts beside them do.
    new = " new to the contact" if column.name == "n_topics_new_30d" else ""
    return f"{counted(value, 'topic')}{new} {lately(window_of(column.name))}"


def purchases(column: Column, told: Telling) -> str | None:
    """Say how much was bought, and when."""
    since, value, days = told["recency_order_days"], told[column.name], window_of(column.name)
    if math.isnan(since):
        return "no purchase so far"
    if column.name == "recency_order_days":
        return last("purchase", since)
    if column.name == "revenue_faded_30d" or math.isnan(value):
        return None
    if days is not None and column.name != "revenue_change_90d" and since >= days:
        return f"no purchase for {span(since)}"
    if column.name.startswith("n_orders"):
        return f"{counted(value, 'purchase')} {lately(days)}"
    amount = money(abs(value), told.money)
    return {
        "revenue_mean": f"spends {amount} a purchase",
        "revenue_last": f"last purchase of {amount}, {ago(since)}",
        "revenue_change_90d": f"spent {amount} {'more' if value >= 0 else 'less'} {lately(90)} than in the 90 before",
        "margin_365d": f"margin of {money(value, told.money)} {lately(365)}",
    }.get(column.name, f"spent {money(value, told.money)} {lately(days)}")


def returns(column: Column, told: Telling) -> str | None:
    """Say what was sent back."""
    n, value = told.count("n_returns_365d"), told["returns_365d"]
    if n == 0:
        return f"no returns {lately(365)}"
    return f"{counted(n, 'return')} {lately(365)}" + (f" for {money(value, told.money)}" if value > 0 else "")


def attention(column: Column, told: Telling) -> str | None:
    """Say how long the contact stayed."""
    seconds = told[column.name]
    if math.isnan(seconds):
        return None
    if seconds == 0.0:
        return f"no time spent {lately(window_of(column.name))}"
    spent = counted(seconds, "second") if seconds < 90 else counted(seconds / 60, "minute")
    return (
        f"stays {spent} a visit"
        if column.name == "dwell_mean_seconds"
        else f"{spent} spent {lately(window_of(column.name))}"
    )


def answers(column: Column, told: Telling) -> str | None:
    """Say how the contact answers us."""
    value = told[column.name]
    if column.like == "answer_rate_kind_{}":
        kind = column.name.removeprefix("answer_rate_kind_")
        whose = "our other touchpoints" if kind == REST else f"our {many(kind)}"
        return None if math.isnan(value) else f"answers {percent(value)} of {whose}"
    if column.name == "recency_answer_days":
        return "never answered us" if math.isnan(value) else last("answered us", value)
    if math.isnan(value):
        return None
    if column.name == "answer_rate":
        return f"answers {percent(value)} of what we send"
    return f"answered us {'once' if value == 1 else f'{value:,.0f} times'} {lately(365)}"


def approaches(column: Column, told: Telling) -> str | None:
    """Say how often we approached the contact."""
    since, days = told["recency_outbound_days"], window_of(column.name)
    if math.isnan(since):
        return "never approached so far"
    n = told.count(column.name)
    if days is None or n == 0:
        return last("approached", since)
    return f"approached {'once' if n == 1 else f'{n:,.0f} times'} {lately(days)}"


def points(column: Column, told: Telling) -> str | None:
    """Say the points."""
    value = told["points"]
    return None if math.isnan(value) else f"{number(round(value, 1))} points"
