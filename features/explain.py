"""Which touchpoints a contact's features came from, told by the kernel itself.

Nothing is formulated a second time: the kernel is asked for the same row over histories in which touchpoints are
missing, so that what is told here can never disagree with what the models see.

A value that is a sum is told apart into what each touchpoint adds: where each alone gives a part and the parts give
the value. Of what is counted once however often it happens (a day, a channel) the first touchpoint is told. Of every
other value those touchpoints are told without which it would be another. Where these alone would not give it - two
touchpoints of one day stand for each other, an answer is none without what it answers - those that are left out
together, and to a difference, are added: what belongs to them as an answer, or is of the same instant, day, topic,
kind, channel or direction. So the touchpoints that are told would alone give the same value, always.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from features.catalogue import Feature
from features.feature_set import FeatureSet
from features.matrix import History
from features.times import DAY
from features.touchpoints.order import rows_of
from features.touchpoints.touchpoints import Touchpoints

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]
Flags = NDArray[np.bool_]

_AT_ONCE = 1_000_000
"""Touchpoints of left-out histories that are held at a time."""

_LAST_BITS = 2.5e-7
"""A number that moves by less than this part of its size has not changed: it is summed up in another order."""

_ROUNDING = 1e-5
"""A value of fewer touchpoints that is nearer than this part of the whole one tells enough."""


@dataclass(frozen=True)
class Explained:
    """A value and the touchpoints it came from.

    ``touchpoints`` are rows of the contact's touchpoints, rising; ``shares`` what each adds to the value, None where
    the value is no sum.
    """

    feature: Feature
    value: float
    touchpoints: I64
    shares: F64 | None = None


def explain(touchpoints: Touchpoints, features: FeatureSet, as_of: int) -> list[Explained]:
    """Tell the features of one contact's history, in the order of the catalogue.

    Time and memory grow with the square of the number of touchpoints: a second or two for a thousand.

    Parameters
    ----------
    touchpoints
        Of one contact; only those strictly before ``as_of`` count.
    features
        Its columns of history are told.
    as_of
        Microseconds.
    """
    found = _Sources(_Histories(touchpoints, features, as_of))
    return [
        Explained(feature, float(found.value[i]), np.flatnonzero(found.told[:, i]), found.shares(i))
        for i, feature in enumerate(features.history)
    ]


class _Histories:
    """One contact's history with any of its touchpoints missing, and what the kernel makes of each."""

    def __init__(self, touchpoints: Touchpoints, features: FeatureSet, as_of: int) -> None:
        self.n = int(np.searchsorted(touchpoints.occurred_at, as_of))
        self._features = replace(features, traits=(), account=False, own=False)
        self._as_of = as_of
        rows = len(touchpoints)
        self.whole = replace(touchpoints, touchpoint_id=[""] * rows, properties=[None] * rows)

    def answers(self) -> I64:
        """Which touchpoint each one answers, -1 where none, shape (n,)."""
        back = np.abs(self._history([np.arange(self.n)]).events["answers"].astype(np.int64))
        return np.where(back > 0, np.arange(self.n) - back, -1) if len(back) else np.full(self.n, -1)

    def values(self, kept: Sequence[I64]) -> F64:
        """Features of histories of the touchpoints in ``kept``, shape (len(kept), columns)."""
        parts = [np.zeros((0, len(self._features.columns)))]
        parts += [self._few(part) for part in _in_parts(kept)]
        return np.concatenate(parts)

    def _few(self, kept: Sequence[I64]) -> F64:
        contact = np.arange(len(kept), dtype=np.int64)
        as_of = np.full(len(kept), self._as_of, dtype=np.int64)
        return self._history(kept).matrix(contact, as_of).astype(np.float64)

    def _history(self, kept: Sequence[I64]) -> History:
        """Lay histories out as if each were that of another contact."""
        size = [len(rows) for rows in kept]
        columns = {
            **rows_of(self.whole, np.concatenate(kept).astype(np.int64)),
            "contacts": [str(i) for i in range(len(kept))],
            "start": np.concatenate([[0], np.cumsum(size)]).astype(np.int64),
        }
        return History(replace(self.whole, **columns), self._features)


