"""What lies around a contact, read from the store where a rule asks for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from features.rows.row_types import RecordRow
from features.times import ALWAYS
from nba.approach_rule import ApproachRule
from nba.tables.memory import tables_of
from nba.tables.reading import asset_of, known_bodies
from nba.tables.tables import Asset, Tables
from nba.tables.taken import EVER, count_taken, invited, name_in

if TYPE_CHECKING:
    from features.identity.members import Contact
    from features.store.reading import Reading
    from features.store.store import Store
    from features.touchpoints.touchpoints import TouchpointRules, Touchpoints
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
        told, before = (self.store, self.as_of) if seen is None else (seen, EVER)
        found: list[tuple[int, str | None]] = []
        for contact, touchpoints in self._others:
            decisions = [row for member in contact.members for row in told.decisions_of(member, before, since)]
            approaches = self.counted.approaches(touchpoints, decisions, before, since=since)
            found += [(approach.at, approach.channel) for approach in approaches]
        return sorted(found, key=lambda each: each[0])

    def taken(self, action: str, since: int, by: str | None) -> int:
        """Return how often an action was taken from ``since`` on, by ``nba.tables.taken.count_taken``."""
        of = None if by is None else (by, name_in(self.traits.get(by)))
        return count_taken(self.store, action, max(since, ALWAYS), self.as_of, of, self.rules)

    def invited(self, event_id: str, actions: Collection[str], since: int) -> Collection[str]:
        """Return who was invited to an event from ``since`` on, by ``nba.tables.taken.invited``."""
        return invited(self.store, event_id, actions, max(since, ALWAYS), self.as_of)

    @cached_property
    def _others(self) -> Sequence[tuple[Contact, Touchpoints]]:
        """The account's other contacts and what happened with them; a transaction need not read them again."""
        account = self.account
        if account is None:
            return ()
        return [(each, account.touchpoints(each, self.as_of)) for each in account.others(self.as_of)]

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
