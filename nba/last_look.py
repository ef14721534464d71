"""When a contact last looked at some topics itself, found in one compiled pass over its touchpoints."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from features.compiled import I32, I64, Flags, compiled
from features.touchpoints.touchpoints import Touchpoints


def last_look(t: Touchpoints, about: Sequence[bool], silent: Sequence[bool], before: int) -> int:
    """Return the last row of one contact's own touchpoints about some topics; -1 where there is none.

    Parameters
    ----------
    about
        Whether each of the topics is meant, by its code.
    silent
        Whether touchpoints of each kind are passed over, by its code.
    before
        Rows from here on are not looked at.
    """
    wanted, passed = np.array(about, dtype=np.bool_), np.array(silent, dtype=np.bool_)
    return _look(t.topic_start, t.topic, wanted, t.outbound, t.kind, passed, before)


def warm_up() -> None:
    """Look at nothing once, so that what is compiled at first use is ready before a request needs it."""
    codes, flags = np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.bool_)
    _look(np.zeros(1, dtype=np.int64), codes, flags, flags, codes, flags, 0)


@compiled
def _look(start: I64, topic: I32, about: Flags, outbound: Flags, kind: I32, passed: Flags, before: int) -> int:
    for row in range(before - 1, -1, -1):
        if not outbound[row] and not passed[kind[row]]:
            for place in range(start[row], start[row + 1]):
                if about[topic[place]]:
                    return row
    return -1
