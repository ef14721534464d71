"""How a contact is reached from a page: its own page, its account's, telephone, mail and the CRM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

CONTACTS, ACCOUNTS = "/contacts", "/accounts"
_LINKS = ("https://", "http://")


def contact_href(contact_id: str) -> str:
    """Return the address of a contact's page.

    Examples
    --------
    >>> contact_href("crm:4711/a")
    '/contacts/crm%3A4711%2Fa'
    """
    return f"{CONTACTS}/{quote(contact_id, safe='')}"


def account_href(account: object) -> str | None:
    """Return the address of an account's page; None where there is no account."""
    return f"{ACCOUNTS}/{quote(str(account), safe='')}" if account else None


def ways(told: Mapping[str, Any]) -> dict[str, str | None]:
    """Return the links that reach somebody, by what is known; only what can be nothing else is made a link.

    Examples
    --------
    >>> ways({"phone": "+41 44 123 45 67", "crm_url": "javascript:alert(1)"})
    {'tel': 'tel:+41441234567', 'mailto': None, 'crm': None}
    """
    phone, email, crm = (told.get(name) for name in ("phone", "email", "crm_url"))
    return {
        "tel": None if not phone else "tel:" + "".join(c for c in str(phone) if c in "+0123456789"),
        "mailto": None if not email or "@" not in str(email) else f"mailto:{quote(str(email), safe='@')}",
        "crm": crm if isinstance(crm, str) and crm.startswith(_LINKS) else None,
    }
