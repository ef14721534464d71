"""Touchpoints laid out anew: some of them, contacts put together, columns brought into order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from features.codes import Codes, translation
from features.texts import chained as chained_texts
from features.texts import is_alike, picked, taken

if TYPE_CHECKING:
    from features.touchpoints.touchpoints import Touchpoints

I64 = NDArray[np.int64]
Columns = dict[str, Any]
"""Fields of ``Touchpoints`` by name."""

PLAIN = ("occurred_at", "kind", "channel", "outbound", "value", "margin", "duration", "decision", "action")
"""Columns of one number per touchpoint."""
OPTIONAL = ("visible_from", "visible_to")
TEXTS = ("touchpoint_id", "properties")
CODED = {"kind": "kinds", "channel": "channels", "decision": "decisions", "action": "actions"}
"""Columns of codes, and the names they index."""


def rows_of(t: Touchpoints, rows: slice | NDArray[Any]) -> Columns:
    """Every column of some touchpoints, in their order; names stay as they are."""
    found: Columns = {name: picked(getattr(t, name), rows) for name in PLAIN}
    found |= {name: picked(getattr(t, name), rows) for name in OPTIONAL if getattr(t, name) is not None}
    found |= {name: taken(getattr(t, name), rows) for name in TEXTS}
    found["topic_start"], found["topic"] = _topics(t.topic_start, t.topic, rows)
    return found


def merged(t: Touchpoints, groups: Sequence[Sequence[int]]) -> Columns:
    """Columns in which the contacts of each group are one contact."""
    sizes = np.fromiter(map(len, groups), dtype=np.int64, count=len(groups))
    member = np.fromiter(chain.from_iterable(groups), dtype=np.int64, count=int(sizes.sum()))
    first = np.concatenate([[0], np.cumsum(sizes)])
    length = (t.start[1:] - t.start[:-1])[member]
    row = np.concatenate([[0], np.cumsum(length)])
    start = row[first]
    together = np.flatnonzero((sizes > 1) & (start[1:] > start[:-1]))
    if not len(together) and np.array_equal(member, np.arange(len(member)) + (member[0] if len(member) else 0)):
        # Nearly always nobody is linked, and then nothing need be copied.
        low = int(t.start[member[0]]) if len(member) else 0
        return {"start": start, **rows_of(t, slice(low, low + int(row[-1])))}
    order = ranges(t.start[member], length)
    if len(together):
        _put_in_order(t, order, start, together)
    return {"start": start, **rows_of(t, order)}


def joined(parts: Sequence[Touchpoints]) -> Columns:
    """Columns of the contacts of all parts, the names of their codes unified."""
    found: Columns = {"contacts": [name for part in parts for name in part.contacts]}
    for name in PLAIN:
        if name not in CODED:
            found[name] = chained([getattr(part, name) for part in parts])
    for name, names in CODED.items():
        codes = Codes()
        column = [_translated(getattr(part, name), translation(getattr(part, names), codes)) for part in parts]
        found[name], found[names] = chained(column), codes.names
    codes = Codes()
    topic = [translation(part.topics, codes)[part.topic] for part in parts]
    found["topic"], found["topics"] = np.concatenate([np.zeros(0, dtype=np.int32), *topic]), codes.names
    found["start"] = _end_to_end([part.start for part in parts])
    found["topic_start"] = _end_to_end([part.topic_start for part in parts])
    for name in TEXTS:
        found[name] = chained_texts([getattr(part, name) for part in parts])
    for name, otherwise in zip(OPTIONAL, (_ALWAYS, _EVER), strict=True):
        column = [getattr(part, name) for part in parts]
        if any(each is not None for each in column):
            found[name] = chained(
                [
                    np.broadcast_to(otherwise, len(part)) if each is None else each
                    for each, part in zip(column, parts, strict=True)
                ]
            )
    return found


_ALWAYS, _EVER = np.int64(-(2**63)), np.int64(2**63 - 1)


def ranges(begin: I64, length: I64) -> I64:
    """Count from ``begin[i]`` on, ``length[i]`` numbers, for each i in turn."""
    total = int(length.sum())
    before = np.cumsum(length) - length
    return np.repeat(begin - before, length) + np.arange(total, dtype=np.int64)


def settle_ties(order: NDArray[Any], same: NDArray[np.bool_], key: Callable[[int], Any]) -> None:
    """Sort rows that are equal so far by a further key, in place.

    Parameters
    ----------
    order
        Rows in order but for ties.
    same
        Whether each row of ``order`` but the first ties with the one before it, shape (n - 1,).
    key
        Of a row.
    """
    for low, high in _runs(same):
        order[low:high] = sorted(order[low:high].tolist(), key=key)


def _put_in_order(t: Touchpoints, order: I64, start: I64, together: I64) -> None:
    """Sort the rows of merged contacts by (occurred_at, touchpoint_id, the old contact's name), in place."""
    length = start[together + 1] - start[together]
    place = ranges(start[together], length)
    group = np.repeat(together, length)
    old = order[place]
    at = t.occurred_at[old]
    by_time = np.lexsort((at, group))
    mine, at = old[by_time], at[by_time]
    same = (at[1:] == at[:-1]) & (group[1:] == group[:-1])
    name_of = t.contacts
    contact = t.contact_of

    def key(row: int) -> tuple[str, str]:
        return t.touchpoint_id[row], name_of[contact(row)]

    settle_ties(mine, same, key)
    order[place] = mine


def _runs(same: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], same, [False]]).astype(np.int8)))
    for low, high in edges.reshape(-1, 2).tolist():
        yield low, high + 1


def _topics(topic_start: I64, topic: NDArray[np.int32], rows: slice | I64) -> tuple[I64, NDArray[np.int32]]:
    if isinstance(rows, slice):
        low, high, _ = rows.indices(len(topic_start) - 1)
        begin = topic_start[low : max(high, low) + 1]
        return begin - begin[0], topic[begin[0] : begin[-1]]
    length = (topic_start[1:] - topic_start[:-1])[rows]
    return np.concatenate([[0], np.cumsum(length)]), topic[ranges(topic_start[:-1][rows], length)]


def chained(columns: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Put columns one behind the other; those that say the same value over and over stay in the memory of one."""
    if len(columns) == 1:
        return columns[0]
    if columns and all(is_alike(column) and len(column) for column in columns):
        values = np.array([column[0] for column in columns])
        if np.array_equal(values, np.broadcast_to(values[0], len(values)), equal_nan=values.dtype.kind == "f"):
            return np.broadcast_to(values[0], sum(map(len, columns)))
    return np.concatenate(columns)


def _translated(column: NDArray[np.int32], to: NDArray[np.int32]) -> NDArray[np.int32]:
    if is_alike(column) and len(column):
        return np.broadcast_to(to[column[0]], len(column))
    return to[column]


def _end_to_end(starts: Sequence[I64]) -> I64:
    shift = np.cumsum([0, *(start[-1] for start in starts)])
    return np.concatenate(
        [np.zeros(1, dtype=np.int64), *(start[1:] + by for start, by in zip(starts, shift[:-1], strict=True))]
    )
