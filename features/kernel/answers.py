"""What each inbound touchpoint answers."""

from __future__ import annotations

import numpy as np

from features.compiled import I32, I64, Flags, Whole, compiled, flag_column, i32_column, i64_column, inlined
from features.kernel.events import CHANNEL, OCCURRED_AT, OUTBOUND, START, VISIBLE_FROM, VISIBLE_TO


@compiled
def link_answers(
    deck: I64,
    decision: I32,
    n_channels: int,
    n_decisions: int,
    within: int,
    first: int,
    past_last: int,
    answered: Flags,
    answers: I32,
) -> None:
    """Find what each inbound touchpoint of the contacts ``[first, past_last)`` answers; fills ``answers``.

    An answer carries the decision id of an earlier outbound touchpoint of its contact; without an id it follows the
    last outbound one on its channel within ``within`` microseconds. Only the past is looked at, so an answer stands
    as soon as it has happened. Where touchpoints are hidden at times, both must be visible at the same times: then
    whoever sees an answer also sees what it answers, and which one came first.

    Parameters
    ----------
    deck
        Of ``Events``.
    decision
        Codes per touchpoint, without entries where there are none.
    answered
        Room, False per touchpoint.
    answers
        Filled as ``Events`` says, zeros before.
    """
    start, occurred_at = i64_column(deck, START), i64_column(deck, OCCURRED_AT)
    channel, outbound = i32_column(deck, CHANNEL), flag_column(deck, OUTBOUND)
    visible_from, visible_to = i64_column(deck, VISIBLE_FROM), i64_column(deck, VISIBLE_TO)
    of_decision = np.full(max(n_decisions, 1), -1, dtype=np.int64)
    of_channel = np.full(max(n_channels, 1), -1, dtype=np.int64)
    for contact in range(first, past_last):
        low, high = start[contact], start[contact + 1]
        of_channel[:] = -1
        for i in range(low, high):
            its_decision = decision[i] if len(decision) else -1
            its_channel = channel[i] if len(channel) else -1
            if outbound[i]:
                if its_decision >= 0:
                    of_decision[its_decision] = i
                if its_channel >= 0:
                    of_channel[its_channel] = i
                continue
            sent: Whole = np.int64(-1)
            earliest: Whole = np.int64(-(2**63))
            if its_decision >= 0:
                sent = of_decision[its_decision]
            elif its_channel >= 0:
                sent = of_channel[its_channel]
                earliest = occurred_at[i] - within
            if len(visible_from):
                sent = _last_seen_with(
                    i, sent, low, visible_from, visible_to, outbound, decision if its_decision >= 0 else channel
                )
            if sent >= low and occurred_at[sent] >= earliest:
                answers[i] = -(i - sent) if answered[sent] else i - sent
                answered[sent] = True


@inlined
def _last_seen_with(
    i: Whole, sent: Whole, low: Whole, visible_from: I64, visible_to: I64, outbound: Flags, code: I32
) -> Whole:
    """Go back from ``sent`` to an outbound touchpoint of the same code that is visible just when ``i`` is."""
    while sent >= low:
        if (
            outbound[sent]
            and code[sent] == code[i]
            and visible_from[sent] == visible_from[i]
            and visible_to[sent] == visible_to[i]
        ):
            break
        sent -= 1
    return sent
