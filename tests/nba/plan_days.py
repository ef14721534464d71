"""Random days to plan: contacts of accounts, caps that nest and cross, capacities by owner, seats, a budget."""

from itertools import product

import numpy as np

from nba.plan.plan import Day, Limits

CHANNELS = 2


def random_day(seed: int, contacts: int, actions: int, *, ties: bool = False, tight: float = 1.0) -> Day:
    """A day of limits of every sort; rooms of 0 and below, priorities of 0 and below among them."""
    rng = np.random.default_rng(seed)
    account = np.sort(rng.integers(0, max(1, contacts // 2), contacts))
    owner = rng.integers(0, 2, contacts)
    contact, action = (each.ravel() for each in np.indices((contacts, actions)))
    keep = rng.random(len(contact)) < 0.8
    contact, action = contact[keep], action[keep]
    n = len(contact)
    priority = np.round(rng.choice([-1.0, 0.0, 2.0, 3.0], n) if ties else rng.normal(4.0, 4.0, n), 3)
    channel = action % CHANNELS
    counts = np.where(rng.random(n) < 0.1, -1, 1)  # some are not counted in caps, as transactional actions

    def inside(row: np.ndarray) -> np.ndarray:
        return np.where(counts > 0, row, -1).astype(np.int32)

    def room(low: int, high: int, size: int) -> np.ndarray:
        return rng.integers(low, max(low + 1, round(high * tight) + 1), size)

    limits = (
        Limits("channel", inside(contact * CHANNELS + channel), room(0, 1, contacts * CHANNELS)),
        Limits("contact", inside(contact), room(-1, 2, contacts)),
        Limits("account", inside(account[contact]), room(0, 3, contacts)),
        Limits("account mail", inside(np.where(channel == 0, account[contact], -1)), room(0, 2, contacts), priced=True),
        Limits(
            "calls by owner",
            np.where(channel == 1, owner[contact] * actions + action, -1).astype(np.int32),
            room(0, 2, 2 * actions),
            priced=True,
        ),
        Limits("seats", np.where(action == 0, 0, -1).astype(np.int32), room(0, 2, 1), priced=True),
        Limits(
            "budget",
            np.zeros(n, dtype=np.int32),
            np.array([int(rng.integers(0, 60 * n + 1))]) * int(rng.random() < 0.9),
            use=rng.integers(0, 400, n),
            priced=True,
        ),
    )
    return Day(priority, account[contact].astype(np.int64), limits)


def alike_day(seed: int, contacts: int) -> Day:
    """A day on which an action is worth the same for everybody, as before anything was learnt, and money is short."""
    rng = np.random.default_rng(seed)
    worth, cost = np.array([1.2, 1.3, 7.0, 9.0, 45.0]), np.array([500, 500, 40_000, 180_000, 600_000])
    contact, action = (each.ravel() for each in np.indices((contacts, len(worth))))
    keep = rng.random(len(contact)) < 0.8
    contact, action = contact[keep], action[keep]
    account = np.sort(rng.integers(0, contacts // 3, contacts))
    owners = 5
    owner = rng.integers(0, owners, contacts)
    limits = (
        Limits("contact", contact.astype(np.int32), np.full(contacts, 2)),
        Limits("account", account[contact].astype(np.int32), np.full(contacts, 3)),
        Limits(
            "slots",
            np.where(action >= 3, owner[contact] * 2 + action - 3, -1).astype(np.int32),
            np.full(2 * owners, max(1, contacts // 60)),
            priced=True,
        ),
        Limits(
            "budget",
            np.zeros(len(contact), dtype=np.int32),
            np.array([contacts * 5_000]),
            use=cost[action],
            priced=True,
        ),
    )
    return Day(worth[action], account[contact].astype(np.int64), limits)


def best_of_all(day: Day) -> float:
    """The largest sum of priorities, found by looking at every choice there is."""
    worth = np.flatnonzero(day.priority > 0)
    choices = np.array(list(product((0, 1), repeat=len(worth))), dtype=np.int64).reshape(-1, len(worth))
    allowed = np.ones(len(choices), dtype=bool)
    for each in day.limits:
        row, use = each.row[worth], np.ones(len(worth), dtype=np.int64) if each.use is None else each.use[worth]
        for limit in np.unique(row[row >= 0]).tolist():
            allowed &= choices @ np.where(row == limit, use, 0) <= max(0, int(each.room[limit]))
    return float((choices[allowed] @ day.priority[worth]).max())
