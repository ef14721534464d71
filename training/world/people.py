"""Who lives in the journey world: contacts in accounts, dealers who own some of them, and their devices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.world.rules import DECIDES_SHIFT, FIT_SHIFT, PRODUCTS, WINDOW_DAYS

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]

NOBODY = -1
FITS = ("A", "B", "C")
ROLES = ("decision_maker", "user", "purchasing")
INDUSTRIES = ("food", "chemicals", "water", "machines")

_CONSUMERS, _DEALT, _SECOND_DEVICE, _LINKED = 0.2, 0.3, 0.12, 0.8
_CONTACTS_PER_OWNER, _CONTACTS_PER_PARTNER = 150, 120
_LINK_DAYS = 120


@dataclass(frozen=True)
class People:
    """Contacts, shape (contacts,) each.

    ``account``, ``partner`` and ``role`` are NOBODY where there is none; ``linked_on`` is the day on which a second
    device was linked, NOBODY for who has none, a day past every world where it never is. ``phase`` is the day within
    the rhythm of decisions, ``moment`` the time of day of them in microseconds. ``shift`` is what the traits add to
    the logarithm of the odds of an order, ``worth`` the mean value of one.
    """

    account: I64
    partner: I64
    owner: I64
    role: I64
    fit: I64
    industry: I64
    employees: I64
    activity: F64
    home: I64
    linked_on: I64
    phase: F64
    moment: I64
    shift: F64
    worth: F64
    known_on: I64

    def __len__(self) -> int:
        return len(self.account)


NEVER_LINKED = 1_000_000


def people(n: int, rng: np.random.Generator) -> People:
    """Draw contacts: a fifth consumers, the others in accounts of one to six; three in ten accounts have a dealer."""
    account = _accounts(n, rng)
    groups = int(account.max(initial=NOBODY)) + 1
    business = account != NOBODY
    partners = max(1, n // _CONTACTS_PER_PARTNER)
    dealer = np.where(rng.random(groups + 1) < _DEALT, rng.integers(0, partners, size=groups + 1), NOBODY)
    dealer[groups] = NOBODY  # consumers buy directly
    role = np.where(business, rng.choice([0, 1, 1, 2], size=n), NOBODY)
    fit = rng.choice(3, size=n, p=[0.3, 0.4, 0.3])
    size = np.exp(rng.normal(4.0, 1.0, size=groups + 1)).astype(np.int64) + 1
    employees = np.where(business, size[account], 0)
    favourite = rng.integers(0, len(PRODUCTS), size=groups + 1)
    own = rng.integers(0, len(PRODUCTS), size=n)
    home = np.where(business & (rng.random(n) < 0.7), favourite[account], own)
    second = rng.random(n) < _SECOND_DEVICE
    linked = np.where(rng.random(n) < _LINKED, rng.integers(3, _LINK_DAYS, size=n), NEVER_LINKED)
    shifts = np.array([FIT_SHIFT[name] for name in FITS])
    return People(
        account=account,
        partner=dealer[account],
        owner=rng.integers(0, max(1, n // _CONTACTS_PER_OWNER), size=n),
        role=role,
        fit=fit,
        industry=rng.integers(0, len(INDUSTRIES), size=n),
        employees=employees,
        activity=rng.gamma(6.0, 1 / 6.0, size=n).clip(0.4, 2.2),
        home=home,
        linked_on=np.where(second, linked, NOBODY),
        phase=rng.random(n),
        moment=(7 * 3600 + rng.integers(0, 3 * 3600, size=n)) * 1_000_000,
        shift=shifts[fit] + DECIDES_SHIFT * (role == 0),
        worth=120.0 + 40.0 * np.log1p(employees),
        known_on=np.where(rng.random(n) < 0.9, 0, rng.integers(1, 4 * WINDOW_DAYS, size=n)),
    )


def _accounts(n: int, rng: np.random.Generator) -> I64:
    """Give each contact the number of its account; those of one account stand beside each other."""
    consumers = rng.random(n) < _CONSUMERS
    sizes = rng.choice([1, 2, 3, 4, 6], size=n, p=[0.3, 0.25, 0.2, 0.15, 0.1])
    number = np.repeat(np.arange(n), sizes)[:n]
    found = np.full(n, NOBODY, dtype=np.int64)
    found[~consumers] = number[: int((~consumers).sum())]
    return found
