"""How far a caller reaches: whom it means by a name, when it sees some of the contacts only."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from features.identity.members import members_of
from features.store.reading import Reading
from features.store.store import Store
from nba.contact_traits import traits_of
from nba.partners.visibility import Viewer, sight_of
from nba.settings import Settings
from nba.tables.memory import tables_of
from nba.tables.reading import partners_known
from nba.tables.tables import Partner
from serving.own_names import is_own, own_name


class Reach:
    """What a caller's words mean at one moment.

    The owner's side as a whole means by every name what stands in the store. A caller that is bound to a partner or
    an owner means its own contacts, and by every other name one of its ``own_names``. The same is read for a name
    that is somebody else's as for one that is nobody's.

    Parameters
    ----------
    store
        The store, or what a transaction reads.
    as_of
        Microseconds; what became known at or after it does not count.
    """

    def __init__(self, store: Reading, viewer: Viewer, settings: Settings, as_of: int) -> None:
        self.viewer = viewer
        self._store, self._settings, self._as_of = store, settings, as_of
        self._is_bound = viewer != Viewer()
        self._names: dict[str, str] = {}

    def contact(self, name: str) -> str:
        """Return the identity that the caller means by a name."""
        if not self._is_bound:
            return name
        found = self._names.get(name)
        if found is None:
            found = self._names[name] = name if self.sees(name) else own_name(self.viewer, name)
        return found

    def decision(self, decision_id: str) -> str:
        """Return the id of the decision that the caller means."""
        if not self._is_bound:
            return decision_id
        found = self._store.decision(decision_id)
        sees = self.sees("" if found is None else found.identity)
        return decision_id if found is not None and sees else own_name(self.viewer, decision_id)

    def sees(self, identity: str) -> bool:
        """Whether the caller sees that there is such a contact, or there is one of its own making."""
        if not self._is_bound:
            return True
        members = members_of(self._store, identity, self._as_of, self._settings.touchpoints).members
        traits = traits_of(self._store, members, self._as_of)
        sight = sight_of(self.viewer, traits, self._partners, self._settings.partners, self._as_of)
        return is_own(self.viewer, identity) or not sight.is_nothing

    def shows_account(self, identity: str, account: str) -> bool:
        """Whether the caller sees that a contact belongs to an account."""
        members = members_of(self._store, identity, self._as_of, self._settings.touchpoints).members
        traits = traits_of(self._store, members, self._as_of)
        sight = sight_of(self.viewer, traits, self._partners, self._settings.partners, self._as_of)
        return str(traits.get("account")) == account and not sight.is_nothing and sight.shows("account")

    @cached_property
    def _partners(self) -> Mapping[str, Partner]:
        store = self._store
        # What a transaction has written itself is in nobody's memory.
        return (
            tables_of(store, self._as_of).partners if isinstance(store, Store) else partners_known(store, self._as_of)
        )

    def side_of(self, identity: str) -> dict[str, object]:
        """Return the trait that makes an own name's contact the caller's; none where it has one, or is not one."""
        if not is_own(self.viewer, identity):
            return {}
        name, side = ("owner", self.viewer.owner) if self.viewer.partner is None else ("partner", self.viewer.partner)
        return {} if self._store.traits(identity, self._as_of).get(name) else {name: side}

    def account_of(self, identity: str) -> object:
        """Return the account that an identity itself names."""
        return self._store.traits(identity, self._as_of).get("account")
