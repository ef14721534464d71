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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from features.compiled import I64, Flags, compiled
from features.times import DAY
from features.topics import ancestors, is_within
from models.points_table import PointsTable
from models.saying.said import Said
from nba.interests import SILENT
from nba.occasions.spells import Track, count_before, followed, lasting, spells
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


def warm_up() -> None:
    """Look at nothing once, so that what is compiled at first use is ready before a request needs it."""
    times = np.zeros(0, dtype=np.int64)
    _heard(times, np.zeros(0, dtype=np.bool_))
    _bursts(times, DAY, DAY)


def by_silence(when: Occasion, action: Action, at: Situation) -> Sequence[Occurrence]:
    """Return the silence since the contact's last touchpoint."""
    t = at.known.touchpoints
    gaps, first_day, last = _heard(t.occurred_at, t.outbound)
    if gaps + 1 < LEAST_DAYS:
        return ()
    gap = float(last // DAY - first_day) * DAY / gaps
    begins = last + int(float(when.of) * gap) + 1
    said = Said("occasion.silent", {"since": last, "gap": gap / DAY})
    return [Occurrence(begins, begins + when.lasts_us, said, of="silent")]


@compiled
def _heard(occurred_at: I64, outbound: Flags) -> tuple[int, int, int]:
    """Gaps between the days on which a contact was heard of, the first of these days, and when it was last heard of."""
    days, first_day, last = 0, 0, 0
    for row in range(len(occurred_at)):
        if not outbound[row]:
            if days == 0:
                days, first_day = 1, occurred_at[row] // DAY
            elif occurred_at[row] // DAY != last // DAY:
                days += 1
            last = occurred_at[row]
    return days - 1, first_day, last


def by_burst(when: Occasion, action: Action, at: Situation) -> Iterable[Occurrence]:
    """Bursts of interest in a topic, the topic with most touchpoints first."""
    lately, wanted = when.lasts_us, str(when.of)
    # A burst that is open, or that the clock alone may bring, has had its touchpoints in this time.
    since = at.as_of - 2 * lately
    if not _lie_close(_spoke(at.known, since), lately):
        return ()
    recent = _recent(at.known, since)
    found = [each for each in recent.items() if wanted in (ANY_TOPIC, each[0]) and _lie_close(each[1], lately)]
    # Of a topic and one that it lies within, the narrower one says more.
    found.sort(key=lambda each: (-len(each[1]), -len(each[0]), each[0]))
    return _bursting([topic for topic, _ in found], lately, at)


def _bursting(topics: Sequence[str], lately: int, at: Situation) -> Iterator[Occurrence]:
    for topic in topics:
        for begins, ends in _bursts(_times_about(at.known, topic), lately, at.as_of).tolist():
            said = Said("occasion.burst", {"topic": topic, "since": begins - 1})
            # A burst in a part of a topic is one in the whole, too.
            of = f"burst:{topic.partition('/')[0]}"
            yield Occurrence(begins, ends, said, topics=(topic,), of=of, used_from=begins - lately)


def by_points(when: Occasion, action: Action, at: Situation) -> Sequence[Occurrence]:
    """Return the times at which the points total passed a threshold."""
    least, lasts = float(when.of), when.lasts_us
    if _is_settled(at.catalogue.settings.points, at.known, least, at.as_of - lasts):
        return ()
    found = []
    for begins, ends in spells(_totals(at.catalogue.settings.points, at.known, least), lasts, at.as_of):
        said = Said("occasion.points", {"points": least, "since": begins - 1})
        found.append(Occurrence(begins, ends, said, of="points_pass", used_from=begins - lasts))
    return found


def _spoke(known: Past, since: int) -> Sequence[int]:
    """Return times of the contact's own touchpoints from a moment on, whatever they are about."""
    t, times = known.touchpoints, known.times
    first = bisect_left(times, since)
    if len(times) - first < LEAST_TOUCHPOINTS:
        return ()
    rows = zip(times[first:], t.outbound[first:].tolist(), t.kind[first:].tolist(), strict=True)
    return [moment for moment, outbound, kind in rows if not outbound and t.kinds[kind] not in SILENT]


def _recent(known: Past, since: int) -> Mapping[str, Sequence[int]]:
    """Return times of the contact's own touchpoints from a moment on, by topic and by those that it lies within."""
    t = known.touchpoints
    first = bisect_left(known.times, since)
    found: dict[str, list[int]] = {}
    start, topics = t.topic_start[first:].tolist(), t.topic[t.topic_start[first] :].tolist()
    rows = zip(t.outbound[first:].tolist(), t.kind[first:].tolist(), known.times[first:], pairwise(start), strict=True)
    for outbound, kind, moment, (low, high) in rows:
        if outbound or t.kinds[kind] in SILENT:
            continue
        own = topics[low - start[0] : high - start[0]]
        names = _above(t.topics[own[0]]) if len(own) == 1 else {name for code in own for name in _above(t.topics[code])}
        for name in names:
            found.setdefault(name, []).append(moment)
    return found


@lru_cache(maxsize=4_096)
def _above(topic: str) -> tuple[str, ...]:
    """Return a topic and all that it lies within."""
    return (topic, *ancestors(topic))


def _lie_close(times: Sequence[int], lately: int) -> bool:
    """Whether enough touchpoints for a burst lie within one such time."""
    for since, until in zip(times, times[LEAST_TOUCHPOINTS - 1 :], strict=False):
        if until - since < lately:
            return True
    return False


def _times_about(known: Past, topic: str) -> NDArray[np.int64]:
    """Return the times of the contact's own touchpoints about a topic or what lies within it."""
    t = known.touchpoints
    about = np.array([is_within(name, topic) for name in t.topics], dtype=np.bool_)
    row = np.repeat(np.arange(len(t)), np.diff(t.topic_start))
    speaks = np.array([kind not in SILENT for kind in t.kinds], dtype=np.bool_)[t.kind] & ~t.outbound
    rows = np.unique(row[about[t.topic]])
    return t.occurred_at[rows[speaks[rows]]]


@compiled
def _is_burst(told: tuple[I64, int], moment: int) -> bool:
    times, lately = told
    since = count_before(times, moment - lately)
    count = count_before(times, moment) - since
    usual = since - count_before(times, moment - (1 + USUAL_OVER) * lately)
    return count >= LEAST_TOUCHPOINTS and count * USUAL_OVER >= TIMES_USUAL * usual


@compiled
def _bursts(times: I64, lately: int, as_of: int) -> I64:
    """Return when bursts begin and end that are not over, shape (n, 2)."""
    waits = np.array((0, lately, (1 + USUAL_OVER) * lately))
    return lasting(followed(times, waits, as_of - lately, _is_burst, (times, lately)), lately, as_of)


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
    first, before, now, rows_of = bisect_left(known.times, since), 0.0, 0.0, known.rows
    for kind, points in table.kinds.items():
        if points < 0:
            return False
        rows = rows_of.get(kind)
        if rows is None:
            continue
        if kind in table.once:
            rows = rows[:1]
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
