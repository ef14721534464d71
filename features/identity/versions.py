"""Contacts as they stood: the same touchpoints once for every set of identities that was one contact for a while."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, pairwise

import numpy as np
from numpy.typing import NDArray

from features.identity.identity import Identities
from features.identity.link_rules import EVER, best_name
from features.spans import spans
from features.times import ALWAYS
from features.touchpoints.touchpoints import Touchpoints

I64 = NDArray[np.int64]


@dataclass(frozen=True)
class Versions:
    """Every version of every contact that has touchpoints.

    A version is a set of identities that were one contact for every ``as_of`` with ``begin < as_of <= end``; who was
    never linked has one, for ever. ``recorded`` has the touchpoints under the identities they were recorded with,
    ``touchpoints`` under the versions, each as often as there are versions with its identity. ``begin``, ``end`` and
    ``group`` are of the versions, shape (n,); versions of one group are of the same contact, as far as anybody ever
    thought so.
    """

    recorded: Touchpoints
    names: Sequence[str]
    linked: Mapping[int, tuple[str, ...]]
    """Identities (sorted) of the versions that links had a part in, those without touchpoints too."""
    begin: I64
    end: I64
    group: I64
    start: I64
    """``member[start[v]:start[v + 1]]`` are the identities of version ``v``."""
    member: I64
    """Codes of ``recorded.contacts``."""

    @classmethod
    def of(cls, recorded: Touchpoints, identities: Identities, known_since: Mapping[str, int], now: int) -> Versions:
        """Lay out the versions: first who was never linked, then the others by their first identity and time.

        Parameters
        ----------
        known_since
            When each identity first had a row of ``contacts``, which decides about names.
        now
            Versions that hold then are called as the service calls the contact.
        """
        linked = {name: code for code, name in enumerate(recorded.contacts) if name in identities.linked}
        alone = [code for code, name in enumerate(recorded.contacts) if name not in linked]
        names = [recorded.contacts[code] for code in alone]
        of: dict[int, tuple[str, ...]] = {}
        here: list[list[int]] = []
        spells: list[tuple[int, int, int]] = []
        group: dict[str, int] = {}
        for name in linked:
            number = group.setdefault(identities.group(name), len(alone) + len(group))
            for members, begin, end in identities.standings(name):
                codes = [linked[each] for each in members if each in linked]
                if codes[0] == linked[name]:
                    of[len(names)] = members
                    names.append(version_name(members, end, known_since, now))
                    here.append(codes)
                    spells.append((begin, end, number))
        spell = np.array(spells, dtype=np.int64).reshape(-1, 3).T
        lone = np.array(alone, dtype=np.int64)
        sizes = np.concatenate([np.ones(len(lone), dtype=np.int64), [len(codes) for codes in here]]).astype(np.int64)
        return cls(
            recorded,
            names,
            of,
            begin=np.concatenate([np.full(len(lone), ALWAYS), spell[0]]),
            end=np.concatenate([np.full(len(lone), EVER), spell[1]]),
            group=np.concatenate([np.arange(len(lone)), spell[2]]),
            start=np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(sizes)]),
            member=np.concatenate([lone, np.fromiter(chain.from_iterable(here), dtype=np.int64)]),
        )

    def members(self, version: int) -> tuple[str, ...]:
        """Return the identities of a version, sorted."""
        found = self.linked.get(version)
        return (self.names[version],) if found is None else found

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def touchpoints(self) -> Touchpoints:
        """The touchpoints of each version."""
        member: list[int] = self.member.tolist()
        start: list[int] = self.start.tolist()
        groups = [member[low:high] for low, high in pairwise(start)]
        return self.recorded.merged(groups, self.names)

    def holds(self, version: I64, as_of: I64) -> NDArray[np.bool_]:
        """Whether each version stood at a moment, shape (n,)."""
        found: NDArray[np.bool_] = (self.begin[version] < as_of) & (as_of <= self.end[version])
        return found

    def at(self, identity: I64, as_of: I64) -> I64:
        """Which version each identity (a code of ``recorded``) belonged to at a moment, shape (n,)."""
        start, end, version = self._by_identity
        # An identity's versions follow each other without gaps, so the first that ends late enough is the one.
        _, place = spans(start, end, identity, ALWAYS, as_of)
        found: I64 = version[place]
        return found

    def seen_at(self, version: I64, moment: I64) -> tuple[I64, I64]:
        """Find what had become of the identities of each row's version by a later moment.

        Returns
        -------
        row, identity
            Every identity that is by then one contact with one of the version's own, once for each row;
            rows rise.
        """
        same = self.holds(version, moment)
        kept = np.flatnonzero(same)
        row, place = kept, version[kept]
        moved = np.flatnonzero(~same)
        if len(moved):
            again, identity = self._members(version[moved])
            later = self.at(identity, moment[moved][again])
            both = np.unique(np.column_stack([moved[again], later]), axis=0)
            row, place = np.concatenate([row, both[:, 0]]), np.concatenate([place, both[:, 1]])
            order = np.lexsort((place, row))
            row, place = row[order], place[order]
        again, identity = self._members(place)
        return row[again], identity

    def current(self, now: int) -> I64:
        """Return the versions that stand at a moment."""
        return np.flatnonzero((self.begin < now) & (now <= self.end)).astype(np.int64)

    def _members(self, version: I64) -> tuple[I64, I64]:
        """Place in ``version``, and identity, of each member of each version asked for."""
        size = self.start[version + 1] - self.start[version]
        place = np.repeat(np.arange(len(version), dtype=np.int64), size)
        within = np.arange(int(size.sum()), dtype=np.int64) - np.repeat(np.cumsum(size) - size, size)
        return place, self.member[self.start[version][place] + within]

    @cached_property
    def _by_identity(self) -> tuple[I64, I64, I64]:
        version = np.repeat(np.arange(len(self), dtype=np.int64), np.diff(self.start))
        order = np.lexsort((self.end[version], self.member))
        start = np.searchsorted(self.member[order], np.arange(len(self.recorded.contacts) + 1))
        return start.astype(np.int64), self.end[version[order]], version[order]


def version_name(members: Sequence[str], end: int, known_since: Mapping[str, int], now: int) -> str:
    """Return the contact's name; of a version that has ended also until when, as its identities live on in others."""
    moment = min(now, end)
    name = best_name(members, lambda identity: known_since.get(identity, EVER) < moment)
    # No identity has this character in it, so that a name of the past is nobody's of today.
    return name if end >= now else f"{name}\0{end}"
