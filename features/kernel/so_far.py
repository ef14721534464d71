"""What runs on from touchpoint to touchpoint: sums over everything so far, which no moment changes.

What fades is kept as worth at a base moment: a touchpoint weighs 2**((its time - base) / half-life), a sum of weights
never has to be faded again, and a row multiplies it by 2**((base - as_of) / half-life). The base moves on before the
weights outgrow a float.
"""

from __future__ import annotations

from typing import Any

from features.compiled import F64, I64, Record, Records, Whole, inlined
from features.kernel.fading import power_of_two
from features.kernel.scratch import BLOCK, NEVER
from features.times import DAY

MOST = 500.0
"""How many half-lives a touchpoint may lie after the base."""
RATE_7, RATE_30, RATE_90 = 1.0 / (7 * DAY), 1.0 / (30 * DAY), 1.0 / (90 * DAY)
_RATE_630 = 1.0 / (630 * DAY)


@inlined
def begin(so_far: Record, kinds: Records) -> None:
    """Forget everything."""
    for slot in range(len(kinds)):
        kind = kinds[slot]
        kind.first = kind.last = NEVER
        kind.count = kind.faded = kind.sent = kind.answered = 0.0
    so_far.base = so_far.first = so_far.first_in = so_far.last_in = so_far.last_out = NEVER
    so_far.last_order = so_far.last_answer = NEVER
    so_far.n_kinds = so_far.n_channels = so_far.n_topics = 0
    so_far.n_in = so_far.n_out = so_far.n_answered = 0.0
    so_far.n_gaps = so_far.gap_first = so_far.gap_sum = so_far.gap_squares = so_far.gap_max = 0.0
    so_far.gap_recent = so_far.gap_recent_weight = 0.0
    so_far.faded_7d = so_far.faded_30d = so_far.faded_90d = so_far.points = 0.0
    so_far.revenue = so_far.revenue_faded = so_far.revenue_last = so_far.n_orders = so_far.sold = 0.0
    so_far.dwell = so_far.n_dwell = 0.0


@inlined
def weights(past: Whole) -> tuple[float, float, float]:
    """Weights of a touchpoint ``past`` microseconds after the base, fading by half in 7, 30 and 90 days.

    All three are whole powers of one that fades by half in 630 days: an exponential is the dearest step here.
    """
    one = power_of_two(past * _RATE_630)
    two = one * one
    three = two * one
    six = three * three
    by_90 = six * one
    nine = by_90 * two
    by_30 = nine * nine * three
    twice = by_30 * by_30
    return twice * twice * six, by_30, by_90


@inlined
def weigh(fading: F64, occurred_at: I64, low: Whole, high: Whole, now: Whole, base: Whole, furthest: float) -> Any:
    """Weigh touchpoints from ``low`` on, as many as ``fading`` has room for; returns where they end.

    They lie before ``now`` and not further than ``furthest`` after the base, as the one at ``low`` does.
    """
    until = min(low + BLOCK, high)
    while occurred_at[until - 1] >= now or occurred_at[until - 1] - base > furthest:
        until -= 1
    moments, in_7, in_30, in_90 = occurred_at[low:until], fading[0], fading[1], fading[2]
    for k in range(len(moments)):
        in_7[k], in_30[k], in_90[k] = weights(moments[k] - base)
    return until


@inlined
def weight(past: Whole, rate: float, by_7: float, by_30: float, by_90: float) -> float:
    """Weight under any rate, out of those at hand where it is one of them."""
    if rate == RATE_30:
        return by_30
    if rate == RATE_90:
        return by_90
    if rate == RATE_7:
        return by_7
    return power_of_two(past * rate)


@inlined
def rebase(
    so_far: Record, kinds: Records, topics: Records, met: I64, by: Whole, topic_rate: float, points_rate: float
) -> None:
    """Move the base on by ``by`` microseconds."""
    by_7, by_30, by_90 = power_of_two(-by * RATE_7), power_of_two(-by * RATE_30), power_of_two(-by * RATE_90)
    by_topic = power_of_two(-by * topic_rate)
    so_far.base += by
    so_far.faded_7d *= by_7
    so_far.faded_30d *= by_30
    so_far.faded_90d *= by_90
    so_far.revenue_faded *= by_30
    so_far.points *= power_of_two(-by * points_rate)
    for slot in range(len(kinds)):
        kinds[slot].faded *= by_30
    for code in met[: so_far.n_topics]:
        topics[code].interest *= by_topic
        topics[code].faded_7d *= by_7
        topics[code].faded_90d *= by_90


