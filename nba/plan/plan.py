"""The day's worklist: which candidates to choose, so that priorities add up to the most within all limits.

Limits that bind many contacts together get a price (Lagrangian relaxation; Geoffrion 1974). At given prices every block
chooses for itself, and what all of them get, and the room at its price, is a bound that no worklist can exceed. Prices
move like the demand they meet: up while more is wanted than there is, down while less, by steps that grow as long
as the direction stays and halve when it turns (Rprop; Riedmiller and Braun 1993). Then the best candidates after
prices fill the limits, so that the worklist keeps to every one of them whatever the prices are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from features.compiled import F64, I32, I64, Flags
from features.sorting import in_parts
from nba.plan.limits import Day, Limits, Worklist, broken, columns_of, kept_out
from nba.plan.steps import after_prices, fill, take

__all__ = ["Day", "Limits", "Worklist", "broken", "kept_out", "one_more", "planned"]

_ROUNDS = 60
"""Times that prices are moved at most."""
_FEWER_ROUNDS = 40
"""The same, where they begin nearly right."""
_CLOSE = 1e-4
"""Gap at which nothing better is looked for."""
_SPREADS = (0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003)
"""By which part priorities are blurred, one after the other, where many equal ones make demand jump."""
_PASSES, _MUCH = 6, 2e-3
_SEED = 20260101
_SMALL = 1e-7
"""Steps, as a part of the highest price, at which prices have come to rest."""
_FIRST_STEP, _NEAR_ZERO, _GROWTH, _TURN = 0.05, 0.01, 1.3, 0.5


@dataclass(frozen=True)
class _Market:
    """A day's arrays as the compiled steps take them."""

    starts: I64
    priority: F64
    nested: I32
    left: I64
    priced: I32
    room: I64
    kind: I64
    use: I64

    @classmethod
    def of(cls, day: Day) -> _Market:
        n = len(day.priority)
        nested, left = columns_of(day.nested, n)
        priced, room = columns_of(day.priced, n)
        uses = [each.use for each in day.priced if each.use is not None]
        kind = np.cumsum([each.use is not None for each in day.priced], dtype=np.int64) - 1
        kind[[each.use is None for each in day.priced]] = -1
        use = np.array(uses, dtype=np.int64).reshape(len(uses), n)
        priority = np.where(day.priority > 0, day.priority, 0.0)
        return cls(day.starts, priority, nested, left, priced, room, kind, use)

    def blurred(self, spread: float) -> _Market:
        """Return the same with priorities a little apart, the same way every time.

        Equal ones then no longer all turn up or stay away at once, so that prices can part them.
        """
        drawn = np.random.default_rng(_SEED).uniform(-spread, spread, len(self.priority))
        return replace(self, priority=self.priority * (1.0 + drawn))

    def demand(self, price: F64) -> tuple[float, I64]:
        """Return the bound that prices give, and how much of each priced limit is wanted at them."""
        blocks = len(self.starts) - 1
        gained, parts = np.zeros(blocks), list[I64]()

        def do(low: int, high: int) -> None:
            used = np.empty(len(self.room), dtype=np.int64)
            m = self
            take(low, high, m.starts, m.priority, m.nested, m.left, m.priced, m.kind, m.use, price, used, gained)
            parts.append(used)

        in_parts(do, blocks, work=len(self.priority))
        # Whole numbers, and one sum over all blocks: the same however many processors share the work.
        used: I64 = np.stack(parts).sum(axis=0)
        return float(gained.sum()) + float(price @ self.room), used

    def highest(self) -> F64:
        """Return the price of each limit at which nobody wants it."""
        found = np.zeros(len(self.room))
        for rows, kind in zip(self.priced, self.kind.tolist(), strict=True):
            at = np.flatnonzero(rows >= 0)
            worth = self.priority[at] if kind < 0 else self.priority[at] / np.maximum(self.use[kind, at], 1)
            np.maximum.at(found, rows[at], worth)
        return found


