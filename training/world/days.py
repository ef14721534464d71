"""The journey world's days, one after the other, for all contacts at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.times import DAY, HOUR, SECOND
from training.world.chances import Chances
from training.world.people import NOBODY, People
from training.world.rules import (
    AT_FIRST,
    BASE,
    BEGIN,
    BEGINS_SO,
    CHANNELS,
    EVALUATE,
    FADES_DAYS,
    FIRST_DONE,
    INBOUND,
    LEAST_DAYS,
    LEAVES,
    NEW_FOCUS,
    NEWSLETTER_OPEN,
    NEXT,
    ORDER,
    OUTBOUND,
    PAGE_VIEW,
    PRODUCTS,
    PULLED,
    PURCHASE,
    RATES,
    SERVICE,
    UNAWARE,
    WINDOW_DAYS,
    Lever,
)  # fmt: skip

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]

Choose = Callable[[I64, I64], tuple[I64, F64]]
"""From contacts (numbers) and the moments they are decided on (microseconds) to the column of the action taken, shape
(n,), and the chances with which it was drawn, shape (n, 1 + actions), "do nothing" first."""

_NEVER = np.iinfo(np.int64).max
_SPREAD = 0.03
"""What every product gets beside the interests when a touchpoint's topic is drawn."""
_SAYS_TOPIC = 0.9
_ABOUT_SERVICE = np.array([name in ("service_search", "support_ticket") for name in INBOUND])
_EVALUATING = np.array([name in ("price_list", "demo_request", "download", "quote_request") for name in INBOUND])
_FIRST_DONE = np.array([INBOUND.index(name) for name in FIRST_DONE])
_LINKED_ORDERS = 0.5


@dataclass
class Told:
    """Columns in the making: lists of arrays by name."""

    columns: dict[str, list[NDArray[Any]]] = field(default_factory=dict)
    rows: int = 0

    def add(self, **columns: NDArray[Any]) -> None:
        """Put rows behind those that are there; every call names the same columns."""
        for name, column in columns.items():
            self.columns.setdefault(name, []).append(column)
        self.rows += len(next(iter(columns.values())))

    def taken(self, name: str, dtype: str) -> NDArray[Any]:
        """Return one column as one array."""
        parts = self.columns.get(name, [])
        if len(parts) > 1:
            parts[:] = [np.concatenate(parts)]
        return parts[0].astype(dtype, copy=False) if parts else np.zeros(0, dtype=dtype)


