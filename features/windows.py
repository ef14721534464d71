"""The kernel: counts, sums, recencies, rhythms and fading interests over half-open windows.

One compiled pass over a contact's touchpoints strictly before ``as_of``, in (contact, time) order. A request calls it
with one contact, training with millions: the same machine code, so their features are equal to the bit. Columns are
fields of records made from the catalogue, so that a name which the catalogue lacks does not compile.

``fill_history`` is longer than a function should be: what each step needs is taken out of tuples once for all rows,
and handing it to further functions step by step made the pass two and a half times as slow.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from features.catalogue import OVERALL, PER_CHANNEL, PER_KIND
from features.scratch import (
    CHANNEL,
    CHANNEL_SUMS,
    F32,
    F64,
    I32,
    I64,
    KIND,
    KIND_SUMS,
    NEVER,
    SUMS,
    TOPIC_SUMS,
    TOTAL,
    Flags,
    Record,
    Records,
)
from features.times import DAY


class Events(NamedTuple):
    """Touchpoints as numbers: ``start`` delimits contacts, ``topic_start`` the topics of each touchpoint.

    ``kind``, ``channel`` (-1 where there is none) and ``topic`` are codes of texts, and ``kind_slot``,
    ``channel_slot`` and ``topic_slot`` the columns of each code; ``answers`` is the row of the outbound touchpoint
    that an inbound one is the first (``first_answer``) or a later answer to, else -1; ``type`` codes the action or
    kind.
    """

    start: I64
    occurred_at: I64
    kind: I32
    kind_slot: I32
    channel: I32
    channel_slot: I32
    outbound: Flags
    money: Flags
    returned: Flags
    revenue: F64
    margin: F64
    dwell: F64
    points: F64
    answers: I64
    first_answer: Flags
    type: I32
    topic_start: I64
    topic: I32
    topic_slot: I32


_DAYS = 1.0 / DAY
_W1, _W3, _W7, _W30, _W90, _W365 = DAY, 3 * DAY, 7 * DAY, 30 * DAY, 90 * DAY, 365 * DAY
_SEASON_FROM, _SEASON_TO = 380 * DAY, 350 * DAY
_RATE_7, _RATE_30, _RATE_90 = (float(np.log(2.0) / width) for width in (_W7, _W30, _W90))
_KIND_WIDTH, _CHANNEL_WIDTH, _OVERALL_WIDTH = len(PER_KIND), len(PER_CHANNEL), len(OVERALL)
_SECOND = 1.0 / 86400.0


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
        Columns of each sort, the rest included.
    topic_rate, points_rate
        Fading per microsecond, ln 2 / half-life; 0 never fades.
    out
        float32, shape (rows, columns); the history columns, which come first, are overwritten.
    """
    # Arrays are taken out of their tuples once: to take one out counts a reference, which costs more than a sum.
    start, occurred_at, points, dwell = events.start, events.occurred_at, events.points, events.dwell
    kind, kind_slot, channel, channel_slot = events.kind, events.kind_slot, events.channel, events.channel_slot
    outbound, answers, first_answer = events.outbound, events.answers, events.first_answer
    money, returned, revenue, margin = events.money, events.returned, events.revenue, events.margin
    topic_start, topic, topic_slot = events.topic_start, events.topic, events.topic_slot
    kinds_end = n_kinds * _KIND_WIDTH
    channels_end = kinds_end + n_channels * _CHANNEL_WIDTH
    flat = np.zeros(channels_end + n_topics + _OVERALL_WIDTH)
    kinds, channels = flat[:kinds_end].view(KIND), flat[kinds_end:channels_end].view(CHANNEL)
    topics, overall = flat[channels_end : channels_end + n_topics], flat[channels_end + n_topics :].view(TOTAL)[0]
    of_row, by_kind = np.zeros(1, dtype=SUMS), np.zeros(n_kinds, dtype=KIND_SUMS)
    kind_row = np.full(len(kind_slot), -1)
    by_channel, by_topic = np.zeros(len(channel_slot), dtype=CHANNEL_SUMS), np.zeros(len(topic_slot), dtype=TOPIC_SUMS)
    met_channels, met_topics = np.zeros(len(channel_slot), dtype=np.int64), np.zeros(len(topic_slot), dtype=np.int64)
    for row in range(len(as_of)):
        # A record is a bare pointer and keeps nothing alive: it is taken where its array is used again afterwards.
        now, sums = as_of[row], of_row[0]
        _begin(flat, by_kind, sums)
        low = high = np.int64(0)
        if contact[row] >= 0:
            low, high = start[contact[row]], start[contact[row] + 1]
        for i in range(low, high):
            ts = occurred_at[i]
            if ts >= now:
                break
            age = now - ts
            fade_90 = np.exp(-_RATE_90 * age)
            # The cube, as three half-lives of 30 days are one of 90: an exponential is the dearest step here.
            fade = fade_90 * fade_90 * fade_90
            if sums.first == NEVER:
                sums.first = ts
            if points[i] != 0.0:
                overall.points += points[i] * np.exp(-points_rate * age)
            code = kind[i]
            if kind_row[code] != row:
                kind_row[code] = row
                overall.n_kinds_ever += 1.0
            kind_sums = by_kind[kind_slot[code]]
            _add_kind(kinds[kind_slot[code]], kind_sums, ts, age, fade)
            code = channel[i]
            if code >= 0:
                if by_channel[code].row != row + 1:
                    by_channel[code].row = row + 1
                    by_channel[code].count = 0.0
                    met_channels[sums.n_channels] = code
                    sums.n_channels += 1
                _add_channel(channels[channel_slot[code]], by_channel[code], ts, age)
            if outbound[i]:
                kind_sums.sent += 1.0
                _add_outbound(overall, sums, ts, age)
                continue
            _add_gap(sums, ts)
            _add_inbound(overall, sums, ts, age, fade, fade_90)
            if answers[i] >= low:
                _add_answer(overall, sums, by_kind[kind_slot[kind[answers[i]]]], first_answer[i], ts, age)
            if money[i] or returned[i]:
                _add_money(overall, sums, returned[i], revenue[i], margin[i], ts, age, fade)
            if dwell[i] > 0.0:
                _add_dwell(overall, sums, dwell[i], age)
            if topic_start[i + 1] > topic_start[i]:
                fade = fade if topic_rate == _RATE_30 else np.exp(-topic_rate * age)
                for j in range(topic_start[i], topic_start[i + 1]):
                    code = topic[j]
                    if by_topic[code].row != row + 1:
                        by_topic[code].row = row + 1
                        by_topic[code].interest = 0.0
                        met_topics[sums.n_topics] = code
                        sums.n_topics += 1
                    by_topic[code].interest += fade
                    by_topic[code].last = ts
                    topics[topic_slot[code]] += fade
                    overall.interest_total += fade
        _say_kinds(kinds, by_kind, now)
        _say_channels(overall, channels, channel_slot, by_channel, met_channels[: sums.n_channels], now)
        _say_topics(overall, by_topic, met_topics[: sums.n_topics], now)
        _say_activity(overall, sums, now)
        _say_rhythm(overall, sums, now)
        _say_money_and_answers(overall, sums, now)
        f = out[row]
        for column in range(len(flat)):
            f[column] = flat[column]


