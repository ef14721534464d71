"""Visits to the web site and the shop: with what they begin, how far they go, and where they break off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from features.times import MINUTE
from features.touchpoints.touchpoints import BY_MACHINE, Touchpoints
from training.dataset import of_kinds

Ints = NDArray[np.int64]

CHANNELS = ("web", "shop")
REST = 30 * MINUTE
"""After so long without a touchpoint a visit is over."""
MOST_STEPS = 8
MOST_KINDS = 12
OTHER = "(other)"
"""Stands for the kinds that fewer visits have."""


@dataclass(frozen=True)
class Visits:
    """Every visit there was, and which kinds of touchpoints it had.

    Attributes
    ----------
    contact, last_at, entry, last
        Of each visit, shape (visits,): the contact's code, when its last touchpoint was, and the kinds of its first and
        its last touchpoint.
    visit, kind, place
        Each kind that a visit has, once, shape (n,): the visit, the kind, and how many other kinds came before it.
    """

    contact: Ints
    last_at: Ints
    entry: Ints
    last: Ints
    visit: Ints
    kind: Ints
    place: Ints
    kinds: Sequence[str]

    @classmethod
    def of(cls, t: Touchpoints, since: int) -> Self:
        """Cut what contacts did on web site and shop from ``since`` (microseconds) on into visits."""
        channel = np.array([*(name in CHANNELS for name in t.channels), False], dtype=np.bool_)[t.channel]
        wanted = np.flatnonzero(channel & ~t.outbound & ~of_kinds(t, (BY_MACHINE,)) & (t.occurred_at >= since))
        contact, at = t.contact[wanted].astype(np.int64), t.occurred_at[wanted]
        kind = t.kind[wanted].astype(np.int64)
        begins = np.ones(len(wanted), dtype=np.bool_)
        begins[1:] = (contact[1:] != contact[:-1]) | (at[1:] - at[:-1] > REST)
        first = np.flatnonzero(begins)
        last = np.append(first[1:], len(wanted))[: len(first)] - 1
        visit = np.cumsum(begins) - 1
        # Rows are in order of time, so that the first row of a pair is when the visit came to that kind.
        pairs, row = np.unique(visit * max(1, len(t.kinds)) + kind, return_index=True)
        order = np.lexsort((row, pairs // max(1, len(t.kinds))))
        of_visit, kinds = pairs[order] // max(1, len(t.kinds)), pairs[order] % max(1, len(t.kinds))
        begin = np.searchsorted(of_visit, of_visit)
        return cls(
            contact[first], at[last], kind[first], kind[last], of_visit, kinds, np.arange(len(order)) - begin, t.kinds
        )

    def between(self, contacts: Ints, since: int, until: int) -> dict[str, Any]:
        """Count the visits of some contacts that were over in ``[since, until)``.

        Only then is it known that a visit is over, so that each is counted once, and what comes later changes nothing.

        Returns
        -------
        dict
            ``visits``; ``steps``: how many have at least one kind of touchpoint, two, and so on; ``kinds``: of each
            kind the visits that had it, those that ended with it, and how many kinds came before it on the average;
            ``entries``: by the kind of the first touchpoint the visits, their ``steps``, and what they ended with.
        """
        over = self.last_at + REST
        chosen = np.isin(self.contact, contacts) & (over >= since) & (over < until)
        pairs = chosen[self.visit]
        if not chosen.any():
            return {"visits": 0, "steps": [], "kinds": {}, "entries": {}}
        name, folded = self._few(self.kind[pairs])
        entry, last = folded[self.entry[chosen]], folded[self.last[chosen]]
        had = np.unique(np.column_stack([self.visit[pairs], folded[self.kind[pairs]]]), axis=0)[:, 1]
        n = len(name)
        sums = np.bincount(folded[self.kind[pairs]], weights=self.place[pairs], minlength=n)
        count = np.bincount(folded[self.kind[pairs]], minlength=n)
        depth = np.bincount(self.visit[pairs], minlength=len(self.contact))[chosen]
        kinds = {
            each: {"visits": int(all_), "ended": int(ended), "place": float(place)}
            for each, all_, ended, place in zip(
                name, np.bincount(had, minlength=n), np.bincount(last, minlength=n), sums / np.maximum(count, 1),
                strict=True,
            )
        }  # fmt: skip
        entries = {
            name[code]: {
                "visits": int((entry == code).sum()),
                "steps": _steps(depth[entry == code]),
                "ended": {
                    name[end]: int(all_)
                    for end, all_ in enumerate(np.bincount(last[entry == code], minlength=n))
                    if all_
                },
            }
            for code in np.unique(entry).tolist()
        }
        return {"visits": len(entry), "steps": _steps(depth), "kinds": kinds, "entries": entries}

    def _few(self, kinds: Ints) -> tuple[list[str], Ints]:
        """Name the kinds that most visits have, and the number of each kind among them."""
        count = np.bincount(kinds, minlength=len(self.kinds))
        most = sorted(np.flatnonzero(count).tolist(), key=lambda code: (-int(count[code]), self.kinds[code]))
        kept = most[:MOST_KINDS]
        number = np.full(max(1, len(self.kinds)), len(kept), dtype=np.int64)
        number[kept] = np.arange(len(kept))
        return [*(self.kinds[code] for code in kept), *([OTHER] if len(most) > len(kept) else [])], number


def _steps(depth: Ints) -> list[int]:
    """Count those that have one kind at least, two, and so on."""
    return [int((depth >= step).sum()) for step in range(1, min(MOST_STEPS, int(depth.max(initial=0))) + 1)]
