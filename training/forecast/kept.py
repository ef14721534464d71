"""Contacts that partners keep to themselves, in a forecast: in sums of at least five of them, or in none.

The owner knows the chances of its own contacts, so that the difference tells of what else is in a sum.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nba.partners.visibility import FEWEST, OWNER_SIDE, sight_of
from nba.settings import Settings
from training.past import Past

KEPT = "(kept by partners)"

Codes = NDArray[np.int64]
Flags = NDArray[np.bool_]
Group = tuple[Codes, tuple[str, ...]]
"""The code of each contact's group, and the groups' names."""


def kept(past: Past, settings: Settings) -> Flags:
    """Mark the contacts of ``past.touchpoints`` of which the owner does not see everything now, by their code."""
    names = past.touchpoints.contacts
    found = np.zeros(len(names), dtype=np.bool_)
    for code, name in enumerate(names):
        known = past.traits.known(name, past.now)
        if known.get("partner"):
            sight = sight_of(OWNER_SIDE, known, past.tables.partners, settings.partners, past.now)
            found[code] = not sight.is_whole
    return found


def are_few(hidden: Flags) -> bool:
    """Whether so few are kept that any sum would tell of single ones."""
    return 0 < int(hidden.sum()) < FEWEST


def veiled(group: Group, hidden: Flags) -> Group:
    """Put those that are kept into a group of their own, where fewer than five of them are in one with others.

    Parameters
    ----------
    hidden
        Who is kept, shape (n,); none, or five at least.

    Examples
    --------
    >>> group = np.array([0, 0, 0, 1, 1, 1, 1, 1, 1, 1]), ("pumps", "valves")
    >>> hidden = np.array([False, False, True, False, True, True, True, True, True, True])
    >>> code, names = veiled(group, hidden)
    >>> code.tolist(), names
    ([0, 0, 2, 1, 2, 2, 2, 2, 2, 2], ('pumps', 'valves', '(kept by partners)'))
    """
    code, names = group
    n = np.bincount(code[hidden], minlength=len(names))
    smallest = sorted(np.flatnonzero(n).tolist(), key=lambda each: (int(n[each]), each))
    moved: list[int] = []
    for each in smallest:
        if n[each] >= FEWEST and (not moved or int(n[moved].sum()) >= FEWEST):
            break
        moved.append(each)
    if not moved:
        return group
    apart = hidden & np.isin(code, moved)
    return np.where(apart, len(names), code).astype(np.int64), (*names, KEPT)