@njit(forceinline=True)  # type: ignore[untyped-decorator]
def _begin(row: F64, kind: Records, sums: Record) -> None:
    row[:] = 0.0
    for slot in range(len(kind)):
        one = kind[slot]
        one.first = one.last = NEVER
        one.count = one.sent = one.answered = 0.0
    sums.first = sums.last_in = sums.last_out = sums.last_order = sums.last_answer = NEVER
    sums.day_30d = sums.day_90d = sums.day_365d = NEVER
    sums.n_channels = sums.n_topics = 0
    sums.n_outbound = sums.n_answered = 0.0
    sums.n_gaps = sums.gap_mean = sums.gap_m2 = sums.gap_max = sums.gap_recent = sums.gap_recent_weight = 0.0
    sums.n_30_60d = sums.n_90_180d = 0.0
    sums.n_orders = sums.sold = sums.revenue_90_180d = sums.dwell = sums.n_dwell = 0.0


@njit(forceinline=True)  # type: ignore[untyped-decorator]
def _add_kind(kind: Record, sums: Record, ts: int, age: int, fade: float) -> None:
    kind.n_kind_7d += age <= _W7
    kind.n_kind_30d += age <= _W30
    kind.n_kind_90d += age <= _W90
    kind.n_kind_365d += age <= _W365
    kind.faded_kind += fade
    sums.count += 1.0
    if sums.first == NEVER:
        sums.first = ts
    sums.last = ts


@njit(forceinline=True)  # type: ignore[untyped-decorator]
def _add_channel(channel: Record, sums: Record, ts: int, age: int) -> None:
    sums.count += 1.0
    sums.last = ts
    channel.n_channel_7d += age <= _W7
    channel.n_channel_30d += age <= _W30
    channel.n_channel_90d += age <= _W90
    channel.n_channel_365d += age <= _W365


