"""Occasions by a change in what a contact does: silence, a burst of interest, points that pass a total.

=============== =====================================================================================================
``silent``      the contact was not heard of for longer than this many times its usual gap: the mean gap between the
                days (UTC) on which it did something, of which there must be three
``burst``       five touchpoints or more about the topic in the last 7 days (or ``within``), and at least three times
                as many as usual: as the mean of the twelve such times before
``points_pass`` the points total reached this many and had not before
=============== =====================================================================================================
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from features.times import DAY, iso
from features.topics import ancestors, is_within
from models.points_table import PointsTable
from nba.interests import SILENT
from nba.occasions.spells import Track, spells
from nba.occurrence import Occurrence
from nba.past import Past
from nba.settings.actions import Action
from nba.settings.occasions import ANY_TOPIC, Occasion
from nba.situation import Situation

LEAST_DAYS = 3
"""Days with something on them, before a gap between them is usual."""
LEAST_TOUCHPOINTS = 5
"""Fewer are no burst: it is about what a single visit brings."""
TIMES_USUAL = 3
_ROUNDING, _UNCERTAIN = 1e-9, 1e-6
"""Sums of cents are off in the last bits."""
USUAL_OVER = 12
"""How many times as long as the burst the time is that it is compared with."""


def by_silence(when: Occasion, action: Action, at: Situation) -> Iterator[Occurrence]:
    """Return the silence since the contact's last touchpoint."""
    t = at.known.touchpoints
    heard = t.occurred_at[~t.outbound]
    days = heard // DAY
    gaps = int(np.count_nonzero(np.diff(days)))
    if gaps + 1 < LEAST_DAYS:
        return
    gap, last = float(days[-1] - days[0]) * DAY / gaps, int(heard[-1])
    begins = last + int(float(when.of) * gap) + 1
    about = f"silent since {iso(last)[:10]}, {gap / DAY:.3g} days are usual"
    yield Occurrence(begins, begins + when.lasts_us, about, of="silent")


def by_burst(when: Occasion, action: Action, at: Situation) -> Iterator[Occurrence]:
    """Bursts of interest in a topic, the topic with most touchpoints first."""
    lately, wanted = when.lasts_us, str(when.of)
    # A burst that is open, or that the clock alone may bring, has had its touchpoints in this time.
    for topic, count in _topics_since(at.known, at.as_of - 2 * lately):
        if count >= LEAST_TOUCHPOINTS and wanted in (ANY_TOPIC, topic):
            times = _times_about(at.known, topic)
            track = Track.of(
                partial(_is_burst, times, lately), times, (0, lately, (1 + USUAL_OVER) * lately), at.as_of - lately
            )
            for begins, ends in spells(track, lately, at.as_of):
                about = f"a burst of interest in {topic} since {iso(begins - 1)[:10]}"
                # A burst in a part of a topic is one in the whole, too.
                of = f"burst:{topic.partition('/')[0]}"
                yield Occurrence(begins, ends, about, topics=(topic,), of=of, used_from=begins - lately)


def by_points(when: Occasion, action: Action, at: Situation) -> Iterator[Occurrence]:
    """Return the times at which the points total passed a threshold."""
    least = float(when.of)
    if _is_settled(at.catalogue.settings.points, at.known, least, at.as_of - when.lasts_us):
        return
    track = _totals(at.catalogue.settings.points, at.known, least)
    for begins, ends in spells(track, when.lasts_us, at.as_of):
        about = f"passed {least:g} points on {iso(begins - 1)[:10]}"
        yield Occurrence(begins, ends, about, of="points_pass", used_from=begins - when.lasts_us)


