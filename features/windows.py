"""The kernel: counts, sums, recencies, rhythms and fading interests over half-open windows.

One compiled pass over a contact's touchpoints strictly before ``as_of``, in (contact, time) order. A request calls it
with one contact, training with millions: the same machine code, so their features are equal to the bit.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from features.catalogue import OVERALL, OWN, PER_CHANNEL, PER_KIND
from features.times import DAY

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
I32 = NDArray[np.int32]


class Events(NamedTuple):
    """Touchpoints as numbers: ``start`` delimits contacts, ``topic_start`` the topics of each touchpoint.

    ``kind`` and ``channel`` are slots of the feature set (``channel`` -1 where there is none), ``topic`` the code
    of the text and ``topic_slot`` the slot of each code; ``answers`` is the row of the outbound touchpoint that an
    inbound one is the first (``first_answer``) or a later answer to, else -1; ``type`` codes the action or kind.
    """

    start: I64
    occurred_at: I64
    kind: I32
    channel: I32
    outbound: NDArray[np.bool_]
    money: NDArray[np.bool_]
    returned: NDArray[np.bool_]
    revenue: F64
    margin: F64
    dwell: F64
    points: F64
    answers: I64
    first_answer: NDArray[np.bool_]
    type: I32
    topic_start: I64
    topic: I32
    topic_slot: I32


class Scratch(NamedTuple):
    """Room for one row's sums; ``interest`` and ``seen`` are as long as there are topics."""

    interest: F64
    last_seen: I64
    touched: I32
    mark: I64
    distinct: I64
    answered: I64
    kind_last: I64
    kind_first: I64
    kind_sent: F64
    kind_answered: F64
    kind_count: F64
    channel_last: I64
    channel_count: F64


def scratch(n_kinds: int, n_channels: int, n_topics: int) -> Scratch:
    """Empty room for ``n_kinds`` and ``n_channels`` slots and ``n_topics`` codes."""
    topics = max(n_topics, 1)
    return Scratch(
        np.zeros(topics),
        np.zeros(topics, dtype=np.int64),
        np.zeros(topics, dtype=np.int32),
        np.full(topics, -1, dtype=np.int64),
        np.full(topics, -1, dtype=np.int64),
        np.full(topics, -1, dtype=np.int64),
        np.zeros(n_kinds, dtype=np.int64),
        np.zeros(n_kinds, dtype=np.int64),
        np.zeros(n_kinds),
        np.zeros(n_kinds),
        np.zeros(n_kinds),
        np.zeros(n_channels, dtype=np.int64),
        np.zeros(n_channels),
    )


_DAYS = 1.0 / DAY
_W1, _W3, _W7, _W30, _W90, _W365 = DAY, 3 * DAY, 7 * DAY, 30 * DAY, 90 * DAY, 365 * DAY
_SEASON_FROM, _SEASON_TO = 380 * DAY, 350 * DAY
_NEVER = -(2**62)
_KIND_WIDTH, _CHANNEL_WIDTH = len(PER_KIND), len(PER_CHANNEL)
_AT = {feature.name: i for i, feature in enumerate(OVERALL)}
_OWN_AT = {feature.name: i for i, feature in enumerate(OWN)}

