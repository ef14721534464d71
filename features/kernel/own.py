"""The kernel's second half: how an action or a touchpoint itself fits what its contact did before."""

from __future__ import annotations

import numpy as np

from features.compiled import (
    F32,
    I32,
    I64,
    Record,
    Records,
    Whole,
    compiled,
    f64_column,
    flag_column,
    i32_column,
    i64_column,
    inlined,
)  # fmt: skip
from features.kernel.events import (
    ACTION,
    ANSWERS,
    KIND,
    KIND_MEANS,
    MONEY,
    OCCURRED_AT,
    OUTBOUND,
    RETURNED,
    START,
    TOPIC,
    TOPIC_ABOVE,
    TOPIC_START,
    VALUE,
    VISIBLE_FROM,
    VISIBLE_TO,
)  # fmt: skip
from features.kernel.fading import power_of_two
from features.kernel.scratch import NEVER, OWN_ROW
from features.kernel.summary import ratio, since
from features.kernel.windows import amount_of
from features.times import DAY

_W30, _W90 = 30 * DAY, 90 * DAY
_WIDTH = len(OWN_ROW.names or ())
_SUMS = np.dtype(
    [
        *((name, np.int64) for name in ("last_sent", "last_answered", "last_match")),
        *((name, np.float64) for name in ("mentions", "matches", "interest_all", "interest")),
        *((name, np.float64) for name in ("top", "distinct", "overlap", "revenue_90d")),
    ]
)
_TOPIC_SUMS = np.dtype(
    [*((name, np.int64) for name in ("own_row", "touched_row", "answered_row")), ("interest", np.float64)]
)
"""Of each topic: the row that last had it as its own, found it touched, found it in an answered action."""


@compiled
def fill_own(
    deck: I64,
    contact: I64,
    as_of: I64,
    action_type: I32,
    kind_type: I32,
    own_type: I32,
    own_start: I64,
    own_topic: I32,
    topic_rate: float,
    out: F32,
) -> None:
    """Fill the columns about each row's own action or touchpoint.

    Parameters
    ----------
    deck, contact, as_of, topic_rate
        As for ``fill_history``.
    action_type, kind_type
        Type of each action and of each kind.
    own_type
        The row's type; -1 where the history knows none of it.
    own_start, own_topic
        The topics of each row, laid out like those of the events; a code beyond the history's topics counts as
        one of its topics and matches nothing.
    out
        float32, shape (rows, len(OWN)).
    """
    start, occurred_at, outbound = i64_column(deck, START), i64_column(deck, OCCURRED_AT), flag_column(deck, OUTBOUND)
    kind, kind_means, action = i32_column(deck, KIND), i32_column(deck, KIND_MEANS), i32_column(deck, ACTION)
    value, answers = f64_column(deck, VALUE), i32_column(deck, ANSWERS)
    topic_start, topic, above = i64_column(deck, TOPIC_START), i32_column(deck, TOPIC), i32_column(deck, TOPIC_ABOVE)
    visible_from, visible_to = i64_column(deck, VISIBLE_FROM), i64_column(deck, VISIBLE_TO)
    flat, by_topic = np.zeros(_WIDTH, np.float32), np.zeros(len(above), dtype=_TOPIC_SUMS)
    own, of_row = flat.view(OWN_ROW)[0], np.zeros(1, dtype=_SUMS)
    for row in range(len(as_of)):
        # A record is a bare pointer and keeps nothing alive: it is taken where its array is used again afterwards.
        now, mark, sums = as_of[row], row + 1, of_row[0]
        topics = own_topic[own_start[row] : own_start[row + 1]]
        _begin(flat, sums, by_topic, topics, mark)
        low = high = np.int64(0)
        if contact[row] >= 0:
            low, high = start[contact[row]], start[contact[row] + 1]
        for i in range(low, high):
            ts = occurred_at[i]
            if ts >= now:
                break
            if len(visible_from) and not visible_from[i] < now <= visible_to[i]:
                continue
            if len(outbound) and outbound[i]:
                if own_type[row] >= 0 and _type(i, action, kind, action_type, kind_type) == own_type[row]:
                    own.own_type_sent += 1.0
                    sums.last_sent = ts
                continue
            if len(answers) and answers[i] != 0:
                is_first, sent = answers[i] > 0, i - abs(answers[i])
                if own_type[row] >= 0 and _type(sent, action, kind, action_type, kind_type) == own_type[row]:
                    own.own_type_answers += 1.0
                    own.own_type_answered += is_first
                    sums.last_answered = ts
                if is_first and len(topic_start):
                    _add_answered(sums, by_topic, above, topic[topic_start[sent] : topic_start[sent + 1]], mark)
            if len(topic_start) and topic_start[i + 1] > topic_start[i]:
                fade = power_of_two((ts - now) * topic_rate)
                if _add_topics(sums, by_topic, above, topic[topic_start[i] : topic_start[i + 1]], mark, fade):
                    means = kind_means[kind[i]]
                    revenue = amount_of(value, i, means & RETURNED != 0)
                    _add_match(own, sums, ts, now - ts, means & MONEY != 0, revenue)
        _say(own, sums, now, len(topics))
        f = out[row]
        for column in range(_WIDTH):
            f[column] = flat[column]


