"""Accounts and their buying groups: whose contacts belong together, and since when that was known.

A contact belongs to the account that its trait ``account`` names, from the moment that this was known until another
value, or none, became known. All that the contact ever did counts for the account while it belongs to it: so the past
of who joins comes along, and that of who leaves goes away, for moments after that and for no earlier one.

An account that more than ``MOST_CONTACTS`` identities were ever said to belong to is no buying group any more; from
that moment on its contacts' rows know nothing of an account, in training as in a request.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from features.codes import NONE
from features.kernel.account_records import Entries
from features.kernel.account_windows import fill_account
from features.sorting import in_parts
from features.spells import FOREVER, I64, Known, Spells, spells
from features.traits import Traits

if TYPE_CHECKING:
    from features.kernel.events import Events
    from features.touchpoints.touchpoints import Touchpoints

LEAST_SHARE = 0.02
"""Share of contacts that must belong to accounts for the columns to be worth their width."""
MOST_CONTACTS = 200
"""Identities that may ever have been said to belong to one account; above, the account is not looked at."""


@dataclass(frozen=True)
class Groups:
    """Which contact belonged to which account when, and in which role.

    The codes of contacts are those of the touchpoints, and then those of contacts that have none.
    ``crowded_at`` says of each account since when it is too large to be looked at, ``FOREVER`` where it is not.
    """

    accounts: Spells
    roles: Spells
    crowded_at: I64

    @classmethod
    def of(
        cls,
        rows: Iterable[Known],
        contacts: Sequence[str] = (),
        *,
        stood: tuple[I64, I64] | None = None,
        crowded: dict[str, int] | None = None,
    ) -> Groups:
        """Tell from traits as they became known.

        Parameters
        ----------
        rows
            (name, known_at, traits) as of ``Traits``; of a merged contact the merged ones.
        contacts
            Of the touchpoints, in their order.
        stood
            Microseconds ``(from, to]`` between which each of ``contacts`` stood, where the same identities were
            different contacts at different times.
        crowded
            From ``crowded_at``, where the rows are not of single identities.

        Examples
        --------
        >>> groups = Groups.of([("ann", 5, {"account": "acme"}), ("bob", 7, {"account": "acme"})])
        >>> groups.accounts.value_of("ann", 6), groups.members("acme", 6), groups.members("acme", 8)
        ('acme', ['ann'], ['ann', 'bob'])
        """
        known = list(rows)
        names = _with_others(known, contacts)
        accounts = spells(known, "account", names)
        if stood is not None:
            more = len(names) - len(contacts)
            always, ever = np.full(more, -FOREVER), np.full(more, FOREVER)
            accounts = accounts.within((np.append(stood[0], always), np.append(stood[1], ever)))
        since = crowded_at(known) if crowded is None else crowded
        return cls(
            accounts=accounts,
            roles=spells(known, "role", names),
            crowded_at=np.array([since.get(name, FOREVER) for name in accounts.values], dtype=np.int64),
        )

    def code(self, contact: str) -> int:
        """Code of a contact, -1 for one that nothing is known of."""
        return self.accounts.code_of.get(contact, NONE)

    def members(self, account: str, as_of: int) -> list[str]:
        """Names of the contacts that belonged to an account as of a moment."""
        spell = self.accounts
        if account not in spell.values:
            return []
        held = (spell.value == spell.values.index(account)) & (spell.from_us < as_of) & (as_of <= spell.to_us)
        return [spell.names[code] for code in spell.name[held].tolist()]

    def are_worth_looking_at(self, before: int) -> bool:
        """Whether a fiftieth of all contacts were known to belong to accounts before a moment, two to one at least."""
        known = self.accounts.from_us < before
        belong = np.unique(np.stack([self.accounts.value[known], self.accounts.name[known]]), axis=1)
        share = len(np.unique(belong[1])) / max(1, len(self.accounts.names))
        return share >= LEAST_SHARE and int(np.bincount(belong[0]).max()) >= 2

    def fill(
        self, events: Events, contact: I64, as_of: I64, fading: float, out: NDArray[np.float32], threads: int | None
    ) -> None:
        """Fill the columns about the account of each row's contact; NaN where it belongs to none.

        Parameters
        ----------
        events
            Of the touchpoints whose contacts these groups are of.
        contact, as_of
            Codes of contacts (-1: nobody), and microseconds, shape (n,).
        fading
            Half-lives of a topic per microsecond.
        out
            float32, shape (n, columns of ``ACCOUNT``).
        threads
            How many share the rows, all processors when left out.
        """
        out[:] = np.nan
        spell = self.accounts.at(contact, as_of)
        belongs = np.flatnonzero(spell >= 0)
        account = np.full(len(spell), NONE, dtype=np.int64)
        account[belongs] = self.accounts.value[spell[belongs]]
        asked = belongs[as_of[belongs] <= self.crowded_at[account[belongs]]]
        if not len(asked):
            return
        order = asked[np.lexsort((as_of[asked], account[asked]))]
        entries, place = self._entries(events)
        entry = place[spell]

        def fill(low: int, high: int) -> None:
            fill_account(events.deck, entries, account, entry, contact, as_of, order[low:high], fading, out)

        in_parts(fill, len(order), threads=threads)

    def _entries(self, events: Events) -> tuple[Entries, I64]:
        """Lay the spells out by account; also returns the place of each spell among them."""
        spell = self.accounts
        contact = spell.name
        first, first_inbound = _firsts(events, len(spell.names))
        order = np.lexsort((contact, first_inbound[contact], spell.value))
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order))
        contact = contact[order]
        entries = Entries(
            start=np.concatenate([[0], np.cumsum(np.bincount(spell.value, minlength=len(spell.values)))]).astype(
                np.int64
            ),
            contact=contact,
            from_us=spell.from_us[order],
            to_us=spell.to_us[order],
            first=first[contact],
            first_inbound=first_inbound[contact],
            role_start=self.roles.start,
            role_from=self.roles.from_us,
            role_to=self.roles.to_us,
            role=self.roles.value,
            n_roles=max(1, len(self.roles.values)),
        )
        return entries, place


@dataclass(frozen=True)
class AccountView:
    """Everybody's touchpoints once more, laid out by account, and what is known of the accounts.

    ``touchpoints`` has an account for each contact, and says of each touchpoint for which moments it counts, so that
    ``History(view.touchpoints, features).matrix(codes, as_of, traits=view.traits)`` gives the features of accounts.
    ``parents`` says to which account each belongs itself.
    """

    touchpoints: Touchpoints
    traits: Traits
    parents: Spells


def by_account(touchpoints: Touchpoints, groups: Groups, known: Iterable[Known] = ()) -> AccountView:
    """Lay touchpoints out by account.

    Parameters
    ----------
    touchpoints
        Of contacts.
    groups
        Of the same contacts.
    known
        (account, known_at, traits) as the table ``accounts`` has them.
    """
    spell = groups.accounts
    told = np.flatnonzero(spell.name < len(touchpoints.contacts))
    told = told[np.argsort(spell.value[told], kind="stable")]
    # A contact that left and came back is there twice, each time for its own span.
    each = touchpoints.merged([(code,) for code in spell.name[told].tolist()], [str(i) for i in range(len(told))])
    length = np.diff(each.start)
    each = replace(
        each,
        visible_from=np.repeat(spell.from_us[told], length),
        visible_to=np.repeat(spell.to_us[told], length),
    )
    names, first = np.unique(spell.value[told], return_index=True)
    members = [part.tolist() for part in np.split(np.arange(len(told)), first[1:])] if len(told) else []
    rows = list(known)
    return AccountView(
        touchpoints=each.merged(members, [spell.values[code] for code in names.tolist()]),
        traits=Traits((key, at, {k: v for k, v in body.items() if k not in _ABOUT}) for key, at, body in rows),
        parents=spells(rows, "parent"),
    )


_ABOUT = ("name", "parent")
"""Columns of accounts that say who they are, and are no traits."""


def crowded_at(rows: Iterable[Known]) -> dict[str, int]:
    """When each account that has too many contacts came to have them.

    Parameters
    ----------
    rows
        (identity, known_at, traits) of every identity, as the store has them.
    """
    since: dict[str, dict[str, int]] = {}
    for identity, known_at, body in rows:
        account = body.get("account")
        if account is not None and account != "":
            named = since.setdefault(str(account), {})
            named[identity] = min(known_at, named.get(identity, known_at))
    return {
        account: sorted(named.values())[MOST_CONTACTS] for account, named in since.items() if len(named) > MOST_CONTACTS
    }


def _with_others(rows: Iterable[Known], contacts: Sequence[str]) -> Sequence[str]:
    told = {name for name, _, body in rows if "account" in body or "role" in body}
    others = sorted(told.difference(contacts))
    return [*contacts, *others] if others else contacts


def _firsts(events: Events, n: int) -> tuple[I64, I64]:
    """When each of ``n`` contacts had its first touchpoint, and its first inbound one; ``FOREVER`` for never."""
    found = np.full((2, n), FOREVER, dtype=np.int64)
    start, at, outbound = events["start"], events["occurred_at"], events["outbound"]
    some = np.flatnonzero(start[1:] > start[:-1])
    found[0, some] = at[start[some]]
    if not len(outbound):
        return found[0], found[0]
    inbound = np.flatnonzero(~outbound)
    if len(inbound):
        # The next inbound touchpoint from each contact's first on is its own, or somebody else's.
        following = np.searchsorted(inbound, start[some])
        place = inbound[np.minimum(following, len(inbound) - 1)]
        own = (following < len(inbound)) & (place < start[some + 1])
        found[1, some[own]] = at[place[own]]
    return found[0], found[1]
