"""What a day's worklist must keep to: candidates with their priorities, and limits that they use up together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from features.compiled import F64, I32, I64, Flags


@dataclass(frozen=True)
class Limits:
    """Limits of one sort, such as a cap's room at each contact; a candidate uses at most one of them.

    Parameters
    ----------
    name
        Of the rule.
    row
        Shape (n,): the limit that each candidate uses; -1: none.
    room
        Shape (limits,), whole numbers: how much of each is left. What is below zero counts as zero.
    use
        Shape (n,), whole numbers from 0 on: how much a candidate uses, in the unit of ``room``; None: 1 each.
    priced
        Whether a limit is kept by a price that its users pay. Needed where its candidates lie in several blocks, have
        a ``use``, or are neither inside nor around those of the other limits without a price.
    """

    name: str
    row: I32
    room: I64
    use: I64 | None = None
    priced: bool = False

    def used(self, chosen: Flags) -> I64:
        """How much of each limit a choice uses."""
        at = np.flatnonzero(chosen & (self.row >= 0))
        spent = np.zeros(len(self.room), dtype=np.int64)
        np.add.at(spent, self.row[at], 1 if self.use is None else self.use[at])
        return spent


@dataclass(frozen=True)
class Day:
    """Everything that could be done on a day.

    Parameters
    ----------
    priority
        Shape (n,): worth of each candidate; what is not above zero (or NaN) is never chosen.
    block
        Shape (n,), never falling: candidates of different blocks share priced limits only.
    limits
        What binds them. Those without a price must be nested: any two of them have no candidate in common, or
        one has all of the other's.

    Raises
    ------
    ValueError
        Where shapes do not agree, blocks fall, or a ``use`` or a row is impossible.
    """

    priority: F64
    block: I64
    limits: tuple[Limits, ...]

    def __post_init__(self) -> None:
        n = len(self.priority)
        if len(self.block) != n or (np.diff(self.block) < 0).any():
            raise ValueError(f"block has {len(self.block)} entries for {n} candidates, or falls; sort by it")
        for each in self.limits:
            _check(each, n)

    @cached_property
    def starts(self) -> I64:
        """Where each block starts, and the end of the last."""
        n = len(self.block)
        inner = np.flatnonzero(np.diff(self.block)) + 1
        return np.concatenate([[0], inner, [n]] if n else [[0]]).astype(np.int64)

    @property
    def nested(self) -> tuple[Limits, ...]:
        """Limits that are kept block by block."""
        return tuple(each for each in self.limits if not each.priced)

    @property
    def priced(self) -> tuple[Limits, ...]:
        """Limits that are kept by a price."""
        return tuple(each for each in self.limits if each.priced)


@dataclass(frozen=True)
class Worklist:
    """What is to be done on a day.

    Parameters
    ----------
    chosen
        Shape (n,): which candidates.
    value
        Sum of their priorities.
    bound
        No choice within the limits has a larger sum.
    prices
        Of each priced family of limits, by name: what one more unit of each limit would be worth, in the unit of
        priorities, at least 0. Where several limits stand in the way of one candidate, it is what they are worth
        together, shared among them.
    """

    chosen: Flags
    value: float
    bound: float
    prices: dict[str, F64]

    @property
    def gap(self) -> float:
        """How much of the bound may have been missed at most, as a part of 1."""
        return max(0.0, 1.0 - self.value / self.bound) if self.bound > 0 else 0.0


def broken(day: Day, chosen: Flags) -> list[str]:
    """Name the limits that a choice breaks, and what is chosen without being worth it; nothing where all is well."""
    found = [
        f"{each.name}: {int((each.used(chosen) > np.maximum(each.room, 0)).sum())} of {len(each.room)} limits broken"
        for each in day.limits
        if (each.used(chosen) > np.maximum(each.room, 0)).any()
    ]
    worthless = int((~(day.priority[chosen] > 0)).sum())
    return found + ([f"{worthless} chosen whose priority is not above zero"] if worthless else [])


def kept_out(day: Day, chosen: Flags, among: Flags) -> dict[str, int]:
    """Count the candidates worth doing that were not chosen by the first family of limits without room for them.

    Parameters
    ----------
    among
        Which candidates are counted.
    """
    waiting = ~chosen & (day.priority > 0) & among
    found = {}
    for each in day.limits:
        left = np.maximum(each.room, 0) - each.used(chosen)
        at = np.flatnonzero(waiting & (each.row >= 0))
        need = 1 if each.use is None else each.use[at]
        full = at[left[each.row[at]] < need]
        waiting[full] = False
        found[each.name] = len(full)
    return found


def columns_of(limits: Sequence[Limits], n: int) -> tuple[I32, I64]:
    """Put families side by side: rows, shape (families, n), counted through all of them, and room for each row."""
    rows = np.full((len(limits), n), -1, dtype=np.int32)
    begin = 0
    for family, each in enumerate(limits):
        rows[family] = np.where(each.row >= 0, each.row + np.int32(begin), np.int32(-1))
        begin += len(each.room)
    return rows, _joined(np.maximum(each.room, 0) for each in limits)


def _joined(parts: Iterable[I64]) -> I64:
    return np.concatenate([np.zeros(0, dtype=np.int64), *parts])


def _check(limits: Limits, n: int) -> None:
    if len(limits.row) != n or (limits.use is not None and len(limits.use) != n):
        raise ValueError(f"limits {limits.name!r} are not about {n} candidates")
    if n and not -1 <= int(limits.row.min()) <= int(limits.row.max()) < len(limits.room):
        raise ValueError(f"limits {limits.name!r} have rows outside [-1, {len(limits.room)})")
    if limits.use is not None and (not limits.priced or (n and int(limits.use.min()) < 0)):
        raise ValueError(f"limits {limits.name!r} need a price and no negative use: candidates use unlike amounts")
