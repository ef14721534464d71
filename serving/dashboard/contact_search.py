"""Contacts: somebody is found by any identity, by how a name or an address begins, or by a telephone number."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from starlette.responses import Response

from features.identity.members import members_of
from features.store.found import people, people_by_phone
from features.times import iso
from nba.contact_traits import traits_of
from nba.partners.visibility import Sight, sight_of
from nba.tables.memory import tables_of
from serving.dashboard.pages import Page
from serving.dashboard.reaching import CONTACTS, account_href, contact_href, ways
from serving.dashboard.visit import Visit
from serving.queried import is_name
from serving.reach import Reach

_SHOWN, _LOOKED_AT = 25, 150
_SHORTEST, _SHORTEST_OF_BOUND, _FEWEST_DIGITS = 2, 3, 5
_ROW = ("name", "account", "owner", "partner", "phone", "email", "crm_url")


async def contacts(visit: Visit) -> Response:
    """Show whoever is found."""
    asked = visit.query("q")
    found = await asyncio.to_thread(lambda: list(_found(visit, asked))) if asked else []
    return visit.shown(
        "contacts.html",
        asked=asked,
        found=found[:_SHOWN],
        is_more=len(found) > _SHOWN,
        is_short=bool(asked) and len(asked) < _shortest(visit),
    )


def _found(visit: Visit, asked: str) -> Iterator[dict[str, Any]]:
    """Return those who are found and seen, whom the words name exactly first; one more than is shown."""
    shown: set[str] = set()
    for identity, by in _candidates(visit, asked):
        row = _row(visit, identity, by, asked)
        if row is not None and row["contact_id"] not in shown:
            shown.add(row["contact_id"])
            yield row
            if len(shown) > _SHOWN:
                return


def _candidates(visit: Visit, asked: str) -> Iterator[tuple[str, str]]:
    """Return identities, each with what it was found by."""
    store, viewer, now = visit.service.store, visit.viewer, visit.now
    if is_name(asked):
        yield Reach(store, viewer, visit.service.settings, now).contact(asked), "identity"
        if "@" in asked:
            yield Reach(store, viewer, visit.service.settings, now).contact(f"email:{asked.lower()}"), "identity"
    digits = "".join(c for c in asked if c.isascii() and c.isdigit())
    if len(digits) >= _FEWEST_DIGITS and not any(c.isalpha() for c in asked):
        ends = people_by_phone(store, digits, now, _LOOKED_AT, partner=viewer.partner, owner=viewer.owner)
        yield from ((each, "phone") for each in ends)
    if len(asked) >= _shortest(visit):
        begins = people(store, asked, now, _LOOKED_AT, partner=viewer.partner, owner=viewer.owner)
        yield from ((each, "words") for each in begins)


def _shortest(visit: Visit) -> int:
    """Return how many letters are looked for: among very many that begin so few would be a bound reader's."""
    return _SHORTEST_OF_BOUND if visit.caller.is_bound else _SHORTEST


def _row(visit: Visit, identity: str, by: str, asked: str) -> dict[str, Any] | None:
    """Return a contact as it stands among those found; None where it is not seen, or was found by what is not."""
    service, now = visit.service, visit.now
    store, settings = service.store, service.settings
    members = members_of(store, identity, now, settings.touchpoints)
    traits = traits_of(store, members.members, now)
    sight = sight_of(visit.viewer, traits, tables_of(store, now).partners, settings.partners, now)
    if sight.is_nothing or not _still_holds(by, asked, {name: traits.get(name) for name in _ROW}, sight):
        return None
    if by == "identity" and not traits and not any(store.has_touchpoints(each) for each in members.members):
        return None
    # Whoever may not see the other identities learns the one it asked for only.
    name = members.contact_id if sight.shows("identities") or by != "identity" else asked
    scored = store.scores_of(members.contact_id)
    told = {each: traits.get(each) if sight.shows(each) else None for each in _ROW}
    shows_stage = scored is not None and sight.shows("stage")
    return {
        **told,
        **ways(told),
        "contact_id": name,
        "shown": told["name"] or name,
        "href": contact_href(name),
        "account_href": account_href(told["account"]),
        "account_name": told["account"] and (store.record("accounts", str(told["account"]), now).get("name")),
        "stage": scored.stage if scored is not None and shows_stage else None,
        "scored_at": iso(scored.as_of) if scored is not None and shows_stage else None,
    }


def _still_holds(by: str, asked: str, traits: dict[str, Any], sight: Sight) -> bool:
    """Whether what was asked for is what the contact is called now, and may be seen of it."""
    seen = {name: str(value) for name, value in traits.items() if value is not None and sight.shows(name)}
    if by == "phone":
        digits, own = (_plain(text) for text in (asked, seen.get("phone", "")))
        return bool(own) and (own.endswith(digits) or digits.endswith(own))
    if by == "words":
        small, name = asked.casefold(), seen.get("name", "").casefold()
        begins = (name, name.rpartition(" ")[2], seen.get("email", "").casefold())
        return any(each.startswith(small) for each in begins)
    return True


def _plain(number: str) -> str:
    """Return the digits of a number without the noughts in front that stand for a country or a region."""
    return "".join(c for c in number if c.isascii() and c.isdigit()).lstrip("0")


PAGES = (Page("contacts", CONTACTS, contacts, title="contacts"),)
