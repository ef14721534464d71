"""What no caller may send, and what the holder of a public key may not: everybody can read it in a web page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from features.identity.link_rules import EVER, PASSING
from features.identity.members import members_of
from features.rows.cells import RowError
from features.rows.row_types import ContactRow, LinkRow, TouchpointRow
from features.store.reading import Reading
from features.touchpoints.touchpoints import TouchpointRules
from nba.consent import CONFIRMED, GIVEN, PRESUMED, UNRESTRICTED, word_of
from nba.request import LONGEST_TEXT, UNFIT

LONGEST_KEY = 800
"""How many bytes of UTF-8 an identity or an id may have, so that every store can look it up."""

OWN_SOURCES = frozenset({"feedback", "note", "partners", "privacy", "self_service"})
"""What the service itself writes touchpoints under: an id that was sent under one of these would keep its own out."""

_SHORT = LONGEST_KEY // 4
_CONSENT = frozenset({GIVEN, CONFIRMED, PRESUMED})
_OURS_TO_SAY = frozenset({"partner", "owner", "crm_url", "person_type", "parent"})


def check_key(value: str | None, name: str) -> None:
    """Refuse what is too long to be looked up by.

    Raises
    ------
    RowError
        The name, its value and the rule.
    """
    if value is not None and len(value) > _SHORT and len(value.encode()) > LONGEST_KEY:
        raise RowError(name, value, f"is longer than {LONGEST_KEY} bytes; shorten it")


def check_source(value: str) -> None:
    """Refuse a source that is the service's own.

    Raises
    ------
    RowError
        The source and the rule.
    """
    if value in OWN_SOURCES:
        raise RowError("source", value, "is what the service itself writes under; name another one")


def source_of_key(name: str) -> str:
    """Return the source of what comes with a key; one that is called as a source of the service is told apart.

    Examples
    --------
    >>> source_of_key("shop"), source_of_key("feedback")
    ('shop', 'key feedback')
    """
    return f"key {name}" if name in OWN_SOURCES else name


def check_identity(value: str | None, name: str) -> None:
    """Refuse an identity, or an account, that no address and no request could name.

    Raises
    ------
    RowError
        The name, its value and the rule.
    """
    if value is None:
        return
    if len(value) > LONGEST_TEXT:
        raise RowError(name, value, f"is longer than {LONGEST_TEXT} characters; shorten it")
    if UNFIT.search(value) is not None:
        raise RowError(name, value, "has control characters in it; leave them out")
    check_key(value, name)


def admit_contact(row: ContactRow) -> ContactRow:
    """Return what is told of a contact, if it and its account can be named.

    Raises
    ------
    RowError
        Where they cannot.
    """
    check_identity(row.key, "identity")
    account = row.body.get("account")
    check_identity(account if isinstance(account, str) else None, "account")
    return row


def admit(row: TouchpointRow, *, is_public: bool) -> TouchpointRow:
    """Return a touchpoint that may be stored; a word of consent that is spelt otherwise is called by its name.

    Raises
    ------
    RowError
        Where a key is too long or cannot be named, or where it gives consent with a public key.
    """
    check_identity(row.identity, "identity")
    check_key(row.touchpoint_id, "touchpoint_id")
    check_key(row.source, "source")
    word = word_of(row.kind)
    if word == UNRESTRICTED:
        raise RowError("kind", row.kind, "ends a restriction, which POST /v1/privacy/{contact_id}/restrict does")
    if is_public and word in _CONSENT:
        raise RowError("kind", row.kind, "gives consent, which a public key may not; send it with a secret key")
    # Views, exports and retention know words of consent by their own names.
    return row if word in (None, row.kind) else row._replace(kind=word)


def sayable(body: Mapping[str, Any], *, is_public: bool) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the traits that the caller may tell, and a sentence for those that are left out.

    With a public key nobody says who looks after a contact, who may be approached without having agreed, or which
    address sales people should open.
    """
    found = dict(body)
    if not is_public:
        return found, ()
    left_out = sorted(_OURS_TO_SAY & found.keys())
    for name in left_out:
        del found[name]
    return found, tuple(f"{name} is left out: a public key may not tell it" for name in left_out)


def joins_two_known(store: Reading, link: LinkRow, rules: TouchpointRules) -> bool:
    """Whether a link would make one contact of two that are known: each has a name of its own, not a browser's."""
    one = members_of(store, link.identity_a, EVER, rules).members
    if link.identity_b in one:
        return False
    other = members_of(store, link.identity_b, EVER, rules).members
    return all(any(_is_known(store, name) for name in members) for members in (one, other))


def _is_known(store: Reading, name: str) -> bool:
    return name.partition(":")[0] not in PASSING or store.is_contact(name, EVER)
