"""How likely one cookie took over from another: the arithmetic of visitor stitching, free of any state.

A browser whose cookies were cleared comes back under a new name, on the same device, at the same network and place,
after a gap as its gaps usually are; and the old name is never seen again. Against this stands that somebody else
came with an equal device. Both are rates a day, and the odds are their quotient:

* the gap: visits are taken as a Poisson stream whose rate is known from the old name's days (a Gamma belief), so that
  the gap to the next visit has a Lomax density;
* the silence: had the old name not ended, it would have been seen again since; it may have ended for other reasons,
  after n days of visits with the chance 1 / (1 + n);
* the others: how often new names turn up there while somebody else's visits go on, how common the device is and how
  many come and go on the network, and who lives there and has not been seen yet. Guests leave again: each further day
  speaks against one.

The constants were fitted to simulated worlds (``training/world/simulate.py``) so that of links with a confidence c
a part c is right; tests look at that in worlds of other seeds.
"""

from __future__ import annotations

from math import exp, lgamma, log
from typing import NamedTuple

_FIRST_DAYS, _FIRST_GAPS = 1.0, 50.0
_STRANGERS_A_DAY, _STAYING, _COUNTED = 0.00005, 0.1, 0.2
_UNSEEN, _UNSEEN_BY_OTHERS, _UNSEEN_DAYS = 0.03, 0.8, 0.5
_ANOTHER_SPOT, _SPOTS_COUNTED = 10.0, 2

_USUAL_DAYS, _USUAL_SPAN, _TRUST = 0.8, 5.0, 0.7

SOMEBODY_ELSE = 0.05
"""How likely two names that never met at a spot are two devices all the same."""

EARLY_DAYS = 14.0
"""Who is first seen in the first days of a spot was there before; later ones arrived."""


class Habit(NamedTuple):
    """How often a name was seen: on how many days, over how many days, and what part of them at the spots shared."""

    days: int
    span: float
    share: float


class Company(NamedTuple):
    """Who else turns up at a spot.

    ``age`` in days since anybody was first seen there; ``early`` and ``late`` count names that came while others'
    visits went on, in the first days and after; ``crowd`` how many come and go on the network a day, ``common``
    the device's share of all.
    """

    age: float
    early: int
    late: int
    crowd: float
    common: float


def takes_over(habit: Habit, gap: float) -> float:
    """Chance a day that a name's device comes back after ``gap`` days, by a new name.

    Examples
    --------
    >>> daily = Habit(days=20, span=20.0, share=1.0)
    >>> takes_over(daily, 1.0) > takes_over(daily, 10.0)
    True
    """
    alpha, beta = habit.days + _FIRST_DAYS, habit.span + _FIRST_GAPS
    return habit.share * alpha / (beta + gap) * float((beta / (beta + gap)) ** alpha)


def stays_silent(habit: Habit, gap: float, since: float) -> float:
    """Chance that a name silent for ``gap`` days stays so until ``since`` days after its last, if nobody took over."""
    alpha, beta = habit.days + _FIRST_DAYS, habit.span + _FIRST_GAPS
    ended = 1 / (1 + habit.days)
    return ended + (1 - ended) * float(((beta + gap) / (beta + since)) ** alpha)


def arrives(company: Company, days: int) -> float:
    """Chance a day that somebody else's new name turns up at a spot, and is then seen there on ``days`` days."""
    coming = company.late / max(company.age, EARLY_DAYS) + company.crowd * company.common
    staying = _STAYING + (1 - _STAYING) * 0.5 ** (days - 1)
    unseen = (_UNSEEN + _UNSEEN_BY_OTHERS * company.early) / (_UNSEEN_DAYS + company.age) ** 2
    return (_COUNTED * coming + _STRANGERS_A_DAY) * staying + unseen


def keeps_up(habit: Habit, days: int, span: float) -> float:
    """How much likelier ``days`` days of visits within ``span`` days are for who has this habit than for anybody.

    Examples
    --------
    >>> daily = Habit(days=20, span=20.0, share=1.0)
    >>> keeps_up(daily, 9, 10.0) > 1 > keeps_up(daily, 1, 10.0)
    True
    """
    own = _visits(days - 1, span, habit.days + _USUAL_DAYS, habit.span + _USUAL_SPAN)
    return exp(_TRUST * (own - _visits(days - 1, span, _USUAL_DAYS, _USUAL_SPAN)))


def _visits(n: int, span: float, alpha: float, beta: float) -> float:
    """Log chance of n visits in a span for a Gamma belief about their rate, less what all beliefs share."""
    return lgamma(alpha + n) - lgamma(alpha) + alpha * log(beta) - (alpha + n) * log(beta + span)


def odds(habit: Habit, gap: float, since: float, stranger: float, spots: int) -> float:
    """Odds that a name was taken over rather than that somebody else came; no other name being in question.

    Parameters
    ----------
    gap
        Days from the old name's last sighting to the new one's first.
    since
        Days from the old name's last sighting to now.
    stranger
        What ``arrives`` says of the spot, the smallest of several.
    spots
        At how many spots both were seen.
    """
    more = _ANOTHER_SPOT ** min(spots - 1, _SPOTS_COUNTED)
    return more * takes_over(habit, gap) / stays_silent(habit, gap, since) / stranger
