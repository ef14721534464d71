"""What each inbound touchpoint answers."""

from __future__ import annotations

import numpy as np
from numba import njit  # noqa: TID251 - part of the kernel

from features.scratch import I32, I64, Flags


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def link_answers(
    start: I64,
    occurred_at: I64,
    outbound: Flags,
    channel: I32,
    decision: I32,
    n_channels: int,
    n_decisions: int,
    within: int,
    answers: I64,
    first_answer: Flags,
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
