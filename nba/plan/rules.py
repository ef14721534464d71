"""The limits of a day's worklist, from the settings and from what was sent and taken before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from features.compiled import F64, I32, I64, Flags
from features.frozen import Frozen
from nba.actions import Catalogue
from nba.plan.limits import Day, Limits
from nba.settings.contact_policy import Cap

UNIT = 10_000
"""Costs are counted in ten-thousandths of the base currency, as exactly as they are printed."""

ONE_A_DAY = "day:one a channel"
BUDGET = "budget"
CAPACITY = "capacity"
WISH = "preference"
SEATS = "seats"
LEADS = "partner capacity"

NOBODY = -1
"""Code of a contact without an account, owner or partner."""


@dataclass(frozen=True)
class Wanted:
    """A contact's own wish: at most ``room`` more of the actions in ``columns`` (of the catalogue)."""

    contact: int
    room: int
    columns: frozenset[int]


@dataclass(frozen=True)
class Places:
    """Places that no action has of its own: the seats of events, the leads that partners can take in hand.

    Parameters
    ----------
    name
        Of the rule.
    row
        Of each candidate: of which places it takes one; -1: of none.
    room
        How many of each are left.
    binds_all
        Whether a mandatory action is not done either where none is left.
    """

    name: str
    row: I64
    room: I64
    binds_all: bool = False


@dataclass(frozen=True)
class Pool:
    """All allowed actions of everybody on a day.

    Parameters
    ----------
    contact, column, priority, cost
        Of each candidate: the contact's place, the catalogue's column (from 1), the priority, and the cost in
        ``UNIT``.
    account, owner, partner
        Of each contact: a code from 0 on, or ``NOBODY``.
    sent
        Shape (contacts, caps of the settings): approaches to the contact itself inside each cap's time.
    today
        Shape (contacts, channels of the catalogue): approaches since the day began.
    taken
        How often an action with a capacity was taken in its time, by its column and the code of whoever it is
        counted for (``NOBODY``: without one, or counted together).
    wanted
        What contacts wish themselves.
    places
        What else is limited.
    """

    contact: I64
    column: I64
    priority: F64
    cost: I64
    account: I64
    owner: I64
    partner: I64
    sent: I64
    today: I64
    taken: Mapping[tuple[int, int], int] = field(default_factory=Frozen)
    wanted: tuple[Wanted, ...] = ()
    places: tuple[Places, ...] = ()


@dataclass(frozen=True)
class Rules:
    """A pool made ready for planning.

    ``order`` says which candidate of the pool stands at each place of the day, ``placed`` which candidates of the day
    are mandatory: these are done in any case but that of ``Places.binds_all``, take room from the others, and are never
    ranked. ``capacities`` names the column and the code behind each limit of the family ``CAPACITY``.
    """

    day: Day
    order: I64
    placed: Flags
    capacities: tuple[tuple[int, int], ...]

    def in_pool(self, chosen: Flags) -> Flags:
        """Which candidates of the pool are done: what was chosen of the day, and what is mandatory."""
        found = np.zeros(len(chosen), dtype=np.bool_)
        found[self.order] = chosen | self.placed
        return found


def rules_of(catalogue: Catalogue, pool: Pool, budget: float | None) -> Rules:
    """Lay out every limit of a day.

    Parameters
    ----------
    budget
        What the day may cost, in base currency; None: no limit.
    """
    together = any(cap.account for cap in catalogue.settings.contact_policy.caps)
    block = _blocks(pool) if together else np.arange(len(pool.account))
    order = np.lexsort((pool.column, pool.contact, block[pool.contact])).astype(np.int64)
    here = _Here(catalogue, pool, pool.contact[order], pool.column[order])
    duty = here.is_of_class("mandatory")
    placed = duty & _has_place(pool.places, order, duty)
    capacity, capacities = _capacity(here)
    places = (
        Limits(each.name, each.row[order].astype(np.int32), each.room, priced=True)
        for each in pool.places
        if (each.row >= 0).any()
    )
    limits = [*_caps(here), *_wishes(here), *capacity, *places, *_budget(here, pool.cost[order], budget)]
    left = tuple(_after(each, placed) for each in limits)
    priority = np.where(duty, -np.inf, pool.priority[order])
    return Rules(Day(priority, block[here.contact], left), order, placed, capacities)


@dataclass(frozen=True)
class _Here:
    """Candidates in the day's order."""

    catalogue: Catalogue
    pool: Pool
    contact: I64
    column: I64

    def is_of_class(self, name: str) -> Flags:
        return np.array([False, *(action.class_ == name for action in self.catalogue.actions)])[self.column]

    def of_channel(self, name: str) -> Flags:
        return np.array([False, *(action.channel == name for action in self.catalogue.actions)])[self.column]


def _blocks(pool: Pool) -> I64:
    """Give every account a number, and each contact without one its own."""
    n = int(pool.account.max(initial=NOBODY)) + 1
    return np.where(pool.account == NOBODY, n + np.arange(len(pool.account)), pool.account)


