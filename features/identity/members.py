"""Which identities are one contact at one moment, read from the store link by link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from features.identity.link_rules import best_name, evidence_order, most, opening
from features.rows.row_types import LinkRow
from features.times import iso

if TYPE_CHECKING:
    from features.store.reading import Reading
    from features.touchpoints.touchpoints import TouchpointRules


@dataclass(frozen=True)
class Contact:
    """A contact at one moment: its name, its identities (sorted), and the links that made it, by time."""

    contact_id: str
    members: tuple[str, ...]
    why: tuple[LinkRow, ...] = ()

    @classmethod
    def alone(cls, identity: str) -> Contact:
        """Return the contact that an identity is which nobody linked."""
        return cls(identity, (identity,))

    def to_json(self) -> dict[str, object]:
        """Return the identities and what joined them, as answers show it."""
        links = [
            {
                "identity_a": link.identity_a,
                "identity_b": link.identity_b,
                "since": iso(link.seen_at),
                "how": link.how,
                "confidence": link.confidence,
            }
            for link in self.why
        ]
        return {"identities": list(self.members), "links": links}


def members_of(store: Reading, identity: str, as_of: int, rules: TouchpointRules) -> Contact:
    """Find the contact that an identity was at ``as_of``.

    Of nobody more than ``link_rules.most`` links are read; an identity without links costs one short read.
    """
    neighbours = _Neighbours(store, as_of, rules)
    found, seen = [identity], {identity}
    for each in found:
        for other in neighbours.of(each) or ():
            if other not in seen and neighbours.of(other) is not None:
                seen.add(other)
                found.append(other)
        if len(found) >= most(rules):
            return Contact.alone(identity)
    if len(found) == 1:
        return Contact.alone(identity)
    why = [
        link for each in found for other, link in (neighbours.of(each) or {}).items() if each < other and other in seen
    ]
    name = best_name(found, lambda member: store.is_contact(member, as_of))
    return Contact(name, tuple(sorted(found)), tuple(sorted(why, key=evidence_order)))


class _Neighbours:
    """Whom each identity is joined with directly, each read once."""

    def __init__(self, store: Reading, as_of: int, rules: TouchpointRules) -> None:
        self._store = store
        self._as_of = as_of
        self._rules = rules
        self._of: dict[str, Mapping[str, LinkRow] | None] = {}

    def of(self, identity: str) -> Mapping[str, LinkRow] | None:
        """Return the link to each neighbour; None where so many share the identity that it joins nobody."""
        if identity not in self._of:
            self._of[identity] = self._read(identity)
        return self._of[identity]

    def _read(self, identity: str) -> Mapping[str, LinkRow] | None:
        store, rules, limit = self._store, self._rules, most(self._rules)
        # The first links nearly always tell: there are no more of them, or they show that the key is shared.
        for few in (min(2 * rules.stitch_limit + 2, limit), limit):
            rows = store.links_of(identity, self._as_of, few)
            found = self._joined(identity, rows) if rows else {}
            if len(found) > rules.stitch_limit:
                return None
            if len(rows) < few:
                return found
        return None

    def _joined(self, identity: str, rows: list[LinkRow]) -> Mapping[str, LinkRow]:
        """Find what holds now of the links that were read."""
        links: dict[str, list[LinkRow]] = {}
        for row in rows:
            links.setdefault(row.identity_b, []).append(row)
        split_at = {row.identity_b: row.at for row in self._store.splits_of(identity, self._as_of)}
        found: dict[str, LinkRow] = {}
        for other, mine in links.items():
            if other in split_at:
                # What a person confirmed again is not the first link of its kind.
                mine = self._store.links_between(identity, other, self._as_of)
            link = opening(mine, split_at.get(other), self._as_of, self._rules)
            if link is not None:
                a, b = (identity, other) if identity < other else (other, identity)
                sure = 1.0 if link.confidence is None else link.confidence
                found[other] = LinkRow(a, b, link.seen_at, link.how, sure)
        return found
