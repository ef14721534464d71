"""What lies around a contact and matters to a decision, beside its own history."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from nba.tables.tables import Asset, Tables


class Surroundings(Protocol):
    """Read only where a rule asks for it; everything strictly before the moment that is decided for."""

    def tables(self) -> Tables:
        """Return products, events, content and partners."""

    def assets(self) -> Sequence[Asset]:
        """Return the devices and contracts of the contact, and those of its account."""

    def account_approaches(self, since: int) -> Sequence[tuple[int, str | None]]:
        """Return time and channel of what went out to the account's other contacts from ``since`` on, rising."""

    def taken(self, action: str, since: int, by: str | None) -> int:
        """Return how often an action was taken from ``since`` on.

        Parameters
        ----------
        by
            None: for anybody; ``owner`` or ``partner``: for the contacts of this contact's owner or partner.
        """

    def invited(self, event_id: str, actions: Collection[str], since: int) -> Collection[str]:
        """Return each identity for which any of these actions was carried out for an event from ``since`` on."""


class Alone:
    """Nothing is known to lie around a contact."""

    def tables(self) -> Tables:
        """Return empty tables."""
        return _EMPTY

    def assets(self) -> Sequence[Asset]:
        """Return nothing."""
        return ()

    def account_approaches(self, since: int) -> Sequence[tuple[int, str | None]]:
        """Return nothing."""
        return ()

    def taken(self, action: str, since: int, by: str | None) -> int:
        """Return 0."""
        return 0

    def invited(self, event_id: str, actions: Collection[str], since: int) -> Collection[str]:
        """Return nobody."""
        return ()


_EMPTY = Tables()
ALONE = Alone()
