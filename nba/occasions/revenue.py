"""Occasions by a fall in revenue against what is usual for the contact.

With ``within`` of 90 days: the revenue of the last 90 days is compared with what the contact's own earlier orders let
expect in 90 days. Two things are expected, and the smaller of them counts, so that a quiet season is no fall:

- the mean of the year before these 90 days. Of a contact that has ordered for less than that, its whole earlier time
  counts, at least 90 days, and one mean gap between its orders more: a history that begins with an order shows one
  order more than its length accounts for.
- where the orders go back far enough: what the same 90 days brought a year (365 days) ago.

Nothing is usual before a second order a day or more after the first. A return takes away from revenue.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from features.times import DAY
from nba.occasions.spells import Track, spells
from nba.occurrence import Occurrence
from nba.settings.actions import Action
from nba.settings.occasions import YEAR_US, Occasion
from nba.situation import Situation


def by_fall(when: Occasion, action: Action, at: Situation) -> Iterator[Occurrence]:
    """Falls in revenue, those that the clock alone will bring included."""
    rules, by, width = at.catalogue.settings.touchpoints, when.by or 0.0, when.within_us or 0
    if not any(kind in rules.money for kind in at.known.touchpoints.kinds):
        return
    rhythm = Rhythm.of(*at.known.takings(rules), width)
    if len(rhythm.orders) < 2:
        return
    track = Track.of(partial(rhythm.is_below, by), rhythm.times, rhythm.turns, at.as_of - width)
    for begins, ends in spells(track, width, at.as_of, lambda moment: bool(rhythm.is_below(by, [moment])[0])):
        about = f"revenue is {by:.0%} below what is usual in {width / DAY:g} days"
        if begins <= at.as_of:
            now, usual = (float(found[0]) / 100 for found in rhythm.compared([begins]))
            about = f"revenue fell to {now:.10g} in {width / DAY:g} days, {usual:.6g} is usual"
        yield Occurrence(begins, ends, about, of="falls", used_from=begins - width)


@dataclass(frozen=True, eq=False)
class Rhythm:
    """Revenue over time; times in microseconds, amounts in hundredths: whole numbers add up in any order."""

    width: int
    times: NDArray[np.int64]
    sums: NDArray[np.float64]
    """Revenue before each of the times, and in all."""
    orders: NDArray[np.int64]
    """Times of what brought any, rising."""

    @classmethod
    def of(cls, times: NDArray[np.int64], amounts: NDArray[np.float64], width: int) -> Rhythm:
        """Make it of takings by rising time."""
        sums = np.concatenate(([0.0], np.rint(amounts * 100).cumsum()))
        return cls(width, times, sums, times[amounts > 0])

    @property
    def turns(self) -> tuple[int, ...]:
        """How long after it happened something enters or leaves what is compared."""
        return (0, self.width, YEAR_US, YEAR_US + self.width)

    def is_below(self, by: float, moments: ArrayLike) -> NDArray[np.bool_]:
        """Whether revenue has fallen by a share; shape (n,)."""
        lately, usual = self.compared(moments)
        below: NDArray[np.bool_] = (usual > 0) & (lately <= (1.0 - by) * usual)
        return below

    def compared(self, moments: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Revenue of the time before moments, and what is usual then, 0 where nothing is; each of shape (n,)."""
        t = np.asarray(moments, dtype=np.int64)
        back = np.array(self.turns, dtype=np.int64)
        now, begun, now_then, begun_then = self.sums[self.times.searchsorted(t - back[:, None])]
        first, then = int(self.orders[0]), t - self.width
        known, earlier = then - first, np.maximum(self.orders.searchsorted(then) - 1, 0)
        seen = self.orders[earlier] - first
        is_long = known > YEAR_US
        length = np.where(is_long, YEAR_US, np.maximum(known + seen / np.maximum(earlier, 1), self.width))
        usual = (begun - begun_then) * (self.width / length)
        usual = np.where(is_long, np.minimum(usual, now_then - begun_then), usual)
        return now - begun, np.where(seen >= DAY, usual, 0.0)