class Days:
    """The state of all contacts, and what has been told of them so far.

    The chance of a day is a stream of its own, so that a world with more days is the same world continued.
    """

    def __init__(
        self, who: People, levers: tuple[Lever, ...], chances: Chances, *, seed: int, every: int, begin: int,
        activity: float, baseline: float, window: int = WINDOW_DAYS,
    ) -> None:  # fmt: skip
        n = len(who)
        rng = np.random.default_rng([seed, 1])
        self._who, self._levers, self._chances = who, levers, chances
        self._seed, self._every, self._begin, self._activity = seed, every, begin, activity
        self._window = window
        self._shift = who.shift + np.log(baseline)
        self._phase = np.floor(who.phase * every).astype(np.int64)
        self.stage = rng.choice(len(BASE), size=n, p=AT_FIRST).astype(np.int64)
        self._age = np.floor(rng.random(n) * (LEAST_DAYS + 1 / LEAVES)[self.stage]).astype(np.int64)
        self._focus = np.where(rng.random(n) < 0.8, who.home, rng.integers(0, len(PRODUCTS), size=n))
        self.interest = np.eye(len(PRODUCTS))[self._focus]
        self._seen = np.zeros((n, len(PRODUCTS)))
        self._wishes = np.zeros(n)
        self._busy_until = np.full(n, -1, dtype=np.int64)
        self._order_at = np.full(n, _NEVER, dtype=np.int64)
        self._order_of = np.full(n, NOBODY, dtype=np.int64)
        self._ordered = np.zeros(n, dtype=np.bool_)
        self._kind_of = np.cumsum(RATES, axis=1) / RATES.sum(axis=1, keepdims=True)
        self._next = np.cumsum(NEXT, axis=1)
        self.touchpoints, self.decisions, self.changes = Told(), Told(), Told()
        self._note_changes(np.arange(n), 0)

    def live(self, day: int, choose: Choose | None = None) -> None:
        """Let one day pass; days come one after the other from 0, and ``choose`` takes the place of the log's policy.

        Whether an order comes is drawn before anybody chooses, and the same draw holds for every choice.
        """
        rng = np.random.default_rng([self._seed, 2, day])
        today = _Today()
        if day:
            self._move_on(day, rng)
        self._turn(rng)
        # The log looks at what was done before the day, as everything else that is known at a decision.
        self._decide(day, rng, today, choose)
        self._visit(day, rng, today)
        self._order(day, rng, today)
        today.tell(self.touchpoints)

    def _move_on(self, day: int, rng: np.random.Generator) -> None:
        """Change stages at midnight: an order of yesterday leads to "purchase", else chance and time lead on."""
        draw, way = rng.random((2, len(self.stage)))
        leaves = LEAVES[self.stage] * np.where((self.stage == UNAWARE) & self._is_pulled(), PULLED, 1.0)
        moves = (self._age >= LEAST_DAYS[self.stage]) & (draw < leaves)
        following = np.minimum((way[:, None] >= self._next[self.stage]).sum(axis=1), len(BASE) - 1)
        stage = np.where(self._ordered, PURCHASE, np.where(moves, following, self.stage))
        changed = stage != self.stage
        self.stage = stage
        self._age = np.where(changed, 0, self._age + 1)
        self._note_changes(np.flatnonzero(changed), day)
        self._ordered[:] = False

    def _is_pulled(self) -> NDArray[np.bool_]:
        account = self._who.account
        evaluates = (self.stage == EVALUATE) & (account != NOBODY)
        busy = np.zeros(int(account.max(initial=NOBODY)) + 2, dtype=np.bool_)
        busy[account[evaluates]] = True
        return busy[account]  # NOBODY is the last place, which stays empty

    def _note_changes(self, contact: I64, day: int) -> None:
        at = np.full(len(contact), BEGIN + day * DAY)
        self.changes.add(contact=contact, at=at, stage=self.stage[contact].astype(np.int8))

    def _turn(self, rng: np.random.Generator) -> None:
        """Let interests fade and few turn to another product."""
        draw = rng.random(len(self.stage))
        other = rng.integers(1, len(PRODUCTS), size=len(self.stage))
        self._focus = np.where(draw < NEW_FOCUS, (self._focus + other) % len(PRODUCTS), self._focus)
        keeps = 0.5 ** (1.0 / FADES_DAYS)
        self.interest *= keeps
        self.interest[np.arange(len(self._focus)), self._focus] += 1.0 - keeps
        self._seen *= keeps
        self._wishes *= keeps

    def _visit(self, day: int, rng: np.random.Generator, today: _Today) -> None:
        """Draw what contacts do by themselves."""
        rate = RATES.sum(axis=1)[self.stage] * self._who.activity * self._activity
        begins = np.flatnonzero((self._age == 0) & (rng.random(len(rate)) < BEGINS_SO[self.stage]))
        contact = np.concatenate([begins, np.repeat(np.arange(len(rate)), rng.poisson(rate))])
        n = len(contact)
        kind = np.minimum((rng.random(n)[:, None] >= self._kind_of[self.stage[contact]]).sum(axis=1), len(INBOUND) - 1)
        kind[: len(begins)] = _FIRST_DONE[self.stage[begins]]
        topic = _drawn(self.interest[contact] + _SPREAD, rng.random(n))
        says = rng.random(n) < _SAYS_TOPIC
        topic = np.where(_ABOUT_SERVICE[kind], SERVICE, np.where(says, topic, NOBODY))
        at = BEGIN + day * DAY + 6 * HOUR + rng.integers(0, 17 * HOUR, size=n)
        dwell = np.where(kind == PAGE_VIEW, np.round(np.exp(rng.normal(3.5, 0.8, size=n)), 1), np.nan)
        today.add(contact, at, kind, topic, duration=dwell)
        known = (topic >= 0) & (topic != SERVICE)
        np.add.at(self._seen, (contact[known], topic[known]), 1.0)
        self._wishes += np.bincount(contact[_EVALUATING[kind]], minlength=len(rate))

    def _decide(self, day: int, rng: np.random.Generator, today: _Today, choose: Choose | None) -> None:
        """Choose an action for whose turn it is, and draw whether they will order within the window."""
        since = day - self._begin - self._phase
        contact = np.flatnonzero((since >= 0) & (since % self._every == 0))
        n = len(contact)
        hidden = (rng.random(n) < 0.5).astype(np.float64)
        stage, interest = self.stage[contact], self.interest[contact]
        without = self._chances.without(stage, self._shift[contact], hidden)
        match = self._chances.match(interest)
        under = self._chances.under(without, stage, match)
        logged = self._chances.logged(self._seen[contact], self._wishes[contact], hidden)
        action, at = _drawn(logged, rng.random(n)), BEGIN + day * DAY + self._who.moment[contact]
        if choose is not None and n:
            action, logged = choose(contact, at)
        chance = np.concatenate([without[:, None], under], axis=1)
        orders = rng.random(n) < chance[np.arange(n), action]
        number = self.decisions.rows + np.arange(n)
        # The window's last day belongs to the next decision from its hour on, so orders end with the day before.
        left = self._window * DAY - self._who.moment[contact] - HOUR
        order_at = at + HOUR + (rng.random(n) * left).astype(np.int64)
        self._busy_until[contact] = day + self._window
        self._order_at[contact] = np.where(orders, order_at, _NEVER)
        linked = (rng.random(n) < _LINKED_ORDERS) & (action > 0)
        self._order_of[contact] = np.where(linked, number, NOBODY)
        self.decisions.add(
            contact=contact, at=at, action=action.astype(np.int8), stage=stage.astype(np.int8), chance=chance,
            logged=logged, match=match, hidden=hidden.astype(np.int8), ordered=orders,
        )  # fmt: skip
        self._approach(contact, at, action, number, match, rng, today)

    def _approach(
        self, contact: I64, at: I64, action: I64, number: I64, match: F64, rng: np.random.Generator, today: _Today
    ) -> None:
        """Tell of the actions as touchpoints of ours; a mail that fits is more often opened."""
        acts = action > 0
        lever = action - 1
        kinds = np.array([len(INBOUND) + 1 + OUTBOUND.index(each.kind) for each in self._levers])
        about = np.array([NOBODY if each.topic is None else each.topic for each in self._levers])
        took, chosen = np.flatnonzero(acts), lever[acts]
        today.add(contact[took], at[took] + SECOND, kinds[chosen], about[chosen], decision=number[took])
        draw, later = rng.random(len(at)), rng.integers(HOUR, 12 * HOUR, size=len(at))
        mailed = np.array([each.channel == CHANNELS[1] for each in self._levers])
        fits = match[np.arange(len(at)), np.maximum(lever, 0)]
        opened = np.flatnonzero(acts & mailed[np.maximum(lever, 0)] & (draw < 0.1 + 0.3 * fits))
        kind = np.full(len(opened), NEWSLETTER_OPEN)
        today.add(contact[opened], at[opened] + later[opened], kind, about[lever[opened]], decision=number[opened])

    def _order(self, day: int, rng: np.random.Generator, today: _Today) -> None:
        """Tell of today's orders: those that decisions drew, and outside of every window those that come anyway."""
        due = np.flatnonzero(self._order_at < BEGIN + (day + 1) * DAY)
        draw, hour, worth = rng.random((3, len(self.stage)))
        quiet = np.zeros(len(self.stage))
        usual = self._chances.without(self.stage, self._shift, quiet + 0.5)
        a_day = 1.0 - (1.0 - usual) ** (1.0 / self._window)
        anyway = np.flatnonzero((self._busy_until <= day) & (draw < a_day))
        contact = np.concatenate([due, anyway])
        at = np.concatenate(
            [self._order_at[due], BEGIN + day * DAY + 12 * HOUR + (hour[anyway] * 9 * HOUR).astype(np.int64)]
        )
        of = np.concatenate([self._order_of[due], np.full(len(anyway), NOBODY)])
        value = np.round(self._who.worth[contact] * -np.log1p(-worth[contact]) + 10.0, 2)
        kind = np.full(len(contact), ORDER)
        today.add(contact, at, kind, self._focus[contact], value=value, decision=of)
        self._order_at[due] = _NEVER
        self._ordered[contact] = True


