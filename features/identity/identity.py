"""Which identities were one contact when: links joined, people split, and shared keys joined nobody.

Everything here follows from the set of links and splits alone, in whatever order they came.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from features.identity.edges import Edges, Links, edges_of
from features.identity.link_rules import EVER, evidence_order, most
from features.identity.replay import Contacts, components, replay
from features.rows.row_types import LinkRow, SplitRow
from features.times import ALWAYS
from features.touchpoints.touchpoints import TouchpointRules

NOBODY = -1


class Identities:
    """Everybody whom a link ever joined with somebody; made by ``Identities.of``.

    An identity that is not here is its own contact.

    Examples
    --------
    >>> links = [LinkRow("cookie:1", "crm:7", 50, "login")]
    >>> found = Identities.of(links, (), TouchpointRules())
    >>> found.members("cookie:1", 50), found.members("cookie:1", 51)
    (('cookie:1',), ('cookie:1', 'crm:7'))
    """

    def __init__(self, links: Links, edges: Edges, label: NDArray[np.int64], contacts: Contacts) -> None:
        self._links = links
        self._edges = edges
        self._label = label
        self._contacts = contacts

    @classmethod
    def of(cls, links: Iterable[LinkRow], splits: Iterable[SplitRow], rules: TouchpointRules) -> Identities:
        """Replay links and splits.

        Parameters
        ----------
        links, splits
            In any order; what is not to be known yet is left out by whoever reads them.
        rules
            Which links count, and how many a key may have.
        """
        columns = Links.of(links)
        edges = edges_of(columns, splits, rules)
        label = components(len(columns.names), edges.a, edges.b)
        return cls(columns, edges, label, replay(edges, label, most(rules)))

    def __len__(self) -> int:
        """How many times identities were one contact for a while."""
        return len(self._contacts)

    @cached_property
    def linked(self) -> frozenset[str]:
        """Everybody who was ever one contact with somebody else."""
        return frozenset(self._links.names[code] for code in self._contacts.identities())

    def members(self, identity: str, as_of: int) -> tuple[str, ...]:
        """Return the identities of the contact that ``identity`` was at ``as_of``, sorted."""
        for members, begin, end in self._contacts.of(self._code.get(identity, NOBODY)):
            if begin < as_of <= end:
                return self._named(members)
        return (identity,)

    def group(self, identity: str) -> str:
        """Return the smallest identity of everything it was ever joined with, directly or through others."""
        code = self._code.get(identity, NOBODY)
        return identity if code == NOBODY else self._smallest[int(self._label[code])]

    def why(self, identity: str, as_of: int) -> list[LinkRow]:
        """Return the links that made the contact that ``identity`` was at ``as_of``, one a pair, by time."""
        members = {self._code[name] for name in self.members(identity, as_of) if name in self._code}
        found = [
            self._links.row(int(self._edges.link[at]))
            for member in members
            for at in self._edges_of(member)
            if self._edges.begin[at] < as_of <= self._edges.end[at] and int(self._edges.b[at]) in members
        ]
        return sorted(found, key=evidence_order)

    def standings(self, identity: str) -> list[tuple[tuple[str, ...], int, int]]:
        """Return everything an identity was part of by time, without gaps: members, begin, end (microseconds)."""
        found: list[tuple[tuple[str, ...], int, int]] = []
        before = ALWAYS
        for members, begin, end in self._contacts.of(self._code.get(identity, NOBODY)):
            if before < begin:
                found.append(((identity,), before, begin))
            found.append((self._named(members), begin, end))
            before = end
        return [*found, ((identity,), before, EVER)] if before < EVER else found

    def _named(self, members: Iterable[int]) -> tuple[str, ...]:
        return tuple(sorted(self._links.names[code] for code in members))

    @cached_property
    def _code(self) -> dict[str, int]:
        return {name: code for code, name in enumerate(self._links.names)}

    @cached_property
    def _smallest(self) -> dict[int, str]:
        found: dict[int, str] = {}
        for name, label in zip(self._links.names, self._label.tolist(), strict=True):
            if label not in found or name < found[label]:
                found[label] = name
        return found

    def _edges_of(self, code: int) -> list[int]:
        """Edges whose lower end is ``code``."""
        low, high = np.searchsorted(self._by_end[0], [code, code + 1])
        found: list[int] = self._by_end[1][low:high].tolist()
        return found

    @cached_property
    def _by_end(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        order = np.argsort(self._edges.a, kind="stable")
        return self._edges.a[order], order