@njit(forceinline=True)  # type: ignore[untyped-decorator]
def _add_outbound(overall: Record, sums: Record, ts: int, age: int) -> None:
    sums.n_outbound += 1.0
    sums.last_out = ts
    overall.n_outbound_7d += age <= _W7
    overall.n_outbound_30d += age <= _W30
    overall.n_outbound_90d += age <= _W90
    overall.n_outbound_365d += age <= _W365


@njit(forceinline=True)  # type: ignore[untyped-decorator]
def _add_gap(sums: Record, ts: int) -> None:
    if sums.last_in != NEVER:
        gap = (ts - sums.last_in) * _DAYS
        sums.n_gaps += 1.0
        # Welford's running variance: no cancellation where gaps are long and alike.
        delta = gap - sums.gap_mean
        sums.gap_mean += delta / sums.n_gaps
        sums.gap_m2 += delta * (gap - sums.gap_mean)
        sums.gap_max = max(sums.gap_max, gap)
        sums.gap_recent = 0.7 * sums.gap_recent + gap
        sums.gap_recent_weight = 0.7 * sums.gap_recent_weight + 1.0
    sums.last_in = ts


@njit(forceinline=True)  # type: ignore[untyped-decorator]
def _add_inbound(overall: Record, sums: Record, ts: int, age: int, fade: float, fade_90: float) -> None:
    overall.n_inbound_ever += 1.0
    overall.faded_inbound_7d += np.exp(-_RATE_7 * age)
    overall.faded_inbound_30d += fade
    overall.faded_inbound_90d += fade_90
    overall.n_inbound_1d += age <= _W1
    overall.n_inbound_3d += age <= _W3
    overall.n_inbound_7d += age <= _W7
    overall.n_inbound_30d += age <= _W30
    overall.n_inbound_90d += age <= _W90
    overall.n_inbound_365d += age <= _W365
    sums.n_30_60d += _W30 < age <= 2 * _W30
    sums.n_90_180d += _W90 < age <= 2 * _W90
    overall.n_season_30d += _SEASON_TO < age <= _SEASON_FROM
    day = ts // _W1
    if age <= _W365 and day != sums.day_365d:
        sums.day_365d = day
        overall.active_days_365d += 1.0
    if age <= _W90 and day != sums.day_90d:
        sums.day_90d = day
        overall.active_days_90d += 1.0
    if age <= _W30 and day != sums.day_30d:
        sums.day_30d = day
        overall.active_days_30d += 1.0


@njit(forceinline=True)  # type: ignore[untyped-decorator]
def _add_answer(overall: Record, sums: Record, sent: Record, is_first: bool, ts: int, age: int) -> None:
    sums.last_answer = ts
    if is_first:
        sums.n_answered += 1.0
        sent.answered += 1.0
        overall.n_answered_365d += age <= _W365


@njit(forceinline=True)  # type: ignore[untyped-decorator]
def _add_money(
    overall: Record, sums: Record, is_return: bool, amount: float, margin: float, ts: int, age: int, fade: float
) -> None:
    overall.revenue_ever += amount
    overall.revenue_faded_30d += amount * fade
    if age <= _W365:
        overall.revenue_365d += amount
        overall.margin_365d += margin
        if age <= _W90:
            overall.revenue_90d += amount
            if age <= _W30:
                overall.revenue_30d += amount
        elif age <= 2 * _W90:
            sums.revenue_90_180d += amount
    if is_return:
        if age <= _W365:
            overall.returns_365d -= amount
            overall.n_returns_365d += 1.0
        return
    sums.n_orders += 1.0
    sums.sold += amount
    sums.last_order = ts
    overall.revenue_last = amount
    overall.n_orders_30d += age <= _W30
    overall.n_orders_90d += age <= _W90
    overall.n_orders_365d += age <= _W365


@njit(forceinline=True)  # type: ignore[untyped-decorator]
def _add_dwell(overall: Record, sums: Record, seconds: float, age: int) -> None:
    sums.dwell += seconds
    sums.n_dwell += 1.0
    if age <= _W90:
        overall.dwell_90d_seconds += seconds
        if age <= _W30:
            overall.dwell_30d_seconds += seconds


@njit(forceinline=True)  # type: ignore[untyped-decorator]
def _since(now: int, moment: int) -> float:
    return (now - moment) * _DAYS if moment != NEVER else np.nan


@njit(forceinline=True)  # type: ignore[untyped-decorator]
def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0.0 else np.nan


