"""Where a contact belongs: its account with the buying group, and the partner who looks after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from features.partners import partners_of
from features.spells import FOREVER
from features.store.store import Store
from features.times import iso
from nba.account_past import MaySee, known_rows
from nba.partners.visibility import OWNER_SIDE, Viewer, may_see
from nba.past import Past
from nba.settings.people import Partners


def account_shown(
    store: Store,
    past: Past,
    as_of: int,
    roles: Sequence[str],
    partners: Partners | None = None,
    viewer: Viewer = OWNER_SIDE,
) -> dict[str, Any] | None:
    """Show the account a contact belonged to; None where it belonged to none.

    Parameters
    ----------
    roles
        Of a whole buying group, from the settings; those nobody has are missing.
    partners
        The settings that say whose contacts are seen; None: everybody is shown.
    viewer
        Who looks.

    Returns
    -------
    dict
        ``members``, ``roles`` and ``missing_roles`` are null where the account is too large to be looked at.
    """
    account = past.account
    if account is None:
        return None
    known = store.record("accounts", account.account, as_of)
    found = account.members(as_of, _may_see(past, partners, viewer, as_of))
    seen = None if found is None else sorted({role for role in found.values() if role is not None})
    return {
        "account": account.account,
        "name": known.get("name"),
        "parent": known.get("parent"),
        "members": None if found is None else len(found),
        "roles": seen,
        "missing_roles": None if seen is None else [role for role in roles if role not in seen],
    }


def _may_see(past: Past, settings: Partners | None, viewer: Viewer, as_of: int) -> MaySee:
    if settings is None:
        return lambda traits: True
    partners = past.around.tables().partners
    return lambda traits: may_see(viewer, traits, partners, settings, as_of)


def partner_shown(store: Store, past: Past, as_of: int, viewer: Viewer = OWNER_SIDE) -> dict[str, Any] | None:
    """Show the partner who looked after a contact, and who did before; None where nobody ever did.

    A partner is told of its own time only.
    """
    contact = past.contact
    if contact is None:
        return None
    rows = known_rows(store, contact, as_of)
    if not any(row[2].get("partner") for row in rows):
        return None
    held = partners_of(rows, store.record_rows("partners", as_of))
    now = held.value_of(contact.contact_id, as_of)
    return {
        "partner": now,
        "name": None if now is None else store.record("partners", now, as_of).get("name"),
        "history": [
            {"partner": partner, "from": _moment(begin), "to": _moment(end) if end < as_of else None}
            for begin, end, partner in held.of(contact.contact_id)
            if begin < as_of and viewer.partner in (None, partner)
        ],
    }


def _moment(us: int) -> str | None:
    return None if abs(us) >= FOREVER else iso(us)