def _topics_since(known: Past, since: int) -> list[tuple[str, int]]:
    """Topics of the contact's own touchpoints, those that they lie within too, most touchpoints first."""
    t = known.touchpoints
    counts: Counter[str] = Counter()
    for row in range(int(t.occurred_at.searchsorted(since)), len(t)):
        if not t.outbound[row] and known.kinds[row] not in SILENT:
            names = [t.topics[code] for code in t.topic[t.topic_start[row] : t.topic_start[row + 1]].tolist()]
            counts.update({above for name in names for above in (name, *ancestors(name))})
    # Of a topic and one that it lies within, the narrower one says more.
    return sorted(counts.items(), key=lambda each: (-each[1], -len(each[0]), each[0]))


def _times_about(known: Past, topic: str) -> NDArray[np.int64]:
    """Return the times of the contact's own touchpoints about a topic or what lies within it."""
    t = known.touchpoints
    about = np.array([is_within(name, topic) for name in t.topics], dtype=np.bool_)
    row = np.repeat(np.arange(len(t)), np.diff(t.topic_start))
    speaks = np.array([kind not in SILENT for kind in t.kinds], dtype=np.bool_)[t.kind] & ~t.outbound
    rows = np.unique(row[about[t.topic]])
    return t.occurred_at[rows[speaks[rows]]]


def _is_burst(times: NDArray[np.int64], lately: int, moments: NDArray[np.int64]) -> NDArray[np.bool_]:
    before, since, usual_since = (times.searchsorted(moments - wait) for wait in (0, lately, (1 + USUAL_OVER) * lately))
    count, usual = before - since, since - usual_since
    found: NDArray[np.bool_] = (count >= LEAST_TOUCHPOINTS) & (count * USUAL_OVER >= TIMES_USUAL * usual)
    return found


def _totals(table: PointsTable, known: Past, least: float) -> Track:
    """Whether the points total reaches a threshold, from each touchpoint that counts on."""
    rows = sorted(row for kind in table.kinds for row in _counted(table, known, kind))
    if table.half_life_us is None:
        return _unfading(table, known, rows, least)
    moments: list[int] = []
    first: list[bool] = []
    last: list[bool] = []
    total, before = 0.0, 0
    for row in rows:
        points, at = table.kinds[known.kinds[row]], known.times[row]
        faded = total * 0.5 ** ((at - before) / table.half_life_us)
        if moments and moments[-1] == at + 1:
            first[-1] = _reaches(faded + points, least)
        else:
            last += [_reaches(faded, least)] if moments else []
            moments.append(at + 1)
            first.append(_reaches(faded + points, least))
        total, before = faded + points, at
    last += [False] if moments else []
    return Track(moments, first, last, initially=_reaches(0.0, least))


def _is_settled(table: PointsTable, known: Past, least: float, since: int) -> bool:
    """Whether the total passed a threshold before a moment already, or not at all; some cases are left open.

    A total that never falls passes it once, and adding up numbers of touchpoints tells whether it has.
    """
    if table.half_life_us is not None:
        return False
    first, before, now = bisect_left(known.times, since), 0.0, 0.0
    for kind, points in table.kinds.items():
        rows = _counted(table, known, kind)
        if points < 0:
            return False
        before, now = before + points * bisect_left(rows, first), now + points * len(rows)
    # Sums in another order may differ in their last bits.
    return now < least - _UNCERTAIN or before > least + _UNCERTAIN


def _counted(table: PointsTable, known: Past, kind: str) -> Sequence[int]:
    rows = known.rows.get(kind, ())
    return rows[:1] if kind in table.once else rows


def _unfading(table: PointsTable, known: Past, rows: Sequence[int], least: float) -> Track:
    """Follow a total that changes only where a touchpoint counts."""
    moments: list[int] = []
    reached: list[bool] = []
    total = 0.0
    for row in rows:
        total += table.kinds[known.kinds[row]]
        moment, reaches = known.times[row] + 1, total >= least - _ROUNDING
        if moments and moments[-1] == moment:
            reached[-1] = reaches
        else:
            moments.append(moment)
            reached.append(reaches)
    return Track(moments, reached, reached, initially=_reaches(0.0, least))


def _reaches(total: float, least: float) -> bool:
    return total >= least - _ROUNDING
