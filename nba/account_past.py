"""The account of a contact as a decision looks at it: what all of its contacts did, read only where a model asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from features.accounts import MOST_CONTACTS, Groups
from features.feature_set import FeatureSet
from features.identity.link_rules import name_rank
from features.identity.members import Contact, members_of
from features.lake.history import contact_touchpoints
from features.matrix import History
from features.spells import Known
from features.store.account import AccountRows, Deeds, read_account, read_deeds
from features.touchpoints.touchpoints import TouchpointRules, Touchpoints
from nba.contact_traits import traits_of

if TYPE_CHECKING:
    from features.store.reading import Reading
    from features.store.store import Store

MayProfile = Callable[[Touchpoints], bool]
"""Whether the contact that did this may be profiled."""

MaySee = Callable[[Mapping[str, Any]], bool]
"""Whether a contact with such traits may be seen."""


@dataclass(frozen=True)
class AccountPast:
    """Where to read what the contacts of an account did before a moment.

    An account that more than ``MOST_CONTACTS`` identities were ever said to belong to is not read, as in training.
    """

    store: Store
    account: str
    contact: Contact
    rules: TouchpointRules

    def columns(self, features: FeatureSet, as_of: int, may_profile: MayProfile) -> NDArray[np.float32]:
        """Return the contact's columns about its account, shape (len(features.account_features),).

        Equal to the bit to what ``History.matrix`` says of the same contact among all others. Contacts that may not
        be profiled are left out.
        """
        out = np.full((1, len(features.account_features)), np.nan, dtype=np.float32)
        read = self.read(as_of)
        if read.is_crowded:
            return out.ravel()
        rows: list[Known] = []
        parts: list[Touchpoints] = []
        for contact in self.contacts(read, as_of):
            touchpoints = self.touchpoints(contact, as_of)
            if len(touchpoints) and contact.contact_id != self.contact.contact_id and not may_profile(touchpoints):
                continue
            rows += self._known_rows(contact, read, as_of)
            if len(touchpoints):
                parts.append(touchpoints)
        history = History(Touchpoints.joined(parts), features)
        groups = Groups.of(rows, history.touchpoints.contacts, crowded={})
        me = np.array([groups.code(self.contact.contact_id)], dtype=np.int64)
        history.fill_account(groups, me, np.array([as_of], dtype=np.int64), out, threads=1)
        return out.ravel()

    def members(self, as_of: int, may_see: MaySee = lambda traits: True) -> dict[str, str | None] | None:
        """Return the role of every contact of the account, by name; None where there are too many to be looked at.

        Parameters
        ----------
        may_see
            Whether a contact with such traits may be seen; those that may not are left out.
        """
        read = self.read(as_of)
        if read.is_crowded:
            return None
        rows = [row for contact in self.contacts(read, as_of) for row in self._known_rows(contact, read, as_of)]
        groups = Groups.of(rows, crowded={})
        traits: dict[str, dict[str, Any]] = {}
        for name, _, body in rows:
            traits.setdefault(name, {}).update(body)
        names = [name for name in groups.members(self.account, as_of) if may_see(traits.get(name, {}))]
        return {name: groups.roles.value_of(name, as_of) for name in names}

    def read(self, as_of: int, since: int | None = None) -> AccountRows:
        """Read what is known of the identities of the account; what went out to others from ``since`` on, too."""
        own, outbound = self.contact.contact_id, self.rules.outbound
        return read_account(self.store, self.account, MOST_CONTACTS, as_of, since, own=own, outbound=outbound)

    def deeds(self, seen: Reading, as_of: int, since: int, until: int) -> Deeds:
        """Read what ``seen`` has of decisions that were carried out in ``[since, until)`` for the others of these."""
        return read_deeds(seen, self.account, MOST_CONTACTS, as_of, since, until, own=self.contact.contact_id)

    def others(self, read: AccountRows, as_of: int) -> list[Contact]:
        """Return the other contacts that belong to the account, by name."""
        return [
            contact
            for contact in self.contacts(read, as_of)
            if contact.contact_id != self.contact.contact_id and self._belongs(contact, read, as_of)
        ]

    def touchpoints(self, contact: Contact, as_of: int) -> Touchpoints:
        """Return what happened with a contact under all of its identities."""
        if contact.members == (contact.contact_id,):
            return contact_touchpoints(self.store, contact.contact_id, as_of, self.rules)
        parts = [contact_touchpoints(self.store, each, as_of, self.rules) for each in contact.members]
        found = Touchpoints.joined(parts)
        return found.merged([range(len(found.contacts))], [contact.contact_id]) if found.contacts else found

    def contacts(self, read: AccountRows, as_of: int) -> list[Contact]:
        """Return everybody who may belong to the account, each contact once, by name."""
        found = {self.contact.contact_id: self.contact}
        seen = set(self.contact.members)
        for identity in read.traits:
            if identity not in seen:
                is_linked = identity in read.linked
                contact = members_of(self.store, identity, as_of, self.rules) if is_linked else Contact.alone(identity)
                seen.update(contact.members)
                found[contact.contact_id] = contact
        return [found[name] for name in sorted(found)]

    def _belongs(self, contact: Contact, read: AccountRows, as_of: int) -> bool:
        account: object = None
        if len(contact.members) > 1:
            account = traits_of(self.store, contact.members, as_of).get("account")
        else:
            for _, body in read.traits[contact.contact_id]:
                account = body.get("account", account)
        return str(account) == self.account

    def _known_rows(self, contact: Contact, read: AccountRows, as_of: int) -> list[Known]:
        if len(contact.members) > 1 or contact.contact_id not in read.traits:
            return known_rows(self.store, contact, as_of)
        return [(contact.contact_id, known_at, body) for known_at, body in read.traits[contact.contact_id]]


def known_rows(store: Store, contact: Contact, as_of: int) -> list[Known]:
    """Traits of a contact as they became known under any of its identities, as ``features.spells`` takes them."""
    # Of what became known at once the better name's word is the last.
    worst_first = sorted(contact.members, key=name_rank, reverse=True)
    return [
        (contact.contact_id, row.known_at, row.body) for each in worst_first for row in store.traits_of(each, as_of)
    ]