@inlined
def add_kind(kind: Record, ts: Whole, by_30: float) -> None:
    """One more of a kind with columns of its own, or of the rest."""
    if kind.first == NEVER:
        kind.first = ts
    kind.last = ts
    kind.count += 1.0
    kind.faded += by_30


@inlined
def add_channel(so_far: Record, channels: Records, met: I64, code: Whole, ts: Whole, mark: Whole) -> None:
    """One more on a channel."""
    channel = channels[code]
    if channel.mark != mark:
        channel.mark = mark
        channel.count = 0.0
        met[so_far.n_channels] = code
        so_far.n_channels += 1
    channel.count += 1.0
    channel.last = ts


@inlined
def inbound_of(so_far: Record) -> tuple[Any, ...]:
    """Take the sums about inbound touchpoints out of the record.

    What may be written through any address is written and read again at every touchpoint; these, which change at each,
    are variables meanwhile.
    """
    return (
        so_far.first_in, so_far.last_in, so_far.n_in, so_far.faded_7d, so_far.faded_30d, so_far.faded_90d,
        so_far.gap_first, so_far.gap_sum, so_far.gap_squares, so_far.gap_max, so_far.gap_recent,
        so_far.gap_recent_weight,
    )  # fmt: skip


@inlined
def keep_inbound(so_far: Record, inbound: tuple[Any, ...]) -> None:
    """Put the sums about inbound touchpoints back."""
    (
        so_far.first_in, so_far.last_in, so_far.n_in, so_far.faded_7d, so_far.faded_30d, so_far.faded_90d,
        so_far.gap_first, so_far.gap_sum, so_far.gap_squares, so_far.gap_max, so_far.gap_recent,
        so_far.gap_recent_weight,
    ) = inbound  # fmt: skip
    so_far.n_gaps = max(so_far.n_in - 1.0, 0.0)


@inlined
def add_inbound(inbound: tuple[Any, ...], ts: Whole, by_7: float, by_30: float, by_90: float) -> tuple[Any, ...]:
    """One more touchpoint by the contact, and the gap before it."""
    first, last, n, faded_7, faded_30, faded_90, gap_first, total, squares, longest, recent, weight = inbound
    if n == 0.0:
        first = ts
    else:
        gap = float(ts - last)
        if n == 1.0:
            gap_first = gap
        # Less the first gap, so that nothing cancels where gaps are long and alike: the first is one of them, and
        # squares around it lose at most as many digits as there are gaps.
        shifted = gap - gap_first
        total += shifted
        squares += shifted * shifted
        longest = max(longest, gap)
        recent = 0.7 * recent + gap
        weight = 0.7 * weight + 1.0
    n += 1.0
    return (
        first, ts, n, faded_7 + by_7, faded_30 + by_30, faded_90 + by_90, gap_first, total, squares, longest, recent,
        weight,
    )  # fmt: skip


@inlined
def add_topic(
    so_far: Record, topics: Records, met: I64, code: Whole, ts: Whole, mark: Whole,
    by_topic: float, by_7: float, by_90: float,
) -> None:  # fmt: skip
    """One more mention of a topic."""
    topic = topics[code]
    if topic.mark != mark:
        topic.mark = mark
        topic.first = ts
        topic.interest = topic.faded_7d = topic.faded_90d = 0.0
        met[so_far.n_topics] = code
        so_far.n_topics += 1
    topic.last = ts
    topic.interest += by_topic
    topic.faded_7d += by_7
    topic.faded_90d += by_90


@inlined
def add_money(so_far: Record, is_return: bool, amount: float, ts: Whole, by_30: float) -> None:
    """One more purchase or return."""
    so_far.revenue += amount
    so_far.revenue_faded += amount * by_30
    if not is_return:
        so_far.n_orders += 1.0
        so_far.sold += amount
        so_far.last_order = ts
        so_far.revenue_last = amount