_TENURE = _AT["tenure_days"]
_RECENCY_IN, _RECENCY_OUT = _AT["recency_inbound_days"], _AT["recency_outbound_days"]
_N_IN_1, _N_IN_3, _N_IN_7 = _AT["n_inbound_1d"], _AT["n_inbound_3d"], _AT["n_inbound_7d"]
_N_IN_30, _N_IN_90, _N_IN_365 = _AT["n_inbound_30d"], _AT["n_inbound_90d"], _AT["n_inbound_365d"]
_N_IN = _AT["n_inbound_ever"]
_N_OUT_7, _N_OUT_30 = _AT["n_outbound_7d"], _AT["n_outbound_30d"]
_N_OUT_90, _N_OUT_365 = _AT["n_outbound_90d"], _AT["n_outbound_365d"]
_SHARE_IN = _AT["inbound_share_90d"]
_ACTIVE_30, _ACTIVE_90, _ACTIVE_365 = _AT["active_days_30d"], _AT["active_days_90d"], _AT["active_days_365d"]
_FADED_7, _FADED_30, _FADED_90 = _AT["faded_inbound_7d"], _AT["faded_inbound_30d"], _AT["faded_inbound_90d"]
_TREND_7_30, _TREND_30_90 = _AT["trend_7_30"], _AT["trend_30_90"]
_CHANGE_30, _CHANGE_90, _SEASON = _AT["change_30d"], _AT["change_90d"], _AT["n_season_30d"]
_GAP_MEAN, _GAP_STD, _GAP_RECENT = _AT["gap_mean_days"], _AT["gap_std_days"], _AT["gap_recent_days"]
_GAP_MAX, _GAP_RATIO = _AT["gap_max_days"], _AT["gap_ratio"]
_GAP_RATIO_RECENT, _GAP_Z = _AT["gap_ratio_recent"], _AT["gap_zscore"]
_CHANNELS_90, _CHANNELS, _MAIN = _AT["n_channels_90d"], _AT["n_channels_ever"], _AT["main_channel_share"]
_KINDS = _AT["n_kinds_ever"]
_INTEREST, _TOP = _AT["interest_total"], _AT["interest_top_1"]
_FOCUS, _TOPICS, _TOPICS_30 = _AT["interest_focus"], _AT["n_topics_ever"], _AT["n_topics_30d"]
_ORDERS_30, _ORDERS_90, _ORDERS_365 = _AT["n_orders_30d"], _AT["n_orders_90d"], _AT["n_orders_365d"]
_RECENCY_ORDER = _AT["recency_order_days"]
_REVENUE_30, _REVENUE_90, _REVENUE_365 = _AT["revenue_30d"], _AT["revenue_90d"], _AT["revenue_365d"]
_REVENUE, _REVENUE_MEAN, _REVENUE_LAST = _AT["revenue_ever"], _AT["revenue_mean"], _AT["revenue_last"]
_REVENUE_CHANGE, _REVENUE_FADED = _AT["revenue_change_90d"], _AT["revenue_faded_30d"]
_MARGIN, _RETURNS, _N_RETURNS = _AT["margin_365d"], _AT["returns_365d"], _AT["n_returns_365d"]
_DWELL_30, _DWELL_90, _DWELL_MEAN = _AT["dwell_30d_seconds"], _AT["dwell_90d_seconds"], _AT["dwell_mean_seconds"]
_ANSWERED_365, _ANSWER_RATE = _AT["n_answered_365d"], _AT["answer_rate"]
_RECENCY_ANSWER, _POINTS = _AT["recency_answer_days"], _AT["points"]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def link_answers(
    start: I64,
    occurred_at: I64,
    outbound: NDArray[np.bool_],
    channel: I32,
    decision: I32,
    n_channels: int,
    n_decisions: int,
    within: int,
    answers: I64,
    first_answer: NDArray[np.bool_],
) -> None:
    """Find what each inbound touchpoint answers; fills ``answers`` and ``first_answer``.

    An answer carries the decision id of an earlier outbound touchpoint of its contact; without an id it follows the
    last outbound one on its channel within ``within`` microseconds. Only the past is looked at, so an answer stands
    as soon as it has happened.
    """
    of_decision = np.full(max(n_decisions, 1), -1, dtype=np.int64)
    of_channel = np.full(max(n_channels, 1), -1, dtype=np.int64)
    answered = np.zeros(len(occurred_at), dtype=np.bool_)
    for contact in range(len(start) - 1):
        low, high = start[contact], start[contact + 1]
        of_channel[:] = -1
        for i in range(low, high):
            answers[i] = -1
            if outbound[i]:
                if decision[i] >= 0:
                    of_decision[decision[i]] = i
                if channel[i] >= 0:
                    of_channel[channel[i]] = i
                continue
            sent = np.int64(-1)
            if decision[i] >= 0:
                sent = of_decision[decision[i]]
                if sent < low:
                    sent = np.int64(-1)
            elif channel[i] >= 0:
                sent = of_channel[channel[i]]
                if sent >= 0 and occurred_at[i] - occurred_at[sent] > within:
                    sent = np.int64(-1)
            if sent >= 0:
                answers[i] = sent
                first_answer[i] = not answered[sent]
                answered[sent] = True


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def fill_history(
    events: Events,
    contact: I64,
    as_of: I64,
    n_kinds: int,
    n_channels: int,
    n_topics: int,
    topic_rate: float,
    points_rate: float,
    room: Scratch,
    out: F32,
) -> None:
    """Fill the history columns of each row (contact, as_of).

    Parameters
    ----------
    events
        In (contact, time) order.
    contact, as_of
        Code of the contact (-1: unknown, no history) and microseconds, per row.
    n_kinds, n_channels, n_topics
        Slots, the rest included.
    topic_rate, points_rate
        Fading per microsecond, ln 2 / half-life; 0 never fades.
    room
        From ``scratch``; reused between calls.
    out
        float32, shape (rows, columns); the history columns are overwritten.
    """
    rate_7, rate_30, rate_90 = np.log(2.0) / _W7, np.log(2.0) / _W30, np.log(2.0) / _W90
    kinds_end = n_kinds * _KIND_WIDTH
    channels_end = kinds_end + n_channels * _CHANNEL_WIDTH
    base = channels_end + n_topics
    for row in range(len(as_of)):
        now = as_of[row]
        f = out[row]
        f[: base + _POINTS + 1] = 0.0
        room.kind_last[:] = _NEVER
        room.kind_first[:] = _NEVER
        room.kind_sent[:] = 0.0
        room.kind_answered[:] = 0.0
        room.kind_count[:] = 0.0
        room.channel_last[:] = _NEVER
        room.channel_count[:] = 0.0
        first = last_in = last_out = last_order = last_answer = _NEVER
        last_day_30 = last_day_90 = last_day_365 = _NEVER
        n_in = n_out = n_answered = n_gaps = 0.0
        gap_mean = gap_m2 = gap_max = gap_sum_recent = gap_weight_recent = 0.0
        faded_7 = faded_30 = faded_90 = 0.0
        n_orders = revenue = sold = faded_revenue = 0.0
        revenue_30 = revenue_90 = revenue_365 = revenue_180 = margin_365 = returns_365 = 0.0
        dwell_30 = dwell_90 = dwell = n_dwell = points = 0.0
        n_30_60 = n_90_180 = 0.0
        interest = topic_30 = 0.0
        n_touched = 0
        low = high = np.int64(0)
        if contact[row] >= 0:
            low, high = events.start[contact[row]], events.start[contact[row] + 1]
        for i in range(low, high):
            ts = events.occurred_at[i]
            if ts >= now:
                break
            age = now - ts
            if first == _NEVER:
                first = ts
            fade_30 = np.exp(-rate_30 * age)
            kind, channel = events.kind[i], events.channel[i]
            k = kind * _KIND_WIDTH
            if age <= _W365:
                f[k + 4] += 1.0
                if age <= _W90:
                    f[k + 3] += 1.0
                    if age <= _W30:
                        f[k + 2] += 1.0
                        if age <= _W7:
                            f[k + 1] += 1.0
            f[k + 5] += fade_30
            room.kind_count[kind] += 1.0
            if room.kind_first[kind] == _NEVER:
                room.kind_first[kind] = ts
            room.kind_last[kind] = ts
            if channel >= 0:
                c = kinds_end + channel * _CHANNEL_WIDTH
                if age <= _W365:
                    f[c + 4] += 1.0
                    if age <= _W90:
                        f[c + 3] += 1.0
                        if age <= _W30:
                            f[c + 2] += 1.0
                            if age <= _W7:
                                f[c + 1] += 1.0
                room.channel_last[channel] = ts
                room.channel_count[channel] += 1.0
            points += events.points[i] * np.exp(-points_rate * age)
            if events.outbound[i]:
                n_out += 1.0
                last_out = ts
                room.kind_sent[kind] += 1.0
                if age <= _W365:
                    f[base + _N_OUT_365] += 1.0
                    if age <= _W90:
                        f[base + _N_OUT_90] += 1.0
                        if age <= _W30:
                            f[base + _N_OUT_30] += 1.0
                            if age <= _W7:
                                f[base + _N_OUT_7] += 1.0
                continue
            # Everything below is about what the contact did.
            if last_in != _NEVER:
                gap = (ts - last_in) * _DAYS
                n_gaps += 1.0
                delta = gap - gap_mean
                gap_mean += delta / n_gaps
                gap_m2 += delta * (gap - gap_mean)
                gap_max = max(gap_max, gap)
                gap_sum_recent = 0.7 * gap_sum_recent + gap
                gap_weight_recent = 0.7 * gap_weight_recent + 1.0
            n_in += 1.0
            last_in = ts
            faded_7 += np.exp(-rate_7 * age)
            faded_30 += fade_30
            faded_90 += np.exp(-rate_90 * age)
            day = ts // _W1
            if age <= _W365:
                f[base + _N_IN_365] += 1.0
                if day != last_day_365:
                    f[base + _ACTIVE_365] += 1.0
                    last_day_365 = day
                if age <= 2 * _W90:
                    if age > _W90:
                        n_90_180 += 1.0
                    else:
                        f[base + _N_IN_90] += 1.0
                        if day != last_day_90:
                            f[base + _ACTIVE_90] += 1.0
                            last_day_90 = day
                        if age <= 2 * _W30:
                            if age > _W30:
                                n_30_60 += 1.0
                            else:
                                f[base + _N_IN_30] += 1.0
                                if day != last_day_30:
                                    f[base + _ACTIVE_30] += 1.0
                                    last_day_30 = day
                                if age <= _W7:
                                    f[base + _N_IN_7] += 1.0
                                    if age <= _W3:
                                        f[base + _N_IN_3] += 1.0
                                        if age <= _W1:
                                            f[base + _N_IN_1] += 1.0
            if _SEASON_TO < age <= _SEASON_FROM:
                f[base + _SEASON] += 1.0
            sent = events.answers[i]
            if sent >= low:
                last_answer = ts
                if events.first_answer[i]:
                    n_answered += 1.0
                    room.kind_answered[events.kind[sent]] += 1.0
                    if age <= _W365:
                        f[base + _ANSWERED_365] += 1.0
            if events.money[i] or events.returned[i]:
                amount = events.revenue[i]
                revenue += amount
                faded_revenue += amount * fade_30
                if age <= _W365:
                    revenue_365 += amount
                    margin_365 += events.margin[i]
                    if age <= 2 * _W90:
                        if age > _W90:
                            revenue_180 += amount
                        else:
                            revenue_90 += amount
                            if age <= _W30:
                                revenue_30 += amount
                if events.returned[i]:
                    if age <= _W365:
                        returns_365 -= amount
                        f[base + _N_RETURNS] += 1.0
                else:
                    n_orders += 1.0
                    sold += amount
                    last_order = ts
                    f[base + _REVENUE_LAST] = amount
                    if age <= _W365:
                        f[base + _ORDERS_365] += 1.0
                        if age <= _W90:
                            f[base + _ORDERS_90] += 1.0
                            if age <= _W30:
                                f[base + _ORDERS_30] += 1.0
            if events.dwell[i] > 0.0:
                dwell += events.dwell[i]
                n_dwell += 1.0
                if age <= _W90:
                    dwell_90 += events.dwell[i]
                    if age <= _W30:
                        dwell_30 += events.dwell[i]
            if events.topic_start[i + 1] > events.topic_start[i]:
                fade = np.exp(-topic_rate * age)
                for j in range(events.topic_start[i], events.topic_start[i + 1]):
                    topic = events.topic[j]
                    f[channels_end + events.topic_slot[topic]] += fade
                    interest += fade
                    if room.interest[topic] == 0.0:
                        room.touched[n_touched] = topic
                        n_touched += 1
                    # The smallest positive number keeps a topic counted that has faded to nothing.
                    room.interest[topic] += fade + 5e-324
                    room.last_seen[topic] = ts
        # --- what the sums say
        for kind in range(n_kinds):
            k = kind * _KIND_WIDTH
            count = room.kind_count[kind]
            f[k] = f[k + 6] = f[k + 7] = f[k + 8] = np.nan
            if count > 0.0:
                recency = (now - room.kind_last[kind]) * _DAYS
                f[k] = recency
                if count > 1.0:
                    gap = (room.kind_last[kind] - room.kind_first[kind]) * _DAYS / (count - 1.0)
                    f[k + 6] = gap
                    if gap > 0.0:
                        f[k + 7] = recency / gap
                if room.kind_sent[kind] > 0.0:
                    f[k + 8] = room.kind_answered[kind] / room.kind_sent[kind]
                f[base + _KINDS] += 1.0
        most = total = 0.0
        for channel in range(n_channels):
            c = kinds_end + channel * _CHANNEL_WIDTH
            count = room.channel_count[channel]
            f[c] = np.nan
            if count > 0.0:
                f[c] = (now - room.channel_last[channel]) * _DAYS
                f[base + _CHANNELS] += 1.0
                if f[c + 3] > 0.0:
                    f[base + _CHANNELS_90] += 1.0
                total += count
                most = max(most, count)
        f[base + _MAIN] = most / total if total > 0.0 else np.nan
        top_1 = top_2 = top_3 = 0.0
        for j in range(n_touched):
            topic = room.touched[j]
            size = room.interest[topic]
            room.interest[topic] = 0.0
            if now - room.last_seen[topic] <= _W30:
                topic_30 += 1.0
            if size > top_1:
                top_1, top_2, top_3 = size, top_1, top_2
            elif size > top_2:
                top_2, top_3 = size, top_2
            elif size > top_3:
                top_3 = size
        f[base + _INTEREST] = interest
        f[base + _TOP] = top_1
        f[base + _TOP + 1] = top_2
        f[base + _TOP + 2] = top_3
        f[base + _FOCUS] = top_1 / interest if interest > 0.0 else np.nan
        f[base + _TOPICS] = n_touched
        f[base + _TOPICS_30] = topic_30
        f[base + _TENURE] = (now - first) * _DAYS if first != _NEVER else np.nan
        f[base + _RECENCY_OUT] = (now - last_out) * _DAYS if last_out != _NEVER else np.nan
        f[base + _RECENCY_IN] = (now - last_in) * _DAYS if last_in != _NEVER else np.nan
        f[base + _N_IN] = n_in
        both = f[base + _N_IN_90] + f[base + _N_OUT_90]
        f[base + _SHARE_IN] = f[base + _N_IN_90] / both if both > 0.0 else np.nan
        f[base + _FADED_7] = faded_7
        f[base + _FADED_30] = faded_30
        f[base + _FADED_90] = faded_90
        # Steady activity fades to sums in the ratio of the half-lives; dividing by it puts "steady" at 1.
        f[base + _TREND_7_30] = faded_7 / faded_30 * (30.0 / 7.0) if faded_30 > 0.0 else np.nan
        f[base + _TREND_30_90] = faded_30 / faded_90 * 3.0 if faded_90 > 0.0 else np.nan
        f[base + _CHANGE_30] = f[base + _N_IN_30] - n_30_60
        f[base + _CHANGE_90] = f[base + _N_IN_90] - n_90_180
        f[base + _GAP_MEAN] = f[base + _GAP_STD] = f[base + _GAP_RECENT] = f[base + _GAP_MAX] = np.nan
        f[base + _GAP_RATIO] = f[base + _GAP_RATIO_RECENT] = f[base + _GAP_Z] = np.nan
        if n_gaps > 0.0:
            recency = (now - last_in) * _DAYS
            recent = gap_sum_recent / gap_weight_recent
            spread = np.sqrt(gap_m2 / n_gaps)
            f[base + _GAP_MEAN] = gap_mean
            f[base + _GAP_STD] = spread
            f[base + _GAP_RECENT] = recent
            f[base + _GAP_MAX] = gap_max
            if gap_mean > 0.0:
                f[base + _GAP_RATIO] = recency / gap_mean
            if recent > 0.0:
                f[base + _GAP_RATIO_RECENT] = recency / recent
            # A spread of less than a second is rounding, not rhythm.
            if spread > 1.0 / 86400.0:
                f[base + _GAP_Z] = (recency - gap_mean) / spread
        f[base + _RECENCY_ORDER] = (now - last_order) * _DAYS if last_order != _NEVER else np.nan
        f[base + _REVENUE_30] = revenue_30
        f[base + _REVENUE_90] = revenue_90
        f[base + _REVENUE_365] = revenue_365
        f[base + _REVENUE] = revenue
        f[base + _REVENUE_MEAN] = sold / n_orders if n_orders > 0.0 else np.nan
        if n_orders == 0.0:
            f[base + _REVENUE_LAST] = np.nan
        f[base + _REVENUE_CHANGE] = revenue_90 - revenue_180
        f[base + _REVENUE_FADED] = faded_revenue
        f[base + _MARGIN] = margin_365
        f[base + _RETURNS] = returns_365
        f[base + _DWELL_30] = dwell_30
        f[base + _DWELL_90] = dwell_90
        f[base + _DWELL_MEAN] = dwell / n_dwell if n_dwell > 0.0 else np.nan
        f[base + _ANSWER_RATE] = n_answered / n_out if n_out > 0.0 else np.nan
        f[base + _RECENCY_ANSWER] = (now - last_answer) * _DAYS if last_answer != _NEVER else np.nan
        f[base + _POINTS] = points