@inlined
def _type(i: Whole, action: I32, kind: I32, action_type: I32, kind_type: I32) -> Whole:
    if len(action) and action[i] >= 0:
        return action_type[action[i]]
    return kind_type[kind[i]]


@inlined
def _begin(flat: F32, sums: Record, by_topic: Records, topics: I32, mark: Whole) -> None:
    flat[:] = 0.0
    sums.last_sent = sums.last_answered = sums.last_match = NEVER
    sums.mentions = sums.matches = sums.interest_all = sums.interest = sums.top = sums.distinct = 0.0
    sums.overlap = sums.revenue_90d = 0.0
    for code in topics:
        if code < len(by_topic):
            by_topic[code].own_row = mark
            by_topic[code].interest = 0.0


@inlined
def _add_answered(sums: Record, by_topic: Records, above: I32, topics: I32, mark: Whole) -> None:
    for code in topics:
        wider = code
        while wider >= 0:
            about = by_topic[wider]
            if about.own_row == mark and about.answered_row != mark:
                about.answered_row = mark
                sums.overlap += 1.0
            wider = above[wider]


@inlined
def _add_topics(sums: Record, by_topic: Records, above: I32, topics: I32, mark: Whole, fade: float) -> bool:
    """Add the topics of a touchpoint; whether one is among the row's own or lies below one of them."""
    before = sums.matches
    for code in topics:
        sums.mentions += 1.0
        sums.interest_all += fade
        matches, wider = 0.0, code
        while wider >= 0:
            about = by_topic[wider]
            if about.own_row == mark:
                matches = 1.0
                if about.touched_row != mark:
                    about.touched_row = mark
                    sums.distinct += 1.0
                about.interest += fade
                sums.top = max(sums.top, about.interest)
            wider = above[wider]
        sums.matches += matches
        sums.interest += matches * fade
    matched: bool = sums.matches > before
    return matched


@inlined
def _add_match(own: Record, sums: Record, ts: Whole, age: int, is_money: bool, revenue: float) -> None:
    sums.last_match = ts
    own.own_match_n_ever += 1.0
    own.own_match_n_90d += age <= _W90
    own.own_match_n_30d += age <= _W30
    if is_money:
        own.own_match_orders += 1.0
        if age <= _W90:
            own.own_match_orders_90d += 1.0
            sums.revenue_90d += revenue


@inlined
def _say(own: Record, sums: Record, now: Whole, n_topics: Whole) -> None:
    own.own_n_topics = n_topics
    own.own_match_interest, own.own_match_top, own.own_match_distinct = sums.interest, sums.top, sums.distinct
    own.own_match_revenue_90d = sums.revenue_90d
    own.own_type_rate = ratio(own.own_type_answered, own.own_type_sent)
    own.own_type_recency_days = since(now, sums.last_sent)
    own.own_type_answer_recency_days = since(now, sums.last_answered)
    own.own_match_share = ratio(sums.matches, sums.mentions)
    own.own_match_interest_share = ratio(sums.interest, sums.interest_all)
    own.own_match_cover = ratio(sums.distinct, float(n_topics))
    own.own_match_recency_days = since(now, sums.last_match)
    own.own_answered_overlap = ratio(sums.overlap, float(n_topics))
