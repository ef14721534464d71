"""The kernel's third part: what the contacts of an account did together, and what one of them is among them.

The rows of an account are taken in the order of their moments, and its contacts' touchpoints are walked once with
them: what is common to all contacts is worked out once for each (account, as_of). When somebody joins or leaves
between two moments the account is walked again from its beginning, so that every number depends on nothing but the
touchpoints that count at that moment: one contact in a request and millions in training get the same bits.

``fill_account`` is longer than a function should be, for the reason that ``fill_history`` gives.
"""

from __future__ import annotations

import numpy as np

from features.compiled import (
    F32,
    I64,
    Flags,
    Record,
    Records,
    Whole,
    compiled,
    f64_column,
    flag_column,
    i32_column,
    i64_column,
    inlined,
)
from features.kernel.account_order import SENT, gather, largest, revenue_of, unpacked
from features.kernel.account_records import (
    COLUMNS,
    EDGE,
    MEMBER,
    NOW,
    TO_30,
    TO_60,
    TO_90,
    TO_365,
    TOPIC,
    WALK,
    WIDTHS,
    Entries,
)
from features.kernel.account_summary import n_roles, say_members, say_own, say_shared, say_topics, say_windows
from features.kernel.events import (
    ANSWERS,
    MONEY,
    OCCURRED_AT,
    OUTBOUND,
    RETURNED,
    START,
    TOPIC_ABOVE,
    TOPIC_START,
    VALUE,
)
from features.kernel.events import TOPIC as TOPIC_CODE
from features.kernel.fading import power_of_two
from features.kernel.scratch import NEVER

_WIDTH = len(COLUMNS.names or ())
_FURTHEST = 900.0
"""Half-lives from the base of interests; 2 to the power of it is still a float, and so is a sum of many."""


@compiled
def fill_account(
    deck: I64,
    entries: Entries,
    account: I64,
    entry: I64,
    contact: I64,
    as_of: I64,
    order: I64,
    fading: float,
    out: F32,
) -> None:
    """Fill the columns about the account of each row's contact.

    Parameters
    ----------
    deck
        Of ``Events``.
    entries
        Who belonged to which account when.
    account, entry, contact, as_of
        Of each row: its account, the entry by which its contact belongs to it, the contact, and microseconds.
    order
        The rows to fill, by (account, as_of); others are left as they are.
    fading
        Half-lives of a topic per microsecond.
    out
        float32, shape (rows, columns of ``ACCOUNT``).
    """
    start, occurred_at, outbound = i64_column(deck, START), i64_column(deck, OCCURRED_AT), flag_column(deck, OUTBOUND)
    value, answers, topic_start = f64_column(deck, VALUE), i32_column(deck, ANSWERS), i64_column(deck, TOPIC_START)
    topic, n_topics = i32_column(deck, TOPIC_CODE), len(i32_column(deck, TOPIC_ABOVE))
    has_outbound, has_value, has_answers = len(outbound) > 0, len(value) > 0, len(answers) > 0
    has_topics = len(topic_start) > 0
    of_account, member_contact, from_us, to_us = entries.start, entries.contact, entries.from_us, entries.to_us
    first, first_inbound = entries.first, entries.first_inbound
    most_rows, most_members = largest(deck, of_account, member_contact, account, order)
    at, packed, what = np.zeros(most_rows, np.int64), np.zeros(most_rows, np.int64), np.zeros(most_rows, np.int32)
    spare, spare_packed = np.zeros(most_rows, np.int64), np.zeros(most_rows, np.int64)
    counts = np.zeros(most_members, np.bool_)
    members, edges, of_walk = np.zeros(most_members, MEMBER), np.zeros(len(WIDTHS), EDGE), np.zeros(1, WALK)
    by_topic, met, own_met = np.zeros(n_topics, TOPIC), np.zeros(n_topics, np.int64), np.zeros(n_topics, np.int64)
    role_met = np.full(entries.n_roles, -1)
    flat, common = np.zeros(_WIDTH), np.zeros(_WIDTH)
    for k in range(len(WIDTHS)):
        edges[k].width = WIDTHS[k]
    n = 0
    before, moment = np.int64(-1), np.int64(NEVER)
    for place in range(len(order)):
        row = order[place]
        # A record is a bare pointer and keeps nothing alive: it is taken where its array is used again afterwards.
        walk, group, ours = of_walk[0], common.view(COLUMNS)[0], flat.view(COLUMNS)[0]
        now, low, high = as_of[row], of_account[account[row]], of_account[account[row] + 1]
        if account[row] != before:
            n = gather(deck, member_contact, low, high, at, packed, what, spare, spare_packed)
        if account[row] != before or now != moment:
            if account[row] != before or _somebody_moved(from_us, to_us, first, low, high, moment, now, counts):
                _begin(edges, walk, members, high - low, place)
                for i in range(low, high):
                    counts[i - low] = from_us[i] < now <= to_us[i]
            before, moment = account[row], now
            edge = edges[NOW]
            while edge.at < n and at[edge.at] < now:
                ts, means = at[edge.at], what[edge.at]
                i, who = unpacked(packed[edge.at])
                edge.at += 1
                if not counts[who]:
                    continue
                member = members[who]
                member.n += 1.0
                if walk.first == NEVER:
                    walk.first = walk.base = ts
                if means == SENT:
                    edge.n_out += 1.0
                    walk.last_out = ts
                    continue
                edge.n_in += 1.0
                member.n_in += 1.0
                member.last_in = walk.last_in = ts
                if means != 0:
                    edge.revenue += revenue_of(value[i], means & RETURNED != 0) if has_value else 0.0
                    if means & MONEY:
                        edge.n_orders += 1.0
                        walk.last_order = ts
                if has_answers and answers[i] != 0:
                    walk.last_answer = ts
                if has_topics and topic_start[i + 1] > topic_start[i]:
                    if (ts - walk.base) * fading > _FURTHEST:
                        _rebase(walk, by_topic, met[: walk.n_topics], ts, fading)
                    weight = power_of_two((ts - walk.base) * fading)
                    for j in range(topic_start[i], topic_start[i + 1]):
                        _add_interest(by_topic[topic[j]], topic[j], met, walk, weight)
            for k in range(1, len(edges)):
                edge = edges[k]
                begin = now - edge.width
                while edge.at < n and at[edge.at] < begin:
                    i, who = unpacked(packed[edge.at])
                    means = what[edge.at]
                    edge.at += 1
                    if not counts[who]:
                        continue
                    if means == SENT:
                        edge.n_out += 1.0
                        continue
                    edge.n_in += 1.0
                    if k == TO_30:
                        members[who].n_in_30d += 1.0
                    elif k == TO_60:
                        members[who].n_in_60d += 1.0
                    elif k == TO_90:
                        members[who].n_in_90d += 1.0
                    elif k == TO_365 and means != 0:
                        edge.revenue += revenue_of(value[i], means & RETURNED != 0) if has_value else 0.0
                        edge.n_orders += means & MONEY
            common[:] = 0.0
            say_members(group, walk, members, counts, first_inbound, low, high, now)
            group.account_n_roles = n_roles(entries, counts, low, high, role_met, now, place)
            say_windows(group, walk, edges, now)
            say_topics(group, walk, by_topic, met[: walk.n_topics], now, fading)
        flat[:] = common
        low_row = high_row = np.int64(0)
        if has_topics and 0 <= contact[row] < len(start) - 1:
            low_row, high_row = start[contact[row]], start[contact[row] + 1]
        own_total, n_own = 0.0, 0
        for i in range(low_row, high_row):
            if occurred_at[i] >= now:
                break
            if (has_outbound and outbound[i]) or topic_start[i + 1] == topic_start[i]:
                continue
            fade = power_of_two(-fading * (now - occurred_at[i]))
            for j in range(topic_start[i], topic_start[i + 1]):
                about = by_topic[topic[j]]
                if about.row != place + 1:
                    about.row = place + 1
                    about.own = 0.0
                    own_met[n_own] = topic[j]
                    n_own += 1
                about.own += fade
                own_total += fade
        say_own(ours, group, walk, members[entry[row] - low], entry[row] - low, edges, now)
        say_shared(ours, group, by_topic, own_met[:n_own], own_total)
        f = out[row]
        for column in range(_WIDTH):
            f[column] = flat[column]


