"""The kernel's second half: how an action or a touchpoint itself fits what its contact did before."""

from __future__ import annotations

import numpy as np
from numba import njit

from features.catalogue import OWN
from features.scratch import F32, F64, I32, I64, NEVER, Record, Records, fields
from features.times import DAY
from features.windows import Events

_DAYS = 1.0 / DAY
_W30, _W90 = 30 * DAY, 90 * DAY
_OWN = fields(OWN)
_WIDTH = len(OWN)
_SUMS = np.dtype(
    [
        *((name, np.int64) for name in ("last_sent", "last_answered", "last_match")),
        *((name, np.float64) for name in ("mentions", "matches", "interest_all", "overlap")),
    ]
)
_TOPIC_SUMS = np.dtype(
    [*((name, np.int64) for name in ("own_row", "touched_row", "answered_row")), ("interest", np.float64)]
)
"""Of each topic: the row that last had it as its own, found it touched, found it in an answered action."""


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def fill_own(
    events: Events,
    contact: I64,
    as_of: I64,
    own_type: I32,
    own_start: I64,
    own_topic: I32,
    topic_rate: float,
    offset: int,
    out: F32,
) -> None:
    """Fill the columns about each row's own action or touchpoint.

    Parameters
    ----------
    events, contact, as_of, topic_rate
        As for ``fill_history``.
    own_type
        Code of the row's type, in the codes of ``events.type``; -1 where the history knows none of it.
    own_start, own_topic
        The topics of each row, laid out like those of the events; a code beyond the history's topics counts as
        one of its topics and matches nothing.
    offset
        First column to fill.
    out
        float32, shape (rows, columns).
    """
    # Arrays are taken out of their tuple once: to take one out counts a reference, which costs more than a sum.
    start, occurred_at, outbound, money, revenue = (
        events.start, events.occurred_at, events.outbound, events.money, events.revenue,
    )  # fmt: skip
    type_, answers, first_answer = events.type, events.answers, events.first_answer
    topic_start, topic = events.topic_start, events.topic
    flat, by_topic = np.zeros(_WIDTH), np.zeros(len(events.topic_slot), dtype=_TOPIC_SUMS)
    own, of_row = flat.view(_OWN)[0], np.zeros(1, dtype=_SUMS)
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
            if outbound[i]:
                if own_type[row] >= 0 and type_[i] == own_type[row]:
                    own.own_type_sent += 1.0
                    sums.last_sent = ts
                continue
            sent = answers[i]
            if sent >= low:
                if own_type[row] >= 0 and type_[sent] == own_type[row]:
                    own.own_type_answers += 1.0
                    own.own_type_answered += first_answer[i]
                    sums.last_answered = ts
                if first_answer[i]:
                    _add_answered(sums, by_topic, topic[topic_start[sent] : topic_start[sent + 1]], mark)
            if topic_start[i + 1] > topic_start[i]:
                fade = np.exp(-topic_rate * (now - ts))
                if _add_topics(own, sums, by_topic, topic[topic_start[i] : topic_start[i + 1]], mark, fade):
                    _add_match(own, sums, ts, now - ts, money[i], revenue[i])
        _say(own, sums, now, len(topics))
        f = out[row, offset : offset + _WIDTH]
        for column in range(_WIDTH):
            f[column] = flat[column]


@njit(forceinline=True)  # type: ignore[untyped-decorator]
def _begin(flat: F64, sums: Record, by_topic: Records, topics: I32, mark: int) -> None:
    flat[:] = 0.0
    sums.last_sent = sums.last_answered = sums.last_match = NEVER
    sums.mentions = sums.matches = sums.interest_all = sums.overlap = 0.0
    for code in topics:
        if code < len(by_topic):
            by_topic[code].own_row = mark
            by_topic[code].interest = 0.0


@njit(forceinline=True)  # type: ignore[untyped-decorator]
def _add_answered(sums: Record, by_topic: Records, topics: I32, mark: int) -> None:
    for code in topics:
        about = by_topic[code]
        if about.own_row == mark and about.answered_row != mark:
            about.answered_row = mark
            sums.overlap += 1.0


@njit(forceinline=True)  # type: ignore[untyped-decorator]
def _add_topics(own: Record, sums: Record, by_topic: Records, topics: I32, mark: int, fade: float) -> bool:
    before = sums.matches
    for code in topics:
        about = by_topic[code]
        sums.mentions += 1.0
        sums.interest_all += fade
        if about.own_row == mark:
            sums.matches += 1.0
            own.own_match_interest += fade
            if about.touched_row != mark:
                about.touched_row = mark
                own.own_match_distinct += 1.0
            about.interest += fade
            own.own_match_top = max(own.own_match_top, about.interest)
    matched: bool = sums.matches > before
    return matched


@njit(forceinline=True)  # type: ignore[untyped-decorator]
def _add_match(own: Record, sums: Record, ts: int, age: int, is_money: bool, revenue: float) -> None:
    sums.last_match = ts
    own.own_match_n_ever += 1.0
    own.own_match_n_90d += age <= _W90
    own.own_match_n_30d += age <= _W30
    if is_money:
        own.own_match_orders += 1.0
        if age <= _W90:
            own.own_match_orders_90d += 1.0
            own.own_match_revenue_90d += revenue


@njit(forceinline=True)  # type: ignore[untyped-decorator]
def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0.0 else np.nan


@njit(forceinline=True)  # type: ignore[untyped-decorator]
def _since(now: int, moment: int) -> float:
    return (now - moment) * _DAYS if moment != NEVER else np.nan


@njit(forceinline=True)  # type: ignore[untyped-decorator]
def _say(own: Record, sums: Record, now: int, n_topics: int) -> None:
    own.own_n_topics = n_topics
    own.own_type_rate = _ratio(own.own_type_answered, own.own_type_sent)
    own.own_type_recency_days = _since(now, sums.last_sent)
    own.own_type_answer_recency_days = _since(now, sums.last_answered)
    own.own_match_share = _ratio(sums.matches, sums.mentions)
    own.own_match_interest_share = _ratio(own.own_match_interest, sums.interest_all)
    own.own_match_cover = _ratio(own.own_match_distinct, float(n_topics))
    own.own_match_recency_days = _since(now, sums.last_match)
    own.own_answered_overlap = _ratio(sums.overlap, float(n_topics))
