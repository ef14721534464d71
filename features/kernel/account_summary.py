"""What the kernel says of an account, and of one contact among its others, once all sums are made."""

from __future__ import annotations

import numpy as np

from features.compiled import I64, Flags, Record, Records, inlined
from features.kernel.account_records import NOW, TO_7, TO_30, TO_60, TO_90, TO_365, Entries
from features.kernel.fading import power_of_two
from features.kernel.scratch import NEVER
from features.times import DAY

_DAYS = 1.0 / DAY
_W30, _W90, _W365 = 30 * DAY, 90 * DAY, 365 * DAY
_NOTHING = 1e-9
"""Interest of others that is less is what rounding leaves of none."""


@inlined
def _since(now: int, moment: int) -> float:
    return (now - moment) * _DAYS if moment != NEVER else np.nan


@inlined
def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0.0 else np.nan


@inlined
def say_members(
    group: Record, walk: Record, members: Records, counts: Flags, first_inbound: I64, low: int, high: int, now: int
) -> None:
    """Count the contacts, and give each that became active its place of arrival."""
    walk.latest = walk.latest_but_one = NEVER
    walk.latest_member = -1
    met, rank, before = 0, 0, np.int64(NEVER)
    for i in range(low, high):
        member = members[i - low]
        member.rank = 0
        if not counts[i - low]:
            continue
        group.account_n_contacts += 1.0
        if first_inbound[i] >= now:
            continue
        met += 1
        # Who came at the same moment came at the same place.
        if first_inbound[i] != before:
            rank, before = met, first_inbound[i]
        member.rank = rank
        group.account_n_new_30d += now - first_inbound[i] <= _W30
        age = now - member.last_in
        group.account_n_active_30d += age <= _W30
        group.account_n_active_90d += age <= _W90
        group.account_n_active_365d += age <= _W365
        if member.last_in > walk.latest:
            walk.latest, walk.latest_but_one, walk.latest_member = member.last_in, walk.latest, i - low
        else:
            walk.latest_but_one = max(walk.latest_but_one, member.last_in)
    group.account_active_share_90d = _ratio(group.account_n_active_90d, group.account_n_contacts)


@inlined
def n_roles(entries: Entries, counts: Flags, low: int, high: int, met: I64, now: int, place: int) -> float:
    """Count the different roles; ``met`` says of each role in which place it was counted last."""
    start, from_us, to_us, role = entries.role_start, entries.role_from, entries.role_to, entries.role
    n = 0.0
    for i in range(low, high):
        if not counts[i - low]:
            continue
        c = entries.contact[i]
        for k in range(start[c], start[c + 1]):
            if from_us[k] < now <= to_us[k] and met[role[k]] != place:
                met[role[k]] = place
                n += 1.0
    return n


@inlined
def say_windows(group: Record, walk: Record, edges: Records, now: int) -> None:
    """Fill counts in windows and recencies."""
    all_, e7, e30, e90, e365 = edges[NOW], edges[TO_7], edges[TO_30], edges[TO_90], edges[TO_365]
    group.account_n_inbound_7d = all_.n_in - e7.n_in
    group.account_n_inbound_30d = all_.n_in - e30.n_in
    group.account_n_inbound_90d = all_.n_in - e90.n_in
    group.account_n_inbound_365d = all_.n_in - e365.n_in
    group.account_n_outbound_7d = all_.n_out - e7.n_out
    group.account_n_outbound_30d = all_.n_out - e30.n_out
    group.account_n_outbound_90d = all_.n_out - e90.n_out
    group.account_n_outbound_365d = all_.n_out - e365.n_out
    group.account_n_orders_365d = all_.n_orders - e365.n_orders
    group.account_revenue_365d = all_.revenue - e365.revenue
    group.account_tenure_days = _since(now, walk.first)
    group.account_recency_inbound_days = _since(now, walk.last_in)
    group.account_recency_outbound_days = _since(now, walk.last_out)
    group.account_recency_order_days = _since(now, walk.last_order)
    group.account_recency_answer_days = _since(now, walk.last_answer)


@inlined
def say_topics(group: Record, walk: Record, by_topic: Records, met: I64, now: int, fading: float) -> None:
    """Fill the group's interests as they are now."""
    top_1 = top_2 = top_3 = 0.0
    shrink = power_of_two((walk.base - now) * fading)
    for code in met:
        about = by_topic[code]
        size = about.now = about.interest * shrink
        if size > top_1:
            top_1, top_2, top_3 = size, top_1, top_2
        elif size > top_2:
            top_2, top_3 = size, top_2
        elif size > top_3:
            top_3 = size
    group.account_n_topics_ever = len(met)
    group.account_interest_total = walk.interest * shrink
    group.account_interest_top_1, group.account_interest_top_2, group.account_interest_top_3 = top_1, top_2, top_3


@inlined
def say_own(ours: Record, group: Record, walk: Record, member: Record, which: int, edges: Records, now: int) -> None:
    """Fill what one contact is among the others."""
    is_active = member.last_in != NEVER and now - member.last_in <= _W30
    own_30d = member.n_in - member.n_in_30d
    ours.account_n_others_active_30d = group.account_n_active_30d - is_active
    ours.account_n_others_inbound_30d = group.account_n_inbound_30d - own_30d
    of_before = edges[TO_30].n_in - edges[TO_60].n_in - (member.n_in_30d - member.n_in_60d)
    ours.account_others_change = ours.account_n_others_inbound_30d - of_before
    latest = walk.latest_but_one if walk.latest_member == which else walk.latest
    ours.account_others_recency_days = _since(now, latest)
    ours.account_own_share = _ratio(member.n, edges[NOW].n_in + edges[NOW].n_out)
    ours.account_own_share_90d = _ratio(member.n_in - member.n_in_90d, group.account_n_inbound_90d)
    ours.account_arrival_rank = member.rank if member.rank > 0 else np.nan
    ours.account_is_first = member.rank == 1


@inlined
def say_shared(ours: Record, group: Record, by_topic: Records, own_met: I64, own_total: float) -> None:
    """Fill the others' interest, and how far interests overlap."""
    others = group.account_interest_total - own_total
    ours.account_others_interest = others if others > _NOTHING else 0.0
    overlap = 0.0
    for code in own_met:
        about = by_topic[code]
        overlap += min(about.own / own_total, about.now / group.account_interest_total)
    ours.account_interest_overlap = overlap if len(own_met) else np.nan
