"""Who is a contact at a moment, of those that the owner's side may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from features.times import ALWAYS
from nba.partners.visibility import OWNER_SIDE, Sight, sight_of
from nba.settings import Settings
from training.past import Past

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

NOBODY = -1
"""The code of a contact without any touchpoint."""
_NEVER = 2**62


@dataclass(frozen=True)
class Present:
    """Contacts at a moment, shape (n,).

    ``contact`` are codes of ``Past.touchpoints``, ``who`` is a number that a contact keeps, also where it came to be
    one with others.
    """

    contact: Ints
    who: Ints

    def __len__(self) -> int:
        return len(self.contact)


@dataclass(frozen=True)
class People:
    """Everybody whom the owner's side may see, and since when each is known.

    Attributes
    ----------
    first
        When each contact of ``Past.touchpoints`` was first heard of; never, of those that nobody may see.
    lone
        The same of the contacts that never had a touchpoint.
    """

    past: Past
    first: Ints
    lone: Ints

    @classmethod
    def of(cls, past: Past, settings: Settings) -> Self:
        """Find them out.

        Contacts that partners keep to themselves now are left out, as that is a matter of the present, whatever
        moment is looked at. A contact that never had a touchpoint is taken as its identities are joined now.
        """
        told: dict[str, int] = {}
        for name, known_at, _ in past.traits.rows():
            told.setdefault(name, known_at)
        t = past.touchpoints
        first = np.full(len(t.contacts), _NEVER, dtype=np.int64)
        has_any = np.diff(t.start) > 0
        first[has_any] = t.occurred_at[t.start[:-1][has_any]]
        known = np.array([told.get(name, _NEVER) for name in t.contacts], dtype=np.int64)
        # Traits without a time say nothing of when a contact was first heard of; its first touchpoint does.
        known[has_any & (known == ALWAYS)] = _NEVER
        is_seen = seen(t.contacts, past, settings)
        lone = [name for name, code in past.current().items() if code == NOBODY]
        alone = np.array([told[name] for name in lone], dtype=np.int64)
        return cls(past, np.where(is_seen, np.minimum(first, known), _NEVER), alone[seen(lone, past, settings)])

    def at(self, moment: int) -> Present:
        """Return who had been heard of strictly before a moment, and stood so then."""
        codes = np.flatnonzero(self.first < moment).astype(np.int64)
        codes = codes[self.past.stands(codes, moment)]
        others = np.flatnonzero(self.lone < moment).astype(np.int64)
        who = codes if self.past.versions is None else self.past.versions.group[codes].astype(np.int64)
        # Numbers of groups stay below the number of versions, and those of contacts below that of contacts.
        return Present(
            np.concatenate([codes, np.full(len(others), NOBODY, dtype=np.int64)]),
            np.concatenate([who, self.size + others]),
        )

    @property
    def size(self) -> int:
        """A number above that of every contact that ever had a touchpoint."""
        versions = self.past.versions
        return len(self.first) if versions is None else int(versions.group.max(initial=-1)) + 1

    @property
    def most(self) -> int:
        """A number above that of every contact."""
        return self.size + len(self.lone)


def seen(names: Sequence[str], past: Past, settings: Settings, field: str = "stage") -> Flags:
    """Mark whom the owner's side may see now, or of whom it may see a field at the least.

    Parameters
    ----------
    field
        As in ``visibility.FIELDS``; empty: everything must be seen.
    """
    found = np.ones(len(names), dtype=np.bool_)
    for at, name in enumerate(names):
        known = past.traits.known(name, past.now)
        if known.get("partner"):
            sight = sight_of(OWNER_SIDE, known, past.tables.partners, settings.partners, past.now)
            found[at] = _shows(sight, field)
    return found


def _shows(sight: Sight, field: str) -> bool:
    return sight.shows(field) if field else sight.is_whole
