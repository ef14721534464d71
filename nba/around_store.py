"""What lies around a contact, read from the store where a rule asks for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from features.row_types import RecordRow
from features.times import ALWAYS
from nba.approach_rule import ApproachRule
from nba.table_memory import tables_of
from nba.table_reading import asset_of, known_bodies
from nba.tables import Asset, Tables
from nba.taken import count_taken, name_in

if TYPE_CHECKING:
    from features.members import Contact
    from features.store import Store
    from features.touchpoints import TouchpointRules
    from nba.account_past import AccountPast


# Not frozen: made once a request, and read at most a few times.
@dataclass(eq=False)
class StoreSurroundings:
    """The surroundings of one contact, strictly before ``as_of``; a ``Surroundings``."""

    store: Store
    contact: Contact
    traits: Mapping[str, Any]
    account: AccountPast | None
    as_of: int
    rules: TouchpointRules
    counted: ApproachRule

    def tables(self) -> Tables:
        """Return products, events, content and partners."""
        return self._tables

    def assets(self) -> Sequence[Asset]:
        """Return the devices and contracts of the contact and of its account, by id."""
        return self._assets

    def account_approaches(self, since: int) -> Sequence[tuple[int, str | None]]:
        """Return what went out to the account's other contacts from ``since`` on, by rising time.

        Nothing of an account that has too many contacts to be looked at.
        """
        if self.account is None:
            return ()
        found: list[tuple[int, str | None]] = []
        for contact in self.account.others(self.as_of):
            touchpoints = self.account.touchpoints(contact, self.as_of)
            decisions = [
                row for member in contact.members for row in self.store.decisions_of(member, self.as_of, since)
            ]
            approaches = self.counted.approaches(touchpoints, decisions, self.as_of, since=since)
            found += [(approach.at, approach.channel) for approach in approaches]
        return sorted(found, key=lambda each: each[0])

    def taken(self, action: str, since: int, by: str | None) -> int:
        """Return how often an action was taken from ``since`` on, by ``nba.taken.count_taken``."""
        of = None if by is None else (by, name_in(self.traits.get(by)))
        return count_taken(self.store, action, max(since, ALWAYS), self.as_of, of, self.rules)

    @cached_property
    def _tables(self) -> Tables:
        return tables_of(self.store, self.as_of)

    @cached_property
    def _assets(self) -> tuple[Asset, ...]:
        owners = [("identity", member) for member in self.contact.members]
        owners += [("account", self.account.account)] if self.account is not None else []
        found: dict[str, Asset] = {}
        for kind, owner in owners:
            for key, body in known_bodies(self._rows(kind, owner), self.as_of).items():
                # What once was its own and became somebody else's is found by its old owner, too.
                if body.get(kind) == owner:
                    found[key] = asset_of(key, body)
        return tuple(found[key] for key in sorted(found))

    def _rows(self, kind: str, owner: str) -> list[RecordRow]:
        return self.store.assets_of(kind, owner, self.as_of)
