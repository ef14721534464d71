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

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from features.compiled import F64, I64, compiled
from features.times import DAY
from models.saying.said import Said
from nba.occasions.spells import count_before, followed, holding
from nba.occurrence import Occurrence
from nba.settings.actions import Action
from nba.settings.occasions import YEAR_US, Occasion
from nba.situation import Situation


def by_fall(when: Occasion, action: Action, at: Situation) -> Sequence[Occurrence]:
    """Falls in revenue, those that the clock alone will bring included."""
    rules, by, width = at.catalogue.settings.touchpoints, float(when.by or 0), when.within_us or 0
    times, amounts = at.known.takings(rules)
    # Two orders at least make something usual.
    if len(times) < 2:
        return ()
    falls, told = _falls(times, amounts, width, by, at.as_of)
    found: list[Occurrence] = []
    if not len(falls):
        return found
    for (begins, ends), (now, usual) in zip(falls.tolist(), told.tolist(), strict=True):
        said = Said("occasion.will_fall", {"by": by, "days": width / DAY})
        if begins <= at.as_of:
            said = Said("occasion.fell", {"now": now / 100, "days": width / DAY, "usual": usual / 100})
        found.append(Occurrence(begins, ends, said, of="falls", used_from=begins - width))
    return found


def warm_up() -> None:
    """Look at no revenue once, so that what is compiled at first use is ready before a request needs it."""
    _falls(np.zeros(0, dtype=np.int64), np.zeros(0), DAY, 0.5, DAY)


class Rhythm(NamedTuple):
    """Revenue over time; times in microseconds, amounts in hundredths: whole numbers add up in any order."""

    width: int
    times: I64
    sums: F64
    """Revenue before each of the times, and in all."""
    orders: I64
    """Times of what brought any, rising."""


@compiled
def rhythm_of(times: I64, amounts: F64, width: int) -> Rhythm:
    """Make a rhythm of takings by rising time, to be looked at over a width."""
    sums, orders, n = np.zeros(len(times) + 1), np.empty(len(times), dtype=np.int64), 0
    for i in range(len(times)):
        sums[i + 1] = sums[i] + np.rint(amounts[i] * 100)
        if amounts[i] > 0:
            orders[n] = times[i]
            n += 1
    return Rhythm(width, times, sums, orders[:n])


@compiled
def compared(rhythm: Rhythm, moment: int) -> tuple[float, float]:
    """Revenue of the time before a moment, and what is usual then, 0 where nothing is; of two orders or more."""
    width, times, sums, orders = rhythm.width, rhythm.times, rhythm.sums, rhythm.orders
    then = moment - width
    begun = sums[count_before(times, then)]
    lately = sums[count_before(times, moment)] - begun
    known, earlier = then - orders[0], max(count_before(orders, then) - 1, 0)
    seen = orders[earlier] - orders[0]
    if seen < DAY:
        return lately, 0.0
    begun_then = sums[count_before(times, then - YEAR_US)]
    if known <= YEAR_US:
        return lately, (begun - begun_then) * (width / max(known + seen / max(earlier, 1), width))
    season = sums[count_before(times, moment - YEAR_US)] - begun_then
    return lately, min((begun - begun_then) * (width / YEAR_US), season)


@compiled
def is_below(told: tuple[Rhythm, float], moment: int) -> bool:
    """Whether revenue lies a share below what is usual at a moment."""
    rhythm, by = told
    lately, usual = compared(rhythm, moment)
    return usual > 0 and lately <= (1.0 - by) * usual


@compiled
def _falls(times: I64, amounts: F64, width: int, by: float, as_of: int) -> tuple[I64, F64]:
    """Return when falls begin and end that are not over, and what is compared as they begin, both of shape (n, 2)."""
    rhythm = rhythm_of(times, amounts, width)
    if len(rhythm.orders) < 2:
        return np.empty((0, 2), dtype=np.int64), np.empty((0, 2))
    # How long after it happened something enters or leaves what is compared.
    waits = np.array((0, width, YEAR_US, YEAR_US + width))
    track = followed(times, waits, as_of - width, is_below, (rhythm, by))
    found = holding(track, width, as_of, is_below, (rhythm, by))
    told = np.empty((len(found), 2))
    for i in range(len(found)):
        told[i, 0], told[i, 1] = compared(rhythm, found[i, 0])
    return found, told
