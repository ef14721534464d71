"""What a column says of a contact's own history, from its value; None where it cannot be said in plain words.

Every phrase takes a column and the row it stands in. It says what is, not what it does to a chance: whether that
speaks for or against is the model's to say.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from features.feature_set import REST
from models.reasons.meanings import Column
from models.reasons.telling import Telling, window_of
from models.saying.said import Said

Phrase = Callable[[Column, Telling], Said | None]


def of_kind(column: Column, told: Telling) -> Said | None:
    """Say how often and when touchpoints of a kind happened."""
    name = column.means.of or REST
    noun = "other touchpoint" if name == REST else name
    since, gap = told[f"recency_kind_{name}_days"], told[f"gap_kind_{name}_days"]
    if math.isnan(since):
        return Said("kind.never", {"noun": noun})
    if column.like.startswith("gap") and gap > 0:
        return Said("kind.gap", {"noun": noun, "since": since, "gap": gap})
    days = 30 if column.like.startswith("faded") else window_of(column.like)
    if days is None:
        return Said("kind.last", {"noun": noun, "since": since})
    n = told.count(f"n_kind_{name}_{days}d")
    if n == 0:
        return Said("kind.none", {"noun": noun, "since": since})
    if name in told.features.rules.outbound:
        return Said("kind.ours", {"noun": noun, "n": n, "days": days})
    return Said("kind.own", {"n": (n, noun), "days": days})


def of_channel(column: Column, told: Telling) -> Said | None:
    """Say how often and when a channel was used."""
    name = column.means.of or REST
    where = "other channels" if name == REST else name
    since, days = told[f"recency_channel_{name}_days"], window_of(column.like)
    if math.isnan(since):
        return Said("channel.never", {"where": where})
    if days is None:
        return Said("channel.last", {"where": where, "since": since})
    n = told.count(f"n_channel_{name}_{days}d")
    if n == 0:
        return Said("channel.none", {"where": where, "since": since})
    return Said("channel.own", {"n": (n, "touchpoint"), "where": where, "days": days})


def of_topic(column: Column, told: Telling) -> Said | None:
    """Say what the contact did about a topic, or where its interest goes."""
    name = column.means.of or REST
    topic = "other topics" if name == REST else name
    since, trend = told[f"recency_topic_{name}_days"], told[f"trend_topic_{name}"]
    if math.isnan(since):
        return Said("topic.never", {"topic": topic})
    parts = {"topic": topic, "since": since}
    if column.like.startswith("trend") and abs(trend - 1.0) > 0.1:
        return Said("topic.rising" if trend > 1.0 else "topic.falling", parts)
    return (told.about(name) if name != REST else None) or Said("topic.last", parts)


def activity(column: Column, told: Telling) -> Said | None:
    """Say how active the contact is."""
    since = told["recency_inbound_days"]
    if column.name == "inbound_share_90d":
        share = told[column.name]
        return None if math.isnan(share) else Said("activity.share", {"share": share, "days": 90})
    if math.isnan(since):
        return Said("activity.never")
    if column.name == "n_inbound_ever":
        return Said("activity.ever", {"n": (told.count(column.name), "touchpoint")})
    days = window_of(column.name)
    if days is None:
        return Said("activity.last", {"since": since})
    n = told.count(f"n_inbound_{days}d")
    if n == 0:
        return Said("activity.none", {"since": since})
    if column.name.startswith("active_days"):
        return Said("activity.days", {"n": (told.count(column.name), "day"), "days": days})
    return Said("activity.n", {"n": (n, "touchpoint"), "days": days})


def recency(column: Column, told: Telling) -> Said | None:
    """Say when the contact was last active."""
    since = told["recency_inbound_days"]
    return Said("activity.never") if math.isnan(since) else Said("activity.last", {"since": since})


def tenure(column: Column, told: Telling) -> Said | None:
    """Say for how long the contact is known."""
    days = told["tenure_days"]
    return None if math.isnan(days) else Said("tenure", {"days": days})


def rhythm(column: Column, told: Telling) -> Said | None:
    """Say how the present silence compares with the usual one."""
    since, gap, longest = (told[name] for name in ("recency_inbound_days", "gap_mean_days", "gap_max_days"))
    if math.isnan(since):
        return Said("activity.never")
    if math.isnan(gap):
        return Said("rhythm.once", {"since": since})
    if column.name == "gap_max_days" and longest > since:
        return Said("rhythm.longest", {"since": since, "longest": longest})
    return Said("rhythm.usual", {"since": since, "gap": gap}) if gap >= 1.0 else Said("activity.last", {"since": since})


def trend(column: Column, told: Telling) -> Said | None:
    """Say whether activity rises or falls."""
    value = told[column.name]
    if math.isnan(value):
        return None
    if column.name.startswith("trend"):
        return None if abs(value - 1.0) <= 0.1 else Said("trend.rising" if value > 1.0 else "trend.falling")
    days = window_of(column.name) or 0
    if value == 0.0:
        return Said("trend.same", {"days": days, "before": days})
    parts = {"n": (abs(value), "touchpoint"), "days": days, "before": days}
    return Said("trend.more" if value > 0 else "trend.fewer", parts)


def season(column: Column, told: Telling) -> Said | None:
    """Say what happened a year ago."""
    n = told["n_season_30d"]
    if n > 0:
        return Said("season.some", {"n": (n, "touchpoint")})
    return Said("season.none") if told["tenure_days"] > 380 else None


def variety(column: Column, told: Telling) -> Said | None:
    """Say how many channels and kinds there were."""
    value = told[column.name]
    if math.isnan(value):
        return None
    if column.name == "main_channel_share":
        return Said("variety.main", {"share": value})
    if column.name.startswith("n_channels"):
        return Said("variety.channels", {"n": (value, "channel"), "days": window_of(column.name)})
    return Said("variety.kinds", {"n": (value, "different kind")})


def interests(column: Column, told: Telling) -> Said | None:
    """Say how broad the contact's interests are."""
    value = told[column.name]
    if math.isnan(value):
        return Said("interests.no_new") if column.name == "recency_new_topic_days" else None
    if column.name == "recency_new_topic_days":
        return Said("interests.new", {"since": value})
    if column.name == "interest_focus":
        return Said("interests.focus", {"share": value})
    if not column.name.startswith("n_topics"):
        return None  # Fading sums mean nothing to a reader; the counts beside them do.
    key = "interests.topics_new" if column.name == "n_topics_new_30d" else "interests.topics"
    return Said(key, {"n": (value, "topic"), "days": window_of(column.name)})