@njit(forceinline=True)  # type: ignore[untyped-decorator]
def _say_kinds(kinds: Records, all_sums: Records, now: int) -> None:
    for slot in range(len(kinds)):
        kind, sums = kinds[slot], all_sums[slot]
        kind.recency_kind_days = _since(now, sums.last)
        kind.gap_kind_days = kind.gap_ratio_kind = np.nan
        kind.answer_rate_kind = _ratio(sums.answered, sums.sent)
        if sums.count > 1.0:
            kind.gap_kind_days = (sums.last - sums.first) * _DAYS / (sums.count - 1.0)
            kind.gap_ratio_kind = _ratio(kind.recency_kind_days, kind.gap_kind_days)


@njit(forceinline=True)  # type: ignore[untyped-decorator]
def _say_channels(overall: Record, channels: Records, slot_of: I32, by_channel: Records, met: I64, now: int) -> None:
    for slot in range(len(channels)):
        channels[slot].recency_channel_days = np.nan
    most = total = 0.0
    for code in met:
        sums, channel = by_channel[code], channels[slot_of[code]]
        recency = _since(now, sums.last)
        if not channel.recency_channel_days <= recency:
            channel.recency_channel_days = recency
        total += sums.count
        most = max(most, sums.count)
        overall.n_channels_90d += now - sums.last <= _W90
    overall.n_channels_ever = len(met)
    overall.main_channel_share = _ratio(most, total)


@njit(forceinline=True)  # type: ignore[untyped-decorator]
def _say_topics(overall: Record, by_topic: Records, met: I64, now: int) -> None:
    top_1 = top_2 = top_3 = 0.0
    for code in met:
        size = by_topic[code].interest
        overall.n_topics_30d += now - by_topic[code].last <= _W30
        if size > top_1:
            top_1, top_2, top_3 = size, top_1, top_2
        elif size > top_2:
            top_2, top_3 = size, top_2
        elif size > top_3:
            top_3 = size
    overall.n_topics_ever = len(met)
    overall.interest_top_1, overall.interest_top_2, overall.interest_top_3 = top_1, top_2, top_3
    overall.interest_focus = _ratio(top_1, overall.interest_total)


@njit(forceinline=True)  # type: ignore[untyped-decorator]
def _say_activity(overall: Record, sums: Record, now: int) -> None:
    overall.tenure_days = _since(now, sums.first)
    overall.recency_inbound_days = _since(now, sums.last_in)
    overall.recency_outbound_days = _since(now, sums.last_out)
    overall.inbound_share_90d = _ratio(overall.n_inbound_90d, overall.n_inbound_90d + overall.n_outbound_90d)
    # Steady activity fades to sums in the ratio of the half-lives; dividing by it puts "steady" at 1.
    overall.trend_7_30 = _ratio(overall.faded_inbound_7d, overall.faded_inbound_30d) * (30.0 / 7.0)
    overall.trend_30_90 = _ratio(overall.faded_inbound_30d, overall.faded_inbound_90d) * 3.0
    overall.change_30d = overall.n_inbound_30d - sums.n_30_60d
    overall.change_90d = overall.n_inbound_90d - sums.n_90_180d


@njit(forceinline=True)  # type: ignore[untyped-decorator]
def _say_rhythm(overall: Record, sums: Record, now: int) -> None:
    recency = overall.recency_inbound_days
    spread = np.sqrt(_ratio(sums.gap_m2, sums.n_gaps))
    known = sums.n_gaps > 0.0
    overall.gap_mean_days = sums.gap_mean if known else np.nan
    overall.gap_std_days = spread
    overall.gap_recent_days = _ratio(sums.gap_recent, sums.gap_recent_weight)
    overall.gap_max_days = sums.gap_max if known else np.nan
    overall.gap_ratio = _ratio(recency, sums.gap_mean)
    overall.gap_ratio_recent = _ratio(recency, overall.gap_recent_days)
    # A spread of less than a second is rounding, not rhythm.
    overall.gap_zscore = (recency - sums.gap_mean) / spread if spread > _SECOND else np.nan


@njit(forceinline=True)  # type: ignore[untyped-decorator]
def _say_money_and_answers(overall: Record, sums: Record, now: int) -> None:
    overall.recency_order_days = _since(now, sums.last_order)
    overall.revenue_mean = _ratio(sums.sold, sums.n_orders)
    if sums.n_orders == 0.0:
        overall.revenue_last = np.nan
    overall.revenue_change_90d = overall.revenue_90d - sums.revenue_90_180d
    overall.dwell_mean_seconds = _ratio(sums.dwell, sums.n_dwell)
    overall.answer_rate = _ratio(sums.n_answered, sums.n_outbound)
    overall.recency_answer_days = _since(now, sums.last_answer)
