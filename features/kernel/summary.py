"""What a row says: columns out of the sums so far and the sums of the windows.

``by_7``, ``by_30``, ``by_90``, ``by_topic`` and ``by_points`` are what a weight at the base is worth at the row's
moment, under each fading.
"""

from __future__ import annotations

import numpy as np

from features.compiled import F64, I32, I64, Record, Records, Whole, inlined
from features.kernel.scratch import NEVER, TO_1, TO_3, TO_7, TO_30, TO_60, TO_90, TO_180, TO_350, TO_365, TO_380
from features.times import DAY

_DAYS = 1.0 / DAY
_W30, _W90 = 30 * DAY, 90 * DAY
_SECOND = 1.0 / 86400.0
_USUAL = 7.0 / 90.0
"""What a steady activity's sum fading over 7 days is of its sum fading over 90."""


@inlined
def since(now: Whole, moment: Whole) -> float:
    """Days since a moment, NaN where it has not happened."""
    return (now - moment) * _DAYS if moment != NEVER else np.nan


@inlined
def ratio(part: float, whole: float) -> float:
    """Part of a whole, NaN where there is no whole."""
    return part / whole if whole > 0.0 else np.nan


@inlined
def say_kinds(said: Records, so_far: Records, counts: I64, now: Whole, by_30: float) -> None:
    """Fill the columns of each kind."""
    for slot in range(len(said)):
        kind, sums, n = said[slot], so_far[slot], counts[slot]
        within = n[0]
        kind.n_kind_7d = within
        within += n[1]
        kind.n_kind_30d = within
        within += n[2]
        kind.n_kind_90d = within
        kind.n_kind_365d = within + n[3]
        kind.faded_kind = sums.faded * by_30
        recency = since(now, sums.last)
        kind.recency_kind_days = recency
        gap = np.nan
        if sums.count > 1.0:
            gap = (sums.last - sums.first) * _DAYS / (sums.count - 1.0)
        kind.gap_kind_days = gap
        kind.gap_ratio_kind = ratio(recency, gap)
        kind.answer_rate_kind = ratio(sums.answered, sums.sent)


@inlined
def say_channels(
    said: Records, total: Record, slot_of: I32, channels: Records, met: I64, counts: I64, now: Whole
) -> None:
    """Fill the columns of each channel and those about all channels."""
    for slot in range(len(said)):
        channel, n = said[slot], counts[slot]
        within = n[0]
        channel.n_channel_7d = within
        within += n[1]
        channel.n_channel_30d = within
        within += n[2]
        channel.n_channel_90d = within
        channel.n_channel_365d = within + n[3]
        channel.recency_channel_days = np.nan
    most = everything = lately = 0.0
    for code in met:
        channel, said_of = channels[code], said[slot_of[code]]
        recency = (now - channel.last) * _DAYS
        if not said_of.recency_channel_days <= recency:
            said_of.recency_channel_days = recency
        everything += channel.count
        most = max(most, channel.count)
        lately += now - channel.last <= _W90
    total.n_channels_90d = lately
    total.n_channels_ever = len(met)
    total.main_channel_share = ratio(most, everything)


@inlined
def say_topics(
    said: Records, total: Record, slot_of: I32, above: I32, topics: Records, met: I64,
    sums: F64, lasts: I64, now: Whole, by_topic: float, by_7: float, by_90: float,
) -> None:  # fmt: skip
    """Fill the columns of each topic and those about all topics.

    A topic below others (``pumps/industrial``) counts in their columns too, and in that of the rest where neither it
    nor one above has a column. ``sums`` and ``lasts`` are room for each slot: three sums, and the last moment.
    """
    for slot in range(len(said)):
        one_sums = sums[slot]
        one_sums[0] = one_sums[1] = one_sums[2] = 0.0
        lasts[slot] = NEVER
    everything = top_1 = top_2 = top_3 = rise = fall = lately = new = 0.0
    newest = np.int64(NEVER)
    for code in met:
        topic = topics[code]
        interest, fast, slow = topic.interest * by_topic, topic.faded_7d * by_7, topic.faded_90d * by_90
        _add_to_slots(sums, lasts, slot_of, above, code, topic.last, interest, fast, slow)
        everything += interest
        lately += now - topic.last <= _W30
        new += now - topic.first <= _W30
        newest = max(newest, topic.first)
        rise = max(rise, fast - slow * _USUAL)
        fall = max(fall, slow * _USUAL - fast)
        if interest > top_1:
            top_1, top_2, top_3 = interest, top_1, top_2
        elif interest > top_2:
            top_2, top_3 = interest, top_2
        elif interest > top_3:
            top_3 = interest
    for slot in range(len(said)):
        one, its = said[slot], sums[slot]
        one.interest_topic, one.faded_topic_7d, one.faded_topic_90d = its[0], its[1], its[2]
        one.trend_topic = ratio(its[1], its[2] * _USUAL)
        one.recency_topic_days = since(now, lasts[slot])
    total.interest_total = everything
    total.interest_top_1, total.interest_top_2, total.interest_top_3 = top_1, top_2, top_3
    total.interest_focus = ratio(top_1, everything)
    total.interest_rise_top, total.interest_fall_top = rise, fall
    total.n_topics_ever, total.n_topics_30d, total.n_topics_new_30d = len(met), lately, new
    total.recency_new_topic_days = since(now, newest)


