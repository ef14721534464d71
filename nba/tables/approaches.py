"""What went out lately to the other contacts of an account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from features.lake.history import has_lakes
from nba.approach_rule import ApproachRule
from nba.once import once
from nba.tables.taken import EVER

if TYPE_CHECKING:
    from features.identity.members import Contact
    from features.store.account import AccountRows, Deeds
    from features.store.reading import Reading
    from features.touchpoints.touchpoints import Touchpoints
    from nba.account_past import AccountPast

Timed = tuple[int, str | None]
"""When something went out, and on which channel."""


# Not frozen: made once a request.
@dataclass(eq=False)
class AccountApproaches:
    """Approaches to the account's other contacts from ``since`` on, strictly before ``as_of``.

    Who nobody linked is read with the account, and no further back than ``since``; the others one by one, whole.
    """

    account: AccountPast
    as_of: int
    since: int
    counted: ApproachRule

    def all(self, seen: Reading | None = None) -> list[Timed]:
        """Return them by rising time.

        Parameters
        ----------
        seen
            What a transaction sees: then all decisions count that it does, also those of ``as_of`` or later.
        """
        read, account = self._read, self.account
        deeds = read.deeds if seen is None else account.deeds(seen, self.as_of, self.since, EVER)
        found: list[Timed] = []
        for contact in self._others:
            whole = self._whole.get(contact.contact_id)
            found += self._of_rows(contact.contact_id, deeds) if whole is None else self._of(contact, whole, seen)
        return sorted(found, key=lambda each: each[0])

    def _of_rows(self, name: str, deeds: Deeds) -> list[Timed]:
        sent, made = self._read.touchpoints.get(name, ()), deeds.made.get(name, ())
        return self.counted.lately(sent, made, deeds.told.get(name, ()), self.account.rules) if sent or made else []

    def _of(self, contact: Contact, touchpoints: Touchpoints, seen: Reading | None) -> list[Timed]:
        told, before = (self.account.store, self.as_of) if seen is None else (seen, EVER)
        decisions = [row for member in contact.members for row in told.decisions_of(member, before, self.since)]
        approaches = self.counted.approaches(touchpoints, decisions, before, since=self.since)
        return [(approach.at, approach.channel) for approach in approaches]

    @once
    def _read(self) -> AccountRows:
        return self.account.read(self.as_of, self.since)

    @once
    def _others(self) -> Sequence[Contact]:
        return self.account.others(self._read, self.as_of)

    @once
    def _whole(self) -> dict[str, Touchpoints]:
        """What happened with those whose touchpoints lie in several places; a transaction need not read it again."""
        account, are_all = self.account, has_lakes(self.account.store)
        return {
            each.contact_id: account.touchpoints(each, self.as_of)
            for each in self._others
            if are_all or len(each.members) > 1
        }
