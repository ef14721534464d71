"""The kernel: counts, sums, recencies, rhythms and fading interests over half-open windows.

One compiled pass over a contact's touchpoints strictly before ``as_of``, in (contact, time) order. A request calls it
with one contact, training with millions: the same machine code, so their features are equal to the bit. Columns are
fields of records made from the catalogue, so that a name which the catalogue lacks does not compile.

Rows come in the order of contact and moment. A contact's touchpoints run forward once into sums over everything so
far (``so_far``), however many rows look at it; then each row looks back from its moment over the windows. Neither
depends on which other rows there are.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from features.compiled import (
    F32,
    F64,
    I32,
    I64,
    Record,
    Whole,
    code_column,
    compiled,
    f64_column,
    fetch_ahead,
    flag_column,
    i32_column,
    i64_column,
    inlined,
)  # fmt: skip
from features.kernel import so_far as running
from features.kernel.events import (
    ANSWERS,
    ATTENTION,
    CHANNEL,
    CHANNEL_SLOT,
    DURATION,
    KIND,
    KIND_MEANS,
    KIND_POINTS,
    KIND_SLOT,
    MARGIN,
    MONEY,
    OCCURRED_AT,
    ONCE,
    OUTBOUND,
    RETURNED,
    START,
    TOPIC,
    TOPIC_ABOVE,
    TOPIC_SLOT,
    TOPIC_START,
    VALUE,
    VISIBLE_FROM,
    VISIBLE_TO,
)  # fmt: skip
from features.kernel.scratch import (
    CHANNEL_WIDTH,
    EDGES,
    GROUP,
    KIND_WIDTH,
    NEVER,
    PART_WIDTH,
    TO_180,
    TOPIC_WIDTH,
    channel_columns,
    kind_columns,
    lay_out,
    memory_for,
    topic_columns,
    total_columns,
)  # fmt: skip
from features.kernel.summary import (
    say_activity,
    say_answers,
    say_channels,
    say_kinds,
    say_money,
    say_rhythm,
    say_topics,
)
from features.times import DAY

_N_PARTS = len(EDGES) - 1


@compiled
def fill_history(
    deck: I64,
    order: I32,
    contact: I64,
    as_of: I64,
    n_kinds: int,
    n_channels: int,
    n_topics: int,
    topic_rate: float,
    points_rate: float,
    margin_share: float,
    out: F32,
) -> None:
    """Fill the history columns of each row (contact, as_of).

    Parameters
    ----------
    deck
        Of ``Events``.
    order
        The rows to fill, by contact and ``as_of``.
    contact, as_of
        Code of the contact (-1: unknown, no history) and microseconds of each entry of ``order``.
    n_kinds, n_channels, n_topics
        Columns of each sort, the rest included.
    topic_rate, points_rate
        Fading per microsecond, 1 / half-life; 0 never fades.
    margin_share
        Margin of what has none of its own, as a share of its value.
    out
        float32, shape (rows, columns); the history columns, which come first, are overwritten.
    """
    start, occurred_at = i64_column(deck, START), i64_column(deck, OCCURRED_AT)
    kind, channel, outbound = code_column(deck, KIND), i32_column(deck, CHANNEL), flag_column(deck, OUTBOUND)
    value, margin, duration = f64_column(deck, VALUE), f64_column(deck, MARGIN), f64_column(deck, DURATION)
    answers, topic_start, topic = i32_column(deck, ANSWERS), i64_column(deck, TOPIC_START), code_column(deck, TOPIC)
    visible_from, visible_to = i64_column(deck, VISIBLE_FROM), i64_column(deck, VISIBLE_TO)
    kind_slot, kind_means, kind_points = (
        code_column(deck, KIND_SLOT), i32_column(deck, KIND_MEANS), f64_column(deck, KIND_POINTS),
    )  # fmt: skip
    channel_slot, topic_slot, above = (
        code_column(deck, CHANNEL_SLOT), code_column(deck, TOPIC_SLOT), i32_column(deck, TOPIC_ABOVE),
    )  # fmt: skip
    sometimes_hidden, has_channels, has_outbound = len(visible_from) > 0, len(channel) > 0, len(outbound) > 0
    has_topics, has_answers, has_dwell = len(topic_start) > 0, len(answers) > 0, len(duration) > 0
    sizes = n_kinds, n_channels, n_topics, len(kind_slot), len(channel_slot), len(topic_slot)
    memory = memory_for(*sizes)
    (
        of_contact, kinds, channels, topics, kind_mark, channels_met, topics_met, parts, flat_parts, flat_counts,
        kind_counts, channel_counts, topic_sums, topic_lasts, fading,
    ) = lay_out(memory, *sizes)  # fmt: skip
    in_7, in_30, in_90 = fading[0], fading[1], fading[2]
    at_out, width = out.ctypes.data, 4 * out.shape[1]
    at_channels = 4 * n_kinds * KIND_WIDTH
    at_topics = at_channels + 4 * n_channels * CHANNEL_WIDTH
    at_total = at_topics + 4 * n_topics * TOPIC_WIDTH
    furthest = running.MOST / max(running.RATE_7, topic_rate, points_rate)
    begun, mark, low, high, i = np.int64(-2), np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    for place in range(len(order)):
        if place + 1 < len(order):
            fetch_ahead(at_out + order[place + 1] * width, width)
        row = order[place]
        # A record is a bare pointer and keeps nothing alive: it is taken where its array is used again afterwards.
        now, so_far = as_of[place], of_contact[0]
        if contact[place] != begun or sometimes_hidden:
            begun = contact[place]
            mark += 1
            low = high = i = np.int64(0)
            if begun >= 0:
                low, high = start[begun], start[begun + 1]
                i = low
            running.begin(so_far, kinds)
        while i < high and occurred_at[i] < now:
            if sometimes_hidden and not visible_from[i] < now <= visible_to[i]:
                i += 1
                continue
            if so_far.first == NEVER:
                so_far.first = so_far.base = occurred_at[i]
            if occurred_at[i] - so_far.base > furthest:
                past = occurred_at[i] - so_far.base
                running.rebase(so_far, kinds, topics, topics_met, past, topic_rate, points_rate)
            base, inbound, points = so_far.base, running.inbound_of(so_far), so_far.points
            until = running.weigh(fading, occurred_at, i, high, now, base, furthest)
            moments, codes = occurred_at[i:until], kind[i:until]
            for k in range(len(moments)):
                at_i = i + k
                if sometimes_hidden and not visible_from[at_i] < now <= visible_to[at_i]:
                    continue
                ts, code = moments[k], codes[k]
                by_7, by_30, by_90 = in_7[k], in_30[k], in_90[k]
                slot, means = kind_slot[code], kind_means[code]
                # Nothing is asked about what nearly never is: a question whose answer changes costs more than a sum.
                if means & ONCE == 0 or kind_mark[code] != mark:
                    points += kind_points[code] * running.weight(ts - base, points_rate, by_7, by_30, by_90)
                if kind_mark[code] != mark:
                    kind_mark[code] = mark
                    so_far.n_kinds += 1
                running.add_kind(kinds[slot], ts, by_30)
                if has_channels and channel[at_i] >= 0:
                    running.add_channel(so_far, channels, channels_met, channel[at_i], ts, mark)
                if has_outbound and outbound[at_i]:
                    kinds[slot].sent += 1.0
                    so_far.n_out += 1.0
                    so_far.last_out = ts
                    continue
                inbound = running.add_inbound(inbound, ts, by_7, by_30, by_90)
                if has_answers and answers[at_i] != 0:
                    so_far.last_answer = ts
                    if answers[at_i] > 0:
                        so_far.n_answered += 1.0
                        kinds[kind_slot[kind[at_i - answers[at_i]]]].answered += 1.0
                if means & (MONEY | RETURNED):
                    is_return = means & RETURNED != 0
                    running.add_money(so_far, is_return, amount_of(value, at_i, is_return), ts, by_30)
                if means & ATTENTION and has_dwell and duration[at_i] > 0.0:
                    so_far.dwell += duration[at_i]
                    so_far.n_dwell += 1.0
                if has_topics and topic_start[at_i + 1] > topic_start[at_i]:
                    by_topic = running.weight(ts - base, topic_rate, by_7, by_30, by_90)
                    for j in range(topic_start[at_i], topic_start[at_i + 1]):
                        running.add_topic(so_far, topics, topics_met, topic[j], ts, mark, by_topic, by_7, by_90)
            running.keep_inbound(so_far, inbound)
            so_far.points = points
            i = until
        for k in range(len(flat_parts)):
            flat_parts[k] = 0.0
        for k in range(len(flat_counts)):
            flat_counts[k] = 0
        part, day = 0, np.int64(NEVER)
        for back in range(i - 1, low - 1, -1):
            if sometimes_hidden and not visible_from[back] < now <= visible_to[back]:
                continue
            ts, code = occurred_at[back], kind[back]
            while now - ts > EDGES[part]:
                part += 1
            if part == _N_PARTS:
                break
            group, its = GROUP[part], parts[part]
            kind_counts[kind_slot[code], group] += 1
            if has_channels and channel[back] >= 0:
                channel_counts[channel_slot[channel[back]], group] += 1
            if has_outbound and outbound[back]:
                its.outbound += 1.0
                continue
            its.inbound += 1.0
            if ts // DAY != day:
                day = ts // DAY
                its.days += 1.0
            if has_answers:
                its.answered += answers[back] > 0
            means = kind_means[code]
            if means & (MONEY | RETURNED):
                is_return = means & RETURNED != 0
                amount = amount_of(value, back, is_return)
                _look_at_money(its, is_return, amount, margin_of(margin, back, is_return, amount, margin_share))
            if means & ATTENTION and has_dwell and duration[back] > 0.0:
                its.dwell += duration[back]
        before_90d = parts[TO_180].revenue
        for k in range(PART_WIDTH, len(flat_parts)):
            flat_parts[k] += flat_parts[k - PART_WIDTH]
        past = so_far.base - now
        by_7, by_30, by_90 = running.weights(past)
        by_topic = running.weight(past, topic_rate, by_7, by_30, by_90)
        by_points = running.weight(past, points_rate, by_7, by_30, by_90)
        of_topics, of_channels = topics_met[: so_far.n_topics], channels_met[: so_far.n_channels]
        at = at_out + row * width
        total = total_columns(at + at_total, 1)[0]
        say_kinds(kind_columns(at, n_kinds), kinds, kind_counts, now, by_30)
        say_channels(
            channel_columns(at + at_channels, n_channels), total, channel_slot, channels, of_channels,
            channel_counts, now,
        )  # fmt: skip
        say_topics(
            topic_columns(at + at_topics, n_topics), total, topic_slot, above, topics, of_topics,
            topic_sums, topic_lasts, now, by_topic, by_7, by_90,
        )  # fmt: skip
        say_activity(total, so_far, parts, now, by_7, by_30, by_90)
        say_rhythm(total, so_far, now)
        say_money(total, so_far, parts, before_90d, now, by_30)
        say_answers(total, so_far, parts, now, by_points)
    # The memory is seen through bare addresses, so that only this keeps it until here.
    memory[0] = 0


@inlined
def amount_of(value: F64, i: Whole, is_return: bool) -> Any:
    """Revenue of a touchpoint; systems write a return as 20 or as -20, and either way it takes 20 away."""
    amount: Any = value[i] if len(value) and value[i] == value[i] else 0.0
    return -abs(amount) if is_return else amount


@inlined
def margin_of(margin: F64, i: Whole, is_return: bool, amount: float, share: float) -> Any:
    """Margin of a touchpoint: its own, else a share of its revenue."""
    own: Any = margin[i] if len(margin) and margin[i] == margin[i] else amount * share
    return -abs(own) if is_return else own


@inlined
def _look_at_money(part: Record, is_return: bool, amount: float, margin: float) -> None:
    part.revenue += amount
    part.margin += margin
    if is_return:
        part.returned -= amount
        part.returns += 1.0
    else:
        part.orders += 1.0