def purchases(column: Column, told: Telling) -> Said | None:
    """Say how much was bought, and when."""
    name, since, value, days = column.name, told["recency_order_days"], told[column.name], window_of(column.name)
    if math.isnan(since):
        return Said("purchases.never")
    if name == "recency_order_days":
        return Said("purchases.last", {"since": since})
    if name == "revenue_faded_30d" or math.isnan(value):
        return None
    if days is not None and name != "revenue_change_90d" and since >= days:
        return Said("purchases.none", {"since": since})
    if name.startswith("n_orders"):
        return Said("purchases.n", {"n": (value, "purchase"), "days": days})
    if name == "revenue_mean":
        return Said("purchases.mean", {"amount": (abs(value), told.money)})
    if name == "revenue_last":
        return Said("purchases.last_of", {"amount": (abs(value), told.money), "since": since})
    if name == "revenue_change_90d":
        parts = {"amount": (abs(value), told.money), "days": 90, "before": 90}
        return Said("purchases.more" if value >= 0 else "purchases.less", parts)
    key = "purchases.margin" if name == "margin_365d" else "purchases.spent"
    return Said(key, {"amount": (value, told.money), "days": days})


def returns(column: Column, told: Telling) -> Said | None:
    """Say what was sent back."""
    n, value = told.count("n_returns_365d"), told["returns_365d"]
    if n == 0:
        return Said("returns.none", {"days": 365})
    parts = {"n": (n, "return"), "days": 365}
    return Said("returns.worth", {**parts, "amount": (value, told.money)}) if value > 0 else Said("returns.n", parts)


def attention(column: Column, told: Telling) -> Said | None:
    """Say how long the contact stayed."""
    seconds = told[column.name]
    if math.isnan(seconds):
        return None
    if seconds == 0.0:
        return Said("attention.none", {"days": window_of(column.name)})
    spent = (seconds, "second") if seconds < 90 else (seconds / 60, "minute")
    if column.name == "dwell_mean_seconds":
        return Said("attention.mean", {"n": spent})
    return Said("attention.spent", {"n": spent, "days": window_of(column.name)})


def answers(column: Column, told: Telling) -> Said | None:
    """Say how the contact answers us."""
    value = told[column.name]
    if column.like == "answer_rate_kind_{}":
        kind = column.name.removeprefix("answer_rate_kind_")
        if math.isnan(value):
            return None
        return Said("answers.other", {"share": value}) if kind == REST else _of_kind(kind, value)
    if column.name == "recency_answer_days":
        return Said("answers.never") if math.isnan(value) else Said("answers.last", {"since": value})
    if math.isnan(value):
        return None
    if column.name == "answer_rate":
        return Said("answers.rate", {"share": value})
    return Said("answers.n", {"n": value, "days": 365})


def _of_kind(kind: str, share: float) -> Said:
    return Said("answers.kind", {"share": share, "kind": kind})


def approaches(column: Column, told: Telling) -> Said | None:
    """Say how often we approached the contact."""
    since, days = told["recency_outbound_days"], window_of(column.name)
    if math.isnan(since):
        return Said("approaches.never")
    n = told.count(column.name)
    if days is None or n == 0:
        return Said("approaches.last", {"since": since})
    return Said("approaches.n", {"n": n, "days": days})


def points(column: Column, told: Telling) -> Said | None:
    """Say the points."""
    value = told["points"]
    return None if math.isnan(value) else Said("points", {"points": round(value, 1)})
