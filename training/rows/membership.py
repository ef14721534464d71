"""Which identities are which contact at one moment, and what was recorded under them put together by contact."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from features.identity.identity import Identities
from features.identity.link_rules import best_name, name_rank
from features.identity.members import Contact
from features.rows.row_types import DecisionRow, RecordRow
from features.times import ALWAYS
from features.touchpoints.touchpoints import Touchpoints
from features.traits import Traits


@dataclass(frozen=True)
class Membership:
    """The identities of every contact by its name, and the contacts that have several."""

    members: Mapping[str, tuple[str, ...]]
    joined: Mapping[str, Contact]

    @classmethod
    def of(cls, identities: Identities, everybody: Iterable[str], told: set[str], as_of: int) -> Membership:
        """Tell who is one contact.

        Parameters
        ----------
        everybody
            Every identity that has touchpoints or traits.
        told
            Those that the table of contacts knows, which decides about names.
        """
        found = set(everybody)
        members: dict[str, tuple[str, ...]] = {name: (name,) for name in found if name not in identities.linked}
        joined: dict[str, Contact] = {}
        seen: set[str] = set()
        for identity in sorted(found & identities.linked):
            if identity not in seen:
                of = identities.members(identity, as_of)
                seen.update(of)
                name = best_name(of, told.__contains__)
                members[name] = of
                if len(of) > 1:
                    joined[name] = Contact(name, of, tuple(identities.why(identity, as_of)))
        return cls(members, joined)

    @cached_property
    def name_of(self) -> Mapping[str, str]:
        """Name of the contact that each identity is."""
        return {identity: name for name, members in self.members.items() for identity in members}

    def touchpoints(self, recorded: Touchpoints) -> Touchpoints:
        """Touchpoints of the contacts that have any, in the order of their first identity."""
        codes: dict[str, list[int]] = {}
        for code, identity in enumerate(recorded.contacts):
            codes.setdefault(self.name_of[identity], []).append(code)
        return recorded.merged(list(codes.values()), list(codes))

    def traits(self, rows: Iterable[RecordRow]) -> Traits:
        """Traits of the contacts; of what became known at once the better name's word is the last."""
        each = ((name, sorted(of, key=name_rank, reverse=True)) for name, of in self.members.items())
        return Traits(rows).merged(each)

    def changed_at(self, rows: Iterable[RecordRow]) -> dict[str, int]:
        """When something was last known of a contact, without those of whom no time is known."""
        of = {row.key: row.known_at for row in rows if row.known_at != ALWAYS}
        known = ((name, [of[each] for each in members if each in of]) for name, members in self.members.items())
        return {name: max(moments) for name, moments in known if moments}

    def decisions(
        self, rows: Iterable[DecisionRow], since: int, note: Callable[[DecisionRow], None]
    ) -> dict[str, tuple[DecisionRow, ...]]:
        """Decisions of each contact by time, those made or activated at ``since`` or later; ``note`` is told of all."""
        found: dict[str, list[DecisionRow]] = {}
        for row in rows:
            note(row)
            name = self.name_of.get(row.identity)
            at = row.decided_at if row.activated_at is None else row.activated_at
            if name is not None and at >= since:
                found.setdefault(name, []).append(row)
        for name in found.keys() & self.joined.keys():
            found[name].sort(key=lambda row: (row.decided_at, row.decision_id))
        return {name: tuple(each) for name, each in found.items()}
