"""What lies around a contact, read from the store where a rule asks for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from features.times import ALWAYS
from nba.approach_rule import ApproachRule
from nba.once import once
from nba.tables.approaches import AccountApproaches
from nba.tables.memory import tables_of
from nba.tables.reading import asset_of, known_bodies
from nba.tables.tables import Asset, Tables
from nba.tables.taken import count_taken, invited, name_in

if TYPE_CHECKING:
    from features.identity.members import Contact
    from features.store.reading import Reading
    from features.store.store import Store
    from features.touchpoints.touchpoints import TouchpointRules
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
    _approaches: AccountApproaches | None = None

    def tables(self) -> Tables:
        """Return products, events, content and partners."""
        return self._tables

    def assets(self) -> Sequence[Asset]:
        """Return the devices and contracts of the contact and of its account, by id."""
        return self._assets

    @property
    def assets_read(self) -> Sequence[Asset]:
        """The devices and contracts, where they have been read before; else nothing."""
        return self._assets if "_assets" in vars(self) else ()

    def account_approaches(self, since: int, seen: Reading | None = None) -> Sequence[tuple[int, str | None]]:
        """Return what went out to the account's other contacts from ``since`` on, by rising time.

        Nothing of an account that has too many contacts to be looked at.

        Parameters
        ----------
        seen
            What a transaction sees: then all decisions count that it does, also those of ``as_of`` or later.
        """
        if self.account is None:
            return ()
        if self._approaches is None or self._approaches.since != since:
            self._approaches = AccountApproaches(self.account, self.as_of, since, self.counted)
        return self._approaches.all(seen)

    def taken(self, action: str, since: int, by: str | None) -> int:
        """Return how often an action was taken from ``since`` on, by ``nba.tables.taken.count_taken``."""
        of = None if by is None else (by, name_in(self.traits.get(by)))
        return count_taken(self.store, action, max(since, ALWAYS), self.as_of, of, self.rules)

    def invited(self, event_id: str, actions: Collection[str], since: int) -> Collection[str]:
        """Return who was invited to an event from ``since`` on, by ``nba.tables.taken.invited``."""
        return invited(self.store, event_id, actions, max(since, ALWAYS), self.as_of)

    @once
    def _tables(self) -> Tables:
        return tables_of(self.store, self.as_of)

    @once
    def _assets(self) -> tuple[Asset, ...]:
        account = None if self.account is None else self.account.account
        found: dict[str, Asset] = {}
        for member in self.contact.members:
            rows = self.store.assets_around(member, account, self.as_of)
            for key, body in known_bodies(rows, self.as_of).items():
                # What once was its own and became somebody else's is found by its old owner, too.
                if body.get("identity") == member or (account is not None and body.get("account") == account):
                    found[key] = asset_of(key, body)
            # What the account has was read with the first of them.
            account = None
        return tuple(found[key] for key in sorted(found))
