"""Contacts that somebody may mean by what was typed, or that have the same address or number, as far as seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from features.identity.person_keys import mailbox, phone
from features.store import found
from nba.partners.visibility import Viewer
from serving.seen_contact import seen_contact
from serving.service import Service

_MOST = 8
_LOOKED_AT = 24
"""So many rows are looked at for one answer: some of them tell of who is hidden, or what holds no more."""
_FEWEST_DIGITS = 5


def people(service: Service, viewer: Viewer, typed: str, now: int) -> list[dict[str, Any]]:
    """Return whom a viewer may mean by an identity, the beginning of a name or an address, or the end of a number."""
    digits = "".join(c for c in typed if c in "0123456789")
    whose = {"partner": viewer.partner, "owner": viewer.owner}
    names = [typed]
    if len(digits) >= _FEWEST_DIGITS and not any(c.isalpha() for c in typed):
        names += found.people_by_phone(service.store, digits, now, _LOOKED_AT, **whose)
    names += found.people(service.store, typed, now, _LOOKED_AT, **whose)
    return _told(service, viewer, names, now)


def same_people(service: Service, viewer: Viewer, traits: Mapping[str, object], now: int) -> list[str]:
    """Return the contacts that have the same address of mail, else the same number."""
    whose = {"partner": viewer.partner, "owner": viewer.owner}
    address, number = mailbox(traits.get("email")), phone(traits.get("phone"))
    if address is not None and not address.is_role:
        near = found.people(service.store, str(traits["email"]).strip(), now, _LOOKED_AT, **whose)
        told = _told(service, viewer, near, now, _LOOKED_AT)
        return [each["contact_id"] for each in told if _same(mailbox(each["email"]), address)]
    if number is None:
        return []
    digits = number.removeprefix("+")
    told = _told(service, viewer, found.people_by_phone(service.store, digits, now, _LOOKED_AT, **whose), now)
    return [each["contact_id"] for each in told if phone(each["phone"]) == number]


def name_of_account(service: Service, account: str, now: int) -> str:
    """Return what an account is called, else its own name."""
    return str(service.store.record("accounts", account, now).get("name") or account)


def account_called(service: Service, name: str, now: int) -> str | None:
    """Return the only account of a name; None where there is none, or more."""
    near = found.accounts_named(service.store, name, now, _LOOKED_AT)
    told = {each: str(service.store.record("accounts", each, now).get("name", "")) for each in near}
    same = [each for each, called in told.items() if called.casefold() == name.strip().casefold()]
    return same[0] if len(same) == 1 else None


def _same(one: Any, other: Any) -> bool:
    return one is not None and one.exact == other.exact


def _told(service: Service, viewer: Viewer, names: Iterable[str], now: int, most: int = _MOST) -> list[dict[str, Any]]:
    told: dict[str, dict[str, Any]] = {}
    for name in dict.fromkeys(names):
        seen = seen_contact(service, viewer, name, now)
        if seen is None:
            continue
        traits = {of: seen.past.traits.get(of) if seen.sight.shows(of) else None for of in _TRAITS}
        if traits["account"]:
            traits["account"] = name_of_account(service, str(traits["account"]), now)
        # One contact is found by each of its identities.
        best = seen.identity if seen.past.contact is None else seen.past.contact.contact_id
        told.setdefault(best, {"contact_id": best, **traits})
        if len(told) == most:
            break
    return list(told.values())


_TRAITS = ("name", "account", "email", "phone")
