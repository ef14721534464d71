"""The buying group of an account as far as a viewer may know of it: the same to programs and on its page."""

from __future__ import annotations

import asyncio

from features.accounts import MOST_CONTACTS
from features.store.account_names import members_from
from nba.partners.visibility import OWNER_SIDE, Viewer
from serving.buying_group import BuyingGroup, Member, belongs, identities_of
from serving.problems import Problem
from serving.reach import Reach
from serving.service import Service

_AT_ONCE = 8
"""Contacts that are looked at before others get their turn."""


async def seen_group(service: Service, viewer: Viewer, account: str, now: int) -> BuyingGroup:
    """Read who buys together; nothing is logged.

    Raises
    ------
    Problem
        404 where there is no such account, or nobody in it whom the viewer sees.
    """
    if viewer == OWNER_SIDE or await _sees_any(service, viewer, account, now):
        group = await _read(service, viewer, account, now)
        if group.is_seen:
            return group
    raise Problem(404, "no-such-account", "nothing is known of an account with this name")


async def _sees_any(service: Service, viewer: Viewer, account: str, now: int) -> bool:
    """Whether a bound viewer sees anybody who was ever said to belong to an account.

    As much is read for an account that it must not know of as for one that nobody has: how long the answer takes would
    tell.
    """
    reach, found = Reach(service.store, viewer, service.settings, now), False
    for i, (name, identity) in enumerate(members_from(service.store, account, now, MOST_CONTACTS)):
        found |= reach.sees(identity) and name == account
        if i % _AT_ONCE == 0:
            await asyncio.sleep(0)
    return found


async def _read(service: Service, viewer: Viewer, account: str, now: int) -> BuyingGroup:
    """Read the members one after the other; others are answered in between."""
    identities = identities_of(service.store, account, now)
    members: dict[str, Member] = {}
    for identity in identities or ():
        found = Member.read(service.store, identity, service.catalogue, viewer, now)
        if belongs(found, account):
            members[found.name] = found
        await asyncio.sleep(0)
    ordered = None if identities is None else [members[name] for name in sorted(members)]
    known = service.store.record("accounts", account, now)
    return BuyingGroup(account, known, ordered, service.catalogue, viewer, now)