def _has_place(places: Sequence[Places], order: I64, duty: Flags) -> Flags:
    """Which mandatory candidates have a place where they cannot do without: the first in the day's order."""
    found = np.ones(len(order), dtype=np.bool_)
    for each in places:
        row = each.row[order]
        at = np.flatnonzero(duty & found & (row >= 0)) if each.binds_all else np.empty(0, dtype=np.int64)
        at = at[np.argsort(row[at], kind="stable")]
        first = np.searchsorted(row[at], row[at])
        found[at] = np.arange(len(at)) - first < each.room[row[at]]
    return found


def _caps(here: _Here) -> Iterator[Limits]:
    """One approach a channel and day, and every cap of the settings; transactional actions do not count."""
    counts = ~here.is_of_class("transactional")
    channels = here.catalogue.channels
    number = np.array([0, *(channels.index(action.channel) for action in here.catalogue.actions)])
    row = here.contact * len(channels) + number[here.column]
    yield Limits(ONE_A_DAY, _rows(row, counts), 1 - here.pool.today.ravel())
    caps = here.catalogue.settings.contact_policy.caps
    # A cap on one channel of an account lies across one on all channels of a contact.
    across = any(not cap.account and cap.channel is None for cap in caps)
    for n, cap in enumerate(caps):
        within = counts if cap.channel is None else counts & here.of_channel(cap.channel)
        yield _cap(here, cap, here.pool.sent[:, n], within, priced=cap.account and cap.channel is not None and across)


def _cap(here: _Here, cap: Cap, sent: I64, within: Flags, *, priced: bool) -> Limits:
    if not cap.account:
        return Limits(cap.rule, _rows(here.contact, within), cap.count - sent)
    account = here.pool.account
    is_known = account != NOBODY
    used = np.bincount(account[is_known], sent[is_known], minlength=1).astype(np.int64)
    row = account[here.contact]
    return Limits(cap.rule, _rows(row, within & (row != NOBODY)), cap.count - used, priced=priced)


def _wishes(here: _Here) -> Iterator[Limits]:
    """Contacts' own wishes: the first of each in one family, the second in another."""
    counts = ~here.is_of_class("transactional")
    families: list[dict[int, Wanted]] = []
    for wish in here.pool.wanted:
        free = next((family for family in families if wish.contact not in family), None)
        if free is None:
            families.append(free := {})
        free[wish.contact] = wish
    for n, family in enumerate(families):
        limit = {contact: i for i, contact in enumerate(family)}
        row = np.full(len(here.contact), NOBODY, dtype=np.int32)
        for at in np.flatnonzero(np.isin(here.contact, list(family)) & counts).tolist():
            contact = int(here.contact[at])
            if int(here.column[at]) in family[contact].columns:
                row[at] = limit[contact]
        room = np.array([wish.room for wish in family.values()], dtype=np.int64)
        yield Limits(WISH if n == 0 else f"{WISH} {n + 1}", row, room, priced=True)


def _capacity(here: _Here) -> tuple[list[Limits], tuple[tuple[int, int], ...]]:
    """Slots of every action that has them; no action has two capacities."""
    row = np.full(len(here.contact), NOBODY, dtype=np.int32)
    rooms: list[int] = []
    named: list[tuple[int, int]] = []
    for column, action in enumerate(here.catalogue.actions, start=1):
        asked = action.capacity
        if asked is None:
            continue
        most = asked.count if asked.total is None else asked.total
        at = np.flatnonzero(here.column == column)
        code = _whose(here, asked.by)[here.contact[at]] if asked.by else np.full(len(at), NOBODY)
        found, where = np.unique(code, return_inverse=True)
        row[at] = len(rooms) + where
        named += [(column, int(each)) for each in found]
        rooms += [(most or 0) - here.pool.taken.get((column, int(each)), 0) for each in found]
    if not rooms:
        return [], ()
    return [Limits(CAPACITY, row, np.array(rooms, dtype=np.int64), priced=True)], tuple(named)


def _whose(here: _Here, by: str) -> I64:
    return here.pool.owner if by == "owner" else here.pool.partner


def _budget(here: _Here, cost: I64, budget: float | None) -> Iterator[Limits]:
    if budget is not None:
        row = np.zeros(len(here.contact), dtype=np.int32)
        yield Limits(BUDGET, row, np.array([int(np.floor(round(budget * UNIT, 3)))]), use=cost, priced=True)


def _after(limits: Limits, placed: Flags) -> Limits:
    """Return what is left of limits once mandatory actions have their room."""
    if not placed.any():
        return limits
    left = limits.room - limits.used(placed)
    return Limits(limits.name, limits.row, left, limits.use, limits.priced)


def _rows(row: I64, within: Flags) -> I32:
    return np.where(within, row, -1).astype(np.int32)