def planned(day: Day) -> Worklist:
    """Plan a day.

    Returns
    -------
    A worklist that keeps to every limit, the same for the same day; its gap is small where limits are met by many
    candidates.

    Examples
    --------
    Two calls, one caller:

    >>> calls = Limits("calls", np.zeros(2, dtype=np.int32), np.array([1]), priced=True)
    >>> found = planned(Day(np.array([5.0, 3.0]), np.array([0, 1]), (calls,)))
    >>> found.chosen.tolist(), found.value, round(found.bound, 6), round(float(found.prices["calls"][0]), 6)
    ([True, False], 5.0, 5.0, 3.0)
    """
    market = _Market.of(day)
    highest = market.highest()
    found = _prices(market, np.zeros(len(highest)), highest, _FIRST_STEP * highest, _ROUNDS)
    price, bound = found.best, found.bound
    chosen = _filled(market, price)
    value = _value(day, chosen)
    blurred, apart = market, _SPREADS[0]
    for spread in _SPREADS:
        if value >= bound * (1 - _CLOSE):
            break
        blurred = market.blurred(spread)
        price = _settled(blurred, price, highest, apart)
        apart = spread
        bound = min(bound, market.demand(price)[0])
        other = _filled(blurred, price)
        if _value(day, other) > value:
            chosen, value = other, _value(day, other)
    # With half a unit more than there is, a price is what the next unit would bring, and not what the last one did.
    next_unit = _prices(blurred, price, highest, apart * _reach(price, highest), _ROUNDS, spare=0.5)
    return Worklist(chosen, value, max(bound, value), _by_name(day, next_unit.rest))


def _settled(market: _Market, price: F64, highest: F64, apart: float) -> F64:
    """Move prices, again and again as long as that lowers the bound by much."""
    least = np.inf
    for _ in range(_PASSES):
        found = _prices(market, price, highest, apart * _reach(price, highest), _FEWER_ROUNDS)
        price = found.rest
        if found.bound > least * (1 - _MUCH):
            break
        least = found.bound
    return price


def _reach(price: F64, highest: F64) -> F64:
    """Return how far prices that are nearly right may still have to go: for most of them as far as they are high."""
    return np.maximum(price, _NEAR_ZERO * highest)


def _value(day: Day, chosen: Flags) -> float:
    return float(day.priority[chosen].sum())


def one_more(day: Day, worklist: Worklist) -> dict[str, float]:
    """Say what one more of every limit without a price would be worth in all, at the prices found; by family.

    It is what blocks would gain by themselves, so no more than that can be gained while prices stay.
    """
    market = _Market.of(day)
    parts = [worklist.prices[each.name] for each in day.priced]
    price = np.concatenate(parts) if parts else np.zeros(0)
    usual, _ = market.demand(price)
    found, begin = {}, 0
    for each in day.nested:
        left = market.left.copy()
        left[begin : begin + len(each.room)] += 1
        found[each.name] = replace(market, left=left).demand(price)[0] - usual
        begin += len(each.room)
    return found


def _filled(market: _Market, price: F64) -> Flags:
    """Choose the best after prices as long as there is room."""
    worth = after_prices(market.priority, market.priced, market.kind, market.use, price)
    candidates = np.flatnonzero(market.priority > 0)
    order = candidates[np.argsort(-worth[candidates], kind="stable")]
    chosen = np.zeros(len(worth), dtype=np.bool_)
    m = market
    fill(order, m.nested, m.left.copy(), m.priced, m.kind, m.use, m.room.copy(), chosen)
    return chosen


@dataclass(frozen=True)
class _Found:
    """Prices of the least bound, that bound, and the prices at which demand came to rest, or around which it went."""

    best: F64
    bound: float
    rest: F64


def _prices(market: _Market, begin: F64, highest: F64, step: F64, rounds: int, spare: float = 0.0) -> _Found:
    """Move prices until demand meets room, with so much to spare."""
    price, before = begin, np.zeros(len(highest))
    best, least = price, np.inf
    late: list[F64] = []
    for n in range(rounds):
        bound, used = market.demand(price)
        if bound < least:
            best, least = price, bound
        towards = np.sign(used - market.room - spare)
        towards[(price <= 0) & (towards < 0)] = 0
        if not (step > _SMALL * highest)[towards != 0].any():
            return _Found(best, least, price)
        turned = towards * before
        step = np.where(turned > 0, np.minimum(step * _GROWTH, highest), np.where(turned < 0, step * _TURN, step))
        price, before = np.clip(price + towards * step, 0.0, highest), towards
        if n >= rounds // 2:
            late.append(price)
    # Where actions stand in for each other, prices circle around the right ones, and their mean is nearer.
    return _Found(best, least, np.mean(late, axis=0))


def _by_name(day: Day, price: F64) -> dict[str, F64]:
    ends = np.cumsum([len(each.room) for each in day.priced])
    parts = np.split(price, ends[:-1]) if len(ends) else []
    return {each.name: part for each, part in zip(day.priced, parts, strict=True)}
