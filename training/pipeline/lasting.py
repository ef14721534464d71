"""How long contacts have been in their stage, and who is in it for longer than nearly everybody usually is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.stages.transitions import FEWEST, stays, usual_days

Ints = NDArray[np.int64]

LONG = 0.1
"""Who is in a stage for longer than all but so many usually are is stuck in it."""


def lengths(table: Ints, step_days: float, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Tell of each stage how long contacts usually stay, and how many of those in it now do so for longer.

    Parameters
    ----------
    table
        Stage by contact and moment, shape (n, moments), -1 where it was no contact; the last moment is now.
    step_days
        Between two moments.

    Returns
    -------
    dict
        By stage: ``usual_days``, the median; ``long_days``, after which nine of ten have left; ``contacts`` there
        now whose time is known, and ``stuck`` of them for longer than ``long_days``. None where too few have left it,
        or most stay longer than is looked back.

    Examples
    --------
    >>> table = np.array([[0, 1, 1, 1]] * 20 + [[0, 0, 0, 0]])
    >>> lengths(np.hstack([np.full((21, 1), -1), table]), 7.0, ("need", "use"))["need"]
    {'usual_days': 7.0, 'long_days': 7.0, 'contacts': 1, 'stuck': 1}
    """
    found = stays(table, step_days)
    is_now = found.lasting & (table[found.contact, -1] == found.stage)
    told: dict[str, dict[str, Any]] = {}
    for code, name in enumerate(names):
        here = found.stage == code
        begun, now = here & found.begun, found.days[here & is_now]
        ended = ~found.lasting[begun]
        enough = int(ended.sum()) >= FEWEST
        usual, long = (usual_days(found.days[begun], ended, left) if enough else None for left in (0.5, LONG))
        told[name] = {
            "usual_days": usual,
            "long_days": long,
            "contacts": len(now),
            "stuck": None if long is None else int((now > long).sum()),
        }
    return told
