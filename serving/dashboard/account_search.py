"""Accounts: found by how their name or their key begins, else listed in the order of their keys."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from starlette.responses import Response

from features.store.found import accounts_from, accounts_named, accounts_of, accounts_of_named
from nba.partners.visibility import OWNER_SIDE
from serving.dashboard.pages import Page
from serving.dashboard.reaching import ACCOUNTS, account_href
from serving.dashboard.visit import Visit
from serving.reach import Reach

_SHOWN, _LOOKED_AT, _MEMBERS = 25, 200, 50
_MOST_OWN = 100_000
"""Accounts of one partner or owner that are looked through for a name."""


async def accounts(visit: Visit) -> Response:
    """Show the accounts that are found, from one on."""
    asked, behind = visit.query("q"), visit.query("behind")
    found = await asyncio.to_thread(lambda: list(_found(visit, asked, behind)))
    shown = found[:_SHOWN]
    return visit.shown(
        "accounts.html",
        asked=asked,
        found=shown,
        next=visit.here(behind=shown[-1]["account"]) if len(found) > _SHOWN else None,
        is_begin=not behind,
        is_bound=visit.caller.is_bound,
    )


def _found(visit: Visit, asked: str, behind: str) -> Iterator[dict[str, Any]]:
    """Return the accounts that the reader may know of, one more than is shown."""
    store, now, n = visit.service.store, visit.now, 0
    reach = Reach(store, visit.viewer, visit.service.settings, now)
    for name in dict.fromkeys(_names(visit, asked, behind)):
        known = store.record("accounts", name, now)
        if not _is_seen(visit, reach, name, is_known=bool(known)):
            continue
        title = known.get("name")
        if asked and not any(str(each or "").casefold().startswith(asked.casefold()) for each in (name, title)):
            continue
        yield {"account": name, "name": title, "parent": known.get("parent"), "href": account_href(name)}
        n += 1
        if n > _SHOWN:
            return


def _names(visit: Visit, asked: str, behind: str) -> Iterator[str]:
    store, viewer, now = visit.service.store, visit.viewer, visit.now
    if viewer != OWNER_SIDE:
        # What is looked through are its own accounts alone: others' must not even cost time.
        whose = {"partner": viewer.partner, "owner": viewer.owner}
        if asked:
            yield from accounts_of_named(store, asked, behind, now, _MOST_OWN, **whose)
        else:
            yield from accounts_of(store, behind, _LOOKED_AT, **whose)
        return
    if asked:
        named = accounts_named(store, asked, now, _LOOKED_AT)
        yield from sorted(each for each in named if each > behind)
    yield from accounts_from(store, asked, behind, now, _LOOKED_AT)


def _is_seen(visit: Visit, reach: Reach, account: str, *, is_known: bool) -> bool:
    """Whether the reader may know of an account: of one that has a row of its own everybody on the owner's side may."""
    if visit.viewer == OWNER_SIDE and is_known:
        return True
    store, now = visit.service.store, visit.now
    return any(reach.shows_account(each, account) for each in store.account_members(account, now)[:_MEMBERS])


PAGES = (Page("accounts", ACCOUNTS, accounts, title="accounts"),)