class _Today:
    """One day's touchpoints, told in the order of time."""

    def __init__(self) -> None:
        self._told = Told()

    def add(self, contact: I64, at: I64, kind: I64, topic: I64, **more: NDArray[Any]) -> None:
        n = len(contact)
        numbers = {name: more.get(name, np.full(n, np.nan)) for name in ("value", "duration")}
        decision = more.get("decision", np.full(n, NOBODY)).astype(np.int32)
        self._told.add(
            contact=contact.astype(np.int32), at=at, kind=kind.astype(np.int8), topic=topic.astype(np.int8),
            decision=decision, **numbers,
        )  # fmt: skip

    def tell(self, touchpoints: Told) -> None:
        whole = {name: self._told.taken(name, parts[0].dtype.str) for name, parts in self._told.columns.items()}
        order = np.lexsort((whole["contact"], whole["at"]))
        touchpoints.add(**{name: column[order] for name, column in whole.items()})


def _drawn(weights: F64, fraction: F64) -> I64:
    """Column that each fraction in [0, 1) falls on, rows of ``weights`` laid end to end; shape (n,)."""
    reached = np.cumsum(weights, axis=1)
    found = (fraction[:, None] * reached[:, -1:] >= reached).sum(axis=1)
    drawn: I64 = np.minimum(found, weights.shape[1] - 1)
    return drawn
