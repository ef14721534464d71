"""The kernel's second half: how an action or a touchpoint itself fits what its contact did before."""

from __future__ import annotations

import numpy as np
from numba import njit

from features.catalogue import OWN
from features.times import DAY
from features.windows import F32, I32, I64, Events, Scratch

_DAYS = 1.0 / DAY
_W30, _W90 = 30 * DAY, 90 * DAY
_NEVER = -(2**62)
_AT = {feature.name: i for i, feature in enumerate(OWN)}
_WIDTH = len(OWN)

_N_TOPICS = _AT["own_n_topics"]
_SENT, _ANSWERED, _ANSWERS = _AT["own_type_sent"], _AT["own_type_answered"], _AT["own_type_answers"]
_RATE, _RECENCY, _ANSWER_RECENCY = (
    _AT["own_type_rate"],
    _AT["own_type_recency_days"],
    _AT["own_type_answer_recency_days"],
)
_N_30, _N_90, _N_EVER = _AT["own_match_n_30d"], _AT["own_match_n_90d"], _AT["own_match_n_ever"]
_SHARE, _INTEREST, _INTEREST_SHARE = (
    _AT["own_match_share"],
    _AT["own_match_interest"],
    _AT["own_match_interest_share"],
)
_TOP, _DISTINCT, _COVER = _AT["own_match_top"], _AT["own_match_distinct"], _AT["own_match_cover"]
_MATCH_RECENCY = _AT["own_match_recency_days"]
_ORDERS, _ORDERS_90, _REVENUE_90 = (
    _AT["own_match_orders"],
    _AT["own_match_orders_90d"],
    _AT["own_match_revenue_90d"],
)
_OVERLAP = _AT["own_answered_overlap"]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def fill_own(
    events: Events,
    contact: I64,
    as_of: I64,
    own_type: I32,
    own_start: I64,
    own_topic: I32,
    topic_rate: float,
    first_row: int,
    room: Scratch,
    offset: int,
    out: F32,
) -> None:
    """Fill the columns about each row's own action or touchpoint.

    Parameters
    ----------
    events, contact, as_of, topic_rate, room
        As for ``fill_history``.
    own_type
        Code of the row's type, in the codes of ``events.type``; -1 where the history knows none of it.
    own_start, own_topic
        The topics of each row, laid out like those of the events; a code beyond the history's topics counts as
        one of its topics and matches nothing.
    first_row
        Rows marked before in the same room: marks are told apart by row number.
    offset
        First column to fill.
    out
        float32, shape (rows, columns).
    """
    n_known = len(room.mark)
    for row in range(len(as_of)):
        now = as_of[row]
        f = out[row, offset : offset + _WIDTH]
        f[:] = 0.0
        stamp = np.int64(first_row + row)
        n_own = own_start[row + 1] - own_start[row]
        for j in range(own_start[row], own_start[row + 1]):
            if own_topic[j] < n_known:
                room.mark[own_topic[j]] = stamp
        last_sent = last_answered = last_match = np.int64(_NEVER)
        mentions = matches = interest = interest_all = 0.0
        low = high = np.int64(0)
        if contact[row] >= 0:
            low, high = events.start[contact[row]], events.start[contact[row] + 1]
        for i in range(low, high):
            ts = events.occurred_at[i]
            if ts >= now:
                break
            if events.outbound[i]:
                if own_type[row] >= 0 and events.type[i] == own_type[row]:
                    f[_SENT] += 1.0
                    last_sent = ts
                continue
            age = now - ts
            sent = events.answers[i]
            if sent >= low:
                if own_type[row] >= 0 and events.type[sent] == own_type[row]:
                    f[_ANSWERS] += 1.0
                    last_answered = ts
                    if events.first_answer[i]:
                        f[_ANSWERED] += 1.0
                if events.first_answer[i]:
                    for j in range(events.topic_start[sent], events.topic_start[sent + 1]):
                        topic = events.topic[j]
                        if room.mark[topic] == stamp and room.answered[topic] != stamp:
                            room.answered[topic] = stamp
                            f[_OVERLAP] += 1.0
            matched = False
            if events.topic_start[i + 1] > events.topic_start[i]:
                fade = np.exp(-topic_rate * age)
                for j in range(events.topic_start[i], events.topic_start[i + 1]):
                    topic = events.topic[j]
                    mentions += 1.0
                    interest_all += fade
                    if room.mark[topic] == stamp:
                        matched = True
                        matches += 1.0
                        interest += fade
                        if room.distinct[topic] != stamp:
                            room.distinct[topic] = stamp
                            f[_DISTINCT] += 1.0
                        room.interest[topic] += fade
                        f[_TOP] = max(f[_TOP], np.float32(room.interest[topic]))
            if matched:
                last_match = ts
                f[_N_EVER] += 1.0
                if events.money[i]:
                    f[_ORDERS] += 1.0
                if age <= _W90:
                    f[_N_90] += 1.0
                    if age <= _W30:
                        f[_N_30] += 1.0
                    if events.money[i]:
                        f[_ORDERS_90] += 1.0
                        f[_REVENUE_90] += np.float32(events.revenue[i])
        for j in range(own_start[row], own_start[row + 1]):
            if own_topic[j] < n_known:
                room.interest[own_topic[j]] = 0.0
        f[_N_TOPICS] = n_own
        f[_RATE] = f[_ANSWERED] / f[_SENT] if f[_SENT] > 0.0 else np.nan
        f[_RECENCY] = (now - last_sent) * _DAYS if last_sent != _NEVER else np.nan
        f[_ANSWER_RECENCY] = (now - last_answered) * _DAYS if last_answered != _NEVER else np.nan
        f[_SHARE] = matches / mentions if mentions > 0.0 else np.nan
        f[_INTEREST] = interest
        f[_INTEREST_SHARE] = interest / interest_all if interest_all > 0.0 else np.nan
        f[_COVER] = f[_DISTINCT] / n_own if n_own > 0 else np.nan
        f[_MATCH_RECENCY] = (now - last_match) * _DAYS if last_match != _NEVER else np.nan
        f[_OVERLAP] = f[_OVERLAP] / n_own if n_own > 0 else np.nan
