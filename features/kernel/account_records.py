"""Where the kernel keeps what it counts of an account: its entries, its contacts, its topics, its windows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from features.catalogue import ACCOUNT
from features.compiled import I32, I64
from features.times import DAY


class Entries(NamedTuple):
    """Who belonged to which account when: ``start`` delimits accounts.

    ``contact`` is a code, one beyond the touchpoints' contacts for somebody who has none; an entry counts for
    ``as_of`` where ``from_us < as_of <= to_us``. ``first`` and ``first_inbound`` are the times of the contact's first
    touchpoints, and the entries of an account are in the order of ``first_inbound``. ``role_start`` delimits the
    contacts' roles, which hold likewise.
    """

    start: I64
    contact: I64
    from_us: I64
    to_us: I64
    first: I64
    first_inbound: I64
    role_start: I64
    role_from: I64
    role_to: I64
    role: I32
    n_roles: int


def _record(whole: Iterable[str], real: Iterable[str]) -> np.dtype[np.void]:
    return np.dtype([*((name, np.int64) for name in whole), *((name, np.float64) for name in real)])


COLUMNS = np.dtype([(feature.name, np.float64) for feature in ACCOUNT])
"""The columns of a row."""

WIDTHS = np.array([days * DAY for days in (0, 7, 30, 60, 90, 365)], dtype=np.int64)
NOW, TO_7, TO_30, TO_60, TO_90, TO_365 = range(len(WIDTHS))
EDGE = _record(("width", "at"), ("n_in", "n_out", "n_orders", "revenue"))
"""How far the walk has come at the edge of a window, and the sums of everything before it."""

MEMBER = _record(("last_in", "rank"), ("n", "n_in", "n_in_30d", "n_in_60d", "n_in_90d"))
"""One entry: its place of arrival, and its touchpoints up to now and up to some of the edges."""

TOPIC = _record(("walk", "row"), ("interest", "now", "own"))
"""A topic: in which walk and row it was last met, its interest at the base of the walk, now, and of one contact."""

WALK = _record(
    (
        "number", "n_topics", "first", "last_in", "last_out", "last_order", "last_answer", "latest", "latest_but_one",
        "latest_member", "base",
    ),
    ("interest",),
)  # fmt: skip
"""The account as far as it was walked; interests are what they are worth at ``base``, so that none need fade."""
