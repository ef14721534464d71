"""What lies around a contact as a transaction sees it: with what others decided since the contact's past was read."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from features.times import ALWAYS
from nba.tables.around_store import StoreSurroundings
from nba.tables.tables import Asset, Tables
from nba.tables.taken import EVER, count_taken, invited, name_in

if TYPE_CHECKING:
    from features.store.reading import Reading


@dataclass(frozen=True, eq=False)
class WritingSurroundings:
    """The same surroundings, but for decisions: all that are there now count, whenever they were made."""

    read: StoreSurroundings
    seen: Reading
    """What the transaction sees, also of what it wrote itself."""

    def tables(self) -> Tables:
        """Return products, events, content and partners."""
        return self.read.tables()

    def assets(self) -> Sequence[Asset]:
        """Return the devices and contracts of the contact and of its account, by id."""
        return self.read.assets()

    def account_approaches(self, since: int) -> Sequence[tuple[int, str | None]]:
        """Return what went out to the account's other contacts from ``since`` on, by rising time."""
        return self.read.account_approaches(since, self.seen)

    def taken(self, action: str, since: int, by: str | None) -> int:
        """Return how often an action was taken from ``since`` on."""
        read = self.read
        of = None if by is None else (by, name_in(read.traits.get(by)))
        return count_taken(read.store, action, max(since, ALWAYS), read.as_of, of, read.rules, seen=self.seen)

    def invited(self, event_id: str, actions: Collection[str], since: int) -> Collection[str]:
        """Return who was invited to an event from ``since`` on."""
        return invited(self.seen, event_id, actions, max(since, ALWAYS), EVER)
