"""Joining contacts to the account of their mail domain, where nobody has said which account they belong to.

The account of a domain is the one whose trait ``domain``, ``email_domain`` or ``website`` names it, else the one that
others with such an address are said to belong to, else one that is called like the domain. Where several are
in question nobody is joined. Free mailers are no company, who is a consumer belongs to none, and a domain that more
contacts share than a buying group can have is looked at only where an account names it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from features.accounts import MOST_CONTACTS
from features.identity.identity import Identities
from features.rows.row_types import RecordRow
from features.times import ALWAYS
from nba.free_mailers import is_free

if TYPE_CHECKING:
    from features.store.store import Store
    from features.touchpoints.touchpoints import TouchpointRules

NAMED_BY = ("domain", "email_domain", "website")
"""Traits of an account that name its domain."""

_ADDRESS = re.compile(r"[^@\s]+@((?:[a-z0-9-]{1,63}\.)+[a-z]{2,63})", re.IGNORECASE)
_SITE = re.compile(r"(?:https?://)?(?:www\.)?((?:[a-z0-9-]{1,63}\.)+[a-z]{2,63})(?:[:/].*)?", re.IGNORECASE)


@dataclass(frozen=True)
class Joined:
    """What came of it: contacts that were joined now, to how many accounts, and contacts that could not be."""

    contacts: int
    accounts: int
    unclear: int
    """Contacts at whose domain several accounts are."""


class _Told(NamedTuple):
    """What is known of an identity; moments are microseconds since when."""

    domain: str | None = None
    domain_at: int = 0
    account: str | None = None
    account_at: int = 0
    was_taken_away: bool = False
    is_consumer: bool = False
    earlier: tuple[str, ...] = ()
    """Domains of addresses before."""

    @property
    def is_said(self) -> bool:
        """Whether somebody said which account; one that is called like the domain was joined here before."""
        return self.account is not None and self.account not in (self.domain, *self.earlier)


Account = tuple[str, int]
"""Its name, and since when it is known that the domain is its own."""


def domain_of(address: object) -> str | None:
    """Return the domain of a mail address, unless everybody gets one there; None where there is none.

    Examples
    --------
    >>> domain_of("Ann@Acme.ch"), domain_of("ann@gmx.ch"), domain_of("email:5f3a")
    ('acme.ch', None, None)
    """
    found = _ADDRESS.fullmatch(address.strip()) if isinstance(address, str) else None
    domain = None if found is None else found[1].lower()
    return None if domain is None or is_free(domain) else domain


def join_by_domain(store: Store, rules: TouchpointRules, now: int) -> Joined:
    """Write down the accounts of contacts that mail domains give, known since the address and the account were.

    Parameters
    ----------
    rules
        Which links count: what is said of one identity of a contact is said of all.
    now
        Microseconds; what became known before counts.
    """
    contacts = _contacts(store, rules, now)
    accounts = _Domains(store.record_rows("accounts", now), contacts.values())
    rows, unclear = [], 0
    for name, told in contacts.items():
        if told.domain is None or told.is_consumer or told.was_taken_away or told.is_said:
            continue
        found = accounts.of(told.domain)
        if found is None:
            unclear += 1
        elif found[0] != told.account:
            rows.append(RecordRow(name, max(told.domain_at, found[1]), {"account": found[0]}))
    with store.writing() as writing:
        writing.contacts(rows)
    return Joined(len(rows), len({row.body["account"] for row in rows}), unclear)


class _Domains:
    """Which account a domain is of."""

    def __init__(self, records: Iterable[RecordRow], contacts: Iterable[_Told]) -> None:
        self._named = _only(_domains_named(records))
        told = [each for each in contacts if each.domain is not None and not each.is_consumer]
        self._said = _only(
            (each.domain or "", (each.account, max(each.domain_at, each.account_at)))
            for each in told
            if each.is_said and each.account is not None
        )
        self._shared: dict[str, int] = {}
        for each in told:
            self._shared[each.domain or ""] = self._shared.get(each.domain or "", 0) + 1

    def of(self, domain: str) -> Account | None:
        """Return the account of a domain; None where none, or not a single one, is in question."""
        if domain in self._named:
            return self._named[domain]
        if self._shared.get(domain, 0) > MOST_CONTACTS:
            return None
        return self._said.get(domain, (domain, ALWAYS))


def _only(pairs: Iterable[tuple[str, Account]]) -> dict[str, Account | None]:
    """Return the account of each domain with the first moment at which that was known; None where there are several."""
    found: dict[str, Account | None] = {}
    for domain, (name, at) in pairs:
        before = found.get(domain, (name, at))
        found[domain] = None if before is None or before[0] != name else (name, min(at, before[1]))
    return found


def _domains_named(records: Iterable[RecordRow]) -> Iterator[tuple[str, Account]]:
    for row in records:
        for trait in NAMED_BY:
            value = row.body.get(trait)
            found = _SITE.fullmatch(value.strip()) if isinstance(value, str) else None
            if found is not None and not is_free(found[1].lower()):
                yield found[1].lower(), (row.key, row.known_at)


def _contacts(store: Store, rules: TouchpointRules, now: int) -> Mapping[str, _Told]:
    """Return what is known of every contact, under the identity whose address is the newest."""
    told: dict[str, _Told] = {}
    for row in sorted(store.contact_rows(now), key=lambda row: row.known_at):
        told[row.key] = _with(told.get(row.key, _Told()), row)
    identities = Identities.of(store.link_rows(now), store.split_rows(now), rules)
    for name in sorted(identities.linked & told.keys()):
        if name in told:
            members = [each for each in identities.members(name, now) if each in told]
            best = max(members, key=lambda each: (told[each].domain is not None, told[each].domain_at, each))
            merged = _together(told[best], [told[each] for each in members])
            for each in members:
                del told[each]
            told[best] = merged
    return told


def _with(told: _Told, row: RecordRow) -> _Told:
    body, at = row.body, row.known_at
    if "email" in body:
        earlier = told.earlier if told.domain is None else (*told.earlier, told.domain)
        told = told._replace(domain=domain_of(body["email"]), domain_at=at, earlier=earlier)
    if "account" in body:
        account = body["account"]
        name = None if account is None or account == "" else str(account)
        told = told._replace(account=name, account_at=at, was_taken_away=name is None and told.account is not None)
    if "person_type" in body:
        told = told._replace(is_consumer=body["person_type"] == "consumer")
    return told


def _together(best: _Told, members: Iterable[_Told]) -> _Told:
    """Return what is known of a contact of several identities: an account that was said of one is said of all."""
    found = list(members)
    said = max((each for each in found if each.account is not None), key=lambda each: each.account_at, default=best)
    return best._replace(
        account=said.account,
        account_at=said.account_at,
        was_taken_away=said.account is None and any(each.was_taken_away for each in found),
        is_consumer=any(each.is_consumer for each in found),
    )
