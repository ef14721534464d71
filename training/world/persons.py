"""A small world's persons: who lives and works where, on which devices, behind which networks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]
Bools = NDArray[np.bool_]

PHONE, LAPTOP, WORK, TABLET, KIOSK = range(5)
"""Kinds of devices: a person's own three, a household's tablet, a machine in a library."""

NOBODY = -1

_SIZES = np.arange(1, 6)
_SHARE_OF_SIZES = np.array([0.36, 0.30, 0.14, 0.14, 0.06])
_PHONES, _LAPTOPS, _TABLETS = 60, 80, 12
_SAME_PHONE = 0.12
_PERSONS_PER_PLACE, _PERSONS_PER_OFFICE, _PERSONS_PER_KIOSK = 400, 60, 350


@dataclass(frozen=True)
class Persons:
    """Who there is. Shape (persons,) unless told otherwise.

    ``office`` is NOBODY for who has none. ``visits_a_day`` is over all own devices. ``logs_in`` and ``clicks``
    tell who ever does, ``consents`` who agrees to stitching.
    """

    household: I64
    place: I64
    office: I64
    visits_a_day: F64
    logs_in: Bools
    clicks: Bools
    consents: Bools
    office_place: I64
    """Shape (offices,)."""

    def __len__(self) -> int:
        return len(self.household)


@dataclass(frozen=True)
class Devices:
    """What they visit with, shape (devices,).

    ``owner`` is the person, or the first of the household whose tablet it is, or NOBODY of a kiosk's machine;
    ``model`` codes the text that a browser tells, which many devices share. ``visits_a_day`` is the device's own,
    ``days_a_cookie`` how long a cookie lives on average; 0 where it ends with the visit.
    """

    kind: I64
    owner: I64
    model: I64
    place: I64
    visits_a_day: F64
    days_a_cookie: F64

    def __len__(self) -> int:
        return len(self.kind)


def persons(n: int, rng: np.random.Generator) -> Persons:
    """Draw households of one to five and what each person does.

    Parameters
    ----------
    n
        How many persons; the last household is cut where it would be more.
    """
    sizes = rng.choice(_SIZES, size=n, p=_SHARE_OF_SIZES)
    household = np.repeat(np.arange(n), sizes)[:n]
    place = rng.integers(0, 1 + n // _PERSONS_PER_PLACE, size=n)[household]
    # Offices are of very different sizes: most are small, some have hundreds.
    n_offices = max(1, n // _PERSONS_PER_OFFICE)
    weight = rng.pareto(1.1, size=n_offices) + 0.3
    works = rng.random(n) < 0.45
    office = np.where(works, rng.choice(n_offices, size=n, p=weight / weight.sum()), NOBODY)
    return Persons(
        household=household,
        place=place,
        office=office,
        visits_a_day=rng.gamma(1.3, 0.28, size=n) + 0.02,
        logs_in=rng.random(n) < 0.35,
        clicks=rng.random(n) < 0.2,
        consents=rng.random(n) < 0.85,
        office_place=rng.integers(0, 1 + n // _PERSONS_PER_PLACE, size=n_offices),
    )


def devices(who: Persons, rng: np.random.Generator) -> Devices:
    """Draw everybody's devices, the tablets that families share, and the machines that anybody may use."""
    n = len(who)
    phones = np.flatnonzero(rng.random(n) < 0.93)
    laptops = np.flatnonzero(rng.random(n) < 0.6)
    work = np.flatnonzero(who.office != NOBODY)
    first, size = np.unique(who.household, return_index=True, return_counts=True)[1:]
    tablets = first[(size > 1) & (rng.random(len(first)) < 0.2)]
    n_kiosks = max(2, n // _PERSONS_PER_KIOSK)
    kind = np.repeat(
        [PHONE, LAPTOP, WORK, TABLET, KIOSK], [len(phones), len(laptops), len(work), len(tablets), n_kiosks]
    )
    owner = np.concatenate([phones, laptops, work, tablets, np.full(n_kiosks, NOBODY)])
    place = np.concatenate([who.place[owner[owner != NOBODY]], rng.integers(0, who.place.max() + 1, size=n_kiosks)])
    share = rng.dirichlet(np.ones(3), size=n)
    visits = np.concatenate(
        [
            who.visits_a_day[phones] * (0.3 + share[phones, 0]),
            who.visits_a_day[laptops] * (0.3 + share[laptops, 1]),
            who.visits_a_day[work] * (0.3 + share[work, 2]),
            0.3 * who.visits_a_day[tablets],
            3.0 + rng.gamma(2.0, 2.0, size=n_kiosks),
        ]
    )
    return Devices(kind, owner, _models(kind, owner, who, rng), place, visits, _days_a_cookie(kind, rng))


def _models(kind: I64, owner: I64, who: Persons, rng: np.random.Generator) -> I64:
    """Code of each device's model: few are common, families tend to the same phone, offices buy one laptop."""
    n = len(kind)
    phone = _common(_PHONES, n, rng)
    of_household = _common(_PHONES, int(who.household.max()) + 1, rng)
    alike = rng.random(n) < _SAME_PHONE
    phone = np.where(alike, of_household[who.household[owner]], phone)
    laptop = _PHONES + _common(_LAPTOPS, n, rng)
    of_office = _PHONES + _common(_LAPTOPS, len(who.office_place), rng)
    standard = rng.random(n) < 0.8
    work = np.where(standard, of_office[who.office[owner]], laptop)
    tablet = _PHONES + _LAPTOPS + _common(_TABLETS, n, rng)
    kiosk = np.full(n, _PHONES + _LAPTOPS + _TABLETS)
    found: I64 = np.choose(kind, [phone, laptop, work, tablet, kiosk])
    return found


def _common(models: int, n: int, rng: np.random.Generator) -> I64:
    """Draw models by their place in the market: the second sells half of the first, roughly."""
    share = 1.0 / np.arange(2, models + 2) ** 0.8
    return rng.choice(models, size=n, p=share / share.sum())


def _days_a_cookie(kind: I64, rng: np.random.Generator) -> F64:
    """Draw how long cookies live: most for weeks, on some browsers for one, on others for ever."""
    n = len(kind)
    usual = rng.choice([7.0, 25.0, 60.0, 120.0, 1000.0], size=n, p=[0.08, 0.22, 0.35, 0.25, 0.1])
    # Every other machine that anybody may use forgets the visitor after each visit, the rest never do.
    at_kiosk = np.where(np.arange(n) % 2, 0.0, np.inf)
    return np.where(kind == KIOSK, at_kiosk, usual)