@inlined
def _somebody_moved(
    from_us: I64, to_us: I64, first: I64, low: int, high: int, before: Whole, now: int, counts: Flags
) -> bool:
    """Whether an entry counts otherwise than before, and has touchpoints that were walked already.

    One that has none yet is only marked.
    """
    moved = False
    for i in range(low, high):
        does = from_us[i] < now <= to_us[i]
        if does != counts[i - low]:
            counts[i - low] = does
            moved |= first[i] < before
    return moved


@inlined
def _begin(edges: Records, walk: Record, members: Records, n_members: int, place: int) -> None:
    for k in range(len(edges)):
        edge = edges[k]
        edge.at = 0
        edge.n_in = edge.n_out = edge.n_orders = edge.revenue = 0.0
    walk.first = walk.last_in = walk.last_out = walk.last_order = walk.last_answer = NEVER
    walk.base = walk.n_topics = 0
    walk.interest = 0.0
    walk.number = place + 1
    for i in range(n_members):
        member = members[i]
        member.last_in = NEVER
        member.n = member.n_in = member.n_in_30d = member.n_in_60d = member.n_in_90d = 0.0


@inlined
def _add_interest(about: Record, code: int, met: I64, walk: Record, weight: float) -> None:
    if about.walk != walk.number:
        about.walk = walk.number
        about.interest = 0.0
        met[walk.n_topics] = code
        walk.n_topics += 1
    about.interest += weight
    walk.interest += weight


@inlined
def _rebase(walk: Record, by_topic: Records, met: I64, ts: int, fading: float) -> None:
    """Count interests as what they are worth at ``ts``, before the weights grow beyond a float."""
    shrink = power_of_two((walk.base - ts) * fading)
    for code in met:
        by_topic[code].interest *= shrink
    walk.interest *= shrink
    walk.base = ts