@inlined
def _add_to_slots(
    sums: F64, lasts: I64, slot_of: I32, above: I32, code: Whole, last: Whole,
    interest: float, fast: float, slow: float,
) -> None:  # fmt: skip
    rest, found = len(sums) - 1, False
    while code >= 0:
        if slot_of[code] < rest:
            found = True
            _add_to_slot(sums[slot_of[code]], interest, fast, slow)
            lasts[slot_of[code]] = max(lasts[slot_of[code]], last)
        code = above[code]
    if not found:
        _add_to_slot(sums[rest], interest, fast, slow)
        lasts[rest] = max(lasts[rest], last)


@inlined
def _add_to_slot(sums: F64, interest: float, fast: float, slow: float) -> None:
    sums[0] += interest
    sums[1] += fast
    sums[2] += slow


@inlined
def say_activity(
    total: Record, so_far: Record, parts: Records, now: Whole, by_7: float, by_30: float, by_90: float
) -> None:
    """Fill the columns of how much happened when."""
    faded_7d, faded_30d, faded_90d = so_far.faded_7d * by_7, so_far.faded_30d * by_30, so_far.faded_90d * by_90
    to_30, to_90, to_365 = parts[TO_30], parts[TO_90], parts[TO_365]
    total.tenure_days = since(now, so_far.first)
    total.recency_inbound_days = since(now, so_far.last_in)
    total.recency_outbound_days = since(now, so_far.last_out)
    total.n_inbound_1d, total.n_inbound_3d = parts[TO_1].inbound, parts[TO_3].inbound
    total.n_inbound_7d, total.n_inbound_30d = parts[TO_7].inbound, to_30.inbound
    total.n_inbound_90d, total.n_inbound_365d = to_90.inbound, to_365.inbound
    total.n_inbound_ever = so_far.n_in
    total.n_outbound_7d, total.n_outbound_30d = parts[TO_7].outbound, to_30.outbound
    total.n_outbound_90d, total.n_outbound_365d = to_90.outbound, to_365.outbound
    total.inbound_share_90d = ratio(to_90.inbound, to_90.inbound + to_90.outbound)
    total.active_days_30d, total.active_days_90d, total.active_days_365d = to_30.days, to_90.days, to_365.days
    total.faded_inbound_7d, total.faded_inbound_30d, total.faded_inbound_90d = faded_7d, faded_30d, faded_90d
    # Steady activity fades to sums in the ratio of the half-lives; dividing by it puts "steady" at 1.
    total.trend_7_30 = ratio(faded_7d, faded_30d) * (30.0 / 7.0)
    total.trend_30_90 = ratio(faded_30d, faded_90d) * 3.0
    total.change_30d = 2.0 * to_30.inbound - parts[TO_60].inbound
    total.change_90d = 2.0 * to_90.inbound - parts[TO_180].inbound
    total.n_season_30d = parts[TO_380].inbound - parts[TO_350].inbound
    total.n_kinds_ever = so_far.n_kinds


@inlined
def say_rhythm(total: Record, so_far: Record, now: Whole) -> None:
    """Fill the columns of the gaps between the contact's touchpoints."""
    n = so_far.n_gaps
    recency, mean, spread, longest = since(now, so_far.last_in), np.nan, np.nan, np.nan
    if n > 0.0:
        mean = (so_far.last_in - so_far.first_in) * _DAYS / n
        shift = so_far.gap_sum / n
        spread = np.sqrt(max(so_far.gap_squares / n - shift * shift, 0.0)) * _DAYS
        longest = so_far.gap_max * _DAYS
    recent = ratio(so_far.gap_recent * _DAYS, so_far.gap_recent_weight)
    total.gap_mean_days, total.gap_std_days, total.gap_max_days = mean, spread, longest
    total.gap_recent_days = recent
    total.gap_ratio = ratio(recency, mean)
    total.gap_ratio_recent = ratio(recency, recent)
    # A spread of less than a second is rounding, not rhythm.
    total.gap_zscore = (recency - mean) / spread if spread > _SECOND else np.nan


@inlined
def say_money(total: Record, so_far: Record, parts: Records, before_90d: float, now: Whole, by_30: float) -> None:
    """Fill the columns of money; ``before_90d`` is the revenue of the 90 days before the last 90."""
    to_30, to_90, to_365 = parts[TO_30], parts[TO_90], parts[TO_365]
    total.n_orders_30d, total.n_orders_90d, total.n_orders_365d = to_30.orders, to_90.orders, to_365.orders
    total.recency_order_days = since(now, so_far.last_order)
    total.revenue_30d, total.revenue_90d, total.revenue_365d = to_30.revenue, to_90.revenue, to_365.revenue
    total.revenue_ever = so_far.revenue
    total.revenue_mean = ratio(so_far.sold, so_far.n_orders)
    total.revenue_last = so_far.revenue_last if so_far.n_orders > 0.0 else np.nan
    total.revenue_change_90d = to_90.revenue - before_90d
    total.revenue_faded_30d = so_far.revenue_faded * by_30
    total.margin_365d = to_365.margin
    total.returns_365d, total.n_returns_365d = to_365.returned, to_365.returns


@inlined
def say_answers(total: Record, so_far: Record, parts: Records, now: Whole, by_points: float) -> None:
    """Fill the columns of dwell, answers and points."""
    total.dwell_30d_seconds, total.dwell_90d_seconds = parts[TO_30].dwell, parts[TO_90].dwell
    total.dwell_mean_seconds = ratio(so_far.dwell, so_far.n_dwell)
    total.n_answered_365d = parts[TO_365].answered
    total.answer_rate = ratio(so_far.n_answered, so_far.n_out)
    total.recency_answer_days = since(now, so_far.last_answer)
    total.points = so_far.points * by_points