class _Sources:
    """Which touchpoints each column came from: ``told`` has shape (touchpoints, columns)."""

    def __init__(self, histories: _Histories) -> None:
        self._histories = histories
        n = histories.n
        everything = np.arange(n)
        found = histories.values(
            [
                everything,
                everything[:0],
                *(everything[i : i + 1] for i in everything),
                *(np.delete(everything, i) for i in everything),
            ]
        )
        self.value, self._nothing = found[0], found[1]
        self._adds = found[2 : 2 + n] - self._nothing
        self._is_sum = self._add_up(np.ones_like(self._adds, dtype=np.bool_))
        self.told: Flags = np.where(self._is_sum, self._adds != 0.0, _differ(found[2 + n :], self.value))
        self.told[:, np.isnan(self.value)] = False
        self._widen()
        self._is_sum |= self._add_up(self.told)

    def shares(self, column: int) -> F64 | None:
        """Tell what each told touchpoint adds to the value of a column; None where it is no sum."""
        return self._adds[self.told[:, column], column] if self._is_sum[column] else None

    def _add_up(self, told: Flags) -> Flags:
        """Whether what the told touchpoints add gives the value of each column."""
        adds = np.where(told, self._adds, 0.0)
        size = np.abs(adds).sum(axis=0) + np.abs(self.value)
        close: Flags = np.abs(adds.sum(axis=0) - (self.value - self._nothing)) <= _LAST_BITS * size
        return close

    def _widen(self) -> None:
        """Tell more of the columns whose told touchpoints alone would give another value."""
        if not self._insufficient(self.told).any():
            return
        first = self._first_to_matter()
        sent = self._histories.answers()
        answers = _with_answers(self.told, sent)
        everything = np.ones_like(first)
        for more in (answers, *self._alike(), first | _with_answers(first, sent), everything):
            lacking = self._insufficient(self.told)
            helped = lacking & ~self._insufficient(self.told | more)
            self.told[:, helped] |= more[:, helped]

    def _insufficient(self, told: Flags) -> Flags:
        """Whether the told touchpoints alone give another value, shape (columns,)."""
        place: dict[bytes, int] = {}
        of_column = [place.setdefault(one.tobytes(), len(place)) for one in told.T]
        kept = [np.flatnonzero(np.frombuffer(one, dtype=np.bool_)) for one in place]
        value = self._histories.values(kept)[of_column, np.arange(told.shape[1])]
        same = np.isclose(value, self.value, rtol=_ROUNDING, atol=1e-6, equal_nan=True)
        lacking: Flags = ~(same | np.isnan(self.value))
        return lacking

    def _first_to_matter(self) -> Flags:
        """Whether each touchpoint changes a count of different things when it is put behind those before it."""
        everything = np.arange(self._histories.n)
        found = self._histories.values([everything[:i] for i in range(self._histories.n + 1)])
        steps = np.diff(found, axis=0)
        is_count = (steps == np.round(steps)).all(axis=0) & self._insufficient(self.told)
        is_count &= ~self._insufficient(steps != 0.0)
        self._is_sum |= is_count
        self._adds[:, is_count] = steps[:, is_count]
        self.told[:, is_count] = steps[:, is_count] != 0.0
        return _differ(found[1:], found[:-1])

    def _alike(self) -> Iterator[Flags]:
        """Whether columns change when all touchpoints like one are left out, for each way of being alike."""
        everything = np.arange(self._histories.n)
        for groups in _likenesses(self._histories.whole, self._histories.n):
            found = self._histories.values([np.delete(everything, group) for group in groups])
            alike = np.zeros_like(self.told)
            for group, values in zip(groups, found, strict=True):
                alike[group] |= _differ(values, self.value)
            yield alike


def _likenesses(t: Touchpoints, n: int) -> Iterator[list[I64]]:
    """Touchpoints of the same instant, day, topic, kind, channel and direction, where there are several."""
    rows = np.arange(n)
    topic_of = np.repeat(rows, np.diff(t.topic_start[: n + 1]))
    for row, label in (
        (rows, t.occurred_at[:n]),
        (rows, t.occurred_at[:n] // DAY),
        (topic_of, t.topic[: len(topic_of)]),
        (rows, t.kind[:n]),
        (rows, t.channel[:n]),
        (rows, t.outbound[:n]),
    ):
        order = np.argsort(label, kind="stable")
        parts = np.split(row[order], np.flatnonzero(np.diff(label[order])) + 1)
        yield [part for part in parts if len(part) > 1]


def _with_answers(told: Flags, sent: I64) -> Flags:
    """Tell of an answer what it answers, too, and the other way round; ``sent`` is -1 where there is no answer."""
    answer = np.flatnonzero(sent >= 0)
    more = np.zeros_like(told)
    np.logical_or.at(more, sent[answer], told[answer])
    more[answer] |= told[sent[answer]]
    return more


def _differ(some: F64, others: F64) -> Flags:
    found: Flags = ~np.isclose(some, others, rtol=_LAST_BITS, atol=1e-9, equal_nan=True)
    return found


def _in_parts(kept: Sequence[I64]) -> Iterator[Sequence[I64]]:
    """Cut a list of histories so that none of its parts has too many touchpoints."""
    first = size = 0
    for i, rows in enumerate(kept):
        if size and size + len(rows) > _AT_ONCE:
            yield kept[first:i]
            first, size = i, 0
        size += len(rows)
    if first < len(kept):
        yield kept[first:]
